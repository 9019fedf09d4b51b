package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/workflows"
)

// maxWorkerMemory is how much memory a worker may ever take that has all hostile connectors at once.
const maxWorkerMemory = 1500 << 20

// hostilities are the modes of the hostile connector, with what becomes of a run.
var hostilities = []struct {
	mode        string
	destination bool               // the connector is the destination, and else the source
	outcome     activities.Outcome // empty if the run goes on
	say         string             // part of what the run, or the step that is tried again and again, says
}{
	{"huge page", false, activities.Failed, "a message of List is larger than 16 MiB"},
	{"crowded page", false, activities.Failed, "a message of more than 262144 parts"},
	{"huge error", false, activities.Failed, "no [2J way xxx"},
	{"endless pages", false, activities.Failed, "did not end after 10000 pages"},
	{"endless records", false, activities.Failed, "brought more than 1000000 records"},
	{"same token", false, activities.Failed, "the same page token twice"},
	{"repeated ids", false, activities.CompletedWithRejects, `"listed": 3`},
	{"control characters", false, activities.Failed, "printable ASCII"},
	{"long ids", false, activities.Failed, "of 129 bytes"},
	{"outside of the window", false, activities.Completed, `"listed": 0`},
	{"one time", false, activities.Failed, "more than 8000 things have the time"},
	{"slow", false, "", ""},
	{"dying list", false, "", "ended"},
	{"huge wait", false, activities.Partial, "wants no requests for 168h"},
	{"negative numbers", false, activities.CompletedWithRejects, `"rejected": 3`},
	{"noise", false, activities.CompletedWithRejects, `"rejected": 3`},
	{"limit of no time", false, activities.Failed, "a rate limit allows 3 requests in 0s"},
	{"endless write timeout", false, activities.Failed, "its write timeout is"},
	{"huge record", false, activities.CompletedWithRejects, "at most 1048576 can be read"},
	{"huge texts", false, activities.CompletedWithRejects, "pppp…"},
	{"many people", false, activities.CompletedWithRejects, "none of the 500 participants"},
	{"wrong types", false, activities.CompletedWithRejects, "cannot unmarshal number"},
	{"not json", false, activities.CompletedWithRejects, "not valid JSON"},
	{"not asked for", false, activities.CompletedWithRejects, "deleted or made private"},
	{"dying read", false, "", "ended"},

	{"wrong key", true, "", "does not match the request"},
	{"more results", true, "", "100000 answers for 1 items"},
	{"dying write", true, "", "ended"},
	{"unclassified", true, "", "xxx"},
	{"huge id", true, activities.Completed, `"created": 3`},
	{"huge refusal", true, activities.CompletedWithRejects, "no xxx"},
}

// connector has the system's commands find a connector that is this test binary, without a lock.
func (s *system) connector(name string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, "development")
	s.script(dir, name)
	s.env = append(s.env, "DURASYNC_CONNECTOR_PATH="+dir)
}

// script writes the program of a connector that is this test binary, and returns its path.
func (s *system) script(dir, name string) string {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	path := filepath.Join(dir, "durasync-connector-"+name)
	text := fmt.Sprintf("#!/bin/sh\nexec '%s' %s\n", self, name)
	// A file that a process which is just being started has inherited open for writing cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // a program
		s.t.Fatal(err)
	}
	return path
}

// said returns how a run has ended, empty if it goes on, and what it or its steps say.
func (s *system) said(c client.Client, id string) (outcome activities.Outcome, text string) {
	s.t.Helper()
	d, err := c.DescribeWorkflowExecution(s.t.Context(), id, "")
	if err != nil {
		s.t.Fatal(err)
	}
	if d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		text = s.ok("run", "show", id, "--json")
		return decode[shownRun](s.t, text).Outcome, text
	}
	for _, p := range d.GetPendingActivities() {
		text += p.GetLastFailure().GetMessage() + "\n"
	}
	return "", text
}

// peakMemory returns the most memory that a process has ever had, in bytes.
func (p *process) peakMemory() int {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if found == nil {
		p.t.Fatalf("there is no VmHWM in %s", status)
	}
	kB, err := strconv.Atoi(string(found[1]))
	if err != nil {
		p.t.Fatal(err)
	}
	return kB << 10
}

