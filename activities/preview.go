package activities

import (
	"encoding/json"
	"time"

	"github.com/durasync/durasync/schema/plan"
)

// PreviewRecord is a record as a run would treat it, for people.
type PreviewRecord struct {
	ID    string    `json:"id"`
	Time  time.Time `json:"time"`
	Title string    `json:"title,omitempty"`
	Host  string    `json:"host,omitempty"`
	URL   string    `json:"url,omitempty"`

	// State is Delivered if the record is in the destination already, Claimed if it would be written, and else as a run would
	// settle it, with the reason.
	State  State  `json:"state"`
	Reason Reason `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`

	// Participants are the addresses that were tried to find the target.
	Participants []string `json:"participants,omitempty"`

	// Target is where the record belongs, and Losers where else it could.
	Target     string      `json:"target,omitempty"`
	TargetName string      `json:"target_name,omitempty"`
	Losers     []Candidate `json:"losers,omitempty"`

	// Attributes is a JSON object with what would be written.
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

// NewestInput is the input of [Activities.Newest].
type NewestInput struct {
	Source plan.Source `json:"source"`

	// Count is how many records are wanted; Back is how far back they are looked for.
	Count int           `json:"count"`
	Back  time.Duration `json:"back"`
}

// NewestResult is the answer of [Activities.Newest].
type NewestResult struct {
	// Newest are the newest records, the newest first.
	Newest []Pending `json:"newest,omitempty"`
}
