package shim

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

const methodCreate = "Create"

// endedError is the error of a call whose context has ended: both errors can be found in it.
type endedError struct {
	fault *plugin.Error
	cause error
}

func (e *endedError) Error() string   { return e.fault.Error() }
func (e *endedError) Unwrap() []error { return []error{e.fault, e.cause} }

func ended(method string, cause error) *endedError {
	return &endedError{
		fault: plugin.Errorf(plugin.CodeUnavailable, "%s ended before the connector answered: %v", method, cause),
		cause: cause,
	}
}

// Ended returns the error of something that a context's end stopped before it reached the connector. It holds a [*plugin.Error]
// and the cause.
func Ended(cause error, text string) error {
	return &endedError{fault: plugin.Errorf(plugin.CodeUnavailable, "%s: %v", text, cause), cause: cause}
}

// fault returns the error of a call that failed with a gRPC status.
func fault(ctx context.Context, method string, err error) error {
	st := status.Convert(err)
	if e := detail(st); e != nil {
		return e
	}
	if cause := ctx.Err(); cause != nil {
		return ended(method, cause)
	}
	return withoutDetail(method, st)
}

// createFault is fault for Create, where sent says that the call reached the connector, so that it may have written.
func createFault(ctx context.Context, err error, sent bool) error {
	st := status.Convert(err)
	if e := detail(st); e != nil {
		return e
	}
	uncertain := sent && st.Code() != codes.Unimplemented
	cause := ctx.Err()
	if cause == nil && st.Code() == codes.DeadlineExceeded {
		cause = context.DeadlineExceeded
	}
	if cause != nil {
		e := ended(methodCreate, cause)
		e.fault.Uncertain = uncertain
		return e
	}
	e := withoutDetail(methodCreate, st)
	e.Uncertain = uncertain
	return e
}

// detail returns the error that the connector itself put into the status; nil if there is none.
func detail(st *status.Status) *plugin.Error {
	for _, d := range st.Details() {
		if e, ok := d.(*wirev1.Error); ok {
			return fromError(e)
		}
	}
	return nil
}

// withoutDetail makes the error for a status that did not come from the connector's own code but from gRPC, at either end.
func withoutDetail(method string, st *status.Status) *plugin.Error {
	said := plain(st.Message(), maxMessage)
	switch st.Code() {
	case codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.Aborted:
		return plugin.Errorf(plugin.CodeUnavailable, "the connector's process ended during %s: %s", method, said)
	case codes.Unimplemented:
		return plugin.Errorf(plugin.CodeUnimplemented, "the connector does not offer %s", method)
	case codes.ResourceExhausted:
		return plugin.Errorf(plugin.CodeTooLarge, "a message of %s is larger than %d MiB: %s", method, wire.MaxMessage>>20, said)
	case codes.Internal:
		if _, why, ok := strings.Cut(said, "failed to unmarshal the received message: "); ok {
			return broken(method, "%s", why)
		}
	}
	return plugin.Errorf(plugin.CodeInternal, "%s failed without a reason: %s: %s", method, st.Code(), said)
}