// Connectors that break the protocol in every way cost their own jobs only: those end, or are tried again, with words that say why,
// while a healthy job on the same worker, into the same destination, does all that it should.
func TestHostileConnectorsCostTheirOwnJobsOnly(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.connector("hostile")
	hcl := jobFiles + "connection \"hostile\" \"good\" {\n  mode = \"\"\n}\n"
	name := func(mode string) string { return strings.ReplaceAll(mode, " ", "_") }
	for _, h := range hostilities {
		from, to, object := "hostile."+name(h.mode), "totango.success", "touchpoint"
		if h.destination {
			from, to, object = "hostile.good", from, "note"
		}
		hcl += fmt.Sprintf(`
connection "hostile" %[1]q {
  mode = env(%[2]q)
}
job %[1]q {
  source {
    connection = connection.%[3]s
    stream     = "things"
    initial    = "1d"
  }
  destination {
    connection = connection.%[4]s
    object     = %[5]q
  }
}
`, name(h.mode), "HOSTILE_"+name(h.mode), from, to, object)
		s.env = append(s.env, "HOSTILE_"+name(h.mode)+"="+h.mode) // what apply does not see, it cannot refuse
	}
	s.write("jobs.hcl", hcl)
	w := s.worker()
	s.ok("apply", s.dir)
	company := s.company(sandbox.Size{})
	c := s.temporal()
	for _, h := range hostilities {
		opts := client.StartWorkflowOptions{ID: "hostile/" + name(h.mode), TaskQueue: workflows.TaskQueue}
		if _, err := c.ExecuteWorkflow(t.Context(), opts, "Sync", workflows.SyncInput{Job: name(h.mode)}); err != nil {
			t.Fatal(err)
		}
	}
	s.checkTruth(company, s.sync("meetings"))

	for _, h := range hostilities {
		s.until(fmt.Sprintf("the run with %q is %q and says %q", h.mode, h.outcome, h.say), func() bool {
			outcome, text := s.said(c, "hostile/"+name(h.mode))
			if outcome != "" && (outcome != h.outcome || !strings.Contains(text, h.say)) {
				t.Fatalf("the run with %q is %s and says\n%.4000s", h.mode, outcome, text)
			}
			return outcome == h.outcome && strings.Contains(text, h.say)
		})
	}
	if got := w.peakMemory(); got > maxWorkerMemory {
		t.Errorf("the worker took %d MiB of memory, want at most %d", got>>20, maxWorkerMemory>>20)
	} else {
		t.Logf("the worker took %d MiB of memory", got>>20)
	}
	if n := len(w.stderr.String()); n > 1<<20 {
		t.Errorf("the worker logged %d bytes", n)
	}

	// A connector whose description is wrong is refused, and the worker goes on with what it has.
	s.connector("misdescribed")
	s.write("misdescribed.hcl", "connection \"misdescribed\" \"x\" {\n  mode = \"\"\n}\n")
	r := s.run("apply", s.dir)
	if r.code != 3 || !strings.Contains(r.stderr, "config.mode: the list has no element") || len(r.stderr) > 20_000 {
		t.Errorf("applying a connection of a misdescribed connector: exit code %d, %d bytes\n%.2000s", r.code, len(r.stderr), r.stderr)
	}
	s.until("the worker sees that the directory is wrong", func() bool { return strings.Contains(w.stderr.String(), "misdescribed") })
	s.write("misdescribed.hcl", "connection \"hostile\" \"x\" {\n  mode = \"limit of no time\"\n}\n")
	if r := s.run("validate", s.dir); r.code != 2 || !strings.Contains(r.stdout+r.stderr, "a rate limit allows 3 requests in 0s") {
		t.Errorf("validating a connection whose settings make no sense: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	id := s.meeting("acme", nil)
	s.sync("meetings")
	if n := s.touchpoints()[id]; n != 1 {
		t.Errorf("there are %d touchpoints of a meeting of afterwards, want 1", n)
	}
}
