package workflows

import (
	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// PreviewInput is the input of [Preview].
type PreviewInput struct {
	// Plan need not be applied.
	Plan *plan.Plan `json:"plan"`

	// Count is how many of the newest records are shown; at most 100.
	Count int `json:"count"`
}

// PreviewResult is the result of [Preview].
type PreviewResult struct {
	// Source and Destination say what was reached.
	Source      string `json:"source"`
	Destination string `json:"destination"`

	// Records are the newest records, the newest first.
	Records []activities.PreviewRecord `json:"records,omitempty"`
}
