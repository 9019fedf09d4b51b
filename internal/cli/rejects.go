package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/workflows"
)

func (a *app) rejectsCommand() *cobra.Command {
	var csv bool
	var since string
	cmd := a.reports(&cobra.Command{
		Use:   "rejects JOB",
		Short: "List a job's records that are not in the destination, and why",
		Long: `List every record of a job that is rejected, deferred or in doubt, with the
reason and what to do: since the start of the first window that the job has
listed, or --since. Needs a running worker.

--csv prints a table for a spreadsheet, as RFC 4180 says, with a header. A cell
that a spreadsheet would take for a formula, because it begins with = + - @ or
a control character, gets an apostrophe in front. Import the column id as text:
spreadsheets round long numbers.

Try them again: durasync retry JOB`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, job := cmd.Context(), args[0]
			if csv && a.json {
				return usageError(cmd, "--csv and --json exclude each other")
			}
			t, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer t.Close()
			if _, err := t.knownJob(ctx, job); err != nil {
				return err
			}
			state, err := t.state(ctx, job)
			if err != nil {
				return err
			}
			from := earliest(state, time.Now())
			if since != "" {
				if from, err = parseMoment(since, zoneOf(state.Plan), false); err != nil {
					return usageError(cmd, "--since: %v", err)
				}
			}
			list, err := t.rejects(ctx, state, from)
			if err != nil {
				return err
			}
			switch {
			case a.json:
				a.writeJSON(list)
			case csv:
				return writeRecordsCSV(a.opts.Stdout, list.Records, time.Now())
			default:
				list.show(a, time.Now())
			}
			return nil
		},
	})
	cmd.Flags().BoolVar(&csv, "csv", false, "print CSV")
	cmd.Flags().StringVar(&since, "since", "", "the first day, or time, to look at")
	return cmd
}

// rejectList is what is printed with --json.
type rejectList struct {
	Job     string       `json:"job"`
	Since   time.Time    `json:"since"`
	Records []openRecord `json:"records"` // the newest first
}

// earliest is the start of the first window that the job has listed, as far as it remembers.
func earliest(state *workflows.JobState, now time.Time) time.Time {
	first := state.First
	if first.IsZero() {
		first = now.Add(-time.Duration(state.Plan.Source.Initial))
	}
	for _, r := range state.Runs {
		if !r.From.IsZero() && r.From.Before(first) {
			first = r.From
		}
	}
	return first
}

// rejects collects the records that are not delivered from the ledgers, and what the last runs said of them.
func (t *temporalClient) rejects(ctx context.Context, state *workflows.JobState, since time.Time) (*rejectList, error) {
	p := state.Plan
	list := &rejectList{Job: p.Job, Since: since, Records: []openRecord{}}
	// A record noted on one day can have moved to the next.
	entries, err := entities.New(t.Client).OpenRecords(ctx, p, since, time.Now().AddDate(0, 0, 1))
	if err != nil {
		return nil, err
	}
	said := t.lastVerdicts(ctx, state.Runs)
	alive := map[activities.Owner]bool{}
	prefix := activities.Key(&p.Source, "")
	for _, e := range entries {
		if e.State == activities.Claimed {
			if held, err := t.held(ctx, e.Owner, alive); err != nil {
				return nil, err
			} else if held {
				continue // a run is at it
			}
			// Its run is gone: whether it was written is not known.
			e.State, e.Reason = activities.InDoubt, activities.ReasonUncertain
		}
		r := openRecord{
			ID: strings.TrimPrefix(e.Key, prefix), Time: e.Time, Title: e.Title, State: e.State, Reason: e.Reason, ToDo: whatToDo(e.Reason),
		}
		if retry := time.Duration(p.Source.RetryRejected); retry > 0 {
			r.RetriedUntil = e.Time.Add(retry)
		}
		if v, ok := said[r.ID]; ok && v.Reason == r.Reason {
			r.Detail, r.URL, r.Participants = v.Detail, v.URL, v.External
		}
		list.Records = append(list.Records, r)
	}
	sortRecords(list.Records)
	return list, nil
}

// held reports whether a claim's owner still runs.
func (t *temporalClient) held(ctx context.Context, owner *activities.Owner, known map[activities.Owner]bool) (bool, error) {
	if owner == nil {
		return false, nil
	}
	if alive, ok := known[*owner]; ok {
		return alive, nil
	}
	alive, err := entities.New(t.Client).Alive(ctx, *owner)
	known[*owner] = alive
	return alive, err
}

const (
	// verdictRuns is how many of the last runs are asked what they said about records.
	verdictRuns = 10

	// verdictPatience bounds how long they are asked: what they say only adds to the ledgers.
	verdictPatience = 3 * time.Second
)

// lastVerdicts returns what the last runs said about records, by id, the latest word each. Runs whose histories are gone, and those
// that ended without a result, say nothing.
func (t *temporalClient) lastVerdicts(ctx context.Context, runs []activities.Run) map[string]activities.Verdict {
	ctx, cancel := context.WithTimeout(ctx, verdictPatience)
	defer cancel()
	said := map[string]activities.Verdict{}
	for _, r := range runs[max(0, len(runs)-verdictRuns):] {
		var res workflows.SyncResult
		if err := t.GetWorkflow(ctx, r.Owner.WorkflowID, r.RunID).Get(ctx, &res); err != nil {
			continue
		}
		for _, v := range res.Rejects {
			said[v.Pending.ID] = v
		}
	}
	return said
}

// show prints the list for people.
func (l *rejectList) show(a *app, now time.Time) {
	st := a.outStyle()
	if len(l.Records) == 0 {
		a.printf("%s: everything since %s is in the destination\n", st.bold(l.Job), moment(l.Since))
		return
	}
	a.printf("%s: %s not in the destination\n\n", st.bold(l.Job), plural(len(l.Records), "record"))
	showRecords(a, l.Records, "", now)
	a.notef("\n%s\n", wrap(fmt.Sprintf("hint: durasync retry %s tries them again now, one of them with --record ID", l.Job), "", a.opts.Width))
}
