package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/workflows"
)

func (a *app) statusCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "status [JOB]",
		Short: "Show what jobs do, did and will do",
		Long: `Show what jobs do, did and will do: all of them, or one with its last runs. What
only a worker can tell is left out while none is running.`,
		Args:              maxArgs(1, "at most one job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			t, err := a.dial(ctx, log)
			if err != nil {
				return err
			}
			defer t.Close()
			var list []schedules.Status
			if len(args) > 0 {
				s, err := t.knownJob(ctx, args[0])
				if err != nil {
					return err
				}
				list = append(list, *s)
			} else if list, err = schedules.List(ctx, t.ScheduleClient()); err != nil {
				return err
			}
			status, err := t.status(ctx, list)
			if err != nil {
				return err
			}
			if a.json {
				a.writeJSON(status)
				return nil
			}
			a.showStatus(status, len(args) > 0)
			return nil
		},
	})
}

// status is what is printed with --json.
type status struct {
	Address   string `json:"address"`
	Namespace string `json:"namespace"`

	// Worker says that a worker is running. Without one, only the schedules are known.
	Worker bool        `json:"worker"`
	Jobs   []jobStatus `json:"jobs"`
}

type jobStatus struct {
	Job         string    `json:"job"`
	Description string    `json:"description,omitempty"`
	Paused      bool      `json:"paused"`
	Note        string    `json:"note,omitempty"`
	Next        time.Time `json:"next,omitzero"`
	Watermark   time.Time `json:"watermark,omitzero"`

	Running *running          `json:"running,omitempty"`
	Runs    []activities.Run  `json:"runs"` // the last ones, oldest first
	Quotas  []connectionQuota `json:"quotas,omitempty"`
}

type running struct {
	startedRun
	Since    time.Time           `json:"since"`
	Progress *workflows.Progress `json:"progress,omitempty"`
}

type connectionQuota struct {
	Connection string `json:"connection"`
	activities.QuotaStatus
}

// statusParallel is how many jobs are asked for at once.
const statusParallel = 8

func (t *temporalClient) status(ctx context.Context, list []schedules.Status) (*status, error) {
	worker, err := t.served(ctx, workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return nil, err
	}
	all := &status{Address: t.address, Namespace: t.namespace, Worker: worker, Jobs: make([]jobStatus, len(list))}
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(statusParallel)
	for i, s := range list {
		all.Jobs[i] = jobStatus{Job: s.Job, Paused: s.Paused, Note: s.Note, Next: s.Next, Runs: []activities.Run{}}
		if worker {
			g.Go(func() error { return t.fill(groupCtx, &all.Jobs[i]) })
		}
	}
	err = g.Wait()
	if workerSilent(err) { // it was there a minute ago
		all.Worker, err = false, nil
	}
	return all, err
}

// fill adds what the job's entity and those of its connections know.
func (t *temporalClient) fill(ctx context.Context, j *jobStatus) error {
	state, err := t.job(ctx, j.Job)
	if err != nil {
		return err
	}
	if state == nil {
		return nil
	}
	j.Watermark = state.Watermark
	if state.Runs != nil {
		j.Runs = state.Runs
	}
	if l := state.Lock; l != nil {
		j.Running = &running{Since: l.Since, startedRun: startedRun{
			WorkflowID: l.Owner.WorkflowID, RunID: l.Owner.FirstRunID, URL: t.runURL(l.Owner.WorkflowID, l.Owner.FirstRunID),
		}}
		if p, err := t.progress(ctx, l.Owner.WorkflowID); err == nil { // it may have ended just now
			j.Running.Progress = p
		}
	}
	if state.Plan == nil {
		return nil
	}
	j.Description = state.Plan.Description
	entity := entities.New(t.Client)
	for _, c := range []string{state.Plan.Source.Connection, state.Plan.Destination.Connection} {
		q, err := entity.Quota(ctx, c)
		if err != nil {
			return err
		}
		if q != nil {
			j.Quotas = append(j.Quotas, connectionQuota{c, *q})
		}
	}
	return nil
}

// shownRuns is how many runs the status of one job shows.
const shownRuns = 10

func (a *app) showStatus(s *status, one bool) {
	if !s.Worker {
		a.notef("no worker is running: only the schedules are shown; start one with durasync worker in the job directory\n\n")
	}
	if len(s.Jobs) == 0 {
		a.printf("no jobs in the Temporal at %s, namespace %s; run durasync apply in a job directory\n", s.Address, s.Namespace)
	}
	runs := 1
	if one {
		runs = shownRuns
	}
	for i := range s.Jobs {
		if i > 0 {
			a.printf("\n")
		}
		a.showJob(&s.Jobs[i], runs)
	}
}

func (a *app) showJob(j *jobStatus, runs int) {
	st := a.outStyle()
	a.printf("%s\n", st.bold(j.Job))
	line := func(name, format string, args ...any) { a.printf("  %-11s%s\n", name, fmt.Sprintf(format, args...)) }
	if j.Description != "" {
		line("", "%s", j.Description)
	}
	switch {
	case j.Paused:
		line("schedule", "%s: %s", st.yellow("paused"), j.Note)
	case j.Next.IsZero():
		line("schedule", "no further run")
	default:
		line("next run", "%s, in %s", moment(j.Next), span(time.Until(j.Next)))
	}
	if r := j.Running; r != nil {
		line("running", "%s, for %s", r.WorkflowID, span(time.Since(r.Since)))
		if p := r.Progress; p != nil {
			line("", "%s: %s", p.Phase, counts(&p.Counts))
		}
		if r.URL != "" {
			line("", "%s", r.URL)
		}
	}
	name := "last run"
	for i, run := range slices.Backward(j.Runs) {
		if len(j.Runs)-i > runs {
			break
		}
		line(name, "%s %s, in %s", outcomeText(st, run.Outcome), moment(run.Started), span(run.Ended.Sub(run.Started)))
		line("", "%s", counts(&run.Counts))
		if run.Error != "" {
			a.printf("%s\n", wrap(run.Error, "             ", a.opts.Width))
		}
		name = ""
	}
	if !j.Watermark.IsZero() {
		line("watermark", "%s", moment(j.Watermark))
	}
	for _, q := range j.Quotas {
		blocked := ""
		if time.Now().Before(q.BlockedUntil) {
			blocked = "; it wants no more until " + moment(q.BlockedUntil)
		}
		line("requests", "%s: %s on %s%s", q.Connection, number(q.Today), q.Day, blocked)
	}
}

func outcomeText(st style, o activities.Outcome) string {
	switch o {
	case activities.Completed:
		return st.green("completed")
	case activities.CompletedWithRejects:
		return st.yellow("completed with rejects")
	case activities.Failed, activities.Partial:
		return st.red(string(o))
	default:
		return string(o)
	}
}
