// Package plan is the compiled form of a job: what package schema makes from HCL and what workflows run.
//
// A plan is stored in Temporal histories for years, so the package depends on nothing but the standard library, holds slices
// rather than maps, and only ever gains fields. It names connections and never holds their configuration.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Version is the version of the plan format that this program writes. Readers accept any version up to it.
const Version = 1

// Plan is a compiled job.
type Plan struct {
	Version     int    `json:"version"`
	Job         string `json:"job"`
	Description string `json:"description,omitempty"`

	Source      Source      `json:"source"`
	Destination Destination `json:"destination"`

	// Map has one mapping for each attribute that gets a value, in the order of the object's description.
	Map []Mapping `json:"map,omitempty"`

	// Templates are the texts of the templates that expressions use, in the order of first use.
	Templates []Template `json:"templates,omitempty"`

	Resolve  Resolve  `json:"resolve"`
	Schedule Schedule `json:"schedule"`
	Notify   []Notify `json:"notify,omitempty"`
}

// Source says what a job reads.
type Source struct {
	Connection string `json:"connection"` // "type.name"
	Connector  string `json:"connector"`  // the connection's type
	Stream     string `json:"stream"`
	Record     string `json:"record"` // what expressions call a record

	// Fields are the record's top-level fields that the job uses, sorted.
	Fields []string `json:"fields"`

	// Types are the types of those fields, for the evaluation of expressions.
	Types []Field `json:"types"`

	// Title is the field that names a record for people; empty if there is none.
	Title string `json:"title,omitempty"`

	MaxRead int `json:"max_read"`

	// Where is a condition on the record in HCL; empty for none.
	Where *Expression `json:"where,omitempty"`

	Initial       Duration `json:"initial"`        // how far back the first run looks
	Overlap       Duration `json:"overlap"`        // how far behind the watermark later runs look again
	Grace         Duration `json:"grace"`          // how long an incomplete record is waited for, from its time
	RetryRejected Duration `json:"retry_rejected"` // how long rejected and deferred records are looked at again
	Wait          Duration `json:"wait"`           // how long a run waits for another run of the job
}

// Destination says what a job writes.
type Destination struct {
	Connection string `json:"connection"`
	Connector  string `json:"connector"`
	Object     string `json:"object"`
	MaxCreate  int    `json:"max_create"`
	Idempotent bool   `json:"idempotent,omitempty"`

	// ResolvedBy is the attribute that resolution fills; empty if the object is not resolved.
	ResolvedBy string `json:"resolved_by,omitempty"`
	MaxResolve int    `json:"max_resolve,omitempty"`
}

// Origin says where a mapping comes from.
type Origin string

// The origins of a mapping.
const (
	OriginAuto    Origin = "auto"    // equal semantics
	OriginDefault Origin = "default" // the attribute's default
	OriginJob     Origin = "job"     // the job's map block
)

// Mapping gives an attribute of the object its value: exactly one of Expr and Notes is set.
type Mapping struct {
	Attribute string `json:"attribute"`
	Origin    Origin `json:"origin"`
	Required  bool   `json:"required,omitempty"`
	Locked    bool   `json:"locked,omitempty"`

	// Type is the attribute's type, to which the value is converted.
	Type Type `json:"type"`

	// MaxLength is the longest string that the attribute holds, in UTF-16 code units; a longer one is cut. Zero means no limit.
	MaxLength int `json:"max_length,omitempty"`

	Expr  *Expression `json:"expr,omitempty"`
	Notes *Notes      `json:"notes,omitempty"`
}

