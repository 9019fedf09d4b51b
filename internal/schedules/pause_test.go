package schedules

import (
	"context"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/schema/plan"
)

func (h *handle) Pause(_ context.Context, o client.SchedulePauseOptions) error {
	return h.patch(true, o.Note)
}

func (h *handle) Unpause(_ context.Context, o client.ScheduleUnpauseOptions) error {
	return h.patch(false, o.Note)
}

func (h *handle) patch(paused bool, note string) error {
	h.s.schedules[h.id].State = &client.ScheduleState{Paused: paused, Note: note}
	return nil
}

// A pause says who, when and why, and is told from one that the job file asks for.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	mustApply(t, s, nightly())
	when := time.Date(2026, 11, 24, 10, 12, 0, 0, time.FixedZone("CET", 3600))
	for _, tc := range []struct{ reason, want string }{
		{"the token\nis being  renewed", "paused by durasync pause: the token is being renewed (hana@laptop, 2026-11-24 09:12 UTC)"},
		{"", "paused by durasync pause (hana@laptop, 2026-11-24 09:12 UTC)"},
	} {
		note, err := Pause(t.Context(), s, "gong_meetings", "hana@laptop", tc.reason, when)
		if err != nil || note != tc.want {
			t.Errorf("Pause(%q) = %q, %v; want %q", tc.reason, note, err, tc.want)
		}
		got, err := Get(t.Context(), s, "gong_meetings")
		if err != nil || !got.Paused || got.Note != tc.want || !PausedByHand(got.Note) || DisabledByFile(got.Note) {
			t.Errorf("afterwards the schedule is %+v, %v", got, err)
		}
	}
	note, err := Resume(t.Context(), s, "gong_meetings", "hana@laptop", when)
	if want := "resumed by durasync resume (hana@laptop, 2026-11-24 09:12 UTC)"; err != nil || note != want {
		t.Errorf("Resume = %q, %v; want %q", note, err, want)
	}
	if got, err := Get(t.Context(), s, "gong_meetings"); err != nil || got.Paused || got.Note != note {
		t.Errorf("afterwards the schedule is %+v, %v", got, err)
	}

	mustApply(t, s, nightly(func(p *plan.Plan) { p.Schedule.Enabled = false }))
	if got, err := Get(t.Context(), s, "gong_meetings"); err != nil || !DisabledByFile(got.Note) || PausedByHand(got.Note) {
		t.Errorf("the schedule of a disabled job is %+v, %v", got, err)
	}
}
