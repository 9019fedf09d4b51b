package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/plugin"
)

// CreateInput is the input of [Activities.Create].
type CreateInput struct {
	Connection string          `json:"connection"`
	Object     string          `json:"object"`
	Key        string          `json:"key"`
	Pending    Pending         `json:"p"`
	URL        string          `json:"url,omitempty"`
	Target     string          `json:"target,omitempty"`
	Attributes json.RawMessage `json:"attributes"`

	// InDoubt says that an earlier attempt may have written the item.
	InDoubt bool `json:"in_doubt,omitempty"`

	// Deadline is the claim's: no write may be sent or answered after it, by server time.
	Deadline time.Time `json:"deadline"`

	// WriteTimeout bounds one write; SearchLag is how long a written item may take to be found.
	WriteTimeout time.Duration `json:"write_timeout"`
	SearchLag    time.Duration `json:"search_lag"`
}

// CreateResult is the answer of [Activities.Create].
type CreateResult struct {
	// ID is the destination's id of what was written, or found.
	ID string `json:"id,omitempty"`

	// Existed is set when an earlier attempt had written it.
	Existed bool `json:"existed,omitempty"`

	// Refused says why the destination does not take the record, as it is.
	Refused string `json:"refused,omitempty"`
}

// MaxTransit is how long a task may be on its way from the server, which says when the attempt began, to a worker. The timeouts of
// attempts to write allow for it.
const MaxTransit = 5 * time.Second

// untilFindable is how long a write may take to be found, from when an attempt has ended by the time of the worker.
func (in *CreateInput) untilFindable() time.Duration {
	return MaxTransit + in.WriteTimeout + in.SearchLag
}

// attemptNote is what an attempt leaves, as heartbeat details, for the next one.
type attemptNote struct {
	// Attempt is the number of the attempt that left the note, and Clean says that neither it nor any before it has sent a
	// write whose outcome is not known.
	Attempt int32
	Clean   bool

	// Findable is when, by server time, such a write can be found.
	Findable time.Time
}

// Create writes one record, once.
//
// Invariant: an attempt that follows another one is in doubt, unless the one before says that it sent nothing; and no attempt
// acts before a write of the one before can be found, if there is one. After an error the note says when that is: the retry delay
// alone does not keep it, because the server starts an attempt at once when a task of the one before was dispatched twice. After a
// crash it is so by the activity's start-to-close timeout, which the workflow makes longer than a write and the search lag
// together. For the same reason the activity has no heartbeat timeout.
//
// An error that is certain carries one detail: whether no write of unknown outcome was sent before it either.
func (a *Activities) Create(ctx context.Context, in CreateInput) (*CreateResult, error) {
	info := activity.GetInfo(ctx)
	began := time.Now()
	before := noteBefore(ctx, info.Attempt)
	inDoubt := in.InDoubt || info.Attempt > 1 && !before.Clean
	note := attemptNote{Attempt: info.Attempt, Clean: !inDoubt, Findable: before.Findable}
	if wait := before.Findable.Sub(info.StartedTime); wait > 0 {
		activity.RecordHeartbeat(ctx, note)
		return nil, temporal.NewApplicationErrorWithOptions(
			fmt.Sprintf("%s: this attempt came before a write of %s could be looked up", in.Connection, in.Key),
			TypeUncertain, temporal.ApplicationErrorOptions{NextRetryDelay: wait})
	}

	var out *CreateResult
	err := a.call(ctx, in.Connection, 1, func(c Connector) (int, error) {
		// Invariant: no write is under way after the claim's deadline. That is server time, so it is measured from when the server
		// says that this attempt began.
		left := in.Deadline.Sub(info.StartedTime) - time.Since(began)
		if left < in.WriteTimeout {
			return 0, temporal.NewNonRetryableApplicationError("the claim's deadline is too near for a write; it has to be renewed",
				TypeClaimExpired, nil, !inDoubt)
		}
		var requests int
		var err error
		out, requests, err = write(ctx, c, in, inDoubt)
		return requests, err
	})
	if err == nil {
		return out, nil
	}
	var app *temporal.ApplicationError
	if !errors.As(err, &app) && plugin.AsError(err).Uncertain {
		note.Clean, note.Findable = false, info.StartedTime.Add(time.Since(began)+in.untilFindable())
		activity.RecordHeartbeat(ctx, note)
		return nil, uncertain(in, plugin.AsError(err))
	}
	activity.RecordHeartbeat(ctx, note)
	return nil, applicationError(in.Connection, err, !inDoubt)
}

// write sends one write and sorts its outcome.
func write(ctx context.Context, c Connector, in CreateInput, inDoubt bool) (*CreateResult, int, error) {
	ctx, cancel := context.WithTimeout(ctx, in.WriteTimeout)
	defer cancel()
	res, err := c.Create(ctx, &plugin.CreateRequest{Object: in.Object, Items: []plugin.Item{{
		Key: in.Key, RecordID: in.Pending.ID, URL: in.URL, Time: in.Pending.Time,
		Target: in.Target, Attributes: in.Attributes, InDoubt: inDoubt,
	}}})
	if err != nil {
		return nil, 0, err
	}
	if len(res.Results) != 1 || res.Results[0].Key != in.Key {
		e := plugin.Errorf(plugin.CodeInternal, "the connector answered for %d items instead of 1; it is broken", len(res.Results))
		e.Uncertain, e.Requests = true, res.Requests
		return nil, 0, e
	}
	r := res.Results[0]
	switch {
	case r.Err == nil:
		return &CreateResult{ID: r.ID, Existed: r.Existed}, res.Requests, nil
	case r.Err.Code == plugin.CodeInvalidRecord && !r.Err.Uncertain:
		return &CreateResult{Refused: r.Err.Message}, res.Requests, nil
	}
	e := *r.Err
	e.Requests = res.Requests
	return nil, 0, &e
}

// uncertain is the error of a write whose outcome is not known: the next attempt looks for it, but not before it can be found.
// The write may still be under way until its timeout, counted from now to be safe.
// One that cannot be looked up, as when the account is gone, stays unknown.
func uncertain(in CreateInput, e *plugin.Error) error {
	next := "will be looked up"
	if !e.Retryable {
		next = "cannot be looked up"
	}
	return temporal.NewApplicationErrorWithOptions(
		fmt.Sprintf("%s: %s; whether %s was written is not known and %s", in.Connection, e.Message, in.Key, next),
		TypeUncertain,
		temporal.ApplicationErrorOptions{NonRetryable: !e.Retryable, NextRetryDelay: max(in.untilFindable(), e.RetryAfter)})
}

// noteBefore returns the note of the attempt before this one; the zero note, which is not clean, if it left none.
func noteBefore(ctx context.Context, attempt int32) attemptNote {
	var note attemptNote
	if !activity.HasHeartbeatDetails(ctx) || activity.GetHeartbeatDetails(ctx, &note) != nil || note.Attempt != attempt-1 {
		return attemptNote{}
	}
	return note
}
