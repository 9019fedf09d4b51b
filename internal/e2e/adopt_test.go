package e2e

import (
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/worker"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/examples"
	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/workflows"
)

// loseTemporal replaces the Temporal server by an empty one, with a worker.
func (s *system) loseTemporal(w *process) *process {
	s.t.Helper()
	w.interrupt()
	s.server.kill()
	s.embed()
	return s.worker()
}

// deliverAndLose delivers a company's meetings, some of which are rejected and some deferred, loses Temporal, and applies the job in the
// empty one: a job that would run at once. It returns what is in Totango.
func deliverAndLose(t *testing.T) (*system, *process, *sandbox.Company, []totangotest.Touchpoint) {
	t.Helper()
	s := newSimulators(t, &gongtest.Server{}, unlimitedTotango())
	s.embed()
	w := s.worker()
	s.ok("apply", s.dir)
	c := s.company(sandbox.Size{Meetings: 120})
	first := s.sync("meetings")
	s.checkTruth(c, first)
	if n := first.Counts; n.Created < 30 || n.Rejected == 0 || n.Deferred == 0 {
		t.Fatalf("the first run says %+v, too little to show anything", n)
	}
	edited := s.totango.Touchpoints()[0]
	if err := s.totango.Edit(edited.NoteID, "hana@vendor.example", func(t *totangotest.Touchpoint) { t.Subject = "Edited by hand" }); err != nil {
		t.Fatal(err)
	}

	s.write("jobs.hcl", strings.Replace(jobFiles, "  destination {", "  schedule {\n    daily         = \"23:00\"\n    sync_on_apply = true\n  }\n  destination {", 1))
	w = s.loseTemporal(w)
	s.ok("apply", s.dir, "--paused")
	if runs := s.runs(); len(runs) > 0 {
		t.Fatalf("apply --paused started a run: %+v", runs)
	}
	return s, w, c, s.totango.Touchpoints()
}

// unchanged checks that nothing was written, and nothing that was there changed.
func (s *system) unchanged(want []totangotest.Touchpoint) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.totango.Touchpoints()); diff != "" {
		s.t.Errorf("the touchpoints have changed (-before +after):\n%s", diff)
	}
}

// TestAdoptAfterTemporalIsLost loses the ledgers and learns from Totango what was delivered. The runs that follow write what is missing
// and nothing else.
func TestAdoptAfterTemporalIsLost(t *testing.T) {
	t.Parallel()
	s, _, c, before := deliverAndLose(t)
	late := s.meeting("newcomer", nil) // while there was no Temporal

	dry := s.summary(s.ok("adopt", "meetings", "--since", "32d", "--dry-run", "--json"))
	if dry.Counts.Adopted != len(before) {
		t.Errorf("the dry run says that %d records are in Totango, and there are %d", dry.Counts.Adopted, len(before))
	}
	adopted := s.summary(s.ok("adopt", "meetings", "--since", "32d", "--json"))
	if diff := cmp.Diff(dry.Counts, adopted.Counts); diff != "" {
		t.Errorf("adopting says something else than its dry run (-dry +real):\n%s", diff)
	}
	again := s.summary(s.ok("adopt", "meetings", "--since", "32d", "--json"))
	if again.Counts.Adopted != 0 || again.Counts.Known != len(before) {
		t.Errorf("adopting a second time says %+v, want %d known and none found anew", again.Counts, len(before))
	}
	s.unchanged(before)

	s.ok("resume", "meetings")
	sum := s.sync("meetings")
	if !sum.From.Equal(again.From) && !sum.From.Equal(adopted.From) {
		t.Errorf("the first run begins at %v, and the adopted window at %v", sum.From, adopted.From)
	}
	after := s.totango.Touchpoints()
	if diff := cmp.Diff(before, after[:len(before)]); diff != "" {
		t.Errorf("the run changed what was adopted (-before +after):\n%s", diff)
	}
	if n := s.touchpoints()[late]; n != 1 {
		t.Errorf("there are %d touchpoints of the meeting that took place without Temporal, want 1", n)
	}
	ofCompany := slices.DeleteFunc(after, func(tp totangotest.Touchpoint) bool { return callOf(&tp) == late })
	for _, d := range sandbox.Diff(c.Truth(sum.To, sum.From, sum.To, 24*time.Hour), ofCompany) {
		t.Error(d)
	}
	if next := s.sync("meetings"); next.Counts.Created > 3 { // what became ready meanwhile
		t.Errorf("one more run says %+v", next.Counts)
	}
	if n := len(s.touchpoints()); n != len(s.totango.Touchpoints()) {
		t.Errorf("there are %d touchpoints of %d meetings", len(s.totango.Touchpoints()), n)
	}
}

