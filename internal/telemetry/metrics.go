package telemetry

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/durasync/durasync/activities"
)

// The labels of metrics. Prometheus gives each target labels of its own, job and instance, and renames what collides with them.
const (
	labelJob        = "durasync_job"
	labelKind       = "kind"
	labelOutcome    = "outcome"
	labelResult     = "result"
	labelConnection = "connection"
	labelMethod     = "method"
	labelCode       = "code"
	labelStatus     = "status"
)

// callBounds are the bounds of histograms of calls, and runBounds of those of runs, in seconds.
var (
	callBounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	runBounds  = []float64{.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}
)

// instruments are the metrics. Their names stand here alone; docs/operations.md, the dashboard and the alert rules use them, which a
// test compares.
type instruments struct {
	records     metric.Int64Counter
	runs        metric.Int64Counter
	runDuration metric.Float64Histogram

	calls    metric.Float64Histogram
	requests metric.Int64Counter
	api      metric.Float64Histogram
	waits    metric.Float64Histogram
	restarts metric.Int64Counter

	observed observed
}

// observed is the last look at Temporal.
type observed struct {
	mu   sync.Mutex
	view View
}

func newInstruments(m metric.Meter) (*instruments, error) {
	i := &instruments{}
	var errs []error
	counter := func(to *metric.Int64Counter, name, unit, text string) {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		*to, errs = c, append(errs, err)
	}
	histogram := func(to *metric.Float64Histogram, name, text string, bounds []float64) {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), metric.WithExplicitBucketBoundaries(bounds...))
		*to, errs = h, append(errs, err)
	}
	counter(&i.records, "durasync.records", "{record}", "Records of runs that have ended, by what became of them.")
	counter(&i.runs, "durasync.runs", "{run}", "Runs that have ended.")
	histogram(&i.runDuration, "durasync.run.duration", "How long runs took.", runBounds)
	histogram(&i.calls, "durasync.connector.call.duration", "Calls of connectors.", callBounds)
	counter(&i.requests, "durasync.api.requests", "{request}", "Requests that connectors made to their systems.")
	histogram(&i.api, "durasync.api.request.duration", "Requests of connectors that say what they did, by HTTP status.", callBounds)
	histogram(&i.waits, "durasync.quota.wait", "How long steps waited for their turn under a connection's rate limit.", callBounds)
	counter(&i.restarts, "durasync.connector.exits", "{exit}", "Ends of connector processes that nobody asked for; the next call starts them again.")

	gauge := func(name, unit, text string, observe func(metric.Float64Observer)) {
		_, err := m.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(text),
			metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
				i.observed.mu.Lock()
				defer i.observed.mu.Unlock()
				observe(o)
				return nil
			}))
		errs = append(errs, err)
	}
	gauge("durasync.job.watermark.timestamp", "s", "The time up to which a job has looked, as seconds since 1970.", func(o metric.Float64Observer) {
		for name, job := range i.observed.view.Jobs {
			if !job.Watermark.IsZero() {
				o.Observe(float64(job.Watermark.UnixMilli())/1000, with(label(labelJob, name)))
			}
		}
	})
	gauge("durasync.job.paused", "", "Whether a job's schedule is paused, or its file disables it.", func(o metric.Float64Observer) {
		for name, job := range i.observed.view.Jobs {
			value := 0.0
			if job.Paused {
				value = 1
			}
			o.Observe(value, with(label(labelJob, name)))
		}
	})
	gauge("durasync.connection.budget.remaining", "{request}", "Requests that a connection may still make on this UTC day.",
		func(o metric.Float64Observer) {
			for connection, b := range i.observed.view.Budgets {
				o.Observe(float64(b.Left), with(label(labelConnection, connection)))
			}
		})
	gauge("durasync.connection.budget", "{request}", "Requests that a connection may make on a UTC day.", func(o metric.Float64Observer) {
		for connection, b := range i.observed.view.Budgets {
			o.Observe(float64(b.All), with(label(labelConnection, connection)))
		}
	})
	return i, errors.Join(errs...)
}

func with(labels ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(labels...)
}

// The runs that there can be.
var (
	kinds    = []activities.RunKind{activities.KindSync, activities.KindBackfill, activities.KindRetry, activities.KindAdopt}
	outcomes = []activities.Outcome{
		activities.Completed, activities.CompletedWithRejects, activities.Partial, activities.Skipped, activities.Failed, activities.Cancelled,
	}
)

// expect begins the counters of a job's runs at zero, those that have begun aside: one that appears with its first run has not increased
// by it. See prometheus.io/docs/practices/instrumentation, "Avoid missing metrics".
func (i *instruments) expect(ctx context.Context, job string) {
	for _, kind := range kinds {
		for _, outcome := range outcomes {
			i.runs.Add(ctx, 0, ended(job, kind, outcome))
		}
		i.count(ctx, job, kind, &activities.Counts{})
	}
}

// ran notes a run that has ended.
func (i *instruments) ran(ctx context.Context, job string, r *activities.Run, took time.Duration) {
	kind := cmp.Or(r.Kind, activities.KindSync)
	i.runs.Add(ctx, 1, ended(job, kind, r.Outcome))
	i.runDuration.Record(ctx, took.Seconds(), ended(job, kind, r.Outcome))
	i.count(ctx, job, kind, &r.Counts)
}

// count notes records of runs.
func (i *instruments) count(ctx context.Context, job string, kind activities.RunKind, c *activities.Counts) {
	for result, n := range map[string]int{
		"known": c.Known, "created": c.Created, "rejected": c.Rejected, "deferred": c.Deferred, "failed": c.Failed,
	} {
		i.records.Add(ctx, int64(n), with(label(labelJob, job), label(labelKind, string(kind)), label(labelResult, result)))
	}
}

// ended are the labels of a run that has ended.
func ended(job string, kind activities.RunKind, outcome activities.Outcome) metric.MeasurementOption {
	return with(label(labelJob, job), label(labelKind, string(kind)), label(labelOutcome, string(outcome)))
}
