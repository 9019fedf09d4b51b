package workflows

import (
	"cmp"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// PreviewInput is the input of [Preview].
type PreviewInput struct {
	// Plan need not be applied.
	Plan *plan.Plan `json:"plan"`

	// Count is how many of the newest records are shown, at most 100. With none, only the connections are checked.
	Count int `json:"count"`
}

// PreviewResult is the result of [Preview].
type PreviewResult struct {
	// Source and Destination say what was reached.
	Source      string `json:"source"`
	Destination string `json:"destination"`

	// Records are the newest records, the newest first.
	Records []activities.PreviewRecord `json:"records,omitempty"`
}

const (
	maxPreview = 100

	// previewBack is how far back a preview looks for records.
	previewBack = 31 * day
)

// Preview shows what a job would do with the newest records. It reads, resolves and renders them as a run does, asks the
// destination how it would write them, and writes nothing.
func Preview(ctx workflow.Context, in PreviewInput) (*PreviewResult, error) {
	if in.Plan == nil || in.Count < 0 || in.Count > maxPreview {
		return nil, temporal.NewNonRetryableApplicationError("a preview needs a plan and a count of at most 100", activities.TypeInvalidInput, nil)
	}
	source, destination, err := connect(ctx, in.Plan, false)
	if err != nil {
		return nil, err
	}
	res := &PreviewResult{Source: source.Summary, Destination: destination.Summary}
	if in.Count == 0 {
		return res, nil
	}
	src := &in.Plan.Source
	var newest activities.NewestResult
	err = workflow.ExecuteActivity(previewOptions(ctx, queueOf(src.Connection), "list the newest "+src.Stream), a.Newest,
		activities.NewestInput{Source: *src, Count: in.Count, Back: max(previewBack, time.Duration(src.Initial))}).Get(ctx, &newest)
	if err != nil {
		return nil, clean(err)
	}
	if len(newest.Newest) == 0 {
		return res, nil
	}
	res.Records, err = previewRecords(ctx, in.Plan, newest.Newest)
	return res, err
}

// previewRecords prepares records as a run does, and sorts them as they were given.
func previewRecords(ctx workflow.Context, p *plan.Plan, pending []activities.Pending) ([]activities.PreviewRecord, error) {
	var known activities.KnownResult
	err := workflow.ExecuteActivity(entityOptions(ctx, "look up "+records(len(pending))), a.Known,
		activities.KnownInput{Source: p.Source, Destination: p.Destination, Pending: pending}).Get(ctx, &known)
	if err != nil {
		return nil, clean(err)
	}
	var out []activities.PreviewRecord
	for left := pending; len(left) > 0; {
		groups, rest, err := reader{p}.prepare(ctx, left)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			shown, err := showGroup(ctx, p, g)
			if err != nil {
				return nil, err
			}
			out = append(out, shown...)
		}
		left = rest
	}
	order := func(id string) int {
		return slices.IndexFunc(pending, func(p activities.Pending) bool { return p.ID == id })
	}
	for i := range out {
		// What is wrong with a record now is worth knowing, also of one that an earlier run has written.
		if known.Delivered[order(out[i].ID)] && out[i].State == activities.Claimed {
			out[i].State, out[i].Reason, out[i].Detail = activities.Delivered, "", "it is in the destination already"
		}
	}
	slices.SortStableFunc(out, func(x, y activities.PreviewRecord) int { return cmp.Compare(order(x.ID), order(y.ID)) })
	return out, nil
}

// showGroup asks the destination how it would write a group's drafts.
func showGroup(ctx workflow.Context, p *plan.Plan, g group) ([]activities.PreviewRecord, error) {
	var out []activities.PreviewRecord
	for _, v := range g.verdicts {
		r := previewOf(&activities.Record{Pending: v.Pending, URL: v.URL, Title: v.Title, Host: v.Host, External: v.External})
		r.State, r.Reason, r.Detail = v.State, v.Reason, v.Detail
		out = append(out, r)
	}
	if len(g.drafts) == 0 {
		return out, nil
	}
	in := activities.ShowInput{Connection: p.Destination.Connection, Object: p.Destination.Object}
	for _, d := range g.drafts {
		in.Items = append(in.Items, activities.ShowItem{
			Key: activities.Key(&p.Source, d.record.Pending.ID), Pending: d.record.Pending, URL: d.record.URL,
			Target: d.decision.Target, Attributes: d.attributes,
		})
	}
	var shown activities.ShowResult
	err := workflow.ExecuteActivity(previewOptions(ctx, queueOf(p.Destination.Connection), "show "+records(len(in.Items))), a.Show, in).Get(ctx, &shown)
	if err != nil {
		return nil, clean(err)
	}
	for i, d := range g.drafts {
		r := previewOf(&d.record)
		r.State, r.Target, r.TargetName, r.Losers = activities.Claimed, d.decision.Target, d.decision.Name, d.decision.Losers
		r.Detail, r.Attributes = d.decision.Detail, shown.Shown[i].Attributes
		if refused := shown.Shown[i].Refused; refused != "" {
			r.State, r.Reason, r.Detail = activities.Rejected, activities.ReasonRefused, refused
		}
		out = append(out, r)
	}
	return out, nil
}

func previewOf(r *activities.Record) activities.PreviewRecord {
	return activities.PreviewRecord{
		ID: r.Pending.ID, Time: r.Pending.Time, Title: r.Title, Host: r.Host, URL: r.URL, Participants: r.External,
	}
}

// previewOptions are for steps that somebody waits for.
func previewOptions(ctx workflow.Context, queue, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              queue,
		ScheduleToCloseTimeout: 5 * time.Minute,
		StartToCloseTimeout:    2 * time.Minute,
		HeartbeatTimeout:       activities.HeartbeatTimeout,
		Summary:                summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second, MaximumAttempts: 5,
		},
	})
}