// TestAdoptIsResumed kills the worker in the middle of adopting, and the next one goes on.
func TestAdoptIsResumed(t *testing.T) {
	t.Parallel()
	s, w, _, before := deliverAndLose(t)
	dead := make(chan struct{})
	s.totango.Inject(totangotest.Fault{Kind: totangotest.ResetAfter, Endpoint: totangotest.SearchEvents, Skip: 5, Strike: func() {
		_ = w.cmd.Process.Kill()
		close(dead)
	}})
	run := start(t, s.env, "adopt", "meetings", "--since", "32d", "--json")
	<-dead
	<-w.ended
	s.worker()
	sum := s.summary(run.rest())
	if code := run.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &run.stderr)
	}
	if sum.Counts.Adopted != len(before) {
		t.Errorf("adopting says %+v, and there are %d touchpoints", sum.Counts, len(before))
	}
	s.unchanged(before)
	s.sync("meetings")
	if n := len(s.touchpoints()); n != len(s.totango.Touchpoints()) {
		t.Errorf("there are %d touchpoints of %d meetings", len(s.totango.Touchpoints()), n)
	}

	c := s.temporal()
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: codec.New(nil).DataConverter()})
	if err != nil {
		t.Fatal(err)
	}
	workflows.Register(replayer)
	for _, e := range s.executions(c, 2) {
		if err := replayer.ReplayWorkflowHistory(nil, history(t, c, e)); err != nil {
			t.Errorf("replay of %s %s: %v", e.workflow, e.id, err)
		}
	}
}

// postponedAdopt starts to adopt with a Totango that wants no searches for hours after some, and returns when the run waits for that.
func (s *system) postponedAdopt(searches int) {
	s.t.Helper()
	s.totango.Inject(totangotest.Fault{
		Kind: totangotest.RateLimited, RetryAfter: 2 * time.Hour, Endpoint: totangotest.SearchEvents, Skip: searches, Times: 1000,
	})
	s.ok("adopt", "meetings", "--since", "32d", "--detach")
	s.until("the run that adopts is postponed", func() bool { return strings.Contains(s.ok("status", "meetings"), "postponed until ") })
}

// TestNothingIsWrittenBeforeAllIsAdopted has Totango refuse searches for hours in the middle of adopting, and somebody who starts a run
// meanwhile.
func TestNothingIsWrittenBeforeAllIsAdopted(t *testing.T) {
	t.Parallel()
	s, _, _, before := deliverAndLose(t)
	s.write("jobs.hcl", strings.Replace(jobFiles, "initial    =", "wait = \"1s\"\n    initial =", 1))
	s.ok("apply", s.dir, "--paused")
	s.postponedAdopt(8)
	from := time.Now().AddDate(0, 0, -32).UTC().Format(time.DateOnly)
	for _, start := range [][]string{{"sync", "meetings"}, {"backfill", "meetings", "--from", from}, {"retry", "meetings"}} {
		if r := s.run(append(start, "--json")...); r.code == 0 || s.summary(r.stdout).Outcome != activities.Skipped {
			t.Errorf("%s before all was adopted: exit code %d, want it to be skipped\n%s%s", start[0], r.code, r.stdout, r.stderr)
		}
	}
	s.unchanged(before)

	s.ok("cancel", "meetings")
	s.totango.ClearFaults()
	s.ok("adopt", "meetings", "--since", "32d")
	s.unchanged(before)
	s.sync("meetings")
	if n := len(s.touchpoints()); n != len(s.totango.Touchpoints()) {
		t.Errorf("there are %d touchpoints of %d meetings", len(s.totango.Touchpoints()), n)
	}
}

