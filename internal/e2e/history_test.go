package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/workflows"
)

var record = flag.String("record", "", "directory into which the histories of TestHistoriesReplay are written")

// TestHistoriesReplay makes runs that take many paths through the workflows and replays what the server recorded. With -record it
// also keeps the histories: they are how a later version of the code is held to the decisions of this one.
func TestHistoriesReplay(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.write("jobs.hcl", strings.ReplaceAll(jobFiles, "requests_per_minute = 0", "requests_per_minute = 6000")) // so that there is a quota
	s.worker()
	s.ok("apply", s.dir)
	s.variedRuns()

	c := s.temporal()
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: codec.New(nil).DataConverter()})
	if err != nil {
		t.Fatal(err)
	}
	workflows.Register(replayer)
	seen := map[string]int{}
	for _, e := range s.executions(c, 12) {
		seen[e.workflow]++
		h := history(t, c, e)
		if err := replayer.ReplayWorkflowHistory(nil, h); err != nil {
			t.Errorf("replay of %s %s: %v", e.workflow, e.id, err)
		}
		if *record != "" {
			keep(t, fmt.Sprintf("%s-%d.json", strings.ToLower(e.workflow), seen[e.workflow]), h)
		}
	}
	for _, name := range []string{workflows.SyncType, workflows.JobType, workflows.LedgerType, workflows.QuotaType, workflows.PreviewType} {
		if seen[name] == 0 {
			t.Errorf("no history of a %s was replayed", name)
		}
	}
}

// variedRuns makes records of all kinds and runs of all kinds: syncs that create, reject, defer, look again and look for a lost
// write, one that waits for another, one that is cancelled and two that Totango refuses, backfills, one of more than a wave, a retry, a
// preview, and two that adopt, one of which waits for a limit of hours.
func (s *system) variedRuns() {
	now := time.Now()
	for i := range 4 {
		s.meeting(fmt.Sprintf("account%d", i), func(c *gongtest.Call) { c.Started = now.Add(time.Duration(-20-i) * time.Hour) })
	}
	s.meeting("acme", func(c *gongtest.Call) { c.Parties[1].Email = "nobody@stranger.example" })
	s.meeting("acme", func(c *gongtest.Call) { c.Parties = c.Parties[:1] })
	young := s.meeting("acme", func(c *gongtest.Call) { c.ContentAt = now.Add(24 * time.Hour) })
	s.ok("preview", "meetings", "--dir", s.dir)
	s.totango.Inject(totangotest.Fault{Kind: totangotest.ResetAfter, Endpoint: totangotest.CreateTouchpoint})
	s.sync("meetings")
	s.gong.Update(young, func(c *gongtest.Call) { c.ContentAt = now })

	reached := make(chan struct{})
	s.totango.Inject(totangotest.Fault{Kind: totangotest.HangAfter, Endpoint: totangotest.CreateTouchpoint, Strike: func() { close(reached) }})
	s.ok("sync", "meetings", "--detach")
	<-reached
	s.sync("meetings") // waits for the one before

	day := func(ago int) string { return now.AddDate(0, 0, -ago).UTC().Format(time.DateOnly) }
	s.meeting("account0", func(c *gongtest.Call) { c.Started = now.AddDate(0, 0, -40) })
	s.ok("backfill", "meetings", "--from", day(50), "--to", day(35), "--dry-run")
	s.ok("backfill", "meetings", "--from", day(50), "--to", day(35))
	for i := range 130 { // more than a wave, few of which are written
		account := "acme"
		if i%30 == 0 {
			account = fmt.Sprintf("account%d", i/30)
		}
		s.meeting(account, func(c *gongtest.Call) {
			c.Started = now.AddDate(0, 0, -115)
			if account == "acme" {
				c.Parties = c.Parties[:1]
			}
		})
	}
	s.ok("backfill", "meetings", "--from", day(120), "--to", day(110))
	s.ok("retry", "meetings")

	reached = make(chan struct{})
	s.meeting("account1", nil)
	s.totango.Inject(totangotest.Fault{Kind: totangotest.HangAfter, Endpoint: totangotest.CreateTouchpoint, Strike: func() { close(reached) }})
	s.ok("sync", "meetings", "--detach")
	<-reached
	s.ok("cancel", "meetings")

	there := s.totango.Touchpoints()[0] // and another one like it, which no ledger knows
	there.NoteID, there.EventID = 0, ""
	there.Content = strings.ReplaceAll(there.Content, callOf(&there), s.meeting(there.AccountID, func(c *gongtest.Call) { c.Started = there.Date }))
	s.totango.AddTouchpoint(there)
	s.ok("pause", "meetings")
	if sum := s.summary(s.ok("adopt", "meetings", "--since", "32d", "--json")); sum.Counts.Adopted != 1 {
		s.t.Errorf("adopting says %+v, want the one touchpoint found", sum.Counts)
	}
	s.meeting("account2", nil)
	s.postponedAdopt(0)
	s.ok("cancel", "meetings")
	s.totango.ClearFaults()
	s.ok("resume", "meetings")

	for _, fault := range []totangotest.Fault{{Kind: totangotest.Unauthorized}, {Kind: totangotest.RateLimited, RetryAfter: 2 * time.Hour}} {
		s.totango.Inject(fault)
		if r := s.run("sync", "meetings"); r.code == 0 {
			s.t.Error("a run that Totango refuses succeeded")
		}
	}
}

type execution struct{ workflow, id, run string }

// executions returns our executions, the oldest first, once that many runs have ended.
func (s *system) executions(c client.Client, runs int) []execution {
	s.t.Helper()
	var out []execution
	s.until("all executions are listed", func() bool { // the list follows what happens at a distance
		out = nil
		res, err := c.ListWorkflow(s.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType IN ('Sync','Job','Ledger','Quota','Preview')",
		})
		if err != nil {
			s.t.Fatal(err)
		}
		ended := 0
		for _, e := range res.GetExecutions() {
			out = append([]execution{{e.GetType().GetName(), e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()}}, out...)
			if e.GetType().GetName() == workflows.SyncType && e.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				ended++
			}
		}
		return ended == runs
	})
	return out
}

func history(t *testing.T, c client.Client, e execution) *historypb.History {
	t.Helper()
	h := &historypb.History{}
	events := c.GetWorkflowHistory(t.Context(), e.id, e.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		h.Events = append(h.Events, event)
	}
	return h
}

var (
	identity = regexp.MustCompile(`"identity": *"[^"]*"`)
	sticky   = regexp.MustCompile(`"name": *"[^"]*:([0-9a-f-]{36})"`)
)

func keep(t *testing.T, name string, h *historypb.History) {
	t.Helper()
	b, err := protojson.MarshalOptions{Multiline: true}.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	// Both say where it was recorded.
	b = identity.ReplaceAll(b, []byte(`"identity": "worker"`))
	b = sticky.ReplaceAll(b, []byte(`"name": "sticky:$1"`))
	if err := os.MkdirAll(*record, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*record, name), append(b, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}
