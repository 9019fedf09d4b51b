package schedules

import (
	"cmp"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

const (
	// overlap lets one run wait for the one before; a trigger during a run is not lost. Temporal drops a third one and counts it.
	overlap = enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE

	// leastCatchUp is the shortest catch-up window that Temporal's API takes.
	leastCatchUp = 10 * time.Second

	// mostCatchUp is how late a run may be at most, as after an outage of Temporal.
	mostCatchUp = 31 * 24 * time.Hour
)

// The notes say why a schedule is in its state. Temporal shows them beside it.
const (
	noteEnabled  = "enabled by the job file"
	noteDisabled = "disabled by the job file (enabled = false)"
)

// Summary is the one line by which a run of the job is known in Temporal.
func Summary(p *plan.Plan) string {
	return fmt.Sprintf("%s: %s", p.Job, cmp.Or(p.Description, p.Source.Connection+" to "+p.Destination.Connection))
}

// desired is the schedule that the plan asks for.
func desired(p *plan.Plan) *client.Schedule {
	note := noteEnabled
	if !p.Schedule.Enabled {
		note = noteDisabled
	}
	return &client.Schedule{
		Spec: desiredSpec(&p.Schedule),
		Action: &client.ScheduleWorkflowAction{
			ID:            workflows.RunIDPrefix(activities.KindSync, p.Job),
			Workflow:      workflows.SyncType,
			TaskQueue:     workflows.TaskQueue,
			Args:          []any{workflows.SyncInput{Job: p.Job}},
			Memo:          map[string]any{workflows.MemoJob: p.Job},
			StaticSummary: Summary(p),
		},
		Policy: &client.SchedulePolicies{Overlap: overlap, CatchupWindow: catchUp(&p.Schedule)},
		State:  &client.ScheduleState{Paused: !p.Schedule.Enabled, Note: note},
	}
}

func desiredSpec(s *plan.Schedule) *client.ScheduleSpec {
	spec := &client.ScheduleSpec{TimeZoneName: s.Timezone, Jitter: time.Duration(s.Jitter)}
	switch {
	case s.Once != "":
		// One moment is one match of a calendar with a year: in UTC, where no hour comes twice.
		spec.TimeZoneName = "UTC"
		if t, ok := onceAt(s); ok {
			spec.Calendars = []client.ScheduleCalendarSpec{onceCalendar(t, s.Once)}
		}
	case s.Every > 0:
		spec.Intervals = []client.ScheduleIntervalSpec{{Every: time.Duration(s.Every)}}
	default:
		// Temporal stores a calendar instead of the expression; its comment keeps what was written.
		spec.CronExpressions = []string{s.Cron + " # " + s.Cron}
	}
	return spec
}

// onceAt is the moment of a schedule that has one.
func onceAt(s *plan.Schedule) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s.Once)
	return t, err == nil
}

func onceCalendar(t time.Time, comment string) client.ScheduleCalendarSpec {
	t = t.UTC()
	one := func(n int) []client.ScheduleRange { return []client.ScheduleRange{{Start: n}} }
	return client.ScheduleCalendarSpec{
		Second: one(t.Second()), Minute: one(t.Minute()), Hour: one(t.Hour()),
		DayOfMonth: one(t.Day()), Month: one(int(t.Month())), Year: one(t.Year()), Comment: comment,
	}
}

// catchUp is how late a run may be that was missed, as in an outage of Temporal: the longest time between two runs. So one run
// makes up for all that were missed, as it lists everything since the last one. Where the runs are unevenly spaced, as on
// workdays, two may lie in the window; the second one waits for the first and finds next to nothing.
//
// It is the same whenever it is computed: otherwise schedules would differ from their plans by themselves.
func catchUp(s *plan.Schedule) time.Duration {
	longest := mostCatchUp
	switch {
	case s.Every > 0:
		longest = time.Duration(s.Every)
	case s.Cron != "":
		longest = longestGap(s.Cron)
	}
	return min(max(longest, leastCatchUp), mostCatchUp)
}

// longestGap is the longest time between two runs in a leap year, in a zone without daylight saving time.
func longestGap(expr string) time.Duration {
	schedule, err := cron.ParseStandard(expr)
	if err != nil {
		return mostCatchUp // the compiler has checked it
	}
	const runs = 400 // a year of daily runs; what runs more often repeats itself within a week
	at := schedule.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	var longest time.Duration
	for range runs {
		next := schedule.Next(at)
		if next.IsZero() {
			break
		}
		longest, at = max(longest, next.Sub(at)), next
	}
	if longest == 0 {
		return mostCatchUp
	}
	return longest
}
