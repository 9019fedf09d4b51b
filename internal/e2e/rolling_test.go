package e2e

import (
	"iter"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/workflows"
)

// terminate tells a process to stop, as systemd and Kubernetes do.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// refusesWork waits until the worker that listens at the URL says that it takes no more tasks.
func (s *system) refusesWork(url string) {
	s.t.Helper()
	s.until("/readyz of a worker that stops answers 503", func() bool {
		status, _ := get(s.t, url+"/readyz")
		return status == http.StatusServiceUnavailable
	})
}

// holdSeveral holds up all writes but the next ten, and waits until there are so many under way that each worker has some.
func (s *system) holdSeveral() (release func()) {
	s.t.Helper()
	const several = 8
	var held atomic.Int32
	out := make(chan struct{})
	s.totango.Inject(totangotest.Fault{
		Kind: totangotest.Slow, Delay: time.Nanosecond, Endpoint: totangotest.CreateTouchpoint, Skip: 10, Times: math.MaxInt,
		Strike: func() {
			held.Add(1)
			<-out
		},
	})
	s.until("several writes are under way", func() bool { return held.Load() >= several })
	return func() {
		s.totango.ClearFaults()
		close(out)
	}
}

// interruptedSteps returns how many steps of a run began more than once, or ended otherwise than well.
func (s *system) interruptedSteps(workflowID string) int {
	s.t.Helper()
	n := 0
	for e := range s.events(workflowID) {
		if a := e.GetActivityTaskStartedEventAttributes(); a.GetAttempt() > 1 ||
			e.GetActivityTaskFailedEventAttributes() != nil || e.GetActivityTaskTimedOutEventAttributes() != nil {
			n++
		}
	}
	return n
}

// TestRollingRestart replaces three workers, one after the other, while hundreds of meetings are delivered. Each is told to stop in the
// middle of a write, which it finishes: no step of the run begins twice, and no meeting is lost or written twice.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.write("jobs.hcl", strings.Replace(jobFiles, `write_timeout       = "2s"`, `write_timeout = "2m"`, 1))
	type listening struct {
		*process
		url string
	}
	var workers []listening
	add := func() {
		w, url := s.reportingWorker()
		workers = append(workers, listening{w, url})
	}
	for range 3 {
		add()
	}
	s.ok("apply", s.dir)
	ids := s.several(300)
	run := s.detached()
	for range 3 {
		old := workers[0]
		workers = workers[1:]
		release := s.holdSeveral()
		add()
		old.terminate()
		s.refusesWork(old.url)
		if status, body := get(t, old.url+"/healthz"); status != http.StatusOK {
			t.Errorf("a worker that stops says at /healthz: %d %s", status, body)
		}
		release()
		if code := old.wait(); code != 0 {
			t.Errorf("a worker that was told to stop ends with exit code %d:\n%s", code, &old.stderr)
		}
	}
	if got := s.ended(1)[run]; got.Outcome != "completed" || got.Counts.Created != len(ids) {
		t.Errorf("the run says %s, %+v, want %d created", got.Outcome, got.Counts, len(ids))
	}
	s.once(ids...)
	if n := s.interruptedSteps(run); n != 0 {
		t.Errorf("%d steps of the run were interrupted, want none", n)
	}
}

// TestWorkersStopInTime: a step that does not end delays a worker for half a minute and no longer, and a second signal not at all. What
// they were at is looked up, and not written twice.
func TestWorkersStopInTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hurry   bool
		timeout string // of the write, which is held up for longer than the worker waits
		ends    func(syscall.WaitStatus) bool
	}{
		"one signal":  {false, "45s", func(s syscall.WaitStatus) bool { return s.Exited() && s.ExitStatus() == 0 }},
		"two signals": {true, "20s", func(s syscall.WaitStatus) bool { return s.Signaled() && s.Signal() == syscall.SIGTERM }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.write("jobs.hcl", strings.Replace(jobFiles, `write_timeout       = "2s"`, `write_timeout = "`+test.timeout+`"`, 1))
			w, url := s.reportingWorker()
			s.ok("apply", s.dir)
			id := s.meeting("acme", nil)
			entered, release := s.hold(0, 1)
			release = sync.OnceFunc(release)
			defer release()
			run := s.detached()
			<-entered
			w.terminate()
			s.refusesWork(url)
			if test.hurry {
				w.terminate()
			}
			w.wait()
			if status := w.cmd.ProcessState.Sys().(syscall.WaitStatus); !test.ends(status) {
				t.Errorf("the worker ends with %s:\n%s", w.cmd.ProcessState, &w.stderr)
			}
			release()
			s.worker()
			if got := s.ended(1)[run]; got.Outcome != "completed" {
				t.Errorf("the run says %s, %+v", got.Outcome, got.Counts)
			}
			s.once(id)
		})
	}
}

// TestRunsEndOnTheVersionTheyBeganWith makes a new version of a worker deployment current in the middle of a run.
func TestRunsEndOnTheVersionTheyBeganWith(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.write("jobs.hcl", strings.Replace(jobFiles, `write_timeout       = "2s"`, `write_timeout = "2m"`, 1))
	versions := s.temporal().WorkerDeploymentClient().GetHandle("durasync")
	release := func(id string) *process {
		w := start(t, s.env, "worker", s.dir, "--deployment", "durasync", "--build-id", id)
		w.line("gong.acme")
		s.until("version "+id+" is current", func() bool {
			_, err := versions.SetCurrentVersion(t.Context(), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: id})
			return err == nil
		})
		return w
	}

	old := release("0.1")
	s.ok("apply", s.dir)
	ids := s.several(40)
	entered, goOn := s.hold(5, 1)
	run := s.detached()
	<-entered
	release("0.2")
	goOn()
	if got := s.ended(1)[run]; got.Outcome != "completed" {
		t.Errorf("the run says %s, %+v", got.Outcome, got.Counts)
	}
	if got := s.versionsOf(run); !slices.Equal(got, []string{"0.1"}) {
		t.Errorf("the run was on the versions %q, want the first alone", got)
	}
	if code := old.interrupt(); code != 0 {
		t.Errorf("the first version ends with exit code %d:\n%s", code, &old.stderr)
	}

	ids = append(ids, s.meeting("bolt", nil))
	s.sync("meetings")
	s.once(ids...)
	if got := s.versionsOf(s.runs()[0].WorkflowID); !slices.Equal(got, []string{"0.2"}) {
		t.Errorf("the next run was on the versions %q, want the second alone", got)
	}
	if got := s.versionsOf(workflows.JobID("meetings")); !slices.Equal(got, []string{"0.1", "0.2"}) {
		t.Errorf("the job was on the versions %q, want both, one after the other", got)
	}
}

// versionsOf returns the versions of the deployment that a workflow was on, in order.
func (s *system) versionsOf(workflowID string) []string {
	s.t.Helper()
	var ids []string
	for e := range s.events(workflowID) {
		if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil {
			ids = append(ids, a.GetDeploymentVersion().GetBuildId())
		}
	}
	return slices.Compact(ids)
}

// events are the events of a workflow's latest run.
func (s *system) events(workflowID string) iter.Seq[*historypb.HistoryEvent] {
	return func(yield func(*historypb.HistoryEvent) bool) {
		s.t.Helper()
		events := s.temporal().GetWorkflowHistory(s.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			e, err := events.Next()
			if err != nil {
				s.t.Fatal(err)
			}
			if !yield(e) {
				return
			}
		}
	}
}
