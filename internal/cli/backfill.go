package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

const (
	// maxBackfillYears is the longest window that needs no --force: a mistyped year would read a source's whole past.
	maxBackfillYears = 2

	// largeBackfill is a window from which on a backfill is estimated before it starts.
	largeBackfill = 31 * 24 * time.Hour
)

// backfillFlags are those of the command.
type backfillFlags struct {
	from, to              string
	dryRun, detach, force bool
}

func (a *app) backfillCommand() *cobra.Command {
	var f backfillFlags
	cmd := a.reports(&cobra.Command{
		Use:   "backfill JOB --from TIME [--to TIME]",
		Short: "Deliver the records of a window in the past",
		Long: `Deliver the records of a window in the past that are not in the destination yet,
and watch the run. What was delivered before is left alone, so windows may
overlap each other and the job's own runs, and a backfill that ended early is
resumed by starting it again. While it runs, the same command joins it.

TIME is a day, such as 2026-01-31, in the time zone of the job's schedule, or a
time as of RFC 3339, such as 2026-01-31T08:00:00Z. A day as --to is included;
without --to the window ends now.

--dry-run lists the window and says how many records there are to look at, and
what the rate limits make of it; it writes nothing. A window of more than a
month is estimated so before its run starts, one of more than two years needs
--force.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.from == "" {
				return usageError(cmd, "--from is missing: the first day of the window, such as 2026-01-31")
			}
			t, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer t.Close()
			return a.backfill(cmd, t, args[0], f)
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the first day, or the time, of the window")
	flags.StringVar(&f.to, "to", "", "the last day, or the end, of the window (default: now)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what it would take, and write nothing")
	flags.BoolVar(&f.detach, "detach", false, "start the run and do not wait for it")
	flags.BoolVar(&f.force, "force", false, "allow a window of more than two years")
	return cmd
}

func (a *app) backfill(cmd *cobra.Command, t *temporalClient, job string, f backfillFlags) error {
	ctx := cmd.Context()
	schedule, err := t.knownJob(ctx, job)
	if err != nil {
		return err
	}
	state, err := t.state(ctx, job)
	if err != nil {
		return err
	}
	w, err := parseWindow(f.from, f.to, zoneOf(state.Plan), time.Now())
	if err != nil {
		return usageError(cmd, "%v", err)
	}
	if w.to.After(w.from.AddDate(maxBackfillYears, 0, 0)) && !f.force {
		return usageError(cmd, "the window from %s to %s is longer than %d years; if that is meant, add --force", w.day(w.from), w.day(w.to), maxBackfillYears)
	}
	b := &backfillRun{job: job, summary: schedule.Summary, window: w, source: state.Plan.Source.Connection, destination: state.Plan.Destination.Connection}
	if f.dryRun {
		return a.estimateOnly(ctx, t, b, f.detach)
	}
	run, attached, err := b.attach(ctx, t)
	if err != nil {
		return err
	}
	if !attached {
		if w.to.Sub(w.from) > largeBackfill {
			if todo, err := a.announce(ctx, t, b); err != nil || !todo {
				return err
			}
		}
		if run, attached, err = b.start(ctx, t, false); err != nil {
			return err
		}
	}
	if attached && !a.json {
		a.notef("this backfill goes on already\n")
	}
	return a.watchRun(ctx, t, job, run, f.detach)
}

// backfillRun is a backfill to run.
type backfillRun struct {
	job, summary        string
	window              window
	source, destination string // connections
}

// id is the same for the same window, so that a window is never backfilled twice at a time. A window that ends now is another one
// each time.
func (b *backfillRun) id(dry bool) string {
	const compact = "20060102T150405Z"
	id := fmt.Sprintf("%s-%s-%s", workflows.RunIDPrefix(activities.KindBackfill, b.job), b.window.from.UTC().Format(compact), b.window.to.UTC().Format(compact))
	if dry {
		id += "-dry-run"
	}
	return id
}

// attach returns the run of the same window that goes on, if there is one.
func (b *backfillRun) attach(ctx context.Context, t *temporalClient) (client.WorkflowRun, bool, error) {
	r, err := t.running(ctx, b.id(false))
	if err != nil || r.RunID == "" {
		return nil, false, err
	}
	return t.GetWorkflow(ctx, r.WorkflowID, r.RunID), true, nil
}

// start starts the run, or joins the one that goes on. One that has ended is no obstacle: its window is looked at again, and the
// ledgers know what was delivered.
func (b *backfillRun) start(ctx context.Context, t *temporalClient, dry bool) (run client.WorkflowRun, attached bool, err error) {
	summary := "backfill of " + b.summary
	if dry {
		summary = "dry run of a " + summary
	}
	id := b.id(dry)
	run, err = t.execute(ctx, id, summary, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		workflows.SyncInput{Job: b.job, From: b.window.from.UTC(), To: b.window.to.UTC(), DryRun: dry})
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		return t.GetWorkflow(ctx, id, started.RunId), true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("start a backfill of job %s: %w", b.job, err)
	}
	return run, false, nil
}

// estimateOnly is a dry run.
func (a *app) estimateOnly(ctx context.Context, t *temporalClient, b *backfillRun, detach bool) error {
	run, _, err := b.start(ctx, t, true)
	if err != nil {
		return err
	}
	if detach {
		return a.watchRun(ctx, t, b.job, run, true)
	}
	res, err := a.follow(ctx, t, b.job, run)
	if err != nil {
		return withRun(t.started(run), err)
	}
	if res.Estimate == nil {
		return fmt.Errorf("the dry run of %s ended as %s without an estimate", b.job, res.Outcome)
	}
	if a.json {
		a.writeJSON(newEstimateReport(b, res))
		return nil
	}
	b.show(a, res)
	a.printf("\nNothing was written.\n")
	return nil
}

// announce says what a large backfill will take before it starts. It reports whether there is anything to do, and says so if not.
func (a *app) announce(ctx context.Context, t *temporalClient, b *backfillRun) (todo bool, err error) {
	run, _, err := b.start(ctx, t, true)
	if err != nil {
		return false, err
	}
	res, err := a.follow(ctx, t, b.job, run)
	if err != nil {
		return false, withRun(t.started(run), err)
	}
	e := res.Estimate
	switch {
	case e == nil:
		return true, nil
	case e.Records > 0 && !a.json:
		a.notef("%s\n", wrap(fmt.Sprintf("%s to look at; the rate limits allow that in %s", plural(e.Records, "record"), atLeast(e.Time)), "", a.opts.Width))
	case e.Records == 0 && a.json:
		a.writeJSON(newSummary(t.started(run), res, time.Duration(0)))
	case e.Records == 0:
		a.printf("%s: nothing to do: all %s of the window are in the destination or given up\n", a.outStyle().bold(b.job), plural(res.Counts.Listed, "record"))
	}
	return e.Records > 0, nil
}

// estimateReport is what a dry run prints with --json.
type estimateReport struct {
	Job    string    `json:"job"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Listed int       `json:"listed"`
	Known  int       `json:"known"`

	Records             int   `json:"records"` // to look at
	SourceRequests      int   `json:"source_requests"`
	DestinationRequests int   `json:"destination_requests"`
	TimeMS              int64 `json:"time_ms"`
}

func newEstimateReport(b *backfillRun, res *workflows.SyncResult) *estimateReport {
	e := res.Estimate
	return &estimateReport{
		Job: b.job, From: b.window.from.UTC(), To: b.window.to.UTC(), Listed: res.Counts.Listed, Known: res.Counts.Known,
		Records: e.Records, SourceRequests: e.SourceRequests, DestinationRequests: e.DestinationRequests, TimeMS: e.Time.Milliseconds(),
	}
}

func (b *backfillRun) show(a *app, res *workflows.SyncResult) {
	st := a.outStyle()
	a.printf("%s: dry run of a backfill\n", st.bold(b.job))
	a.printf("  from       %s\n  to         %s\n", b.window.day(b.window.from), b.window.day(b.window.to))
	a.printf("  listed     %s\n  known      %s, delivered before or given up\n", number(res.Counts.Listed), number(res.Counts.Known))
	showEstimate(a, res.Estimate, b.source, b.destination)
}

// showEstimate prints what a backfill would take.
func showEstimate(a *app, e *workflows.Estimate, source, destination string) {
	a.printf("  to do      %s to look at\n", plural(e.Records, "record"))
	a.printf("  requests   %s to %s\n", number(e.SourceRequests), source)
	a.printf("             %s to %s, if all are written\n", number(e.DestinationRequests), destination)
	a.printf("  time       %s by the rate limits\n", atLeast(e.Time))
}

func atLeast(d time.Duration) string {
	if d < time.Second {
		return "under a second"
	}
	return "about " + span(d)
}
