package activities

import (
	"time"

	"github.com/durasync/durasync/plugin"
)

// LeaseRequest is the input of the Quota's lease update.
type LeaseRequest struct {
	// Limits are those in force for the connection, as the worker's connector knows them.
	Limits []Limit `json:"limits"`

	// Slots is how many requests the worker wants to make.
	Slots int `json:"slots"`
}

// Limit allows Requests requests in any period of length Per.
type Limit struct {
	Requests int           `json:"requests"`
	Per      time.Duration `json:"per"`
}

func limitsOf(limits []plugin.RateLimit) []Limit {
	var out []Limit
	for _, l := range limits {
		out = append(out, Limit{Requests: l.Requests, Per: l.Per})
	}
	return out
}

// LeaseResult is the answer of the Quota's lease update.
type LeaseResult struct {
	// Slots is how many requests are granted: none while the connection is blocked or its day's budget is spent, and else
	// at least one.
	Slots int `json:"slots"`

	// Wait is how long from now until the first slot, or until it makes sense to ask again if there is none. The slots
	// follow each other at the interval.
	Wait     time.Duration `json:"wait"`
	Interval time.Duration `json:"interval"`

	// Because says why there is none.
	Because string `json:"because,omitempty"`
}

// BlockRequest is the input of the Quota's block update: the other system refused a request.
type BlockRequest struct {
	For time.Duration `json:"for"`
}

// QuotaStatus is the answer of the Quota's status query.
type QuotaStatus struct {
	// Today counts the requests leased on the UTC day Day.
	Day   string `json:"day"`
	Today int    `json:"today"`

	// Budget is how many requests a UTC day allows, as the last lease said; zero means no limit.
	Budget int `json:"budget,omitempty"`

	// BlockedUntil is when the other system wants requests again; zero if it does.
	BlockedUntil time.Time `json:"blocked_until,omitzero"`
}
