package telemetry

import (
	"context"
	"maps"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/durasync/durasync/plugin/host"
)

var _ host.Observer = (*Telemetry)(nil)

// Called implements [host.Observer].
func (t *Telemetry) Called(ctx context.Context, call *host.Call) {
	code := "ok"
	if call.Err != nil {
		code = string(call.Err.Code)
	}
	t.restarts.Add(ctx, 0, with(label(labelConnection, call.Connection))) // begins at zero: see expect
	of := []attribute.KeyValue{label(labelConnection, call.Connection), label(labelMethod, call.Method)}
	t.calls.Record(ctx, call.Took.Seconds(), with(append(of, label(labelCode, code))...))
	if call.Requests > 0 {
		t.requests.Add(ctx, int64(call.Requests), with(of...))
	}
	for _, r := range call.Log {
		t.api.Record(ctx, r.Took.Seconds(), with(label(labelConnection, call.Connection), label(labelStatus, status(r.Status))))
	}
	if t.tracers != nil {
		t.trace(ctx, call)
	}
}

// trace adds spans of a call to the trace of the step that made it.
func (t *Telemetry) trace(ctx context.Context, call *host.Call) {
	tracer := t.tracers.Tracer(scope)
	ctx, span := tracer.Start(ctx, call.Connection+" "+call.Method, trace.WithTimestamp(call.Began), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(label("durasync.connection", call.Connection), attribute.Int("durasync.requests", call.Requests)))
	if call.Err != nil {
		span.SetAttributes(label("error.type", string(call.Err.Code)))
		span.SetStatus(codes.Error, string(call.Err.Code))
	}
	for _, r := range call.Log {
		_, request := tracer.Start(ctx, r.Method, trace.WithTimestamp(r.Began), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			label("http.request.method", r.Method), label("server.address", r.Host), label("url.path", r.Path),
			attribute.Int("http.response.status_code", r.Status)))
		if r.Status == 0 || r.Status >= 400 {
			request.SetStatus(codes.Error, status(r.Status))
		}
		request.End(trace.WithTimestamp(r.Began.Add(r.Took)))
	}
	span.End(trace.WithTimestamp(call.Began.Add(call.Took)))
}

// status is an HTTP status as a label.
func status(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}

// Exited implements [host.Observer].
func (t *Telemetry) Exited(connection string) {
	t.restarts.Add(context.Background(), 1, with(label(labelConnection, connection)))
}

// View is what a look at Temporal has shown.
type View struct {
	// Jobs are the jobs of the namespace, by name.
	Jobs map[string]JobView

	// Budgets are the connections with a limit by the day.
	Budgets map[string]BudgetView
}

// JobView is a job from outside.
type JobView struct {
	Watermark time.Time // zero before the first run
	Paused    bool
}

// BudgetView is how many requests a connection may still make on this UTC day, and how many a day has.
type BudgetView struct{ Left, All int }

// Changed receives when a run has ended, so that it is time for another look.
func (t *Telemetry) Changed() <-chan struct{} { return t.changed }

// Observe replaces what was seen before. The counters of jobs that are seen begin, if they have not: any worker may be the one that
// notes how a run ended.
func (t *Telemetry) Observe(v View) {
	for job := range v.Jobs {
		t.expect(context.Background(), job)
	}
	t.observed.mu.Lock()
	defer t.observed.mu.Unlock()
	t.observed.view = View{Jobs: maps.Clone(v.Jobs), Budgets: maps.Clone(v.Budgets)}
}
