package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// TestRestoredBackupIsAdopted goes by "A restored backup is old" of docs/operations.md. The backup is from the middle of a run, of which
// some writes were under way and others had not begun. After it all of them were delivered, and more: new meetings, one that had been
// rejected long ago, and a backfill.
func TestRestoredBackupIsAdopted(t *testing.T) {
	t.Parallel()
	s := newSimulators(t, &gongtest.Server{}, unlimitedTotango())
	db := filepath.Join(t.TempDir(), "temporal.db")
	serve := func() {
		s.server = s.serveTemporal("--db", db, "--port", "0", "--ui-port", "0")
		s.env = with(s.env, "TEMPORAL_ADDRESS", s.address)
	}
	ago := func(days int) time.Time { return time.Now().AddDate(0, 0, -days) }
	serve()
	w := s.worker()
	s.ok("apply", s.dir)
	ids := s.several(3)
	stranger := s.meeting("acme", func(c *gongtest.Call) { c.Started, c.Parties[1].Email = ago(20), contact("newcomer") })
	s.sync("meetings")
	s.once(ids...)
	ids = append(ids, stranger)
	ids = append(ids, s.several(60)...)
	reached := make(chan struct{})
	s.totango.Inject(totangotest.Fault{Kind: totangotest.HangAfter, Endpoint: totangotest.CreateTouchpoint, Skip: 5, Strike: func() { close(reached) }})
	s.ok("sync", "meetings", "--detach")
	<-reached
	w.kill()
	s.server.interrupt()
	backup := files(t, db)

	serve()
	w = s.worker()
	s.customer("newcomer")
	ids = append(ids, s.several(5)...)
	s.sync("meetings")
	old := s.meeting("acme", func(c *gongtest.Call) { c.Started = ago(40) })
	s.ok("backfill", "meetings", "--from", ago(45).UTC().Format(time.DateOnly), "--to", ago(35).UTC().Format(time.DateOnly))
	ids = append(ids, old)
	s.once(ids...)
	before := s.totango.Touchpoints()
	w.interrupt()
	s.server.interrupt()
	backup.restore(t, db)

	// The runbook.
	serve()
	s.ok("pause", "meetings")
	s.terminateRuns()
	s.worker()
	s.ok("adopt", "meetings", "--since", "60d")
	s.unchanged(before)
	s.ok("resume", "meetings")
	late := s.meeting("acme", nil)
	s.sync("meetings")
	s.ok("retry", "meetings")
	s.once(append(ids, late)...)
}

// terminateRuns does what temporal workflow terminate does with the query of the runbook.
func (s *system) terminateRuns() {
	s.t.Helper()
	c := s.temporal()
	s.until("no run is open", func() bool {
		res, err := c.ListWorkflow(s.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: openRuns})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range res.GetExecutions() {
			err := c.TerminateWorkflow(s.t.Context(), e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), "restored")
			if _, ended := errors.AsType[*serviceerror.NotFound](err); err != nil && !ended {
				s.t.Fatal(err)
			}
		}
		return len(res.GetExecutions()) == 0
	})
}

// copied is what a database that nobody uses consists of: its file and those beside it, by what follows the name.
type copied map[string][]byte

func files(t *testing.T, db string) copied {
	t.Helper()
	c := copied{}
	paths, err := filepath.Glob(db + "*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there is no database %s: %v", db, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c[path[len(db):]] = b
	}
	return c
}

// restore puts the copy in the place of what is there.
func (c copied) restore(t *testing.T, db string) {
	t.Helper()
	for suffix := range files(t, db) {
		if err := os.Remove(db + suffix); err != nil {
			t.Fatal(err)
		}
	}
	for suffix, b := range c {
		if err := os.WriteFile(db+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
