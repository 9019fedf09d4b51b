package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/workflows"
)

// These benchmarks are run by the program in bench, which says what each figure has to be. Their effects are counted in the
// destination. Each iteration is a sample and has servers and processes of its own.

// BenchmarkDemo is the demo, without the limits of the simulated systems: from the process's start to the first touchpoint, and what the
// two systems are asked.
func BenchmarkDemo(b *testing.B) {
	for b.Loop() {
		r := run(b, []string{"HOME=" + b.TempDir()}, "demo", "--once", "--json", "--port", "0", "--ui-port", "0")
		d := decode[demo](b, r.stdout)
		if d.Truth.Found == 0 || len(d.Truth.Differences) > 0 {
			b.Fatalf("what is in Totango is not what must be there:\n%s", r.stdout)
		}
		b.ReportMetric(float64(d.FirstTouchpointMS), "ms-to-first-touchpoint")
		b.ReportMetric(float64(d.TotangoRequests)/float64(d.Truth.Found), "totango-calls/touchpoint")
		b.ReportMetric(float64(d.GongRequests)/float64(d.Counts.Listed), "gong-calls/listed")
	}
}

// BenchmarkAtTheLimits is a run over the time that the limits alone need: that of Gong for the calls which find the first meeting to write,
// and that of Totango for all of its calls. With limits eight times the real ones it takes less than half a minute.
func BenchmarkAtTheLimits(b *testing.B) {
	scales := []int{8}
	if full {
		scales = append(scales, 1)
	}
	for _, scale := range scales {
		b.Run(fmt.Sprintf("scale=%d", scale), func(b *testing.B) {
			for b.Loop() {
				syncAtLimits(b, scale)
			}
		})
	}
}

func syncAtLimits(b *testing.B, scale int) {
	s := newSystemWith(b, gongtest.New(gongtest.Options{Limits: gongtest.Limits{PerSecond: 3 * scale}}),
		totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: 100 * scale}))
	s.write("jobs.hcl", strings.NewReplacer(
		"requests_per_minute = 0", fmt.Sprintf("requests_per_minute = %d", 100*scale),
		"requests_per_second = 0", fmt.Sprintf("requests_per_second = %d", 3*scale),
	).Replace(jobFiles))
	company := s.company(sandbox.Size{})
	s.worker()
	s.ok("apply", s.dir)
	before := s.totango.TotalRequests()
	began := time.Now()
	sum := s.sync("meetings")
	took := time.Since(began)
	s.checkTruth(company, sum)
	finding, first := 0, s.firstTouchpoint()
	for _, r := range s.gong.Requests() {
		if r.At.After(began) && r.At.Before(first) {
			finding++
		}
	}
	totango := time.Duration(s.totango.TotalRequests()-before) * time.Minute / time.Duration(100*scale)
	limits := totango + time.Duration(finding)*time.Second/time.Duration(3*scale)
	b.ReportMetric(took.Seconds()/limits.Seconds(), "x-limits")
	b.ReportMetric(took.Seconds()/totango.Seconds(), "x-totango")
	b.ReportMetric((took - limits).Seconds(), "s-besides")
	b.ReportMetric(float64(s.gong.CountStatus(429)), "429s")
}

// BenchmarkLatency is how long after its schedule is triggered a run has written the first touchpoint.
func BenchmarkLatency(b *testing.B) {
	const fires = 21
	for b.Loop() {
		s := newSystem(b)
		s.worker()
		s.ok("apply", s.dir)
		c := s.temporal()
		schedule := c.ScheduleClient().GetHandle(b.Context(), "meetings")
		var took []time.Duration
		for n := range fires {
			s.meeting("acme", nil)
			fired := time.Now()
			if err := schedule.Trigger(b.Context(), client.ScheduleTriggerOptions{}); err != nil {
				b.Fatal(err)
			}
			s.until("the meeting is in Totango", func() bool { return len(s.totango.Touchpoints()) == n+1 })
			took = append(took, s.newestTouchpoint().Sub(fired))
			s.until("the run gives the lock back", func() bool { return !s.locked(c, "meetings") })
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[fires/2].Milliseconds()), "p50-ms")
		b.ReportMetric(float64(took[fires*9/10].Milliseconds()), "p90-ms")
	}
}

// firstTouchpoint is when Totango stored the first touchpoint.
func (s *system) firstTouchpoint() time.Time {
	return slices.MinFunc(s.totango.Touchpoints(), byCreation).Created
}

// newestTouchpoint is when Totango stored the last touchpoint.
func (s *system) newestTouchpoint() time.Time {
	return slices.MaxFunc(s.totango.Touchpoints(), byCreation).Created
}

func byCreation(a, b totangotest.Touchpoint) int { return a.Created.Compare(b.Created) }

// locked reports whether a run holds the lock of a job.
func (s *system) locked(c client.Client, job string) bool {
	s.t.Helper()
	var state workflows.JobState
	v, err := c.QueryWorkflow(s.t.Context(), workflows.JobID(job), "", workflows.QueryStatus)
	if err == nil {
		err = v.Get(&state)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return state.Lock != nil
}

// BenchmarkValidate is the check of a directory as a person waits for it: the start of the program and of the connectors included.
func BenchmarkValidate(b *testing.B) {
	for _, jobs := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			s := newSimulators(b, &gongtest.Server{}, unlimitedTotango())
			connections, job, _ := strings.Cut(jobFiles, `job "meetings"`)
			s.write("jobs.hcl", connections)
			for i := range jobs {
				s.write(fmt.Sprintf("job_%04d.hcl", i), fmt.Sprintf("job \"meetings_%d\" %s", i, strings.Replace(job, "  destination {", `  map {
    flow    = call.duration > 3600 ? "renewal" : "adoption"
    tags    = [for t in call.topics : lower(t.name) if t.duration > 60]
    content = "${call.title}\n%{ for p in call.parties }- ${coalesce(p.name, p.email, "somebody")}\n%{ endfor }"
  }
  destination {`, 1)))
			}
			for b.Loop() {
				began := time.Now()
				s.ok("validate", s.dir)
				b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms")
			}
		})
	}
}
