package gongtest

import "time"

// The credentials of a server for which no keys are set.
const (
	AccessKey       = "GONGTESTACCESSKEY"
	AccessKeySecret = "gongtest-secret-1b2c3d4e5f"
)

// The scopes that the simulated endpoints ask for.
const (
	ScopeCallsBasic      = "api:calls:read:basic"
	ScopeCallsExtensive  = "api:calls:read:extensive"
	ScopeCallsTranscript = "api:calls:read:transcript"
	ScopeCallsMedia      = "api:calls:read:media-url"
	ScopeUsers           = "api:users:read"
	ScopeWorkspaces      = "api:workspaces:read"
)

// Key is a way to authenticate. All keys of a company share its rate limits.
type Key struct {
	AccessKey, Secret string // for Basic
	Token             string // for Bearer; empty if the key has none

	// Scopes are what the key may do; nil allows everything.
	Scopes []string

	// Expires is when the key stops working; zero never.
	Expires time.Time

	// Forbidden makes every answer a 403, as for an address that is not on the key's list of trusted ones.
	Forbidden bool
}

// Limits are the company's rate limits. Zero means no limit.
type Limits struct {
	PerSecond int // in any second
	PerDay    int // since midnight UTC; Gong does not say when its day begins
}

// DefaultLimits are Gong's documented ones.
var DefaultLimits = Limits{PerSecond: 3, PerDay: 10_000}

// Workspace is a workspace of the company. The first one is where calls without a workspace are.
type Workspace struct {
	ID, Name, Description string
}

// User is a Gong user.
type User struct {
	ID        string
	Email     string
	FirstName string
	LastName  string
	Title     string
	ManagerID string
	Created   time.Time
	Inactive  bool

	// Aliases are further addresses of the user.
	Aliases []string

	// Avatar marks a synthetic user of Gong's own staff: calls name it, and no endpoint knows it unless avatars are asked for.
	Avatar bool
}

// Call is a call with everything that the API can tell of it, and when. Only Started is needed: everything else has a
// default or may stay empty.
type Call struct {
	ID          string // digits; by default the next free one
	URL         string // by default a page of the company's Gong application
	Title       string // empty is sent as null
	Started     time.Time
	Scheduled   time.Time // zero is sent as null, unless the call is a Conference: then it is Started
	Duration    time.Duration
	WorkspaceID string // by default the first workspace

	PrimaryUserID   string // the host; empty is sent as null
	Direction       string // "Inbound", "Outbound", "Conference" (default) or "Unknown"
	System          string // by default "Zoom"
	Scope           string // "Internal", "External" (default) or "Unknown"
	Media           string // "Video" (default) or "Audio"
	Language        string // by default "eng"
	Purpose         string // empty is sent as null, as the next five
	MeetingURL      string
	SDRDisposition  string
	ClientUniqueID  string
	CustomData      string
	CalendarEventID string
	Private         bool

	// Parties are the participants. Without any the answers have no parties at all, as for some imported calls.
	Parties []Party

	// CRM are the objects that the call is linked to: accounts and opportunities.
	CRM []CRMObject

	// The texts that Gong writes itself, which are there from ContentAt on.
	Brief      string
	KeyPoints  []string
	Outline    []Section
	Highlights []Highlight

	Structure []Span // the agenda
	Topics    []Span // the company's other topics are listed too, with a duration of zero
	Trackers  []Tracker
	Outcome   *Outcome

	Stats              *Stats
	Speakers           []Speaker
	Video              []Span
	CompanyQuestions   int
	CustomerQuestions  int
	Comments           []Comment
	Transcript         []Monologue
	AudioURL, VideoURL string

	// VisibleAt is when Gong has processed the call: no endpoint shows it before. Zero means always.
	VisibleAt time.Time

	// ContentAt is when Brief, KeyPoints, Outline and Highlights are there. Zero means from the beginning.
	ContentAt time.Time

	// PrivateAt is when somebody makes the call private, DeletedAt when somebody deletes it. Zero means never.
	PrivateAt time.Time
	DeletedAt time.Time

	// Edits are changes that people make later. Each applies to a copy when its time has come, in their order.
	Edits []Edit
}

// Edit is a change of a call at a time. Apply gets a shallow copy: it replaces slices and does not change their elements. It
// must not use the server.
type Edit struct {
	At    time.Time
	Apply func(*Call)
}

// Party is a participant of a call. Empty strings are missing keys.
type Party struct {
	ID          string // by default made from the call's
	Email       string
	Name        string
	Title       string
	UserID      string // of a Gong user
	SpeakerID   string // empty is sent as null
	Affiliation string // "Internal", "External" or "Unknown" (default)
	Phone       string
	Methods     []string // by default "Invitee" and "Attendee"
	CRM         []CRMObject
}

// CRMObject is a link into a CRM system.
type CRMObject struct {
	System string // by default "Salesforce"
	Type   string // "Account", "Opportunity"; of a party "Contact", "Lead", "User"
	ID     string
	Fields []CRMField // shown with context "Extended"
	Timing string     // "Now" (default) or "TimeOfCall"
}

// CRMField is a field of a CRM object; its value is any JSON value.
type CRMField struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Span is a part of a call that has a name: a topic, a section of the agenda, a kind of picture.
type Span struct {
	Name     string
	Duration time.Duration
}

// Section is a part of the outline.
type Section struct {
	Name     string
	Start    time.Duration
	Duration time.Duration
	Items    []string
}

// Highlight is a titled list; action items are under "Next steps".
type Highlight struct {
	Title string
	Items []string
}

// Tracker is what a tracker found.
type Tracker struct {
	ID, Name string
	Count    int
	Phrase   string
	At       []time.Duration
}

// Outcome is the outcome of a call.
type Outcome struct {
	ID       string `json:"id"`
	Category string `json:"category"`
	Name     string `json:"name"`
}

// Stats are the figures about the company's speakers.
type Stats struct {
	TalkRatio            float64 // 0 to 1
	LongestMonologue     time.Duration
	LongestCustomerStory time.Duration
	Interactivity        float64
	Patience             time.Duration
}

// Speaker says how long a party spoke.
type Speaker struct {
	PartyID  string
	UserID   string // empty is sent as null
	TalkTime time.Duration
}

// Comment is a public comment on a call.
type Comment struct {
	ID     string
	UserID string
	Text   string
	At     time.Duration
	Posted time.Time
}

// Monologue is a part of a transcript.
type Monologue struct {
	SpeakerID string // empty is sent as null, as Topic
	Topic     string
	Sentences []Sentence
}

// Sentence is a sentence of a transcript.
type Sentence struct {
	Start, End time.Duration
	Text       string
}
