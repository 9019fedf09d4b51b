package e2e

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/bench/baseline"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/workflows"
)

// busyWeek adds meetings of the last six days, with people of a hundred customers.
func (s *system) busyWeek(meetings int) (ids []string) {
	const customers, span = 100, 6 * 24 * time.Hour
	first := time.Now().Add(-span)
	for i := range meetings {
		ids = append(ids, s.meeting(fmt.Sprintf("customer-%d", i%customers), func(c *gongtest.Call) {
			c.Started = first.Add(time.Duration(i) * (span - time.Hour) / time.Duration(meetings))
		}))
	}
	return ids
}

// BenchmarkOneWritePerRecord is a run without limits, beside what the same Temporal server does at most, before and after the run, and
// beside a loop without durability.
func BenchmarkOneWritePerRecord(b *testing.B) {
	const meetings = 1000
	for b.Loop() {
		s := newSystem(b)
		ids := s.busyWeek(meetings)
		script := s.scriptRate(meetings)
		w := s.worker()
		s.ok("apply", s.dir)
		c := s.temporal()
		floor := s.noOps(c, meetings/2)
		program, connectors, server := s.used(w)
		cpu := program.cpu + connectors.cpu + server.cpu
		began := time.Now()
		s.sync("meetings")
		rate := meetings / time.Since(began).Seconds()
		s.once(ids...)
		program, connectors, server = s.used(w)
		cpu = program.cpu + connectors.cpu + server.cpu - cpu
		floor = (floor + s.noOps(c, meetings/2)) / 2

		b.ReportMetric(rate, "records/s")
		b.ReportMetric(floor, "no-ops/s")
		b.ReportMetric(rate/floor, "x-no-ops")
		b.ReportMetric(rate/script, "x-loop")
		b.ReportMetric(cpu.Seconds()*1000/meetings, "cpu-ms/record")
		b.ReportMetric(float64(program.peak>>20), "worker-MiB")
		b.ReportMetric(float64(connectors.peak>>20), "connectors-MiB")
		if server.peak > 0 { // it is the embedded one
			b.ReportMetric(float64(server.peak>>20), "server-MiB")
		}
	}
}

// noOps is how many activities that do nothing the server does in a second.
func (s *system) noOps(c client.Client, n int) float64 {
	s.t.Helper()
	took, err := baseline.NoOps(s.t.Context(), c, n)
	if err != nil {
		s.t.Fatal(err)
	}
	return float64(n) / took.Seconds()
}

// scriptRate is how many touchpoints a loop writes in a second, to a Totango of its own.
func (s *system) scriptRate(meetings int) float64 {
	s.t.Helper()
	totango := unlimitedTotango()
	for _, call := range s.gong.Calls() {
		for _, p := range call.Parties {
			if p.UserID != "" {
				continue
			}
			totango.AddAccount(totangotest.Account{ID: p.Email, Name: p.Email})
			totango.AddUser(totangotest.User{ID: p.Email, Name: p.Name, AccountID: p.Email, Contact: true})
		}
	}
	server := httptest.NewServer(totango)
	defer server.Close()
	began := time.Now()
	n, err := baseline.CallsToTotango(s.t.Context(), s.gongClient(), &baseline.Totango{URL: server.URL, Token: token}, began.AddDate(0, 0, -30), began)
	took := time.Since(began)
	if got := len(totango.Touchpoints()); err != nil || n != meetings || got != meetings {
		s.t.Fatalf("the loop says that it wrote %d touchpoints, %d are there, want %d: %v", n, got, meetings, err)
	}
	return float64(meetings) / took.Seconds()
}

// gongClient reads from the simulated Gong.
func (s *system) gongClient() *baseline.Gong {
	const variable = "GONG_BASE_URL="
	i := slices.IndexFunc(s.env, func(v string) bool { return strings.HasPrefix(v, variable) })
	return &baseline.Gong{URL: strings.TrimPrefix(s.env[i], variable), Key: gongtest.AccessKey, Secret: gongtest.AccessKeySecret}
}

// BenchmarkNothingToDo is a run that finds 5,000 meetings in its overlap, all of which the ledgers know.
func BenchmarkNothingToDo(b *testing.B) {
	const meetings = 5000
	s := newSystem(b)
	s.busyWeek(meetings)
	s.worker()
	s.ok("apply", s.dir)
	c := s.temporal()
	s.remember(c)
	s.sync("meetings") // the first one looks further back
	var all []time.Duration
	for b.Loop() {
		began := time.Now()
		sum := s.sync("meetings")
		all = append(all, time.Since(began))
		if sum.Counts.Known != meetings || len(s.totango.Touchpoints()) != 0 {
			b.Fatalf("%d meetings are known, want %d; %d touchpoints are written", sum.Counts.Known, meetings, len(s.totango.Touchpoints()))
		}
	}
	slices.Sort(all)
	b.ReportMetric(all[len(all)/2].Seconds(), "s")
	b.ReportMetric(float64(s.histories().events), "events")
}

// remember starts ledgers that know all meetings as delivered, as after many runs.
func (s *system) remember(c client.Client) {
	s.t.Helper()
	ledgers := map[string]*workflows.LedgerState{}
	for _, call := range s.gong.Calls() {
		day := activities.Day(call.Started)
		if ledgers[day] == nil {
			ledgers[day] = &workflows.LedgerState{}
		}
		ledgers[day].Entries = append(ledgers[day].Entries, activities.Entry{
			Key: "gong/calls/" + call.ID, Time: call.Started, State: activities.Delivered, Job: "meetings", Target: "acme", ID: "1",
		})
	}
	for day, state := range ledgers {
		ref := activities.LedgerRef{Connection: "totango.success", Object: "touchpoint", Day: day}
		if _, err := c.ExecuteWorkflow(s.t.Context(), client.StartWorkflowOptions{
			ID: workflows.LedgerID(ref, 1), TaskQueue: workflows.TaskQueue,
		}, workflows.LedgerType, *state); err != nil {
			s.t.Fatal(err)
		}
	}
}
