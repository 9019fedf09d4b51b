package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/workflows"
)

// full measures what takes long, too: a backfill of a hundred thousand meetings, a quarter of an hour and more, and a sync at the limits as
// they are, three minutes.
var full = os.Getenv("DURASYNC_BENCH_FULL") != ""

// BenchmarkBackfill fills Totango with a company's past. What a record costs should not depend on how many there are: calls, events and
// bytes of histories and ledgers, memory.
func BenchmarkBackfill(b *testing.B) {
	sizes := []int{1000, 10_000}
	if full {
		sizes = append(sizes, 100_000)
	}
	var first, last [2]usage // of the worker, and of its connectors
	for i, meetings := range sizes {
		b.Run(fmt.Sprintf("meetings=%d", meetings), func(b *testing.B) {
			for b.Loop() {
				last = backfill(b, meetings)
			}
			if i == 0 {
				first = last
			}
			b.ReportMetric(float64(last[0].peak)/float64(first[0].peak), "x-worker-memory")
			b.ReportMetric(float64(last[1].peak)/float64(first[1].peak), "x-connectors-memory")
		})
	}
}

// backfill runs one, reports what it takes, and returns what the worker and its connectors have used.
func backfill(b *testing.B, meetings int) [2]usage {
	now := time.Now()
	gong := gongtest.New(gongtest.Options{Clock: func() time.Time { return now }}) // nothing changes while the backfill goes on
	s := newSystemWith(b, gong, unlimitedTotango())
	w := s.worker()
	s.ok("apply", s.dir)
	days := max(30, meetings/500)
	company := sandbox.Generate(7, now, sandbox.Size{Meetings: meetings, Accounts: max(45, meetings/10), Days: days})
	sandbox.Load(company, s.gong, s.totango)
	calls := s.totango.TotalRequests()
	s.gong.ResetJournal()

	from, to := now.AddDate(0, 0, -days-7), now.AddDate(0, 0, -2) // what is younger may still be waited for
	began := time.Now()
	run := start(b, s.env, "backfill", "meetings", "--from", from.UTC().Format(time.DateOnly), "--to", to.UTC().Format(time.DateOnly), "--json")
	sum := s.summary(run.output())
	took := time.Since(began)
	s.checkTruthAt(company, sum, now)
	program, connectors, _ := s.used(w)
	touchpoints := float64(len(s.totango.Touchpoints()))
	asked := 0
	for _, n := range s.gong.Counts() {
		asked += n
	}
	b.ReportMetric(touchpoints/took.Seconds(), "records/s")
	b.ReportMetric(float64(s.totango.TotalRequests()-calls)/touchpoints, "totango-calls/touchpoint")
	b.ReportMetric(float64(asked)/float64(sum.Counts.Listed), "gong-calls/listed")
	b.ReportMetric(float64(program.peak>>20), "worker-MiB")
	b.ReportMetric(float64(connectors.peak>>20), "connectors-MiB")

	all := s.histories().all
	b.ReportMetric(float64(all[workflows.SyncType].events)/touchpoints, "events/record")
	b.ReportMetric(float64(all[workflows.SyncType].bytes)/touchpoints, "history-B/record")
	b.ReportMetric(float64(all[workflows.LedgerType].bytes)/touchpoints, "ledger-B/record")
	return [2]usage{program, connectors}
}
