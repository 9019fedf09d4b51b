package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

// defaultRuns is how many runs are shown.
const defaultRuns = 20

func (a *app) runsCommand() *cobra.Command {
	limit := defaultRuns
	cmd := a.reports(&cobra.Command{
		Use:   "runs JOB",
		Short: "List the last runs of a job",
		Long: `List the last runs of a job, the newest first, and on top those that go on. A
job remembers its last 100 runs, also when Temporal has forgotten their
histories. Needs a running worker.

One of them in detail: durasync run show ID`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usageError(cmd, "--limit must be at least 1")
			}
			ctx, job := cmd.Context(), args[0]
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
			active, err := t.active(ctx)
			if err != nil {
				return err
			}
			list := t.runList(job, state.Runs, active[job], limit)
			if a.json {
				a.writeJSON(list)
				return nil
			}
			list.show(a, time.Now())
			return nil
		},
	})
	cmd.Flags().IntVar(&limit, "limit", limit, "how many runs that have ended to list")
	return cmd
}

// connect connects to Temporal for a command that logs nothing unless it is told to.
func (a *app) connect(cmd *cobra.Command) (*temporalClient, error) {
	log, err := a.logger(cmd, hclog.Off)
	if err != nil {
		return nil, err
	}
	return a.dial(cmd.Context(), log)
}

// runList is what is printed with --json.
type runList struct {
	Job     string      `json:"job"`
	Running []running   `json:"running"`
	Runs    []listedRun `json:"runs"` // the newest first

	// Total is how many runs the job remembers.
	Total int `json:"total"`
}

// listedRun is a run as its job remembers it.
type listedRun struct {
	startedRun
	Kind       activities.RunKind `json:"kind"`
	Outcome    activities.Outcome `json:"outcome"`
	Started    time.Time          `json:"started"`
	Ended      time.Time          `json:"ended"`
	DurationMS int64              `json:"duration_ms"`
	From       time.Time          `json:"from,omitzero"`
	To         time.Time          `json:"to,omitzero"`
	Counts     activities.Counts  `json:"counts"`
	Error      string             `json:"error,omitempty"`
	Resumes    time.Time          `json:"resumes,omitzero"` // when another run goes on by itself
}

func (t *temporalClient) listed(r *activities.Run) listedRun {
	kind := r.Kind
	if kind == "" {
		kind = activities.KindSync
	}
	return listedRun{
		startedRun: startedRun{r.Owner.WorkflowID, r.RunID, t.runURL(r.Owner.WorkflowID, r.RunID)},
		Kind:       kind, Outcome: r.Outcome, Started: r.Started, Ended: r.Ended, DurationMS: r.Ended.Sub(r.Started).Milliseconds(),
		From: r.From, To: r.To, Counts: r.Counts, Error: r.Error, Resumes: r.Resumes,
	}
}

// runList lists the last runs of those that a job remembers, oldest first, and those that go on.
func (t *temporalClient) runList(job string, runs []activities.Run, active []running, limit int) *runList {
	l := &runList{Job: job, Running: slices.Clone(active), Runs: []listedRun{}, Total: len(runs)}
	if l.Running == nil {
		l.Running = []running{}
	}
	slices.Reverse(l.Running)
	for _, r := range slices.Backward(runs) {
		if len(l.Runs) == limit {
			break
		}
		l.Runs = append(l.Runs, t.listed(&r))
	}
	return l
}

// show prints the list for people: a run in a few lines, so that its id can be copied.
func (l *runList) show(a *app, now time.Time) {
	st := a.outStyle()
	if len(l.Running)+len(l.Runs) == 0 {
		a.printf("%s has not run yet; start it with durasync sync %s\n", st.bold(l.Job), l.Job)
		return
	}
	for i := range l.Running {
		l.Running[i].show(a, now)
	}
	for i := range l.Runs {
		l.Runs[i].show(a)
	}
	if n := len(l.Runs); n < l.Total {
		a.notef("%s the last %d of %s; more with --limit\n", a.errStyle().dim("hint:"), n, plural(l.Total, "run"))
	}
}

const runIndent = "    "

func (r *running) show(a *app, now time.Time) {
	st := a.outStyle()
	state := "running"
	switch {
	case r.waiting():
		state = "waiting for another run"
	case r.Progress != nil && r.Progress.Phase == workflows.PhasePostponed:
		state = "postponed"
	}
	a.printf("%s  %-8s  %s, for %s\n%s%s\n", moment(r.Since), r.Kind, st.bold(state), span(now.Sub(r.Since)), runIndent, r.WorkflowID)
	switch p := r.Progress; {
	case p == nil:
		a.printf("%s%s\n", runIndent, "how far it is, no worker says")
	case !r.waiting():
		a.printf("%s\n", wrap(doing(p), runIndent, a.opts.Width))
	}
}

// ending says what ended a run early, and whether another one goes on; empty if nothing did.
func ending(err string, resumes time.Time) string {
	if resumes.IsZero() {
		return err
	}
	return fmt.Sprintf("%s; another run goes on by itself at %s", err, moment(resumes))
}

func (r *listedRun) show(a *app) {
	st := a.outStyle()
	a.printf("%s  %-8s  %s in %s\n%s%s\n", moment(r.Started), r.Kind, outcomeText(st, r.Outcome), span(r.Ended.Sub(r.Started)),
		runIndent, st.dim(r.WorkflowID))
	if r.Counts != (activities.Counts{}) || r.Error == "" {
		a.printf("%s\n", wrap(counts(&r.Counts), runIndent, a.opts.Width))
	}
	if text := ending(r.Error, r.Resumes); text != "" {
		a.printf("%s\n", wrap(text, runIndent, a.opts.Width))
	}
}
