package schedules

import (
	"reflect"
	"slices"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/workflows"
)

// equal reports whether a schedule, as Temporal describes it, is the one that is wanted.
func equal(want, have *client.Schedule) bool {
	return have.Spec != nil && have.Policy != nil && have.State != nil &&
		equalSpec(want.Spec, have.Spec) &&
		equalAction(want.Action.(*client.ScheduleWorkflowAction), have.Action.(*client.ScheduleWorkflowAction)) &&
		*want.Policy == *have.Policy &&
		want.State.Paused == have.State.Paused &&
		!have.State.LimitedActions
}

func equalSpec(want, have *client.ScheduleSpec) bool {
	if len(have.Skip) > 0 || !have.StartAt.IsZero() || !have.EndAt.IsZero() || have.Jitter != 0 {
		return false
	}
	return want.TimeZoneName == have.TimeZoneName && slices.Equal(want.Intervals, have.Intervals) && slices.Equal(crons(want), crons(have))
}

// crons returns the cron expressions of a spec, whether it was just made or read back.
func crons(s *client.ScheduleSpec) []string {
	var list []string
	for _, c := range s.CronExpressions {
		_, written, _ := strings.Cut(c, " # ")
		list = append(list, written)
	}
	for _, c := range s.Calendars {
		list = append(list, c.Comment)
	}
	return list
}

func equalAction(want, have *client.ScheduleWorkflowAction) bool {
	var in workflows.SyncInput
	return want.ID == have.ID && want.Workflow == have.Workflow && want.TaskQueue == have.TaskQueue &&
		want.StaticSummary == have.StaticSummary &&
		len(have.Args) == 1 && decode(have.Args[0], &in) && reflect.DeepEqual(want.Args[0], in) &&
		equalMemo(want.Memo, have.Memo)
}

func equalMemo(want, have map[string]any) bool {
	read := make(map[string]any, len(have))
	for name, value := range have {
		var s string
		if !decode(value, &s) {
			return false
		}
		read[name] = s
	}
	return reflect.DeepEqual(want, read)
}

// decode reads a payload of a description.
func decode(payload, to any) bool {
	p, ok := payload.(*commonpb.Payload)
	return ok && codec.DataConverter().FromPayload(p, to) == nil
}
