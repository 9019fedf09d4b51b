package activities

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/plugin"
)

// The types of application errors that are not a connector's codes. The list is append-only: it is stored.
const (
	// TypeNotApplied: the job is not known to Temporal.
	TypeNotApplied = "not_applied"
	// TypeInvalidInput: a workflow was started with an input that makes no sense.
	TypeInvalidInput = "invalid_input"
	// TypeInvalidPlan: the job's plan cannot be evaluated by this worker.
	TypeInvalidPlan = "invalid_plan"
	// TypeUnserved: no worker polls the queue of a connection.
	TypeUnserved = "unserved"
	// TypeClaimExpired: the claim's deadline is too near for another write. Nothing was written by this attempt.
	TypeClaimExpired = "claim_expired"
	// TypeUncertain: a write was sent and its outcome is not known. Details hold the moment from which it can be looked for.
	TypeUncertain = "uncertain"
)

// Patience is how long a step waits for a rate limit. A connector that is told to wait longer, as when a day's budget is
// spent, ends the run; another one goes on where it stopped.
const Patience = 15 * time.Minute

// Postponed reports whether an activity's error ends a run because a system wants no requests for longer than [Patience], and for
// how long. Workflows call it.
func Postponed(err error) (wait time.Duration, ok bool) {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != string(plugin.CodeRateLimited) || app.NextRetryDelay() <= Patience {
		return 0, false
	}
	return app.NextRetryDelay(), true
}

// applicationError turns a connector's error into the error that Temporal's retry policies understand. It is the only place
// that does: the type is the connector's code, and what cannot get better by itself is not retried.
func applicationError(connection string, err error, details ...any) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return err
	}
	e := plugin.AsError(err)
	opts := temporal.ApplicationErrorOptions{
		NonRetryable: !e.Retryable || e.RetryAfter > Patience,
		// The wait that the other system asks for outranks the policy's backoff.
		NextRetryDelay: e.RetryAfter,
		Details:        details,
	}
	return temporal.NewApplicationErrorWithOptions(describe(connection, e), string(e.Code), opts)
}

// describe says what happened on which connection. What to do about it is the connector's to say.
func describe(connection string, e *plugin.Error) string {
	msg := e.Message
	if connection != "" {
		msg = connection + ": " + msg
	}
	if e.Code == plugin.CodeRateLimited && e.RetryAfter > Patience {
		msg += fmt.Sprintf("; it wants no requests for %v", e.RetryAfter.Round(time.Second))
	}
	return msg
}
