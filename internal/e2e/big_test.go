package e2e

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/workflows"
)

var (
	bigMeetings = flag.Int("big.meetings", 1500, "how many meetings the big backfill has")
	bigAccounts = flag.Int("big.accounts", 1500, "how many accounts the big backfill has")
)

const (
	// maxEventBytes bounds an event of a history. Temporal warns of payloads from 512 KiB on.
	maxEventBytes = 512 << 10

	// maxEvents bounds a history. Temporal warns from 10,240 events on.
	maxEvents = 10_000

	// memorySpare is how much more memory a process may come to use in the second half of a backfill, besides a fifth of what it
	// used in the first, in which its caches fill up.
	memorySpare = 32 << 20
)

// TestBigBackfill fills a destination with a company's past. It checks what is in Totango, that no history and no payload grows with
// the number of meetings, and that no process does. make big runs it with 100,000 meetings and 50,000 accounts.
func TestBigBackfill(t *testing.T) {
	t.Parallel()
	now := time.Now()
	gong := gongtest.New(gongtest.Options{Clock: func() time.Time { return now }}) // nothing changes while the backfill goes on
	s := newSystemWith(t, gong, totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1}))
	w := s.worker()
	s.ok("apply", s.dir)
	days := max(30, *bigMeetings/500)
	c := sandbox.Generate(7, now, sandbox.Size{Meetings: *bigMeetings, Accounts: *bigAccounts, Days: days})
	sandbox.Load(c, s.gong, s.totango)

	from, to := now.AddDate(0, 0, -days-7), now.AddDate(0, 0, -2) // what is younger may still be waited for
	watch := watchMemory(t, w.cmd.Process.Pid)
	began := time.Now()
	run := start(t, s.env, "backfill", "meetings", "--from", from.UTC().Format(time.DateOnly), "--to", to.UTC().Format(time.DateOnly), "--json")
	sum := s.summary(run.output())
	took := time.Since(began)
	memory := watch.stop()
	s.checkTruthAt(c, sum, now)

	worst := s.histories()
	t.Logf("%d meetings, %d accounts, %d touchpoints in %s: %.0f a second", *bigMeetings, *bigAccounts, sum.Counts.Created, took.Round(time.Second),
		float64(sum.Counts.Created)/took.Seconds())
	t.Logf("%d executions of the run, at most %d events and %d KiB each, the largest event %d KiB; %d ledger shards",
		worst.syncs, worst.events, worst.bytes>>10, worst.event>>10, worst.ledgers)
	t.Logf("%.3f calls to Totango for each touchpoint", float64(s.totango.TotalRequests())/float64(sum.Counts.Created))
	if worst.event > maxEventBytes {
		t.Errorf("an event of %d KiB is in a history, at most %d KiB are allowed", worst.event>>10, maxEventBytes>>10)
	}
	if worst.events > maxEvents {
		t.Errorf("a history has %d events, at most %d are allowed", worst.events, maxEvents)
	}
	for _, m := range memory {
		t.Logf("%-20s %4d MiB in the first half, %4d MiB at most", m.name, m.early>>20, m.most>>20)
		if m.most > m.early+m.early/5+memorySpare {
			t.Errorf("%s grew from %d MiB to %d MiB during the backfill", m.name, m.early>>20, m.most>>20)
		}
	}
}

// TestVeryLongTextIsCut delivers a meeting about which there is more to say than a touchpoint, or a payload of Temporal, can hold.
func TestVeryLongTextIsCut(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	const beginning = "They talked for a very long time."
	id := s.meeting("acme", func(c *gongtest.Call) { c.Brief = beginning + strings.Repeat(" And then they went on.", 60_000) })
	if sum := s.sync("meetings"); sum.Counts.Created != 1 {
		t.Fatalf("the run says %+v", sum.Counts)
	}
	s.once(id)
	content := s.totango.Touchpoints()[0].Content
	if !strings.Contains(content, beginning) || !strings.Contains(content, "[cut at 12,000 characters; the full meeting: ") {
		t.Errorf("the content does not begin with the text, or does not say that it was cut:\n%.300s\n…\n%s", content, content[max(0, len(content)-300):])
	}
	if worst := s.histories(); worst.event > maxEventBytes {
		t.Errorf("an event of %d KiB is in a history, at most %d KiB are allowed", worst.event>>10, maxEventBytes>>10)
	}
}

