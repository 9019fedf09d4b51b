package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
)

// midway makes f happen once, when a number of touchpoints has been written: just after the one more is in the store and
// before anybody is told.
func (s *system) midway(after int, f func()) {
	s.totango.Inject(totangotest.Fault{Kind: totangotest.ResetAfter, Endpoint: totangotest.CreateTouchpoint, Skip: after, Strike: f})
}

func TestKilledConnectorsChangeNothing(t *testing.T) {
	t.Parallel()
	s, w := ready(t)
	c := s.company(sandbox.Size{Meetings: 120})
	var killed atomic.Int32
	for _, after := range []int{10, 40} {
		s.midway(after, func() {
			for _, pid := range children(t, w.cmd.Process.Pid) {
				if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
					killed.Add(1)
				}
			}
		})
	}
	s.checkTruth(c, s.sync("meetings"))
	if killed.Load() < 3 {
		t.Errorf("only %d connector processes were killed", killed.Load())
	}
}

func TestKilledWorkerChangesNothing(t *testing.T) {
	t.Parallel()
	s, w := ready(t)
	c := s.company(sandbox.Size{Meetings: 120})
	dead := make(chan struct{})
	s.midway(30, func() {
		_ = w.cmd.Process.Kill()
		close(dead)
	})
	run := start(t, s.env, "sync", "meetings", "--json")
	<-dead
	<-w.ended
	s.worker()
	sum := s.summary(run.rest())
	if code := run.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, &run.stderr)
	}
	s.checkTruth(c, sum)
}

// TestTerminatedRunsWritesAreLookedFor ends a run for good between a write and its note, and lets another one take over.
func TestTerminatedRunsWritesAreLookedFor(t *testing.T) {
	t.Parallel()
	s, w := ready(t)
	var ids []string
	for i := range 12 {
		ids = append(ids, s.meeting(fmt.Sprintf("account%d", i), nil))
	}
	temporal := s.temporal()
	dead := make(chan struct{})
	s.midway(5, func() {
		_ = w.cmd.Process.Kill()
		close(dead)
	})
	s.ok("sync", "meetings", "--detach")
	<-dead
	<-w.ended
	state, err := runningSync(t.Context(), temporal)
	if err != nil {
		t.Fatal(err)
	}
	if err := temporal.TerminateWorkflow(t.Context(), state.WorkflowID, "", "a test ends it"); err != nil {
		t.Fatal(err)
	}
	s.worker()
	sum := s.sync("meetings")
	if sum.Outcome != activities.Completed || sum.Counts.Created+sum.Counts.Known != 12 {
		t.Errorf("the second run says %s with %+v", sum.Outcome, sum.Counts)
	}
	s.once(ids...)
}

// children returns the processes that a process has started.
func children(t testing.TB, parent int) []int {
	var pids []int
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Error(err)
	}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The fields after the command, which is in parentheses, are the state and the parent's id.
		var pid, ppid int
		var state string
		text := string(b)
		if _, err := fmt.Sscan(text, &pid); err != nil {
			continue
		}
		if _, err := fmt.Sscan(text[strings.LastIndexByte(text, ')')+1:], &state, &ppid); err == nil && ppid == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}
