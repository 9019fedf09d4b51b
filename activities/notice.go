package activities

import "github.com/durasync/durasync/schema/plan"

// Notice is what people are told of a run when it has ended. [Notice.Run].Owner and Kind together name it: whoever sends it again
// sends the same.
type Notice struct {
	Job     string      `json:"job"`
	Summary string      `json:"summary,omitempty"` // what the job is for, in a line
	Kind    plan.Notice `json:"kind"`
	Run     Run         `json:"run"`

	// URL is where the run can be looked at; empty if nobody knows.
	URL string `json:"url,omitempty"`

	// NewRejects is how many of the rejected records no run had rejected before.
	NewRejects int `json:"new_rejects,omitempty"`

	// Rejects are a few of the records that were not written.
	Rejects []Verdict `json:"rejects,omitempty"`
}
