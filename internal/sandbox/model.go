package sandbox

import "time"

// Company is a made-up vendor: its people, its customers and its meetings with them. It is never changed after [Generate], and
// may be read from any number of goroutines.
type Company struct {
	Seed uint64

	// Now is the moment that the meetings were placed around: most are over and recorded, some are still being worked on.
	Now time.Time

	Name   string
	Domain string

	// Team are the vendor's people.
	Team []Member

	// Accounts are the customers, ordered by name, then by id.
	Accounts []Account

	// Users are the customers' people as Totango knows them, one for each person and account.
	Users []User

	// Meetings are ordered by start, then by id.
	Meetings []Meeting
}

// Member is one of the vendor's own people.
type Member struct {
	GongID string // empty for those who are not Gong users
	First  string
	Last   string
	Email  string
	Title  string

	// Totango is set for those who are Totango team members.
	Totango bool

	// Avatar is set for the people of Gong itself, which Gong leaves out of its list of users unless asked.
	Avatar bool
}

// Name is the full name.
func (m *Member) Name() string { return m.First + " " + m.Last }

// Account is a customer as Totango knows it.
type Account struct {
	ID       string
	Name     string
	Domain   string
	Industry string
	CSM      string // address of the team member who looks after it

	region *region
	people []person
}

// User is a person of a customer as Totango knows them.
type User struct {
	AccountID string

	// ID is the user id: an address in whatever case it was entered, or some other text, in which case Email is set.
	ID    string
	Email string

	Name       string
	Title      string
	Contact    bool
	KeyContact bool
}

// person is one of a customer's people, whether Totango knows them or not.
type person struct {
	name, first string
	email       string
	title       string
	contact     bool
	key         bool
}

// Meeting is a recorded call as Gong has it, and what must become of it.
type Meeting struct {
	ID        string // 19 digits
	Title     string
	Scenario  Scenario
	Scheduled time.Time // zero if it was not scheduled
	Started   time.Time
	Duration  time.Duration // whole seconds

	// HostID is the Gong user who hosted it; empty if Gong does not know.
	HostID string

	System    string // such as "Zoom"
	Direction string // "Conference", "Inbound" or "Outbound"
	Scope     string // "External", "Internal" or "Unknown"
	Media     string // "Video" or "Audio"
	Language  string // ISO 639-2B
	Purpose   string // often empty
	Private   bool

	// Parties are the people of the meeting; nil if Gong has none, as for some imported calls.
	Parties []Party

	// VisibleAt is when Gong starts to list the call, always after its end. TextAt is when the text is there as well; zero if
	// it never will be.
	VisibleAt time.Time
	TextAt    time.Time
	Text      Text

	// Wordless calls are too short, or have too little speech, for Gong to write about. Nobody waits for their text.
	Wordless bool

	// AccountID is the Totango account that the meeting belongs to; empty if there is none, and then Reason says why:
	// [InternalOnly] or [AccountUnresolved].
	AccountID string
	Reason    string

	// HostEmail is the host's address as far as Gong's users and parties tell it; empty otherwise.
	HostEmail string
}

// End is when the recording stopped.
func (m *Meeting) End() time.Time { return m.Started.Add(m.Duration) }

// Party is a participant or invitee.
type Party struct {
	ID          string
	Name        string
	Email       string // empty for dial-ins
	Title       string
	UserID      string // of Gong's own users
	SpeakerID   string // empty for those who did not speak
	Phone       string
	Affiliation string // "Internal", "External" or "Unknown"

	Invitee  bool
	Attendee bool // false for those who were invited and did not come
}

// Text is what Gong writes about a call.
type Text struct {
	Brief     string
	KeyPoints []string
	NextSteps []string
	Agenda    []Section // empty for most calls
	Outline   []Section
	Topics    []Section // all topics of the workspace, those that were not touched with a duration of zero
}

// Section is a part of a call.
type Section struct {
	Name     string
	Duration time.Duration // whole seconds
	Items    []string      // of an outline
}
