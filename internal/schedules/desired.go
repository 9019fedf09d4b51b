package schedules

import (
	"cmp"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// MemoJob is the memo field of schedules and of the runs that they start which holds the job's name.
const MemoJob = "job"

const (
	// overlap lets one run wait for the one before; a trigger during a run is not lost.
	overlap = enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE

	// catchUp is how late a run by the calendar may be, as after an outage of Temporal. Of several missed runs at most two are
	// made up, because the overlap policy buffers one; the second one finds next to nothing.
	catchUp = 7 * 24 * time.Hour
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
	s := &p.Schedule
	spec := &client.ScheduleSpec{TimeZoneName: s.Timezone}
	window := catchUp
	if s.Every > 0 {
		spec.Intervals = []client.ScheduleIntervalSpec{{Every: time.Duration(s.Every)}}
		window = time.Duration(s.Every) // the last missed run and no other
	} else {
		// Temporal stores a calendar instead of the expression; its comment keeps what was written.
		spec.CronExpressions = []string{s.Cron + " # " + s.Cron}
	}
	note := noteEnabled
	if !s.Enabled {
		note = noteDisabled
	}
	return &client.Schedule{
		Spec: spec,
		Action: &client.ScheduleWorkflowAction{
			ID:            workflows.SyncIDPrefix(p.Job),
			Workflow:      workflows.SyncType,
			TaskQueue:     workflows.TaskQueue,
			Args:          []any{workflows.SyncInput{Job: p.Job}},
			Memo:          map[string]any{MemoJob: p.Job},
			StaticSummary: Summary(p),
		},
		Policy: &client.SchedulePolicies{Overlap: overlap, CatchupWindow: window},
		State:  &client.ScheduleState{Paused: !s.Enabled, Note: note},
	}
}
