package plugin

import (
	"encoding/json"
	"time"
)

// DescribeResponse is a connector's description. The host checks jobs against it, decodes connection blocks with it and
// generates documentation from it, so it is complete: what is not described does not exist. [DescribeResponse.Validate] says
// what makes one valid.
type DescribeResponse struct {
	// Name is the connector's name, the first label of its connection blocks: lower-case letters, digits and underscores.
	Name string `json:"name"`

	// Version is the connector's own version, for people.
	Version string `json:"version"`

	// Doc says in a sentence what the connector connects to.
	Doc string `json:"doc,omitempty"`

	// Config are the attributes of a connection block.
	Config []Attribute `json:"config,omitempty"`

	// Streams are what a source offers; empty for a pure destination.
	Streams []Stream `json:"streams,omitempty"`

	// Objects are what a destination takes; empty for a pure source.
	Objects []Object `json:"objects,omitempty"`
}

// Stream is a kind of record that can be read.
type Stream struct {
	// Name is plural, such as "calls".
	Name string `json:"name"`

	// Record is what expressions call one record, such as "call".
	Record string `json:"record"`

	Doc string `json:"doc,omitempty"`

	// Fields are the members of a record's data.
	Fields []Field `json:"fields"`

	// MaxRead is how many ids one Read takes; at least 1.
	MaxRead int `json:"max_read"`
}

// Field is a member of a record, or of a structure inside one.
type Field struct {
	Name string `json:"name"`
	Type Type   `json:"type"`

	// Semantic says what the field means across systems; see the Semantic constants. Optional.
	Semantic string `json:"semantic,omitempty"`

	Doc string `json:"doc,omitempty"`
}

// Object is a kind of thing that can be written.
type Object struct {
	// Name is singular, such as "touchpoint".
	Name string `json:"name"`

	Doc string `json:"doc,omitempty"`

	// Attributes are what a job's map block can set.
	Attributes []Attribute `json:"attributes"`

	// MaxCreate is how many items one Create takes; at least 1.
	MaxCreate int `json:"max_create"`

	// Idempotent says that writing an item again under the same key changes nothing, so that the host need not remember
	// what was written.
	Idempotent bool `json:"idempotent,omitempty"`

	// ResolvedBy names the attribute whose value the host finds with [Resolver.Resolve], such as "account_id". Empty if
	// the object belongs to nothing.
	ResolvedBy string `json:"resolved_by,omitempty"`

	// MaxResolve is how many addresses one Resolve takes; at least 1 if ResolvedBy is set.
	MaxResolve int `json:"max_resolve,omitempty"`

	// CreateOnly says that existing objects are never changed, so that a job must set allow_create = true, its default.
	CreateOnly bool `json:"create_only,omitempty"`
}

// Attribute is a setting of a connection or a member of an object.
type Attribute struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	Doc  string `json:"doc,omitempty"`

	// Required attributes of a connection must be set; those of an object must be mapped and must not be null.
	Required bool `json:"required,omitempty"`

	// Default is the JSON value used when the attribute is not set; nil for none.
	Default json.RawMessage `json:"default,omitempty"`

	// OneOf lists the allowed values of a string; empty allows any.
	OneOf []string `json:"one_of,omitempty"`

	// Sensitive marks a secret of a connection. Its value is never shown.
	Sensitive bool `json:"sensitive,omitempty"`

	// Semantic is for attributes of an object: a stream's field of the same semantic is mapped to it by itself.
	Semantic string `json:"semantic,omitempty"`

	// Locked marks an attribute of an object whose mapping is part of what the object means.
	Locked bool `json:"locked,omitempty"`

	// MaxLength is the longest string that an attribute of an object can hold, in UTF-16 code units. Zero means no limit.
	MaxLength int `json:"max_length,omitempty"`
}

// RateLimit allows Requests requests in any period of length Per.
type RateLimit struct {
	Requests int
	Per      time.Duration
}

// Kind is the kind of a [Type].
type Kind string

// The kinds of types. The list is append-only: it crosses the wire.
const (
	KindString Kind = "string"
	KindInt    Kind = "int"    // a JSON number without fraction or exponent, or a string of digits; exact
	KindNumber Kind = "number" // a JSON number
	KindBool   Kind = "bool"
	KindTime   Kind = "time" // a JSON string in RFC 3339 with its own offset
	KindList   Kind = "list"
	KindStruct Kind = "struct"
	KindAny    Kind = "any" // any JSON value: what is in it is known at run time only, and is not checked before
)

// Type is the type of a field or attribute.
type Type struct {
	Kind   Kind    `json:"kind"`
	Elem   *Type   `json:"elem,omitempty"`   // of a list
	Fields []Field `json:"fields,omitempty"` // of a struct
}

// String is the type in words, such as "list of strings", as documentation and the command line show it.
func (t Type) String() string {
	switch {
	case t.Elem != nil && t.Elem.Kind == KindStruct:
		return string(t.Kind) + " of objects"
	case t.Elem != nil:
		return string(t.Kind) + " of " + t.Elem.String() + "s"
	case t.Kind == KindStruct:
		return "object"
	default:
		return string(t.Kind)
	}
}

// The types without parts.
var (
	String = Type{Kind: KindString}
	Int    = Type{Kind: KindInt}
	Number = Type{Kind: KindNumber}
	Bool   = Type{Kind: KindBool}
	Time   = Type{Kind: KindTime}
	Any    = Type{Kind: KindAny}
)

// ListOf is the type of a list whose elements are of type elem.
func ListOf(elem Type) Type { return Type{Kind: KindList, Elem: &elem} }

// StructOf is the type of a JSON object with the given members.
func StructOf(fields ...Field) Type { return Type{Kind: KindStruct, Fields: fields} }

// The semantics of a meeting. A stream marks its fields with them and an object its attributes; equal semantics are mapped by
// themselves, so that any source of meetings fits any destination of meetings. The list is append-only.
const (
	MeetingID          = "meeting.id"
	MeetingTitle       = "meeting.title"
	MeetingURL         = "meeting.url"
	MeetingStarted     = "meeting.started"  // Time
	MeetingDuration    = "meeting.duration" // Int, in seconds
	MeetingPurpose     = "meeting.purpose"
	MeetingHostEmail   = "meeting.host_email"
	MeetingBrief       = "meeting.brief"
	MeetingKeyPoints   = "meeting.key_points"   // list of strings, or of structs with an item.name
	MeetingAgenda      = "meeting.agenda"       // likewise
	MeetingTopics      = "meeting.topics"       // likewise
	MeetingActionItems = "meeting.action_items" // likewise

	// MeetingParticipants is a list of strings (addresses), or of structs with a participant.email.
	MeetingParticipants    = "meeting.participants"
	ParticipantEmail       = "participant.email"
	ParticipantName        = "participant.name"
	ParticipantAffiliation = "participant.affiliation" // "Internal", "External" or "Unknown"

	// ItemName and ItemDuration (Int, in seconds) are for the elements of agenda, topics and the like.
	ItemName     = "item.name"
	ItemDuration = "item.duration"

	// MeetingNotes is the text of a meeting that the host composes from all the others; only objects use it.
	MeetingNotes = "meeting.notes"

	// MeetingAccount is what a meeting is filed under; only objects use it, on their ResolvedBy attribute.
	MeetingAccount = "meeting.account"
)
