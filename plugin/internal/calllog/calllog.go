// Package calllog carries what a connector did in a call from where it is done to where it is told: in the connector's process through
// the call's context, from there to the host in the call's trailing metadata, and in the host through a context again.
package calllog

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

const (
	// metadataKey is where the log is in the trailing metadata: a CallLog of connector.proto.
	metadataKey = "durasync-call-log-bin"

	// most is how many requests a log holds: metadata is small.
	most = 50

	// maxText is the length of the longest text in one, in bytes.
	maxText = 200
)

// Request is a request that a connector made to its system.
type Request struct {
	Method string // of HTTP
	Host   string
	Path   string // without a query
	Status int    // zero if there was no answer
	Began  time.Time
	Took   time.Duration
}

// Log holds the first requests of a call. It may be used from any goroutine.
type Log struct {
	mu       sync.Mutex
	requests []Request
}

type contextKey struct{}

// With returns a context under which requests are logged.
func With(ctx context.Context) (context.Context, *Log) {
	l := new(Log)
	return context.WithValue(ctx, contextKey{}, l), l
}

// Add logs a request, if the context has a log and the log has room.
func Add(ctx context.Context, r Request) {
	l, ok := ctx.Value(contextKey{}).(*Log)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.requests) < most {
		l.requests = append(l.requests, r)
	}
}

// Requests returns what was logged.
func (l *Log) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests
}

// Metadata returns the log for the end of a call; nil if it is empty.
func (l *Log) Metadata() metadata.MD {
	requests := l.Requests()
	if len(requests) == 0 {
		return nil
	}
	b, err := proto.Marshal(&wirev1.CallLog{Requests: wire.Each(requests, func(r Request) *wirev1.LoggedRequest {
		return &wirev1.LoggedRequest{
			Method: wire.Short(r.Method, maxText), Host: wire.Short(r.Host, maxText), Path: wire.Short(r.Path, maxText), Status: int32(r.Status),
			Began: wire.ToTimestamp(r.Began), Took: wire.ToDuration(r.Took),
		}
	})})
	if err != nil {
		return nil // nobody's call fails for want of a log
	}
	return metadata.Pairs(metadataKey, string(b))
}

// Read adds what the other end logged to the context's log. What cannot be read is left out: a log is no part of an answer.
func Read(ctx context.Context, trailer metadata.MD) {
	for _, value := range trailer.Get(metadataKey) {
		var log wirev1.CallLog
		if proto.Unmarshal([]byte(value), &log) != nil {
			continue
		}
		for _, r := range log.GetRequests() {
			took := r.GetTook().AsDuration()
			if r.GetBegan().CheckValid() != nil || took < 0 {
				continue
			}
			Add(ctx, Request{
				Method: wire.Short(r.GetMethod(), maxText), Host: wire.Short(r.GetHost(), maxText), Path: wire.Short(r.GetPath(), maxText),
				Status: int(r.GetStatus()), Began: r.GetBegan().AsTime(), Took: took,
			})
		}
	}
}
