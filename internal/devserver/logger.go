package devserver

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	temporallog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger passes the Temporal server's errors on and drops the rest: what the server has to say below that is about itself, not
// about the user's jobs. After close it passes nothing, since a server that stops complains about every call that it cuts off.
type logger struct {
	out    hclog.Logger
	closed atomic.Bool
}

var _ temporallog.Logger = (*logger)(nil)

func newLogger(out hclog.Logger) *logger {
	if out == nil {
		out = hclog.NewNullLogger()
	}
	return &logger{out: out}
}

func (l *logger) close() { l.closed.Store(true) }

func (l *logger) Debug(string, ...tag.Tag) {}
func (l *logger) Info(string, ...tag.Tag)  {}
func (l *logger) Warn(string, ...tag.Tag)  {}

func (l *logger) Error(msg string, tags ...tag.Tag) {
	if l.closed.Load() {
		return
	}
	args := make([]any, 0, 2*len(tags))
	for _, t := range tags {
		args = append(args, t.Key(), t.Value())
	}
	l.out.Error(msg, args...)
}

// DPanic marks a bug of the server's that production survives.
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.Error(msg, tags...) }

// Panic does not return: the server counts on it.
func (l *logger) Panic(msg string, tags ...tag.Tag) {
	l.Error(msg, tags...)
	panic(fmt.Sprintf("embedded Temporal server: %s", msg))
}

// Fatal does not return: the server counts on it. A server that is being stopped is beyond that.
func (l *logger) Fatal(msg string, tags ...tag.Tag) {
	if l.closed.Load() {
		return
	}
	l.Error(msg, tags...)
	os.Exit(1)
}
