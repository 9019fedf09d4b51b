package host

import (
	"context"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/calllog"
)

// Observer is told what the connectors of a [Pool] do. Its methods are called from any goroutine, and must not take long.
type Observer interface {
	// Called is told of each call that reached a process, after it. The context is the call's.
	Called(ctx context.Context, call *Call)

	// Exited is told that a connection's process ended and nobody had asked for that.
	Exited(connection string)
}

// Call is a call of a connector's method.
type Call struct {
	Connection string
	Method     string // of the protocol, such as "List"
	Began      time.Time
	Took       time.Duration
	Err        *plugin.Error // nil if it succeeded

	// Requests counts the requests that the connector says it made to its system.
	Requests int

	// Log are the first of them, as far as the connector tells.
	Log []Request
}

// Request is a request that a connector made to its system over HTTP.
type Request = calllog.Request

// nobody is the observer of pools that have none.
type nobody struct{}

func (nobody) Called(context.Context, *Call) {}
func (nobody) Exited(string)                 {}