// extent is how large the largest of some histories is.
type extent struct {
	syncs, ledgers int // executions
	events         int // of one execution
	bytes, event   int // of one execution, and of one event

	// all is what all executions have together, by the type of the workflow.
	all map[string]weight
}

// weight is how much history there is.
type weight struct{ events, bytes int }

// histories measures the histories of the runs, and what the ledgers carry along.
func (s *system) histories() extent {
	s.t.Helper()
	c := s.temporal()
	x := extent{all: map[string]weight{}}
	for _, workflow := range []string{workflows.SyncType, workflows.LedgerType} {
		req := &workflowservice.ListWorkflowExecutionsRequest{Query: fmt.Sprintf("WorkflowType = '%s'", workflow)}
		for {
			res, err := c.ListWorkflow(s.t.Context(), req)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, e := range res.GetExecutions() {
				if workflow == workflows.SyncType {
					x.syncs++
				} else {
					x.ledgers++
				}
				w := x.add(s.t, c, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId())
				all := x.all[workflow]
				x.all[workflow] = weight{all.events + w.events, all.bytes + w.bytes}
			}
			if req.NextPageToken = res.GetNextPageToken(); len(req.NextPageToken) == 0 {
				break
			}
		}
	}
	return x
}

// add looks at an execution.
func (x *extent) add(t testing.TB, c client.Client, id, run string) (w weight) {
	t.Helper()
	history := c.GetWorkflowHistory(t.Context(), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		if err != nil {
			t.Fatal(err)
		}
		n := proto.Size(e)
		w.events, w.bytes = w.events+1, w.bytes+n
		x.event = max(x.event, n)
	}
	x.events, x.bytes = max(x.events, w.events), max(x.bytes, w.bytes)
	return w
}

// memory is how much memory a process, or several with the same name, used.
type memory struct {
	name        string
	early, most int // in the first half of the time, and at all
}

// memoryWatch looks at a process and its children again and again.
type memoryWatch struct {
	done chan struct{}
	wg   sync.WaitGroup
	used map[string][]int
}

func watchMemory(t *testing.T, pid int) *memoryWatch {
	w := &memoryWatch{done: make(chan struct{}), used: map[string][]int{}}
	w.wg.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-w.done:
				return
			case <-tick.C:
			}
			for _, p := range append(children(t, pid), pid) {
				if name, bytes, ok := resident(p); ok {
					w.used[name] = append(w.used[name], bytes)
				}
			}
		}
	})
	return w
}

// stop ends the watch and returns what was seen.
func (w *memoryWatch) stop() []memory {
	close(w.done)
	w.wg.Wait()
	var all []memory
	for name, used := range w.used {
		m := memory{name: name}
		for i, bytes := range used {
			if i <= len(used)/2 {
				m.early = max(m.early, bytes)
			}
			m.most = max(m.most, bytes)
		}
		all = append(all, m)
	}
	return all
}

// resident returns a process's command and how much memory it has (proc_pid_status(5)).
func resident(pid int) (name string, bytes int, ok bool) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return "", 0, false // it has ended
	}
	line, err := os.ReadFile(dir + "cmdline")
	if err != nil {
		return "", 0, false
	}
	args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return "", 0, false
	}
	kib, err := strconv.Atoi(fields[0])
	if err != nil {
		return "", 0, false
	}
	return strings.Join(args[1:min(3, len(args))], " "), kib << 10, true
}