// Expression is HCL source with its place in the job file, for error messages at run time.
type Expression struct {
	Source string `json:"source"`
	File   string `json:"file,omitempty"` // relative to the job directory; empty if the expression was made by the compiler
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Template is the text of a file that an expression renders, by the literal path that the expression uses.
type Template struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// Notes names the fields that the standard text of a meeting is composed of. An empty name means that the stream has none.
type Notes struct {
	Started     string `json:"started,omitempty"`
	Duration    string `json:"duration,omitempty"`
	Purpose     string `json:"purpose,omitempty"`
	URL         string `json:"url,omitempty"`
	Brief       string `json:"brief,omitempty"`
	KeyPoints   List   `json:"key_points"`
	Agenda      List   `json:"agenda"`
	Topics      List   `json:"topics"`
	ActionItems List   `json:"action_items"`
}

// List names a field that is a list of strings, or of structs with a text in Item and, optionally, seconds in Duration.
type List struct {
	Field    string `json:"field,omitempty"`
	Item     string `json:"item,omitempty"`
	Duration string `json:"duration,omitempty"`
}

// Resolve says whom an object belongs to and how that is decided.
type Resolve struct {
	// Participants is the field with the people of the record, and the members that hold their address and affiliation;
	// Email is empty if the field is a list of addresses.
	Participants string `json:"participants,omitempty"`
	Email        string `json:"email,omitempty"`
	Affiliation  string `json:"affiliation,omitempty"`

	// Host is the field with the host's address.
	Host string `json:"host,omitempty"`

	OnAmbiguous     Policy   `json:"on_ambiguous,omitempty"`
	InternalDomains []string `json:"internal_domains,omitempty"` // lower case

	// Aliases are addresses under which the destination does not know a person, with the one under which it does.
	Aliases []Alias `json:"aliases,omitempty"`

	// DomainFallback lets a record whose people nobody knows belong to whom others of their domain belong to.
	DomainFallback bool `json:"domain_fallback,omitempty"`
}

// Alias is another address of a person. Both are in lower case.
type Alias struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Policy decides among several candidates.
type Policy string

// The policies. Ties are broken by the candidates' name, then id.
const (
	// MostParticipants takes the candidate that most of the external participants belong to; among equals, the one with
	// more key contacts, then more contacts.
	MostParticipants Policy = "most_participants"
	// ContactFirst takes the candidate with the most key contacts among the participants, then the most contacts, then the
	// most participants.
	ContactFirst Policy = "contact_first"
	// HostTeam takes the candidate that the meeting's host looks after; if that is none or several, MostParticipants decides
	// among them.
	HostTeam Policy = "host_team"
	// First takes the first candidate by name.
	First Policy = "first"
	// Skip rejects the record.
	Skip Policy = "skip"
)

// Notify says who is told of which runs.
type Notify struct {
	// To names a notifier of the job directory, as "type.name".
	To string   `json:"to"`
	On []Notice `json:"on"`
}

// Notice is a kind of run that somebody is told of.
type Notice string

// The notices.
const (
	NoticeFailed   Notice = "failed"   // the run failed, was skipped, or could not write some records
	NoticeRejected Notice = "rejected" // the run rejected records that no run had rejected before
	NoticeEmpty    Notice = "empty"    // there was nothing at all in the window
)

// Schedule says when a job runs. Exactly one of Cron, Every and Once is set.
type Schedule struct {
	// Cron is a five-field cron expression in the time zone.
	Cron     string   `json:"cron,omitempty"`
	Every    Duration `json:"every,omitempty"`
	Once     string   `json:"once,omitempty"` // RFC 3339
	Timezone string   `json:"timezone"`       // IANA name

	// Jitter delays each run by a random time up to this.
	Jitter Duration `json:"jitter,omitempty"`

	SyncOnApply bool `json:"sync_on_apply,omitempty"`
	Enabled     bool `json:"enabled"`
}

// Field is a field's name and type.
type Field struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Type mirrors the types of package plugin: "string", "int", "number", "bool", "time", "any", "list" with Elem, "struct" with Fields.
type Type struct {
	Kind   string  `json:"kind"`
	Elem   *Type   `json:"elem,omitempty"`
	Fields []Field `json:"fields,omitempty"`
}

// Hash returns a short digest of the plan that is equal for equal plans.
func (p *Plan) Hash() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("plan: %v", err)) // a plan has no value that JSON cannot hold
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// Duration is a time.Duration that reads and writes as text, such as "168h0m0s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}
