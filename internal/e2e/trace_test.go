package e2e

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// collector takes traces, as OpenTelemetry's own does.
type collector struct {
	collectorpb.UnimplementedTraceServiceServer

	mu    sync.Mutex
	spans map[string]*tracepb.Span // by id
}

// Export implements the service.
func (c *collector) Export(_ context.Context, req *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range req.GetResourceSpans() {
		for _, s := range r.GetScopeSpans() {
			for _, span := range s.GetSpans() {
				c.spans[string(span.GetSpanId())] = span
			}
		}
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

func startCollector(t *testing.T) (*collector, string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{spans: map[string]*tracepb.Span{}}
	server := grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }() // ends with Stop
	t.Cleanup(server.Stop)
	return c, "http://" + listener.Addr().String()
}

// path is a span with those above it, the uppermost first.
func (c *collector) path(span *tracepb.Span) string {
	var names []string
	for ; span != nil; span = c.spans[string(span.GetParentSpanId())] {
		names = append([]string{span.GetName()}, names...)
	}
	return strings.Join(names, " > ")
}

func attribute(span *tracepb.Span, key string) string {
	for _, a := range span.GetAttributes() {
		if a.GetKey() == key {
			return strings.TrimSpace(a.GetValue().GetStringValue())
		}
	}
	return ""
}

// TestARunIsOneTrace follows a run from its workflow over its steps and its connectors, which are processes of their own, to their requests.
func TestARunIsOneTrace(t *testing.T) {
	t.Parallel()
	c, endpoint := startCollector(t)
	s := newSystem(t)
	s.env = append(s.env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+endpoint)
	worker := s.worker()
	s.ok("apply", s.dir)
	s.meeting("acme", nil)
	s.sync("meetings")
	worker.interrupt() // sends what has not been sent

	c.mu.Lock()
	defer c.mu.Unlock()
	traces := map[string]bool{}
	for _, want := range []struct{ path, url string }{
		{"RunWorkflow:Sync > StartActivity:Discover > RunActivity:Discover > gong.acme List > POST", "/v2/calls/extensive"},
		{"RunWorkflow:Sync > StartActivity:Fetch > RunActivity:Fetch > gong.acme Read > POST", "/v2/calls/extensive"},
		{"RunWorkflow:Sync > StartActivity:Create > RunActivity:Create > totango.success Create > POST", "/api/v3/touchpoints/"},
	} {
		found := false
		for _, span := range c.spans {
			if c.path(span) != want.path || attribute(span, "url.path") != want.url {
				continue
			}
			found = true
			traces[string(span.GetTraceId())] = true
			above := c.spans[string(span.GetParentSpanId())]
			if span.GetStartTimeUnixNano() < above.GetStartTimeUnixNano() || span.GetEndTimeUnixNano() > above.GetEndTimeUnixNano() {
				t.Errorf("the request of %s is not within its call", want.path)
			}
		}
		if !found {
			t.Errorf("no span %s to %s", want.path, want.url)
		}
	}
	if len(traces) != 1 {
		t.Errorf("the run is %d traces, want 1", len(traces))
	}
	if t.Failed() {
		for _, span := range c.spans {
			t.Logf("%s %s", c.path(span), attribute(span, "url.path"))
		}
	}
	for _, span := range c.spans {
		if text := span.String(); strings.Contains(text, contact("acme")) || strings.Contains(text, token) {
			t.Errorf("a span shows what it must not: %s", text)
		}
	}
}
