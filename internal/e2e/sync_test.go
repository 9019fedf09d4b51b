package e2e

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
)

// ready is a system with a worker and the job applied.
func ready(t *testing.T) (*system, *process) {
	t.Helper()
	s := newSystem(t)
	w := s.worker()
	s.ok("apply", s.dir)
	return s, w
}

func TestSyncLeavesTheTruth(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	c := s.company(sandbox.Size{})
	first := s.sync("meetings")
	s.checkTruth(c, first)
	if first.Counts.Created < 100 {
		t.Errorf("only %d touchpoints were created", first.Counts.Created)
	}

	// A person edits a touchpoint. The next run neither writes it again nor changes it.
	edited := s.totango.Touchpoints()[0]
	if err := s.totango.Edit(edited.NoteID, "hana@vendor.example", func(t *totangotest.Touchpoint) { t.Content = "Edited by hand." }); err != nil {
		t.Fatal(err)
	}
	before := len(s.totango.Touchpoints())
	second := s.sync("meetings")
	// What became visible or ready between the two runs is new; nothing else is.
	if n := len(s.totango.Touchpoints()); n != before+second.Counts.Created || second.Counts.Created > 5 {
		t.Errorf("the second run created %d touchpoints by its own count, and there are %d instead of %d", second.Counts.Created, n, before)
	}
	for _, tp := range s.totango.Touchpoints() {
		if tp.NoteID == edited.NoteID && tp.Content != "Edited by hand." {
			t.Errorf("a person's edit was overwritten with %q", tp.Content)
		}
	}
}

func TestLaterRunsDeliverWhatWasNotPossibleBefore(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	now := time.Now()
	plain := s.meeting("acme", nil)
	late := s.meeting("acme", func(c *gongtest.Call) { c.Started, c.VisibleAt = now.Add(-26*time.Hour), now.Add(24*time.Hour) })
	young := s.meeting("acme", func(c *gongtest.Call) { c.ContentAt = now.Add(24 * time.Hour) })
	stranger := s.meeting("acme", func(c *gongtest.Call) { c.Parties[1].Email = "new@newcomer.example" })
	private := s.meeting("acme", func(c *gongtest.Call) { c.Private = true })

	first := s.sync("meetings")
	if want := (activities.Counts{Listed: 3, New: 3, Created: 1, Rejected: 1, Deferred: 1}); first.Counts != want {
		t.Errorf("the first run says %+v, want %+v", first.Counts, want)
	}
	s.once(plain)

	s.gong.Update(late, func(c *gongtest.Call) { c.VisibleAt = now })
	s.gong.Update(young, func(c *gongtest.Call) { c.ContentAt = now })
	s.totango.AddAccount(totangotest.Account{ID: "newcomer", Name: "Newcomer"})
	s.totango.AddUser(totangotest.User{ID: "new@newcomer.example", AccountID: "newcomer"})
	second := s.sync("meetings")
	if want := (activities.Counts{Listed: 4, Known: 1, New: 3, Created: 3}); second.Counts != want {
		t.Errorf("the second run says %+v, want %+v", second.Counts, want)
	}
	s.once(plain, late, young, stranger)

	s.gong.Update(private, func(c *gongtest.Call) { c.Private = false })
	s.sync("meetings")
	s.once(plain, late, young, stranger, private)
	if third := s.sync("meetings"); third.Counts.Created != 0 {
		t.Errorf("a run with nothing to do says %+v", third.Counts)
	}
}

// TestMovedCallIsDeliveredOnce rejects a call, then moves it by a week, out of reach of the ledger that has it noted.
func TestMovedCallIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	now := time.Now()
	id := s.meeting("acme", func(c *gongtest.Call) { c.Started, c.Parties[1].Email = now.AddDate(0, 0, -10), "new@newcomer.example" })
	s.sync("meetings")
	s.once()

	s.gong.Update(id, func(c *gongtest.Call) { c.Started = now.AddDate(0, 0, -2) })
	s.totango.AddAccount(totangotest.Account{ID: "newcomer", Name: "Newcomer"})
	s.totango.AddUser(totangotest.User{ID: "new@newcomer.example", AccountID: "newcomer"})
	for range 2 {
		s.sync("meetings")
		s.once(id)
	}
}

func TestLostAnswersAreLookedUp(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]totangotest.Fault{
		"reset after the write":     {Kind: totangotest.ResetAfter},
		"reset before the write":    {Kind: totangotest.ResetBefore},
		"no answer after the write": {Kind: totangotest.HangAfter},
		"502 after the write":       {Kind: totangotest.BadGatewayAfter},
		"502 before the write":      {Kind: totangotest.BadGateway},
		"an answer without sense":   {Kind: totangotest.GarbledAfter},
		"too many requests":         {Kind: totangotest.RateLimited, RetryAfter: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := ready(t)
			var ids []string
			for i := range 5 {
				ids = append(ids, s.meeting(fmt.Sprintf("account%d", i), nil))
			}
			fault.Endpoint, fault.Times = totangotest.CreateTouchpoint, 3
			s.totango.Inject(fault)
			sum := s.sync("meetings")
			if sum.Counts.Created != 5 || sum.Outcome != activities.Completed {
				t.Errorf("the run says %s with %+v", sum.Outcome, sum.Counts)
			}
			s.once(ids...)
		})
	}
}

func TestTwoJobsAndTwoRunsShareTheMeetings(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.write("second.hcl", `
job "meetings_again" {
  source {
    connection = connection.gong.acme
    stream     = "calls"
    initial    = "30d"
  }
  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }
}
`)
	s.worker()
	s.ok("apply", s.dir)
	c := s.company(sandbox.Size{Meetings: 120})
	jobs := []string{"meetings", "meetings_again", "meetings"}
	sums := make([]summary, len(jobs))
	var wg sync.WaitGroup
	for i, job := range jobs {
		wg.Go(func() {
			r := s.run("sync", job, "--json")
			if r.code != 0 {
				t.Errorf("sync %s: exit code %d\n%s%s", job, r.code, r.stdout, r.stderr)
				return
			}
			sums[i] = s.summary(r.stdout)
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	first := slices.MinFunc(sums, func(x, y summary) int { return x.From.Compare(y.From) })
	last := slices.MaxFunc(sums, func(x, y summary) int { return x.To.Compare(y.To) })
	for _, d := range sandbox.Diff(c.Truth(last.To, first.From, last.To, 24*time.Hour), s.totango.Touchpoints()) {
		t.Error(d)
	}
	created := 0
	for _, sum := range sums {
		created += sum.Counts.Created
	}
	if n := len(s.totango.Touchpoints()); n != created {
		t.Errorf("the runs created %d touchpoints by their own counts, and there are %d", created, n)
	}
}
