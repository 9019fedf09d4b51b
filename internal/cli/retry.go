package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/durasync/durasync/workflows"
)

func (a *app) retryCommand() *cobra.Command {
	var detach bool
	var records []string
	cmd := a.reports(&cobra.Command{
		Use:   "retry JOB",
		Short: "Try rejected, deferred and doubtful records again now",
		Long: `Try the records of a job again that are rejected, deferred or in doubt (see
durasync rejects), all of them or those with an id, and watch the run. Each run
of the job does so anyway with those of the last days (retry_rejected); this
lists nothing else, takes no turn from the job's runs and starts at once. A
record that is named is tried however old it is, up to two years.

Exits 0 when the run completed, also with rejects; 1 when it did not.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, job := cmd.Context(), args[0]
			t, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer t.Close()
			schedule, err := t.knownJob(ctx, job)
			if err != nil {
				return err
			}
			summary := "retry of " + schedule.Summary
			if len(records) > 0 {
				if err := t.checkRecords(ctx, job, records); err != nil {
					return err
				}
				summary = fmt.Sprintf("retry of %s of %s", plural(len(records), "record"), schedule.Summary)
			}
			run, err := t.startNow(ctx, summary, workflows.SyncInput{Job: job, Retry: true, Records: records})
			if err != nil {
				return err
			}
			return a.watchRun(ctx, t, job, run, detach)
		},
	})
	cmd.Flags().BoolVar(&detach, "detach", false, "start the run and do not wait for it")
	cmd.Flags().StringArrayVar(&records, "record", nil, "the id of a record to try again; can be repeated")
	return cmd
}

// checkRecords refuses ids of records that a retry would pass over: those that no run left behind, and those that are too old.
func (t *temporalClient) checkRecords(ctx context.Context, job string, records []string) error {
	state, err := t.state(ctx, job)
	if err != nil {
		return err
	}
	now := time.Now()
	open, err := t.rejects(ctx, state, earliest(state, now))
	if err != nil {
		return err
	}
	return checkIDs(open, records, now)
}

func checkIDs(open *rejectList, records []string, now time.Time) error {
	for _, id := range records {
		i := slices.IndexFunc(open.Records, func(r openRecord) bool { return r.ID == id })
		var problem string
		switch {
		case i < 0:
			problem = fmt.Sprintf("record %s of job %s is neither rejected nor deferred nor in doubt; durasync rejects %s lists those that are", id, open.Job, open.Job)
		case open.Records[i].givenUp(now):
			problem = fmt.Sprintf("record %s of job %s is too old: %s", id, open.Job, givenUpText)
		default:
			continue
		}
		return &failure{exit: ExitInvalid, code: codeUnknownRecord, err: errors.New(problem)}
	}
	return nil
}

// codeUnknownRecord is the code of errors about records that a retry cannot take up.
const codeUnknownRecord = "unknown_record"
