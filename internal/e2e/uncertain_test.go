package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// A write without an answer is looked for until the destination can say, however long its search is down or behind, and never
// sent again on a guess.
func TestNothingIsWrittenOnAGuess(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	s.totango.SetSearchLag(time.Second) // what the connection says
	var ids []string
	for i := range 6 {
		ids = append(ids, s.meeting(fmt.Sprintf("account%d", i), nil))
	}
	for kind, times := range map[totangotest.FaultKind]int{
		totangotest.ResetAfter: 2, totangotest.HangAfter: 1, totangotest.GarbledAfter: 1, totangotest.ResetBefore: 1,
	} {
		s.totango.Inject(totangotest.Fault{Kind: kind, Times: times, Endpoint: totangotest.CreateTouchpoint})
	}
	for kind, times := range map[totangotest.FaultKind]int{
		totangotest.ServerError: 3, totangotest.ResetBefore: 1, totangotest.HTML: 1, totangotest.RateLimited: 1,
	} {
		s.totango.Inject(totangotest.Fault{Kind: kind, Times: times, Endpoint: totangotest.SearchEvents})
	}
	if sum := s.sync("meetings"); sum.Outcome != activities.Completed || sum.Counts.Created != len(ids) {
		t.Errorf("the run says %s, %+v", sum.Outcome, sum.Counts)
	}
	s.once(ids...)
	// Only the one that never arrived is sent again.
	if n := s.totango.Requests(totangotest.CreateTouchpoint); n != len(ids)+1 {
		t.Errorf("%d writes were sent for %d touchpoints of which one was lost on its way", n, len(ids))
	}
}

// A connector that dies inside a write leaves it uncertain, whether it has arrived or not.
func TestConnectorDiesInsideAWrite(t *testing.T) {
	t.Parallel()
	s, w := ready(t)
	s.totango.SetSearchLag(time.Second)
	kill := func() {
		for _, pid := range children(t, w.cmd.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
	var ids []string
	sent := 0
	for _, test := range []struct {
		name  string
		fault totangotest.Fault
		sent  int
	}{
		{"before it arrives", totangotest.Fault{Kind: totangotest.Slow, Delay: time.Hour}, 2},
		{"after it has arrived", totangotest.Fault{Kind: totangotest.HangAfter}, 1},
	} {
		ids = append(ids, s.meeting("acme", nil))
		test.fault.Endpoint, test.fault.Strike = totangotest.CreateTouchpoint, kill
		s.totango.Inject(test.fault)
		if sum := s.sync("meetings"); sum.Counts.Created != 1 {
			t.Errorf("%s: the run says %s, %+v", test.name, sum.Outcome, sum.Counts)
		}
		s.once(ids...)
		sent += test.sent
		if n := s.totango.Requests(totangotest.CreateTouchpoint); n != sent {
			t.Errorf("%s: %d writes were sent so far, want %d", test.name, n, sent)
		}
	}
}

// What cannot be found out is said to be in doubt, neither written nor lost, and is settled by a retry once the destination can
// say again: what has arrived is found, what has not is written.
func TestWhatCannotBeFoundOutIsInDoubt(t *testing.T) {
	t.Parallel()
	accounts := []string{"one", "two"}
	for name, test := range map[string]struct{ refuse, allow func(*system) }{
		"the accounts are deleted": {
			refuse: func(s *system) {
				for _, a := range accounts {
					s.totango.DeleteAccount(a)
				}
			},
			allow: func(s *system) {
				for _, a := range accounts {
					s.totango.AddAccount(totangotest.Account{ID: a})
				}
			},
		},
		"the search is forbidden": {
			refuse: func(s *system) {
				s.totango.Inject(totangotest.Fault{Kind: totangotest.Unauthorized, Times: 1000, Endpoint: totangotest.SearchEvents})
			},
			allow: func(s *system) { s.totango.ClearFaults() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := ready(t)
			ids := map[string]bool{}
			for _, a := range accounts {
				ids[s.meeting(a, nil)] = true
			}
			// The first write arrives, the second does not.
			s.totango.Inject(
				totangotest.Fault{Kind: totangotest.ResetAfter, Endpoint: totangotest.CreateTouchpoint, Strike: func() { test.refuse(s) }},
				totangotest.Fault{Kind: totangotest.ResetBefore, Endpoint: totangotest.CreateTouchpoint},
			)
			if r := s.run("sync", "meetings"); r.code != 1 {
				t.Fatalf("exit code %d, want 1\n%s%s", r.code, r.stdout, r.stderr)
			}
			if n := len(s.totango.Touchpoints()); n != 1 {
				t.Fatalf("%d touchpoints have arrived, want 1", n)
			}
			want := activities.Counts{Listed: 2, New: 2, Failed: 2} // neither created nor rejected
			if run := s.shown("meetings"); run.Outcome != activities.Partial || run.Counts != want {
				t.Errorf("run show says %s, %+v; want %+v", run.Outcome, run.Counts, want)
			}
			if run := s.runs()[0]; run.Outcome != activities.Partial || run.Counts != want {
				t.Errorf("runs says %s, %+v; want %+v", run.Outcome, run.Counts, want)
			}
			text := strings.Join(strings.Fields(s.ok("run", "show", "meetings")), " ")
			if !strings.Contains(text, "in doubt, uncertain: 2 records") || !strings.Contains(text, "is not known and cannot be looked up") {
				t.Errorf("run show does not say that two records are in doubt and cannot be looked up:\n%s", text)
			}
			open := s.rejects()
			for _, r := range open {
				if !ids[r.ID] || r.State != activities.InDoubt || r.Reason != activities.ReasonUncertain || r.ToDo == "" {
					t.Errorf("listed: %+v; want it to be in doubt", r)
				}
			}
			if len(open) != 2 {
				t.Errorf("%d records are listed, want 2", len(open))
			}

			test.allow(s)
			// Neither retry nor run looks before the claims have run out.
			if sum := s.summary(s.ok("retry", "meetings", "--json")); sum.Outcome != activities.Completed || sum.Counts.Created != 2 {
				t.Errorf("the retry says %s, %+v", sum.Outcome, sum.Counts)
			}
			for id := range ids {
				if n := s.touchpoints()[id]; n != 1 {
					t.Errorf("there are %d touchpoints of call %s", n, id)
				}
			}
			if n := s.totango.Requests(totangotest.CreateTouchpoint); n > 3 {
				t.Errorf("%d writes were sent for two touchpoints of which one was lost on its way", n)
			}
			if open := s.rejects(); len(open) != 0 {
				t.Errorf("listed after the retry: %+v", open)
			}
		})
	}
}
