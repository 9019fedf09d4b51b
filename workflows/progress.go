package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

const timeoutScheduleToStart = enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START

// a names the activities. It is nil: only its methods' names are used.
var a *activities.Activities

// Progress is the answer of the progress query.
type Progress struct {
	Job    string             `json:"job"`
	Kind   activities.RunKind `json:"kind,omitempty"`
	Phase  Phase              `json:"phase"`
	From   time.Time          `json:"from,omitzero"`
	To     time.Time          `json:"to,omitzero"`
	Counts activities.Counts  `json:"counts"`

	// Listed says that Counts.New is final but for records looked at again.
	Listed bool `json:"listed"`

	NotBefore time.Time `json:"not_before,omitzero"` // when a postponed run begins
	Because   string    `json:"because,omitempty"`   // why it does not begin earlier
}

func (s *syncRun) progress() *Progress {
	st := s.state
	return &Progress{
		Job: s.job, Kind: s.kind, Phase: st.Phase, From: st.From, To: st.To, Counts: st.Counts,
		Listed:    st.listed(),
		NotBefore: s.in.NotBefore, Because: s.in.Because,
	}
}

// listed reports whether all of the window is.
func (st *SyncState) listed() bool {
	switch st.Phase {
	case PhasePostponed, PhaseWaiting:
		return false
	case PhaseListing:
		return !st.Next.Before(st.To)
	}
	return true
}

// publish shows the run's state in the web UI.
func (s *syncRun) publish(ctx workflow.Context) {
	st := s.state
	c := &st.Counts
	var b strings.Builder
	b.WriteString(fmt.Sprintf("### %s: %s\n\n", s.job, st.Phase))
	if st.Phase == PhasePostponed {
		b.WriteString(fmt.Sprintf("Begins at %s: %s\n\n", s.in.NotBefore.UTC().Format(time.DateTime+" MST"), s.in.Because))
	}
	if !st.To.IsZero() {
		b.WriteString(fmt.Sprintf("Window %s to %s\n\n", st.From.UTC().Format(time.DateTime), st.To.UTC().Format(time.DateTime+" MST")))
	}
	// A list, not a table: the web UI sets the cells of a table without space between them.
	b.WriteString(fmt.Sprintf("- **%d** listed: %d known, %d new\n- **%d** created\n- **%d** rejected\n- **%d** deferred\n- **%d** failed\n",
		c.Listed, c.Known, c.New, c.Created, c.Rejected, c.Deferred, c.Failed))
	const shown = 10
	if n := len(st.Rejects); n > 0 {
		b.WriteString("\nLast records not written:\n\n")
		for _, v := range st.Rejects[max(0, n-shown):] {
			b.WriteString(fmt.Sprintf("- `%s` of %s: %s: %s\n", v.Pending.ID, v.Pending.Time.UTC().Format(time.DateTime), v.Reason, v.Detail))
		}
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// queueOf is the queue of a connection by its full name, such as "gong.acme".
func queueOf(connection string) string {
	connectionType, name, _ := strings.Cut(connection, ".")
	return ConnectionQueue(connectionType, name)
}

// clean strips the layers that the SDK puts around an activity's error, so that the run's failure is the one sentence that the
// activity wrote. Cancellations and errors without such a sentence stay as they are.
func clean(err error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return err
	}
	return temporal.NewApplicationErrorWithOptions(app.Message(), app.Type(),
		temporal.ApplicationErrorOptions{NonRetryable: true, NextRetryDelay: app.NextRetryDelay()})
}

// message is an error's sentence without the SDK's layers.
func message(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}

// records is a number of records in words.
func records(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}
