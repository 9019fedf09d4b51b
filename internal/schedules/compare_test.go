package schedules

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/schema/plan"
)

// Compare says in words what Apply would change, and changes nothing.
func TestCompare(t *testing.T) {
	t.Parallel()
	once := func(p *plan.Plan) { p.Schedule.Cron, p.Schedule.Once = "", "2030-12-01T09:00:00-05:00" }
	for name, tc := range map[string]struct {
		drift func(*client.Schedule)
		now   func(*plan.Plan)
		want  []Difference
	}{
		"nothing":  {nil, nil, nil},
		"interval": {nil, every(36 * time.Hour), []Difference{{FieldSchedule, "daily at 23:00, America/New_York", "every 36h"}}},
		"once":     {nil, once, []Difference{{FieldSchedule, "daily at 23:00, America/New_York", "once, Sun 2030-12-01 09:00, America/New_York"}}},
		"zone": {nil, func(p *plan.Plan) { p.Schedule.Timezone = "Europe/Berlin" },
			[]Difference{{FieldSchedule, "daily at 23:00, America/New_York", "daily at 23:00, Europe/Berlin"}}},
		"jitter": {nil, func(p *plan.Plan) { p.Schedule.Jitter = plan.Duration(10 * time.Minute) },
			[]Difference{{FieldSchedule, "daily at 23:00, America/New_York", "daily at 23:00, America/New_York, up to 10m later"}}},
		"paused by the file": {nil, func(p *plan.Plan) { p.Schedule.Enabled = false }, []Difference{{FieldState, "enabled", "paused"}}},
		"paused by other means": {func(s *client.Schedule) { s.State = &client.ScheduleState{Paused: true, Note: "Hana, for the weekend"} }, nil,
			[]Difference{{FieldState, "paused (Hana, for the weekend)", "enabled"}}},
		"an end and fewer runs": {func(s *client.Schedule) {
			s.Spec.EndAt, s.State.LimitedActions, s.State.RemainingActions = next[0], true, 3
		}, nil, []Difference{{FieldExceptions, "not after 2026-11-24T23:00:00Z, 3 more runs", "none"}}},
		"a calendar of somebody's": {func(s *client.Schedule) { s.Spec.Calendars = append(s.Spec.Calendars, client.ScheduleCalendarSpec{}) }, nil,
			[]Difference{{FieldSchedule, "made by other means", "daily at 23:00, America/New_York"}}},
		"overlap": {func(s *client.Schedule) { s.Policy.Overlap = enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL }, nil,
			[]Difference{{FieldOverlap, "AllowAll", "BufferOne"}}},
		"catch-up window": {func(s *client.Schedule) { s.Policy.CatchupWindow = time.Minute }, nil, []Difference{{FieldCatchUp, "1m", "1d"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			mustApply(t, s, nightly())
			if tc.drift != nil {
				tc.drift(s.schedules["gong_meetings"])
			}
			p := nightly()
			if tc.now != nil {
				tc.now(p)
			}
			got, err := Compare(t.Context(), s, payloads, p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(State{Exists: true, Differences: tc.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if s.writes != 1 {
				t.Error("comparing has written")
			}
			if change := mustApply(t, s, p); (change == Unchanged) != (tc.want == nil) {
				t.Errorf("Apply says %s", change)
			}
		})
	}
	if got, err := Compare(t.Context(), newServer(t), payloads, nightly()); err != nil || got.Exists {
		t.Errorf("without a schedule: %+v, %v", got, err)
	}
}

// What durasync pause has paused stays so when a plan is applied, whatever else changes, until somebody resumes it.
func TestPauseOutlivesApply(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	mustApply(t, s, nightly())
	note, err := Pause(t.Context(), s, "gong_meetings", "hana@laptop", "weekend", next[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := mustApply(t, s, nightly()); got != Unchanged {
		t.Errorf("the same plan: %s, want %s", got, Unchanged)
	}
	if got := mustApply(t, s, nightly(every(time.Hour))); got != Changed {
		t.Errorf("another plan: %s, want %s", got, Changed)
	}
	if state := s.schedules["gong_meetings"].State; !state.Paused || state.Note != note {
		t.Errorf("the state is %+v, want it paused with the note %q", state, note)
	}
	if got, err := Compare(t.Context(), s, payloads, nightly(every(time.Hour))); err != nil || got.Held != note || len(got.Differences) > 0 {
		t.Errorf("Compare: %+v, %v", got, err)
	}
	if _, err := Resume(t.Context(), s, "gong_meetings", "hana@laptop", next[0]); err != nil {
		t.Fatal(err)
	}
	if got := mustApply(t, s, nightly(every(time.Hour))); got != Unchanged || s.schedules["gong_meetings"].State.Paused {
		t.Errorf("after it was resumed: %s, %+v", got, s.schedules["gong_meetings"].State)
	}
}

// A single run is one moment of a calendar, in UTC.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	mustApply(t, s, nightly(func(p *plan.Plan) { p.Schedule.Cron, p.Schedule.Once = "", "2030-12-01T22:30:15-05:00" }))
	one := func(n int) []client.ScheduleRange { return []client.ScheduleRange{{Start: n}} }
	want := &client.ScheduleSpec{TimeZoneName: "UTC", Calendars: []client.ScheduleCalendarSpec{{
		Second: one(15), Minute: one(30), Hour: one(3), DayOfMonth: one(2), Month: one(12), Year: one(2030), Comment: "2030-12-01T22:30:15-05:00",
	}}}
	if diff := cmp.Diff(want, s.schedules["gong_meetings"].Spec); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of several runs that were missed, one is made up: no more than one lies in the window, and always one does.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for expr, want := range map[string]time.Duration{
		"0 23 * * *":      day,
		"30 * * * *":      time.Hour,
		"0 9 * * 1":       7 * day,
		"0 9 * * 1-5":     3 * day, // over the weekend
		"0 9 1 * *":       31 * day,
		"0 6,18 * * *":    12 * time.Hour,
		"0 9 29 2 *":      31 * day,
		"*/20 6-18 * * *": 11*time.Hour + 20*time.Minute, // from 18:40 to 06:00
	} {
		if got := catchUp(&plan.Schedule{Cron: expr}); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
	if got := catchUp(&plan.Schedule{Every: plan.Duration(90 * time.Minute)}); got != 90*time.Minute {
		t.Errorf("every 90m: %v", got)
	}
	if got := catchUp(&plan.Schedule{Once: "2030-12-01T22:30:15Z"}); got != 31*day {
		t.Errorf("once: %v", got)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]plan.Schedule{
		"daily at 23:00, America/New_York":            {Cron: "0 23 * * *", Timezone: "America/New_York"},
		"workdays at 07:30, UTC":                      {Cron: "30 7 * * 1-5", Timezone: "UTC"},
		"Mondays at 09:05, UTC":                       {Cron: "5 9 * * 1", Timezone: "UTC"},
		"Mondays and Thursdays at 09:00, UTC":         {Cron: "0 9 * * 1,4", Timezone: "UTC"},
		"Sundays, Mondays and Tuesdays at 09:00, UTC": {Cron: "0 9 * * 0,1,2", Timezone: "UTC"},
		"monthly on day 1 at 06:30, UTC":              {Cron: "30 6 1 * *", Timezone: "UTC"},
		"hourly at minute 15, UTC":                    {Cron: "15 * * * *", Timezone: "UTC"},
		"cron */20 6-18 * * mon-sat, Europe/Berlin":   {Cron: "*/20 6-18 * * mon-sat", Timezone: "Europe/Berlin"},
		"cron 0 9 1 1 *, UTC":                         {Cron: "0 9 1 1 *", Timezone: "UTC"},
		"cron 0 9 1 * 1, UTC":                         {Cron: "0 9 1 * 1", Timezone: "UTC"},
		"every 15m, up to 2m30s later":                {Every: plan.Duration(15 * time.Minute), Jitter: plan.Duration(150 * time.Second)},
		"every 7d":                                    {Every: plan.Duration(7 * 24 * time.Hour), Timezone: "UTC"},
		"once, Sun 2030-12-01 15:00, Europe/Berlin":   {Once: "2030-12-01T14:00:00Z", Timezone: "Europe/Berlin"},
		"daily at 23:00, UTC, up to 1h30m later":      {Cron: "0 23 * * *", Timezone: "UTC", Jitter: plan.Duration(90 * time.Minute)},
	} {
		if got := Words(&s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	mustApply(t, s, nightly())
	for range 2 { // what is gone already is no error
		if err := Remove(t.Context(), s, "gong_meetings"); err != nil || s.schedules["gong_meetings"] != nil {
			t.Errorf("%v, and the schedule is %v", err, s.schedules["gong_meetings"])
		}
	}
}

func (h *handle) Delete(context.Context) error {
	delete(h.s.schedules, h.id)
	return nil
}
