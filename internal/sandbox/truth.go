package sandbox

import (
	"slices"
	"strings"
	"time"
)

// Outcome is what must have become of a meeting.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered"  // there is one touchpoint
	NotListed Outcome = "not_listed" // the sync never hears of it, or must forget that it did
	Rejected  Outcome = "rejected"   // it belongs to no account
	Deferred  Outcome = "deferred"   // its text is still to come
)

// Expectation is what must have become of one meeting.
type Expectation struct {
	CallID  string
	Outcome Outcome

	// Reason says why a meeting has no touchpoint: [IsPrivate], [NotVisible] or [OutsideWindow] if it is not listed,
	// [InternalOnly] or [AccountUnresolved] if it is rejected, [NotReady] if it is deferred.
	Reason string

	// Touchpoint is set if the meeting is delivered.
	Touchpoint Touchpoint
}

// Touchpoint is what a touchpoint must hold when a job leaves everything to its defaults.
type Touchpoint struct {
	AccountID string
	Subject   string
	Date      time.Time // in whole milliseconds

	// CreatedBy is the host's address; empty if Gong does not tell, and then anybody will do.
	CreatedBy string

	// Participants are the addresses of the parties: in lower case, sorted, each once.
	Participants []string

	// Text is something that the content must hold: the beginning of the brief. It is empty if there was no text at the time.
	Text string
}

// Truth says what must have become of each meeting after one complete sync of the window [from, to) at a time, in the order of
// Company.Meetings. Grace is how long after its start a meeting without a text is waited for,
// unless it is Wordless.
//
// The job is taken to leave everything to its defaults: no condition, no internal domains, the policy most_participants.
func (c *Company) Truth(at, from, to time.Time, grace time.Duration) []Expectation {
	all := make([]Expectation, len(c.Meetings))
	for i := range c.Meetings {
		all[i] = c.Meetings[i].expect(at, from, to, grace)
	}
	return all
}

func (m *Meeting) expect(at, from, to time.Time, grace time.Duration) Expectation {
	e := Expectation{CallID: m.ID}
	hasText := !m.TextAt.IsZero() && !at.Before(m.TextAt)
	switch {
	case m.Private:
		e.Outcome, e.Reason = NotListed, IsPrivate
	case at.Before(m.VisibleAt):
		e.Outcome, e.Reason = NotListed, NotVisible
	case m.Started.Before(from) || !m.Started.Before(to):
		e.Outcome, e.Reason = NotListed, OutsideWindow
	case !hasText && !m.Wordless && at.Before(m.Started.Add(grace)):
		e.Outcome, e.Reason = Deferred, NotReady
	case m.Reason != "":
		e.Outcome, e.Reason = Rejected, m.Reason
	default:
		e.Outcome, e.Touchpoint = Delivered, m.touchpoint(hasText)
	}
	return e
}

func (m *Meeting) touchpoint(hasText bool) Touchpoint {
	t := Touchpoint{AccountID: m.AccountID, Subject: m.Title, Date: m.Started.Truncate(time.Millisecond), CreatedBy: m.HostEmail}
	for _, p := range m.Parties {
		if p.Email != "" {
			t.Participants = append(t.Participants, strings.ToLower(p.Email))
		}
	}
	slices.Sort(t.Participants)
	t.Participants = slices.Compact(t.Participants)
	if hasText {
		t.Text, _, _ = strings.Cut(m.Text.Brief, ". ")
	}
	return t
}
