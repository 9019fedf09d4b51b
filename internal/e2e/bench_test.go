package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
)

// BenchmarkDemo reports how long the demo takes: from the process's start to the first touchpoint, and the whole run. The limits of
// the simulated systems are off.
func BenchmarkDemo(b *testing.B) {
	var first, all time.Duration
	var created, calls int
	for b.Loop() {
		r := run(b, []string{"HOME=" + b.TempDir()}, "demo", "--once", "--json", "--port", "0", "--ui-port", "0")
		d := decode[demo](b, r.stdout)
		first += time.Duration(d.FirstTouchpointMS) * time.Millisecond
		all += time.Duration(d.DurationMS) * time.Millisecond
		created += d.Counts.Created
		calls += d.TotangoRequests
	}
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "ms-to-first-touchpoint")
	b.ReportMetric(float64(all.Milliseconds())/float64(b.N), "ms-per-run")
	b.ReportMetric(float64(created)/float64(b.N), "touchpoints")
	b.ReportMetric(float64(calls)/float64(created), "calls/touchpoint")
}

// BenchmarkSyncAtTheLimits reports how long a run takes, over the time that Totango's limit alone needs for its calls. The limits
// of both systems are eight times the real ones, so that it takes less than half a minute.
func BenchmarkSyncAtTheLimits(b *testing.B) {
	const scale = 8
	for b.Loop() {
		s := newSystemWith(b, gongtest.New(gongtest.Options{Limits: gongtest.Limits{PerSecond: 3 * scale}}),
			totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: 100 * scale}))
		s.write("jobs.hcl", strings.NewReplacer(
			"requests_per_minute = 0", fmt.Sprintf("requests_per_minute = %d", 100*scale),
			"requests_per_second = 0", fmt.Sprintf("requests_per_second = %d", 3*scale),
		).Replace(jobFiles))
		s.company(sandbox.Size{})
		s.worker()
		s.ok("apply", s.dir)
		before := s.totango.TotalRequests()
		began := time.Now()
		sum := s.sync("meetings")
		took := time.Since(began)
		calls := s.totango.TotalRequests() - before
		limit := time.Duration(calls) * time.Minute / (100 * scale)
		b.ReportMetric(took.Seconds()/limit.Seconds(), "x-limit")
		b.ReportMetric(float64(sum.Counts.Created), "touchpoints")
		b.ReportMetric(float64(s.gong.CountStatus(429)), "429s")
	}
}
