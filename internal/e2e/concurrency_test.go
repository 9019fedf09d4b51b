package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// several adds meetings of three days.
func (s *system) several(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, s.meeting("acme", func(c *gongtest.Call) {
			c.Started = c.Started.Add(-time.Duration(i) * 72 * time.Hour / time.Duration(n))
		}))
	}
	return ids
}

// detached starts a run and returns its id.
func (s *system) detached() string {
	s.t.Helper()
	return decode[shownRun](s.t, s.ok("sync", "meetings", "--detach", "--json")).WorkflowID
}

// ended waits for the end of all runs and returns them by id.
func (s *system) ended(n int) map[string]shownRun {
	s.t.Helper()
	byID := map[string]shownRun{}
	s.until(fmt.Sprintf("%d runs have ended", n), func() bool {
		for _, r := range s.runs() {
			byID[r.WorkflowID] = r
		}
		return len(byID) == n
	})
	return byID
}

// A run keeps the plan that it began with, and goes on when its job is paused. The next one has the new plan.
func TestApplyAndPauseDuringARun(t *testing.T) {
	t.Parallel()
	s := readyToHold(t)
	old := s.several(130) // more than are read at once
	entered, release := s.hold(5, 130)
	id := s.detached()
	<-entered
	s.write("jobs.hcl", strings.Replace(jobFiles, `job "meetings" {`, `job "meetings" {
  map {
    override = true
    subject  = "[Gong] ${call.title}"
  }`, 1))
	s.ok("apply", s.dir)
	s.ok("pause", "meetings", "--reason", "the mapping changes")
	release()
	if run := s.ended(1)[id]; run.Outcome != activities.Completed || run.Counts.Created != len(old) {
		t.Errorf("the run that went on says %s, %+v\n%s", run.Outcome, run.Counts, s.ok("run", "show", id))
	}
	s.once(old...)
	recent := s.meeting("acme", nil)
	s.sync("meetings")
	s.once(append(old, recent)...)
	for _, tp := range s.totango.Touchpoints() {
		want := "Weekly sync"
		if callOf(&tp) == recent {
			want = "[Gong] Weekly sync"
		}
		if tp.Subject != want {
			t.Errorf("the subject of call %s is %q, want %q", callOf(&tp), tp.Subject, want)
		}
	}
}

// A backfill over delivered days and a retry, both in the middle of a run: nothing is written twice, and what a person has edited
// stays as it is.
func TestBackfillAndRetryDuringARun(t *testing.T) {
	t.Parallel()
	s := readyToHold(t)
	ids := s.several(10)
	stranger := s.meeting("acme", func(c *gongtest.Call) { c.Parties[1].Email = "new@newcomer.example" })
	s.sync("meetings")
	s.once(ids...)
	edited := s.totango.Touchpoints()[3]
	if err := s.totango.Edit(edited.NoteID, "hana@vendor.example", func(t *totangotest.Touchpoint) { t.Content += "\nEdited by hand." }); err != nil {
		t.Fatal(err)
	}
	s.totango.AddAccount(totangotest.Account{ID: "newcomer", Name: "Newcomer"})
	s.totango.AddUser(totangotest.User{ID: "new@newcomer.example", AccountID: "newcomer"})
	ids = append(append(ids, stranger), s.several(20)...)

	entered, release := s.hold(3, 1)
	id := s.detached()
	<-entered
	// What the run has in hand is left to it.
	day := time.Now().UTC().AddDate(0, 0, -5).Format(time.DateOnly)
	backfill := s.summary(s.ok("backfill", "meetings", "--from", day, "--json"))
	retry := s.summary(s.ok("retry", "meetings", "--json"))
	if backfill.Counts.Known != 10 || backfill.Counts.Failed+retry.Counts.Failed != 0 {
		t.Errorf("the backfill says %+v, the retry %+v; want no failure, and ten touchpoints known", backfill.Counts, retry.Counts)
	}
	release()
	run := s.ended(4)[id]
	if n := run.Counts.Created + backfill.Counts.Created + retry.Counts.Created; n != 21 || run.Outcome != activities.Completed {
		t.Errorf("the run says %s, %+v; with backfill and retry it created %d touchpoints, want 21", run.Outcome, run.Counts, n)
	}
	if again := s.sync("meetings"); again.Counts.Created != 0 || again.Counts.Known != len(ids) {
		t.Errorf("a run with nothing to do says %+v", again.Counts)
	}
	s.once(ids...)
	if n := s.totango.Requests(totangotest.CreateTouchpoint); n != len(ids) {
		t.Errorf("%d writes were sent for %d touchpoints", n, len(ids))
	}
	for _, tp := range s.totango.Touchpoints() {
		if tp.NoteID == edited.NoteID && tp.Content != edited.Content+"\nEdited by hand." {
			t.Errorf("a person's edit was overwritten with %q", tp.Content)
		}
	}
}

// A run that is cancelled makes room for the one that waits for it.
func TestCancelledRunMakesRoom(t *testing.T) {
	t.Parallel()
	s := readyToHold(t)
	ids := s.several(130)
	entered, release := s.hold(10, 130) // all of the first wave, so that the second one is left for the other run
	first := s.detached()
	<-entered
	second := s.detached()
	p := start(t, s.env, "cancel", first)
	s.until("the run is asked to end", func() bool { return strings.Contains(p.stderr.String(), "cancelling "+first) })
	release()
	if code := p.wait(); code != 0 {
		t.Errorf("cancel: exit code %d\n%s", code, &p.stderr)
	}
	runs := s.ended(2)
	if runs[first].Outcome != activities.Cancelled || runs[second].Outcome != activities.Completed {
		t.Errorf("the first run is %s, the second %s; want cancelled and completed", runs[first].Outcome, runs[second].Outcome)
	}
	s.once(ids...)
}

// A directory that is being written is not followed: whatever it holds for a moment, the runs go on.
func TestDirectoryIsNotFollowedWhileItIsWritten(t *testing.T) {
	t.Parallel()
	s := newSystemWith(t, &gongtest.Server{}, totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1, Latency: time.Second}))
	s.write("jobs.hcl", strings.Replace(jobFiles, `write_timeout       = "2s"`, `write_timeout = "20s"`, 1))
	w := s.worker()
	s.ok("apply", s.dir)
	ids := s.several(150)
	ctx, cancel := context.WithCancel(t.Context())
	part := filepath.Join(t.TempDir(), "part")
	var writer sync.WaitGroup
	defer writer.Wait()
	defer cancel()
	writer.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			err := errors.Join(
				os.WriteFile(part, fmt.Appendf(nil, "# the beginning of version %d", n), 0o600),
				os.Rename(part, filepath.Join(s.dir, "jobs.hcl")),
			)
			if err != nil {
				t.Error(err)
				return
			}
			<-tick.C
		}
	})
	if sum := s.sync("meetings"); sum.Outcome != activities.Completed || sum.Counts.Created != len(ids) {
		t.Errorf("the run says %s, %+v", sum.Outcome, sum.Counts)
	}
	s.once(ids...)
	if log := w.stderr.String(); strings.Contains(log, "the connections have changed") {
		t.Errorf("the worker followed:\n%s", log)
	}
}
