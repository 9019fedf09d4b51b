package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/workflows"
)

// adoptFlags are those of the command.
type adoptFlags struct {
	since          string
	dryRun, detach bool
}

func (a *app) adoptCommand() *cobra.Command {
	var f adoptFlags
	cmd := a.reports(&cobra.Command{
		Use:   "adopt JOB --since TIME",
		Short: "Learn from the destination what a job has delivered",
		Long: `Learn from the destination what a job has delivered, when Temporal has lost it:
the namespace is new, and its ledgers, which keep records from being written
twice, are empty. In such a namespace:

  durasync apply --paused
  durasync adopt JOB --since 60d --dry-run
  durasync adopt JOB --since 60d
  durasync resume JOB

The records of the source since then are looked for in the destination, by the
key that each was written with, and those that are there are noted as delivered.
Nothing is written. The job's first run begins at --since, so that it delivers
what was not found. The job has to be paused; runs that somebody starts, and
that would write, wait meanwhile. It does no harm to adopt twice, or again after
a run was cancelled.

TIME is a span back from now, such as 60d, a day, such as 2026-01-31, or a time
as of RFC 3339. Take what covers the time without Temporal, plus retry_rejected
and overlap (30 days and 7, unless the job says otherwise), but nothing from
before the job's first window: what another program had delivered then would be
missing, and written. --dry-run shows how many records are missing.

Exits 0 when the run completed; 1 when it did not.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.since == "" {
				return usageError(cmd, "--since is missing: how far back to look, such as 60d or 2026-01-31")
			}
			t, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer t.Close()
			return a.adopt(cmd, t, args[0], f)
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&f.since, "since", "", "how far back to look: a span, a day or a time")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what is there and what is missing, and note nothing")
	flags.BoolVar(&f.detach, "detach", false, "start the run and do not wait for it")
	return cmd
}

func (a *app) adopt(cmd *cobra.Command, t *temporalClient, job string, f adoptFlags) error {
	ctx := cmd.Context()
	schedule, err := t.knownJob(ctx, job)
	if err != nil {
		return err
	}
	state, err := t.state(ctx, job)
	if err != nil {
		return err
	}
	now := time.Now()
	from, err := parseSince(f.since, zoneOf(state.Plan), now)
	if err != nil {
		return usageError(cmd, "--since: %v", err)
	}
	if err := adoptable(schedule, state, f.dryRun); err != nil {
		return err
	}
	summary := "adoption of " + schedule.Summary
	if f.dryRun {
		summary = "dry run of an " + summary
	}
	run, err := t.startNow(ctx, summary, workflows.SyncInput{Job: job, Adopt: true, From: from.UTC(), To: now.UTC(), DryRun: f.dryRun})
	if err != nil {
		return err
	}
	if err := a.watchRun(ctx, t, job, run, f.detach); err != nil || f.detach || a.json {
		return err
	}
	a.showAdopted(ctx, t, job, f, from)
	return nil
}

// adoptable says why a job cannot be adopted, or need not.
func adoptable(schedule *schedules.Status, state *workflows.JobState, dryRun bool) error {
	switch dst := &state.Plan.Destination; {
	case dst.Idempotent:
		return invalidError("job %s needs not be adopted: %s takes a record again without harm; run it, or deliver an older window with durasync backfill",
			schedule.Job, dst.Connection)
	case !schedule.Paused && !dryRun:
		return invalidError("job %s is not paused, so a run could write what is not adopted yet; pause it first: durasync pause %s", schedule.Job, schedule.Job)
	}
	return nil
}

// showAdopted says what comes next.
func (a *app) showAdopted(ctx context.Context, t *temporalClient, job string, f adoptFlags, from time.Time) {
	state, err := t.state(ctx, job)
	next := "durasync resume " + job
	switch {
	case f.dryRun:
		a.printf("\nNothing was noted.\n")
		return
	case err == nil && !state.Watermark.IsZero():
		next = fmt.Sprintf("the job has run since Temporal was lost, so deliver what is missing with durasync backfill %s --from %s, then: %s",
			job, from.UTC().Format(time.RFC3339), next)
	default:
		next = "the job's first run looks at what is missing; to go on: " + next
	}
	a.printf("\n%s\n", wrap(next, "", a.opts.Width))
}

// parseSince reads a span back from now, a day in a time zone, or a time.
func parseSince(text string, zone *time.Location, now time.Time) (time.Time, error) {
	from, err := parseMoment(text, zone, false)
	if span, errSpan := schema.ParseDuration(text); errSpan == nil {
		from, err = now.Add(-span), nil
	}
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("%q is neither a span such as 60d, nor a day such as 2026-01-31, nor a time such as 2026-01-31T08:00:00Z", text)
	case !from.Before(now):
		return time.Time{}, errors.New("it is not in the past")
	}
	return from, nil
}
