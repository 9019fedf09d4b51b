package schedules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// Difference is one thing about a schedule that is not as the plan says, in words.
type Difference struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// The fields of differences.
const (
	FieldSchedule   = "schedule"   // when it runs
	FieldState      = "state"      // enabled or paused
	FieldExceptions = "exceptions" // limits that no plan has
	FieldOverlap    = "overlap policy"
	FieldCatchUp    = "catch-up window"
	FieldAction     = "action" // what it starts
)

// diff returns how a schedule, as Temporal describes it, differs from the one that is wanted.
func diff(payloads *codec.Codec, p *plan.Plan, have *client.Schedule) []Difference {
	want := keepPause(desired(p), have)
	var out []Difference
	add := func(same bool, field, old, now string) {
		if !same {
			out = append(out, Difference{field, old, now})
		}
	}
	if have.Spec == nil || have.Policy == nil || have.State == nil {
		return []Difference{{FieldAction, "incomplete", "complete"}}
	}
	// A note that an operator left is no difference: only what has an effect is.
	add(want.State.Paused == have.State.Paused, FieldState, stateText(have.State), stateText(want.State))
	sameTimes := equalSpec(want.Spec, have.Spec)
	add(sameTimes, FieldSchedule, specText(have.Spec), Words(&p.Schedule))
	add(unlimited(have), FieldExceptions, exceptionsText(have), "none")
	add(want.Policy.Overlap == have.Policy.Overlap && want.Policy.PauseOnFailure == have.Policy.PauseOnFailure, FieldOverlap,
		policyText(have.Policy), policyText(want.Policy))
	// It follows from the times.
	add(!sameTimes || want.Policy.CatchupWindow == have.Policy.CatchupWindow, FieldCatchUp,
		Duration(have.Policy.CatchupWindow), Duration(want.Policy.CatchupWindow))
	wantAction, haveAction := want.Action.(*client.ScheduleWorkflowAction), have.Action.(*client.ScheduleWorkflowAction)
	add(equalAction(payloads, wantAction, haveAction), FieldAction, actionText(haveAction), actionText(wantAction))
	return out
}

// keepPause leaves a schedule paused that a person has paused: whoever did so had a reason that the files do not know.
func keepPause(want, have *client.Schedule) *client.Schedule {
	if heldBy(have) != "" {
		want.State = &client.ScheduleState{Paused: true, Note: have.State.Note}
	}
	return want
}

// heldBy is the note of a person who has paused the schedule; empty if it is not paused or the file did so.
func heldBy(have *client.Schedule) string {
	if have.State != nil && have.State.Paused && PausedByHand(have.State.Note) {
		return have.State.Note
	}
	return ""
}

func equalSpec(want, have *client.ScheduleSpec) bool {
	return want.TimeZoneName == have.TimeZoneName && want.Jitter == have.Jitter &&
		slices.Equal(want.Intervals, have.Intervals) && slices.Equal(crons(want), crons(have))
}

// crons returns the cron expressions or moments of a spec, whether it was just made or read back.
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

// unlimited reports whether a schedule has none of the limits that no plan asks for.
func unlimited(s *client.Schedule) bool {
	return len(s.Spec.Skip) == 0 && s.Spec.StartAt.IsZero() && s.Spec.EndAt.IsZero() && !s.State.LimitedActions
}

func equalAction(payloads *codec.Codec, want, have *client.ScheduleWorkflowAction) bool {
	var in workflows.SyncInput
	return want.ID == have.ID && want.Workflow == have.Workflow && want.TaskQueue == have.TaskQueue &&
		want.StaticSummary == have.StaticSummary &&
		len(have.Args) == 1 && decode(payloads, have.Args[0], &in) && reflect.DeepEqual(want.Args[0], in) &&
		equalMemo(payloads, want.Memo, have.Memo)
}

func equalMemo(payloads *codec.Codec, want, have map[string]any) bool {
	read := make(map[string]any, len(have))
	for name, value := range have {
		var s string
		if !decode(payloads, value, &s) {
			return false
		}
		read[name] = s
	}
	return reflect.DeepEqual(want, read)
}

// decode reads a payload of a description.
func decode(payloads *codec.Codec, payload, to any) bool {
	p, ok := payload.(*commonpb.Payload)
	return ok && payloads.Decode(p, to)
}

func stateText(s *client.ScheduleState) string {
	switch {
	case !s.Paused:
		return "enabled"
	case s.Note == "" || s.Note == noteDisabled || s.Note == noteEnabled:
		return "paused"
	}
	return fmt.Sprintf("paused (%s)", s.Note)
}

// specText says when a schedule runs, as far as it can be said.
func specText(s *client.ScheduleSpec) string {
	all := crons(s)
	switch {
	case len(all) == 1 && all[0] != "" && len(s.Intervals) == 0:
		read := plan.Schedule{Timezone: s.TimeZoneName, Jitter: plan.Duration(s.Jitter), Cron: all[0]}
		if _, err := time.Parse(time.RFC3339, all[0]); err == nil {
			read.Cron, read.Once = "", all[0]
		}
		return Words(&read)
	case len(all) == 0 && len(s.Intervals) == 1 && s.Intervals[0].Offset == 0:
		return Words(&plan.Schedule{Every: plan.Duration(s.Intervals[0].Every), Timezone: s.TimeZoneName, Jitter: plan.Duration(s.Jitter)})
	case len(all)+len(s.Intervals) == 0:
		return "never"
	}
	return "made by other means"
}

func exceptionsText(s *client.Schedule) string {
	var all []string
	if len(s.Spec.Skip) > 0 {
		all = append(all, "times left out")
	}
	if !s.Spec.StartAt.IsZero() {
		all = append(all, "not before "+s.Spec.StartAt.UTC().Format(time.RFC3339))
	}
	if !s.Spec.EndAt.IsZero() {
		all = append(all, "not after "+s.Spec.EndAt.UTC().Format(time.RFC3339))
	}
	if s.State.LimitedActions {
		all = append(all, fmt.Sprintf("%d more runs", s.State.RemainingActions))
	}
	return strings.Join(all, ", ")
}

func policyText(p *client.SchedulePolicies) string {
	text := p.Overlap.String()
	if p.PauseOnFailure {
		text += ", paused by a failure"
	}
	return text
}

func actionText(a *client.ScheduleWorkflowAction) string {
	return fmt.Sprintf("%v %s on %s (%s)", a.Workflow, a.ID, a.TaskQueue, a.StaticSummary)
}
