package schedules

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/schema/plan"
)

// The notes of schedules that a person paused or resumed begin with these; who did it, when and why follows.
const (
	NotePaused  = "paused by durasync pause"
	NoteResumed = "resumed by durasync resume"
)

// PausedByHand reports whether a note says that a person paused the schedule. Applying a plan leaves such a pause alone.
func PausedByHand(note string) bool { return strings.HasPrefix(note, NotePaused) }

// DisabledByFile reports whether a note says that the job's file disabled the schedule.
func DisabledByFile(note string) bool { return note == noteDisabled }

// Pause keeps a job's schedule from starting runs, and notes who did so, when and, if a reason is given, why. It returns the note.
func Pause(ctx context.Context, c client.ScheduleClient, job, who, reason string, when time.Time) (note string, err error) {
	note = PauseNote(who, reason, when)
	if err := c.GetHandle(ctx, job).Pause(ctx, client.SchedulePauseOptions{Note: note}); err != nil {
		return "", fmt.Errorf("pause the schedule of job %s: %w", job, err)
	}
	return note, nil
}

// Resume lets a job's schedule start runs again, and notes who did so and when. It returns the note.
func Resume(ctx context.Context, c client.ScheduleClient, job, who string, when time.Time) (note string, err error) {
	note = handNote(NoteResumed, who, "", when)
	if err := c.GetHandle(ctx, job).Unpause(ctx, client.ScheduleUnpauseOptions{Note: note}); err != nil {
		return "", fmt.Errorf("resume the schedule of job %s: %w", job, err)
	}
	return note, nil
}

// PauseNote is the note of a schedule that a person paused.
func PauseNote(who, reason string, when time.Time) string {
	return handNote(NotePaused, who, reason, when)
}

// CreatePaused creates the schedule of a job that has none, paused by a person as the note says.
func CreatePaused(ctx context.Context, c client.ScheduleClient, p *plan.Plan, note string) error {
	s := desired(p)
	s.State.Paused, s.State.Note = true, note
	_, err := create(ctx, c, p.Job, s)
	return err
}

func handNote(what, who, reason string, when time.Time) string {
	if reason = strings.Join(strings.Fields(reason), " "); reason != "" {
		what += ": " + reason
	}
	return fmt.Sprintf("%s (%s, %s)", what, who, when.UTC().Format("2006-01-02 15:04 MST"))
}
