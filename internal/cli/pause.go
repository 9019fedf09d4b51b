package cli

import (
	"cmp"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/schedules"
)

func (a *app) pauseCommand() *cobra.Command {
	var reason string
	cmd := a.reports(&cobra.Command{
		Use:   "pause JOB",
		Short: "Keep a job's schedule from starting runs",
		Long: `Keep a job's schedule from starting runs until durasync resume. A run that goes
on goes on, and durasync sync still works. status shows who paused the job, when
and why, and applying the job's file leaves the pause alone.

Nothing is missed: the next run lists everything since the last one.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.setPaused(cmd, args[0], func(t *temporalClient, schedule *schedules.Status) (*pauseReport, error) {
				note, err := schedules.Pause(cmd.Context(), t.ScheduleClient(), schedule.Job, a.who(), reason, time.Now())
				return &pauseReport{Job: schedule.Job, Paused: true, Note: note, Changed: true}, err
			})
		},
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who look at the job")
	return cmd
}

func (a *app) resumeCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "resume JOB",
		Short: "Let a paused job's schedule start runs again",
		Long: `Let the schedule of a job that somebody paused start runs again. A job that its
file disables (enabled = false) is enabled there.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.setPaused(cmd, args[0], func(t *temporalClient, schedule *schedules.Status) (*pauseReport, error) {
				if !schedule.Paused {
					return &pauseReport{Job: schedule.Job, Note: schedule.Note}, nil
				}
				// The note tells who paused it last; the plan, if a worker answers, what the file says.
				disabled := schedules.DisabledByFile(schedule.Note)
				if state, err := t.job(ctx, schedule.Job); err == nil && state != nil && state.Plan != nil {
					disabled = !state.Plan.Schedule.Enabled
				}
				if disabled {
					return nil, &failure{exit: ExitInvalid, code: codeInvalid, err: errors.New(
						"job " + schedule.Job + " is disabled by its file (enabled = false); enable it there and run durasync apply")}
				}
				note, err := schedules.Resume(ctx, t.ScheduleClient(), schedule.Job, a.who(), time.Now())
				return &pauseReport{Job: schedule.Job, Note: note, Changed: true}, err
			})
		},
	})
}

// pauseReport is what is printed with --json.
type pauseReport struct {
	Job     string `json:"job"`
	Paused  bool   `json:"paused"`
	Note    string `json:"note"`
	Changed bool   `json:"changed"`

	// Next is when the next run starts by the schedule.
	Next time.Time `json:"next,omitzero"`
}

// setPaused pauses or resumes a job and says what came of it.
func (a *app) setPaused(cmd *cobra.Command, job string, set func(*temporalClient, *schedules.Status) (*pauseReport, error)) error {
	ctx := cmd.Context()
	t, err := a.connect(cmd)
	if err != nil {
		return err
	}
	defer t.Close()
	schedule, err := t.knownJob(ctx, job)
	if err != nil {
		return err
	}
	report, err := set(t, schedule)
	if err != nil {
		return err
	}
	if after, err := schedules.Get(ctx, t.ScheduleClient(), job); err == nil && after != nil {
		report.Next = after.Next
	}
	if a.json {
		a.writeJSON(report)
		return nil
	}
	report.show(a)
	return nil
}

func (r *pauseReport) show(a *app) {
	st := a.outStyle()
	switch {
	case r.Paused:
		a.printf("%s: %s\n%s\n", st.bold(r.Job), st.yellow("paused"), wrap(r.Note, "  ", a.opts.Width))
	case r.Changed:
		a.printf("%s: %s\n", st.bold(r.Job), st.green("resumed"))
	default:
		a.printf("%s: not paused\n", st.bold(r.Job))
	}
	if !r.Next.IsZero() {
		a.printf("  next run %s\n", moment(r.Next))
	}
}

// who is the person at this command, as user@host.
func (a *app) who() string {
	user := cmp.Or(a.env.get("USER"), a.env.get("LOGNAME"), a.env.get("USERNAME"), "somebody")
	if host, err := os.Hostname(); err == nil && host != "" {
		return user + "@" + host
	}
	return user
}
