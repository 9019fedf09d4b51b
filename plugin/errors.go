package plugin

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies an [Error]. Programs act on the code, never on the message. The list is append-only: it crosses the wire.
type Code string

// The codes. A connector classifies, the host decides what to do.
const (
	// CodeUnauthenticated: the other system does not accept the credentials. Ends the run at once.
	CodeUnauthenticated Code = "unauthenticated"
	// CodePermissionDenied: the credentials are good but not allowed to do this. Ends the run at once.
	CodePermissionDenied Code = "permission_denied"
	// CodeInvalidConfig: a setting of the connection cannot work; Attribute names it. Ends the run at once.
	CodeInvalidConfig Code = "invalid_config"
	// CodeInvalidRequest: the host asked for something that does not exist, or the other system did not understand the
	// connector. Ends the run at once: it is a mistake in a program or in a job.
	CodeInvalidRequest Code = "invalid_request"
	// CodeInvalidRecord: the destination refuses this record for what it is. The run goes on without it.
	CodeInvalidRecord Code = "invalid_record"
	// CodeNotFound: what was asked for by name does not exist. Ends the run at once.
	CodeNotFound Code = "not_found"
	// CodeExpired: a page token is no longer valid. The host lists the window anew.
	CodeExpired Code = "expired"
	// CodeRateLimited: too many requests; RetryAfter says when to come back, if the other system said so.
	CodeRateLimited Code = "rate_limited"
	// CodeUnavailable: the other system cannot be reached, or is in trouble. Trying again later may help.
	CodeUnavailable Code = "unavailable"
	// CodeTooLarge: what was asked for at once does not fit into one answer. The host asks for less of it at once, and turns a record
	// down that does not fit alone.
	CodeTooLarge Code = "too_large"
	// CodeUnimplemented: the connector does not offer this method.
	CodeUnimplemented Code = "unimplemented"
	// CodeInternal: anything that the connector did not foresee.
	CodeInternal Code = "internal"
)

// Retryable reports whether an error of the code may go away by trying again.
func (c Code) Retryable() bool {
	switch c {
	case CodeExpired, CodeRateLimited, CodeUnavailable, CodeInternal:
		return true
	default:
		return false
	}
}

// Error is the one type of error that crosses the connector boundary. It travels as a detail of the gRPC status, so it arrives
// as it was made, wrapped errors included only by their text.
type Error struct {
	Code    Code
	Message string

	// Retryable says that trying again may help. [Errorf] sets it by the code.
	Retryable bool

	// RetryAfter is how long to wait before trying again; zero if the other system did not say.
	RetryAfter time.Duration

	// Uncertain says that a write was sent and its outcome is not known.
	Uncertain bool

	// Attribute is the path of the configuration attribute or object attribute at fault, such as "base_url"; empty if none.
	Attribute string

	// Requests counts the API requests made before the failure; see [CheckResponse.Requests].
	Requests int
}

// Errorf makes an error of the code, retryable if the code is.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Retryable: code.Retryable()}
}

// UnknownStream is the answer to a List or Read of a stream that the connector does not have.
func UnknownStream(name string) *Error {
	return Errorf(CodeInvalidRequest, "the connector has no stream %q", name)
}

// UnknownObject is the answer to a method about an object that the connector does not have.
func UnknownObject(name string) *Error {
	return Errorf(CodeInvalidRequest, "the connector has no object %q", name)
}

// Error returns the message alone: the code is for programs.
func (e *Error) Error() string { return e.Message }

// AsError returns err as an [*Error]: the one that it wraps, else one of [CodeInternal] with its text. It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Errorf(CodeInternal, "%v", err)
}
