package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/schema/plan"
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

	Running *running         `json:"running,omitempty"`
	Others  []running        `json:"others,omitempty"` // that go on besides: those that wait for it, backfills and retries
	Runs    []activities.Run `json:"runs"`             // the last ones, oldest first
	backlog
	Quotas []connectionQuota `json:"quotas,omitempty"`

	// Unserved are the connections of the job that no worker serves, or the pair of them that none serves together: its runs wait for
	// one for two minutes and fail then.
	Unserved []string `json:"unserved,omitempty"`
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
	var active map[string][]running
	if worker {
		if active, err = t.active(ctx); err != nil {
			return nil, err
		}
	}
	all := &status{Address: t.address, Namespace: t.namespace, Worker: worker, Jobs: make([]jobStatus, len(list))}
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(statusParallel)
	for i, s := range list {
		all.Jobs[i] = jobStatus{Job: s.Job, Paused: s.Paused, Note: s.Note, Next: s.Next, Runs: []activities.Run{}}
		if worker {
			g.Go(func() error { return t.fill(groupCtx, &all.Jobs[i], active[s.Job]) })
		}
	}
	err = g.Wait()
	if workerSilent(err) { // it was there a minute ago
		all.Worker, err = false, nil
	}
	return all, err
}

// fill adds what the job's entity and those of its connections know.
func (t *temporalClient) fill(ctx context.Context, j *jobStatus, active []running) error {
	state, err := t.job(ctx, j.Job)
	if err != nil {
		return err
	}
	if j.backlog, err = t.backlog(ctx, j.Job); err != nil {
		return err
	}
	if state == nil {
		return nil
	}
	j.Watermark = state.Watermark
	if state.Runs != nil {
		j.Runs = state.Runs
	}
	j.setRunning(state.Lock, active)
	if l := state.Lock; l != nil && j.Running == nil { // the list of the runs that go on is a moment behind
		r, err := t.running(ctx, l.Owner.WorkflowID)
		if err != nil {
			return err
		}
		if r.RunID != "" {
			j.Running = &r
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
	j.Unserved, err = t.unserved(ctx, state.Plan)
	return err
}

// unserved returns what a job needs of workers and none of them does, in words.
func (t *temporalClient) unserved(ctx context.Context, p *plan.Plan) ([]string, error) {
	source, destination := p.Source.Connection, p.Destination.Connection
	needs := []struct{ queue, what string }{{queueOf(source), source}, {queueOf(destination), destination}}
	if workflows.CanCopy(p) {
		needs = append(needs, struct{ queue, what string }{workflows.CopyQueue(source, destination), source + " and " + destination + " together"})
	}
	var lacking []string
	for _, n := range needs {
		ok, err := t.served(ctx, n.queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
		if err != nil {
			return nil, err
		}
		if !ok {
			lacking = append(lacking, n.what)
		}
	}
	if len(lacking) == len(needs) && len(needs) == 3 {
		lacking = lacking[:2] // says it all
	}
	return lacking, nil
}

// setRunning sorts the runs that go on into the one that holds the job's lock and the others.
func (j *jobStatus) setRunning(lock *workflows.Lock, active []running) {
	for i := range active {
		if r := &active[i]; lock != nil && r.WorkflowID == lock.Owner.WorkflowID {
			j.Running = r
		} else {
			j.Others = append(j.Others, *r)
		}
	}
}

// statusIndent is where the second column begins.
const statusIndent = "             "

// shownRuns is how many runs the status of one job shows.
const shownRuns = 10

func (a *app) showStatus(s *status, one bool) {
	if !s.Worker {
		a.notef("%s\n\n", wrap("no worker is running: only the schedules are shown; start one with durasync worker in the job directory", "", a.opts.Width))
	}
	if len(s.Jobs) == 0 {
		none := fmt.Sprintf("no jobs in the Temporal at %s, namespace %s; run durasync apply in a job directory", s.Address, s.Namespace)
		a.printf("%s\n", wrap(none, "", a.opts.Width))
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
	case j.Paused && schedules.PausedByHand(j.Note):
		line("schedule", "%s", st.yellow("paused"))
		a.printf("%s\n", wrap(j.Note, statusIndent, a.opts.Width))
	case j.Paused:
		line("schedule", "%s: %s", st.yellow("paused"), j.Note)
	case j.Next.IsZero():
		line("schedule", "no further run")
	default:
		line("next run", "%s, in %s", moment(j.Next), span(time.Until(j.Next)))
	}
	if len(j.Unserved) > 0 {
		line("worker", "%s", st.yellow("none serves "+strings.Join(j.Unserved, ", ")))
	}
	if r := j.Running; r != nil {
		line("running", "%s, for %s", r.WorkflowID, span(time.Since(r.Since)))
		if r.Progress != nil {
			a.printf("%s\n", wrap(doing(r.Progress), statusIndent, a.opts.Width))
		}
		if r.URL != "" {
			line("", "%s", r.URL)
		}
	}
	for i := range j.Others {
		r := &j.Others[i]
		if r.waiting() {
			line("waiting", "%s, for %s", r.WorkflowID, span(time.Since(r.Since)))
			line("", "it begins when the run before it has ended")
			continue
		}
		line(string(r.Kind), "%s, for %s", r.WorkflowID, span(time.Since(r.Since)))
		if r.Progress != nil {
			a.printf("%s\n", wrap(doing(r.Progress), statusIndent, a.opts.Width))
		}
	}
	label := "triggers"
	for _, text := range j.lines() {
		line(label, "%s", text)
		label = ""
	}
	name := "last run"
	for i, run := range slices.Backward(j.Runs) {
		if len(j.Runs)-i > runs {
			break
		}
		kind := ""
		if run.Kind != "" && run.Kind != activities.KindSync {
			kind = ", a " + string(run.Kind)
		}
		line(name, "%s %s, in %s%s", outcomeText(st, run.Outcome), moment(run.Started), span(run.Ended.Sub(run.Started)), kind)
		a.printf("%s\n", wrap(counts(&run.Counts), statusIndent, a.opts.Width))
		if text := ending(run.Error, run.Resumes); text != "" {
			a.printf("%s\n", wrap(text, statusIndent, a.opts.Width))
		}
		name = ""
	}
	if !j.Watermark.IsZero() {
		line("watermark", "%s", moment(j.Watermark))
	}
	for _, q := range j.Quotas {
		if text := q.text(time.Now()); text != "" {
			line("requests", "%s: %s", q.Connection, text)
		}
	}
}

// text says how much of a quota is used, as far as there is something to say.
func (q *connectionQuota) text(now time.Time) string {
	var parts []string
	switch {
	case q.Day == "": // nothing is counted, for the connection has no limits
	case q.Budget > 0:
		parts = append(parts, fmt.Sprintf("%s of %s on %s", number(q.Today), number(q.Budget), q.Day))
	default:
		parts = append(parts, fmt.Sprintf("%s on %s", number(q.Today), q.Day))
	}
	if now.Before(q.BlockedUntil) {
		parts = append(parts, "it wants no more until "+moment(q.BlockedUntil))
	}
	return strings.Join(parts, "; ")
}

// outcomeText is an outcome, in the one word that it has everywhere.
func outcomeText(st style, o activities.Outcome) string {
	switch o {
	case activities.Completed:
		return st.green(string(o))
	case activities.CompletedWithRejects, activities.Skipped, activities.Cancelled:
		return st.yellow(string(o))
	default:
		return st.red(string(o))
	}
}
