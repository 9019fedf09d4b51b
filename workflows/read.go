package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// groupSize is how many records are rendered, claimed and settled together.
const groupSize = 25

// readSize is how many records one activity reads: a whole wave, if the connector reads that many at once.
func readSize(ctx workflow.Context, src *plan.Source) int {
	most := waveSize
	if workflow.GetVersion(ctx, changeRead, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		most = groupSize
	}
	return min(most, max(1, src.MaxRead))
}

// draft is a record that is ready to be claimed and written.
type draft struct {
	record     activities.Record // without its data
	decision   activities.Decision
	attributes []byte // JSON

	// doubt says that the run may have written the record.
	doubt bool
}

// group is a part of a wave: drafts to write and verdicts to note.
type group struct {
	drafts   []draft
	verdicts []activities.Verdict
}

// reader reads, resolves and renders the records of a plan.
type reader struct{ plan *plan.Plan }

// prepare turns pending records into groups. The rest are those that made a result too big: they are to be asked for again.
func (r reader) prepare(ctx workflow.Context, pending []activities.Pending) (groups []group, rest []activities.Pending, err error) {
	fetched, rest, err := r.fetch(ctx, pending)
	if err != nil {
		return nil, nil, err
	}
	decisions, err := r.resolve(ctx, fetched)
	if err != nil {
		return nil, nil, err
	}
	rendered, err := r.render(ctx, fetched)
	if err != nil {
		return nil, nil, err
	}
	for i, f := range fetched {
		var g group
		for _, v := range f.Verdicts {
			g.verdicts = append(g.verdicts, v)
			groups = g.flush(groups, groupSize)
		}
		for n := range f.Records {
			g.add(&f.Records[n], decisions[i][n], rendered[i][n])
			groups = g.flush(groups, groupSize)
		}
		groups = g.flush(groups, 1)
	}
	return groups, rest, nil
}

// flush moves the group's content to a group of its own behind the others, if it has so many records.
func (g *group) flush(groups []group, least int) []group {
	if len(g.drafts)+len(g.verdicts) < least {
		return groups
	}
	groups = append(groups, *g)
	*g = group{}
	return groups
}

// add sorts a record into the group.
func (g *group) add(r *activities.Record, d activities.Decision, out activities.Rendered) {
	switch {
	case d.Reason != "":
		g.verdicts = append(g.verdicts, r.Set(activities.Rejected, d.Reason, d.Detail))
	case out.Failure != "":
		g.verdicts = append(g.verdicts, r.Set(activities.Rejected, activities.ReasonRender, out.Failure))
	default:
		r.Data = nil
		g.drafts = append(g.drafts, draft{record: *r, decision: d, attributes: out.Attributes})
	}
}

// fetch reads records, as many in one activity as the connector reads at once.
func (r reader) fetch(ctx workflow.Context, pending []activities.Pending) (results []activities.FetchResult, rest []activities.Pending, err error) {
	src := &r.plan.Source
	size := readSize(ctx, src)
	var futures []workflow.Future
	for len(pending) > 0 {
		n := min(size, len(pending))
		futures = append(futures, workflow.ExecuteActivity(
			readOptions(ctx, queueOf(src.Connection), fmt.Sprintf("fetch %d %s", n, src.Stream), 2*time.Minute),
			a.Fetch, activities.FetchInput{Plan: r.plan, Pending: pending[:n]}))
		pending = pending[n:]
	}
	results = make([]activities.FetchResult, len(futures))
	for i, f := range futures {
		if err := f.Get(ctx, &results[i]); err != nil {
			return nil, nil, clean(err)
		}
		rest = append(rest, results[i].Rest...)
	}
	return results, rest, nil
}

// resolve decides where records belong, all in one activity, so that each address is asked for once.
func (r reader) resolve(ctx workflow.Context, fetched []activities.FetchResult) ([][]activities.Decision, error) {
	decisions := make([][]activities.Decision, len(fetched))
	in := activities.ResolveInput{Destination: r.plan.Destination, Resolve: r.plan.Resolve}
	for i, f := range fetched {
		decisions[i] = make([]activities.Decision, len(f.Records))
		for _, rec := range f.Records {
			in.External = append(in.External, rec.External)
			in.Hosts = append(in.Hosts, rec.Host)
		}
	}
	if r.plan.Destination.ResolvedBy == "" || len(in.External) == 0 {
		return decisions, nil
	}
	var res activities.ResolveResult
	err := workflow.ExecuteActivity(
		readOptions(ctx, queueOf(r.plan.Destination.Connection), "resolve "+records(len(in.External)), 5*time.Minute), a.Resolve, in,
	).Get(ctx, &res)
	if err != nil {
		return nil, clean(err)
	}
	next := 0
	for i := range decisions {
		next += copy(decisions[i], res.Decisions[next:])
	}
	return decisions, nil
}

// render evaluates the mappings, one group a local activity, whose result is in the history.
func (r reader) render(ctx workflow.Context, fetched []activities.FetchResult) ([][]activities.Rendered, error) {
	futures := make([][]workflow.Future, len(fetched))
	for i, f := range fetched {
		for part := range slices.Chunk(f.Records, groupSize) {
			futures[i] = append(futures[i], workflow.ExecuteLocalActivity(renderOptions(ctx, "render "+records(len(part))), a.Render,
				activities.RenderInput{Plan: r.plan, Records: part}))
		}
	}
	rendered := make([][]activities.Rendered, len(fetched))
	for i := range futures {
		for _, f := range futures[i] {
			var res activities.RenderResult
			if err := f.Get(ctx, &res); err != nil {
				return nil, clean(err)
			}
			rendered[i] = append(rendered[i], res.Rendered...)
		}
	}
	return rendered, nil
}