// TestAdoptLooksWherePeopleWere adopts a meeting whose participant is a contact of another account by now.
func TestAdoptLooksWherePeopleWere(t *testing.T) {
	t.Parallel()
	s := newSimulators(t, &gongtest.Server{}, unlimitedTotango())
	s.embed()
	w := s.worker()
	s.ok("apply", s.dir)
	id := s.meeting("acme", nil)
	s.sync("meetings")
	s.once(id)
	s.loseTemporal(w)
	s.customer("bolt")
	s.totango.AddUser(totangotest.User{ID: contact("acme"), Name: "Pat", AccountID: "bolt", KeyContact: true})
	s.ok("apply", s.dir, "--paused")
	if sum := s.summary(s.ok("adopt", "meetings", "--since", "2d", "--json")); sum.Counts.Adopted != 1 {
		t.Errorf("adopting says %+v, want the one meeting found", sum.Counts)
	}
	s.sync("meetings")
	s.once(id)
}

// TestAdoptRefusesWhatItCannotDo asks for what would be of no use, or would do harm.
func TestAdoptRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.example(webhookConnections, examples.GongToWebhook(), "gong_meetings.hcl")
	s.env = append(s.env, "MEETINGS_WEBHOOK_URL=http://127.0.0.1:9/", "MEETINGS_WEBHOOK_SECRET=whsec_"+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	s.write("file.hcl", `
connection "file" "archive" {
  path = "`+filepath.Join(t.TempDir(), "calls.jsonl")+`"
}

job "archive" {
  source {
    connection = connection.gong.acme
    stream     = "calls"
  }
  destination {
    connection = connection.file.archive
    object     = "row"
  }
  map {
    values = { id = call.id }
  }
}
`)
	s.meeting("acme", nil)
	s.worker()
	s.ok("apply", s.dir, "--paused")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a destination that repeats without harm": {[]string{"archive", "--since", "7d"}, 2, "takes a record again without harm"},
		"a destination that cannot look":          {[]string{"gong_to_webhook", "--since", "7d"}, 1, "the connector cannot look up what it has written"},
		"no time":                                 {[]string{"archive"}, 2, "--since is missing"},
		"a time that is none":                     {[]string{"archive", "--since", "soon"}, 2, `"soon" is neither a span such as 60d`},
		"a time to come":                          {[]string{"archive", "--since", "2999-01-01"}, 2, "it is not in the past"},
		"a job that nobody knows":                 {[]string{"nothing", "--since", "7d"}, 2, "nothing"},
	} {
		if r := s.run(append([]string{"adopt"}, tc.args...)...); r.code != tc.code || !strings.Contains(strings.Join(strings.Fields(r.stderr), " "), tc.want) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s%s", name, r.code, tc.code, tc.want, r.stdout, r.stderr)
		}
	}
	s.ok("resume", "gong_to_webhook")
	if r := s.run("adopt", "gong_to_webhook", "--since", "7d"); r.code != 2 || !strings.Contains(r.stderr, "durasync pause gong_to_webhook") {
		t.Errorf("a job that is not paused: exit code %d\n%s", r.code, r.stderr)
	}
	for _, r := range decode[struct{ Runs []shownRun }](t, s.ok("runs", "gong_to_webhook", "--json")).Runs {
		if r.Kind != activities.KindAdopt {
			t.Errorf("there is a run %s of kind %s", r.WorkflowID, r.Kind)
		}
	}
}
