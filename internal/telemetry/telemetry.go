// Package telemetry says how a worker is doing: metrics in the form of Prometheus or OTLP, traces by OTLP, log lines of runs and records,
// and what orchestrators ask for.
//
// The worker's parts are wrapped, not changed: [Telemetry] decorates the interfaces that activities reach the world through, and what
// connectors report arrives through [host.Observer].
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// scope is the name under which Durasync makes its instruments and spans.
const scope = "github.com/durasync/durasync"

// Options say what to report and where to.
type Options struct {
	// Version is the program's.
	Version string

	// OTLP is where metrics and traces are sent to, as far as the OTEL_EXPORTER_OTLP_ variables say; see [Wanted].
	OTLP Wanted

	Logger hclog.Logger
}

// Wanted says what the environment wants to be sent by OTLP, over gRPC.
type Wanted struct{ Metrics, Traces bool }

// WantedBy reads the standard variables of OpenTelemetry: an endpoint for everything, or one for metrics or traces, and OTEL_SDK_DISABLED.
// The exporters themselves read the rest of them, such as headers and certificates.
func WantedBy(env func(string) (string, bool)) Wanted {
	set := func(name string) bool { v, ok := env(name); return ok && v != "" }
	if v, _ := env("OTEL_SDK_DISABLED"); v == "true" {
		return Wanted{}
	}
	all := set("OTEL_EXPORTER_OTLP_ENDPOINT")
	return Wanted{Metrics: all || set("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"), Traces: all || set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")}
}

// Telemetry is what a worker reports through. Make it with [Start]; it is safe for concurrent use.
type Telemetry struct {
	*instruments

	log      hclog.Logger
	registry *prometheus.Registry
	meters   *metric.MeterProvider
	tracers  *trace.TracerProvider // nil if traces are not wanted
	changed  chan struct{}
}

// Start begins to report. Call [Telemetry.Stop] at the end.
func Start(ctx context.Context, opts Options) (*Telemetry, error) {
	// What an exporter cannot send is a matter of the log, and of no run.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { opts.Logger.Warn("telemetry", "error", err) }))
	about, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("durasync-worker"), semconv.ServiceVersion(opts.Version)),
		resource.WithHost(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("describe this worker to OpenTelemetry: %w", err)
	}
	t := &Telemetry{log: opts.Logger, registry: prometheus.NewRegistry(), changed: make(chan struct{}, 1)}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	pulled, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("make the Prometheus exporter: %w", err)
	}
	readers := []metric.Option{metric.WithResource(about), metric.WithReader(pulled)}
	if opts.OTLP.Metrics {
		pushed, err := otlpmetricgrpc.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("make the OTLP exporter of metrics: %w", err)
		}
		readers = append(readers, metric.WithReader(metric.NewPeriodicReader(pushed)))
	}
	t.meters = metric.NewMeterProvider(readers...)
	if t.instruments, err = newInstruments(t.meters.Meter(scope)); err != nil {
		return nil, errors.Join(err, t.Stop(ctx))
	}
	if opts.OTLP.Traces {
		exporter, err := otlptracegrpc.New(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("make the OTLP exporter of traces: %w", err), t.Stop(ctx))
		}
		t.tracers = trace.NewTracerProvider(trace.WithResource(about), trace.WithBatcher(exporter))
	}
	return t, nil
}

// Stop sends what has not been sent yet.
func (t *Telemetry) Stop(ctx context.Context) error {
	err := t.meters.Shutdown(ctx)
	if t.tracers != nil {
		err = errors.Join(err, t.tracers.Shutdown(ctx))
	}
	return err
}

// Configure makes a Temporal client, and the workers on it, report through t.
//
// A run is one trace: its workflow, each attempt of each step, each call of a connector in it, and each request that the connector
// made. The entities that runs share (jobs, ledgers, quotas) are left out of it.
func (t *Telemetry) Configure(opts *client.Options) error {
	opts.MetricsHandler = opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter:                t.meters.Meter("go.temporal.io/sdk"),
		UseMonotonicCounters: true,
		OnError:              func(err error) { t.log.Warn("telemetry", "error", err) },
	})
	if t.tracers == nil {
		return nil
	}
	tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
		Tracer:               t.tracers.Tracer(scope),
		DisableSignalTracing: true, DisableQueryTracing: true, DisableUpdateTracing: true,
	})
	if err != nil {
		return fmt.Errorf("trace runs: %w", err)
	}
	opts.Interceptors = append(opts.Interceptors, interceptor.ClientInterceptor(tracing))
	return nil
}

// Health is what orchestrators ask a worker.
type Health interface {
	// Ready returns why the worker cannot take on work at the moment; nil if it can.
	Ready(ctx context.Context) error
}

// Handler serves /metrics, for Prometheus; /healthz, which answers for as long as the process runs; and /readyz.
func (t *Telemetry) Handler(worker Health) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		ErrorLog: t.log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Warn}),
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := worker.Ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	return mux
}

// readyTimeout bounds the question whether the worker is ready. It is shorter than the second that probes usually wait.
const readyTimeout = 800 * time.Millisecond

func label(name, value string) attribute.KeyValue { return attribute.String(name, value) }
