package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// connectParallel is how many jobs are tried at once.
const connectParallel = 4

// The codes of diagnostics that come from real records.
const (
	codeUnresolved schema.Code = "account_unresolved" // no record has a target
	codeNoRecord   schema.Code = "no_records"         // there is nothing to judge by
	codeNoneUsable schema.Code = "none_writable"      // every record would be turned down
)

// connected is what trying a job has shown.
type connected struct {
	Job     string                     `json:"job"`
	Valid   bool                       `json:"valid"`
	Records []activities.PreviewRecord `json:"records"`

	diags schema.Diagnostics
	tally string
}

// tryJobs tries jobs on real records and returns what is wrong, in the form of the checks of the files.
func (a *app) tryJobs(ctx context.Context, plans []*plan.Plan, log hclog.Logger) ([]connected, schema.Diagnostics, error) {
	t, err := a.dial(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	defer t.Close()
	if err := a.awaitWorker(ctx, t, workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW, noWorker(t)); err != nil {
		return nil, nil, err
	}
	out := make([]connected, len(plans))
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(connectParallel)
	for i, p := range plans {
		g.Go(func() error {
			res, err := a.preview(groupCtx, t, p, previewRecords)
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			out[i] = judge(p.Job, res, err)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	var diags schema.Diagnostics
	for _, c := range out {
		diags = append(diags, c.diags...)
	}
	return out, diags, nil
}

// judge says what a preview, or the error in its stead, means for a job.
func judge(job string, p *preview, err error) connected {
	c := connected{Job: job, Valid: true, Records: []activities.PreviewRecord{}}
	switch {
	case err != nil:
		c.diags = schema.Diagnostics{connectProblem(job, err)}
	case len(p.Records) == 0:
		c.tally = "no records to judge by"
		c.diags = schema.Diagnostics{{Severity: schema.SeverityWarning, Code: codeNoRecord, Summary: "No records in job " + job, Detail: p.emptiness()}}
	default:
		c.Records, c.tally = p.Records, p.tally()
		c.diags = judgeRecords(job, p)
	}
	c.Valid = !c.diags.HasErrors()
	return c
}

// connectProblem makes a diagnostic of an error: one of the surroundings, or of the configuration.
func connectProblem(job string, err error) schema.Diagnostic {
	f := classify(err)
	d := schema.Diagnostic{Severity: schema.SeverityError, Code: schema.Code(f.code), Summary: "Job " + job + " cannot work", Detail: sentence(f.Error())}
	if f.exit != ExitInvalid {
		d.Code = schema.CodeEnvironment
		d.Summary = "Job " + job + " cannot be tried"
	}
	return d
}

// judgeRecords finds out whether a job can write any of the records at all. Records that are not ready, that the job leaves out on
// purpose, or that another run has in hand, say nothing about that.
func judgeRecords(job string, p *preview) schema.Diagnostics {
	var failed []activities.PreviewRecord
	for _, r := range p.Records {
		switch {
		case r.State == activities.Claimed || r.State == activities.Delivered:
			return nil
		case r.State == activities.Rejected && r.Reason != activities.ReasonFiltered && r.Reason != activities.ReasonGone:
			failed = append(failed, r)
		}
	}
	if len(failed) == 0 {
		return schema.Diagnostics{{
			Severity: schema.SeverityWarning, Code: codeNoRecord, Summary: "No records to judge job " + job + " by",
			Detail: fmt.Sprintf("Of the newest %s, none is ready and wanted by the job's where condition: %s.", plural(len(p.Records), "record"), p.tally()),
		}}
	}
	d := schema.Diagnostic{Severity: schema.SeverityError, Code: codeNoneUsable, Summary: "Job " + job + " could write none of the newest records"}
	if slices.ContainsFunc(failed, func(r activities.PreviewRecord) bool { return r.Reason == activities.ReasonUnresolved }) {
		d.Code, d.Summary = codeUnresolved, capital(strings.ReplaceAll(p.targetNoun(), "_", " "))+" id not resolved in job "+job
	}
	var rows []string
	for _, r := range failed {
		rows = append(rows, failedRow(&r))
	}
	d.Detail = fmt.Sprintf("None of the %s that it would have to write can be written:\n%s\n%s", plural(len(failed), "record"), strings.Join(rows, "\n"),
		"See them in full with durasync preview "+job+".")
	return schema.Diagnostics{d}
}

func failedRow(r *activities.PreviewRecord) string {
	row := fmt.Sprintf("- %s %s: %s", r.Time.UTC().Format("2006-01-02 15:04"), clip(titleOf(r), 40), hint(r.Reason, r.Detail))
	if r.Reason == activities.ReasonUnresolved {
		row = fmt.Sprintf("- %s %s: nobody is known of %s", r.Time.UTC().Format("2006-01-02 15:04"), clip(titleOf(r), 40), strings.Join(r.Participants, ", "))
	}
	return row
}

// sentence begins a text with a capital letter and ends it with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return capital(strings.TrimSuffix(text, ".")) + "."
}

// capital begins a text with a capital letter.
func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}
