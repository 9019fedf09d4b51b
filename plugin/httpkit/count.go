package httpkit

import (
	"context"
	"sync/atomic"

	"github.com/durasync/durasync/plugin"
)

// Counter counts the requests of one call of a connector's method. It may be used from many goroutines at once.
type Counter struct{ n atomic.Int64 }

type counterKey struct{}

// Count returns a context under which all clients count the requests that they send. A connector calls it first thing in each
// method and puts [Counter.Requests] into the answer, or returns its error through [Counter.Fail].
func Count(ctx context.Context) (context.Context, *Counter) {
	c := new(Counter)
	return context.WithValue(ctx, counterKey{}, c), c
}

// Requests returns how many requests were sent. Those that found no connection are not counted: the API never saw them.
func (c *Counter) Requests() int { return int(c.n.Load()) }

// Fail returns err with the count in it, as a [*plugin.Error]; nil for nil. The original is left as it is, because it may be
// shared.
func (c *Counter) Fail(err error) error {
	if err == nil {
		return nil
	}
	e := *plugin.AsError(err)
	e.Requests = c.Requests()
	return &e
}

func count(ctx context.Context) {
	if c, ok := ctx.Value(counterKey{}).(*Counter); ok {
		c.n.Add(1)
	}
}

// withRequests puts the count so far into an error that the client made, which is not nil.
func withRequests(ctx context.Context, e *plugin.Error) error {
	if c, ok := ctx.Value(counterKey{}).(*Counter); ok {
		e.Requests = c.Requests()
	}
	return e
}
