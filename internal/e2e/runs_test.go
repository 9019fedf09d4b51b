package e2e

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// readyToHold is ready with a Totango that may take its time, so that a write can be held for long.
func readyToHold(t *testing.T) *system {
	t.Helper()
	s := newSystem(t)
	s.write("jobs.hcl", strings.Replace(jobFiles, `write_timeout       = "2s"`, `write_timeout = "2m"`, 1))
	s.worker()
	s.ok("apply", s.dir)
	return s
}

// hold makes some touchpoints wait before they are written, the next ones after others. It returns when that has begun, and how to let them
// go on.
func (s *system) hold(after, times int) (entered <-chan struct{}, release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	enter := sync.OnceFunc(func() { close(in) })
	s.totango.Inject(totangotest.Fault{
		Kind: totangotest.Slow, Delay: time.Nanosecond, Endpoint: totangotest.CreateTouchpoint, Skip: after, Times: times,
		Strike: func() {
			enter()
			<-out
		},
	})
	return in, func() { close(out) }
}

// shownRun is what the program shows of a run.
type shownRun struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
	Kind       activities.RunKind
	Outcome    activities.Outcome
	Counts     activities.Counts
	History    bool
	Steps      []struct {
		Activity               string
		Times, Retries, Failed int
		LastError              string `json:"last_error"`
	}
	Records   []shownRecord
	Ambiguous []struct {
		ID, Target string
		Losers     []activities.Candidate
	}
}

type shownRecord struct {
	ID, Title string
	State     activities.State
	Reason    activities.Reason
	ToDo      string `json:"what_to_do"`
}

func (s *system) shown(args ...string) shownRun {
	s.t.Helper()
	return decode[shownRun](s.t, s.ok(append([]string{"run", "show", "--json"}, args...)...))
}

func (s *system) rejects() []shownRecord {
	s.t.Helper()
	return decode[struct{ Records []shownRecord }](s.t, s.ok("rejects", "meetings", "--json")).Records
}

func (s *system) runs() []shownRun {
	s.t.Helper()
	return decode[struct{ Runs []shownRun }](s.t, s.ok("runs", "meetings", "--json")).Runs
}

// A record that cannot be written is listed with its reason, and delivered by a retry of it alone once its participant is known.
func TestRejectedRecordsAreListedAndRetried(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	now := time.Now()
	plain := s.meeting("acme", nil)
	stranger := s.meeting("acme", func(c *gongtest.Call) {
		c.Title, c.Parties[1].Email, c.Started = "=cmd|' /C calc'!A0", "new@newcomer.example", now.Add(-3*time.Hour)
	})
	other := s.meeting("acme", func(c *gongtest.Call) { c.Parties[1].Email, c.Started = "who@nowhere.example", now.Add(-4*time.Hour) })
	young := s.meeting("acme", func(c *gongtest.Call) { c.ContentAt, c.Started = now.Add(24*time.Hour), now.Add(-5*time.Hour) })
	s.customer("zeta")
	both := s.meeting("acme", func(c *gongtest.Call) {
		c.Parties = append(c.Parties, gongtest.Party{Name: "Zoe", Email: contact("zeta"), Affiliation: "External"})
	})
	s.totango.Inject(totangotest.Fault{Kind: totangotest.ResetAfter, Endpoint: totangotest.CreateTouchpoint})
	sum := s.sync("meetings")
	if want := (activities.Counts{Listed: 5, New: 5, Created: 2, Rejected: 2, Deferred: 1}); sum.Counts != want || sum.Outcome != activities.CompletedWithRejects {
		t.Errorf("the run says %s, %+v; want %+v", sum.Outcome, sum.Counts, want)
	}
	s.once(plain, both)

	// The run.
	run := s.shown("meetings")
	if run.Counts != sum.Counts || run.Kind != activities.KindSync || run.Outcome != sum.Outcome || !run.History {
		t.Errorf("run show says %+v", run)
	}
	for _, step := range run.Steps {
		if step.Activity == "Create" && (step.Times != 2 || step.Retries != 1 || step.Failed != 0 || !strings.Contains(step.LastError, "reset")) {
			t.Errorf("creating was %+v, want two times with one retry after a reset", step)
		}
	}
	if len(run.Ambiguous) != 1 || run.Ambiguous[0].ID != both || run.Ambiguous[0].Target != "acme" ||
		len(run.Ambiguous[0].Losers) != 1 || run.Ambiguous[0].Losers[0].ID != "zeta" {
		t.Errorf("chosen among several: %+v; want %s for acme rather than zeta", run.Ambiguous, both)
	}
	if len(run.Records) != 3 {
		t.Errorf("%d records are shown that were not written, want 3", len(run.Records))
	}

	// The records.
	open := s.rejects()
	var got []string
	for _, r := range open {
		got = append(got, fmt.Sprintf("%s %s %s", r.ID, r.State, r.Reason))
		if r.Title == "" || r.ToDo == "" {
			t.Errorf("record %s has no title or nothing to do: %+v", r.ID, r)
		}
	}
	want := []string{stranger + " rejected account_unresolved", other + " rejected account_unresolved", young + " deferred not_ready"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records not written, the newest first (-want +got):\n%s", diff)
	}
	rows, err := csv.NewReader(strings.NewReader(s.ok("rejects", "meetings", "--csv"))).ReadAll()
	if err != nil || len(rows) != 4 || rows[1][0] != stranger || rows[1][2] != "'=cmd|' /C calc'!A0" {
		t.Errorf("CSV: %v, %q", err, rows)
	}

	// The participant becomes known.
	s.totango.AddAccount(totangotest.Account{ID: "newcomer", Name: "Newcomer"})
	s.totango.AddUser(totangotest.User{ID: "new@newcomer.example", AccountID: "newcomer"})
	retry := s.summary(s.ok("retry", "meetings", "--record", stranger, "--json"))
	if retry.Counts.Created != 1 || retry.Counts.New != 1 || retry.Outcome != activities.Completed {
		t.Errorf("the retry of one record says %s, %+v", retry.Outcome, retry.Counts)
	}
	s.once(plain, both, stranger)
	if open := s.rejects(); len(open) != 2 {
		t.Errorf("%d records are listed after the retry, want 2", len(open))
	}

	s.gong.Update(young, func(c *gongtest.Call) { c.ContentAt = now })
	all := s.summary(s.ok("retry", "meetings", "--json"))
	if all.Counts.Created != 1 || all.Counts.Rejected != 1 {
		t.Errorf("the retry of all says %+v", all.Counts)
	}
	s.once(plain, both, stranger, young)

	// The runs, the newest first.
	var kinds []activities.RunKind
	runs := s.runs()
	for _, r := range runs {
		kinds = append(kinds, r.Kind)
	}
	if diff := cmp.Diff([]activities.RunKind{activities.KindRetry, activities.KindRetry, activities.KindSync}, kinds); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if byID := s.shown(runs[0].WorkflowID); byID.Kind != activities.KindRetry || byID.Counts != all.Counts {
		t.Errorf("run show %s says %+v", runs[0].WorkflowID, byID)
	}
	if r := s.run("run", "show", "sync/meetings-never"); r.code != 2 || !strings.Contains(r.stderr, "sync/meetings-never") {
		t.Errorf("run show of no run: exit code %d, %q", r.code, r.stderr)
	}
}

// A cancelled run settles what it has under way and says so; the next run does the rest.
func TestCancelInTheMiddle(t *testing.T) {
	t.Parallel()
	s := readyToHold(t)
	var ids []string
	for i := range 130 {
		ids = append(ids, s.meeting("acme", func(c *gongtest.Call) { c.Started = c.Started.Add(-time.Duration(i) * time.Minute) }))
	}
	entered, release := s.hold(10, 130) // all of the first wave, so that the second one does not begin
	s.ok("sync", "meetings", "--detach")
	<-entered
	if list := s.ok("runs", "meetings"); !strings.Contains(list, "running, for") {
		t.Errorf("runs does not show the run that goes on:\n%s", list)
	}
	p := start(t, s.env, "cancel", "meetings")
	s.until("the run is asked to end", func() bool { return strings.Contains(p.stderr.String(), "cancelling sync/meetings-") })
	release()
	out := p.rest()
	if code := p.wait(); code != 0 || !strings.Contains(out, "cancelled sync/meetings-") {
		t.Errorf("cancel: exit code %d\n%s%s", code, out, &p.stderr)
	}
	written := len(s.touchpoints())
	run := s.shown("meetings")
	if run.Outcome != activities.Cancelled || run.Counts.Created != written || written == 0 || written == 130 {
		t.Errorf("the cancelled run says %s, %+v; %d touchpoints are written", run.Outcome, run.Counts, written)
	}
	if open := s.rejects(); len(open) != 0 {
		t.Errorf("the cancelled run left records behind: %+v", open)
	}
	s.sync("meetings")
	s.once(ids...)
	if out := s.ok("cancel", "meetings"); !strings.Contains(out, "no run goes on") {
		t.Errorf("cancel with nothing to cancel says\n%s", out)
	}
}

// A person's pause is shown, survives an apply, and ends with resume.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	s.env = append(s.env, "USER=hana")
	s.ok("pause", "meetings", "--reason", "the token is being renewed")
	if out := s.ok("status", "meetings"); !strings.Contains(out, "paused by durasync pause: the token") || !strings.Contains(out, "hana@") {
		t.Errorf("status does not say who paused the job and why:\n%s", out)
	}
	s.ok("apply", s.dir)
	paused := func() bool {
		desc, err := s.temporal().ScheduleClient().GetHandle(t.Context(), "meetings").Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return desc.Schedule.State.Paused
	}
	if !paused() {
		t.Error("apply resumed a job that a person paused")
	}
	id := s.meeting("acme", nil)
	s.sync("meetings") // by hand it still runs
	s.once(id)
	if out := s.ok("resume", "meetings"); !strings.Contains(out, "resumed") || paused() {
		t.Errorf("resume says\n%s", out)
	}
	if out := s.ok("resume", "meetings"); !strings.Contains(out, "not paused") {
		t.Errorf("a second resume says\n%s", out)
	}

	s.write("jobs.hcl", strings.Replace(jobFiles, `job "meetings" {`, "job \"meetings\" {\n  schedule {\n    enabled = false\n  }", 1))
	s.ok("apply", s.dir)
	if r := s.run("resume", "meetings"); r.code != 2 || !strings.Contains(r.stderr, "enabled = false") || !paused() {
		t.Errorf("resume of a job that its file disables: exit code %d, %q", r.code, r.stderr)
	}
}

// A backfill delivers what no run has listed, writes nothing twice, and does not move the job's watermark.
func TestBackfill(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	now := time.Now().UTC()
	recent := s.meeting("acme", nil)
	var old []string
	for i := range 3 {
		old = append(old, s.meeting("acme", func(c *gongtest.Call) { c.Started = now.AddDate(0, 0, -40-i) }))
	}
	s.sync("meetings")
	s.once(recent)

	day := func(ago int) string { return now.AddDate(0, 0, -ago).Format(time.DateOnly) }
	estimate := decode[struct {
		Listed, Known, Records int
		DestinationRequests    int `json:"destination_requests"`
	}](t, s.ok("backfill", "meetings", "--from", day(43), "--dry-run", "--json"))
	if estimate.Listed != 4 || estimate.Known != 1 || estimate.Records != 3 || estimate.DestinationRequests < 3 {
		t.Errorf("the dry run says %+v", estimate)
	}
	s.once(recent)
	if out := s.ok("backfill", "meetings", "--from", day(43), "--to", day(38), "--dry-run"); !strings.Contains(out, "3 records to look at") || !strings.Contains(out, "Nothing was written.") {
		t.Errorf("the dry run says\n%s", out)
	}

	watermark := func() time.Time {
		return decode[struct {
			Jobs []struct{ Watermark time.Time }
		}](t, s.ok("status", "meetings", "--json")).Jobs[0].Watermark
	}
	before := watermark()
	args := []string{"backfill", "meetings", "--from", day(43), "--to", day(20), "--json"}
	sum := s.summary(s.ok(args...))
	if want := (activities.Counts{Listed: 3, New: 3, Created: 3}); sum.Counts != want {
		t.Errorf("the backfill says %+v, want %+v", sum.Counts, want)
	}
	s.once(append(old, recent)...)
	sum = s.summary(s.ok(args...))
	if want := (activities.Counts{Listed: 3, Known: 3}); sum.Counts != want || sum.Outcome != activities.Completed {
		t.Errorf("the same backfill again says %+v, want %+v", sum.Counts, want)
	}
	s.once(append(old, recent)...)
	if !watermark().Equal(before) {
		t.Error("the backfill moved the watermark")
	}
	runs := s.runs()
	if len(runs) < 3 || runs[0].Kind != activities.KindBackfill || !strings.HasPrefix(runs[0].WorkflowID, "backfill/meetings-") || runs[0].WorkflowID != runs[1].WorkflowID {
		t.Fatalf("runs says %+v", runs)
	}
	if last := s.shown(runs[0].WorkflowID); last.Counts.Created != 0 || last.Counts.Known != 3 {
		t.Errorf("the last of two runs of one id says %+v", last.Counts)
	}
	if first := s.shown(runs[0].WorkflowID, "--run-id", runs[1].RunID); first.Counts.Created != 3 || first.Kind != activities.KindBackfill {
		t.Errorf("the first of two runs of one id says %+v", first.Counts)
	}
	// A large window is looked at before its run starts.
	if out := s.ok("backfill", "meetings", "--from", day(43)); !strings.Contains(out, "nothing to do: all 4 records") {
		t.Errorf("a large backfill of what is there says\n%s", out)
	}
	if again := s.runs(); len(again) != len(runs) {
		t.Errorf("a backfill with nothing to do is listed as a run: %+v", again[0])
	}
	if r := s.run("backfill", "meetings", "--from", "2001-01-01"); r.code != 2 || !strings.Contains(r.stderr, "--force") {
		t.Errorf("a backfill of decades: exit code %d, %q", r.code, r.stderr)
	}
}

// The same window started twice is one run, and a backfill does not wait for the job's runs.
func TestBackfillIsJoined(t *testing.T) {
	t.Parallel()
	s := readyToHold(t)
	now := time.Now().UTC()
	id := s.meeting("acme", func(c *gongtest.Call) { c.Started = now.AddDate(0, 0, -40) })
	entered, release := s.hold(0, 1)
	args := []string{"backfill", "meetings", "--from", now.AddDate(0, 0, -41).Format(time.DateOnly), "--to", now.AddDate(0, 0, -39).Format(time.DateOnly)}
	first := start(t, s.env, args...)
	<-entered
	second := start(t, s.env, args...)
	s.until("the second command joins", func() bool { return strings.Contains(second.stderr.String(), "goes on already") })
	recent := s.meeting("acme", nil)
	s.sync("meetings")
	if out := s.ok("status", "meetings"); !strings.Contains(out, "backfill   backfill/meetings-") {
		t.Errorf("status does not show the backfill:\n%s", out)
	}
	release()
	for _, p := range []*process{first, second} {
		if out := p.rest(); p.wait() != 0 || !strings.Contains(out, "completed") {
			t.Errorf("backfill says\n%s%s", out, &p.stderr)
		}
	}
	s.once(id, recent)
}

// A run that waits for another one is shown, and so is what the schedule holds back and drops.
func TestOverlapIsShown(t *testing.T) {
	t.Parallel()
	s := readyToHold(t)
	id := s.meeting("acme", nil)
	entered, release := s.hold(0, 1)
	handle := s.temporal().ScheduleClient().GetHandle(t.Context(), "meetings")
	trigger := func() {
		if err := handle.Trigger(t.Context(), client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE}); err != nil {
			t.Fatal(err)
		}
	}
	trigger()
	<-entered
	type shownStatus struct {
		Jobs []struct {
			Running           *struct{ WorkflowID string }
			Others            []struct{ Kind activities.RunKind }
			Buffered, Dropped int
		}
	}
	status := func() shownStatus { return decode[shownStatus](t, s.ok("status", "meetings", "--json")) }
	s.ok("sync", "meetings", "--detach")
	s.until("the second run waits", func() bool { return len(status().Jobs[0].Others) == 1 })
	trigger()
	s.until("a second trigger is held back", func() bool { return status().Jobs[0].Buffered == 1 })
	trigger()
	s.until("a third one is dropped", func() bool { return status().Jobs[0].Dropped == 1 })
	out := s.ok("status", "meetings")
	for _, want := range []string{"waiting    sync/meetings-", "one run of the schedule waits; a further trigger is dropped", "1 trigger was dropped so far"} {
		if !strings.Contains(out, want) {
			t.Errorf("status does not say %q:\n%s", want, out)
		}
	}
	release()
	s.until("all runs have ended", func() bool {
		runs := s.runs()
		return len(runs) == 3 && !slices.ContainsFunc(runs, func(r shownRun) bool { return r.Outcome != activities.Completed })
	})
	s.once(id)
}

// A run whose history Temporal has forgotten is shown from what its job remembers.
func TestForgottenRunIsRemembered(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	s.meeting("acme", nil)
	sum := s.sync("meetings")
	run := s.runs()[0]
	c := s.temporal()
	_, err := c.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: s.namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: run.WorkflowID, RunId: run.RunID},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.until("the history is gone", func() bool {
		_, err := c.DescribeWorkflowExecution(t.Context(), run.WorkflowID, run.RunID)
		return err != nil
	})
	for _, arg := range []string{run.WorkflowID, "meetings"} {
		got := s.shown(arg)
		if got.History || got.Counts != sum.Counts || got.Outcome != sum.Outcome || got.Kind != activities.KindSync {
			t.Errorf("run show %s says %+v", arg, got)
		}
	}
	if out := s.ok("run", "show", run.WorkflowID); !strings.Contains(out, "has forgotten") {
		t.Errorf("run show does not say why there is so little:\n%s", out)
	}
}

// What a run that is gone had under way is in doubt, and listed so.
func TestWhatADeadRunLeftIsListed(t *testing.T) {
	t.Parallel()
	s, w := ready(t)
	var ids []string
	for i := range 5 {
		ids = append(ids, s.meeting(fmt.Sprintf("account%d", i), nil))
	}
	dead := make(chan struct{})
	s.midway(2, func() {
		_ = w.cmd.Process.Kill()
		close(dead)
	})
	s.ok("sync", "meetings", "--detach")
	<-dead
	<-w.ended
	c := s.temporal()
	run, err := runningSync(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.worker()
	if err := c.TerminateWorkflow(t.Context(), run.WorkflowID, "", "a test ends it"); err != nil {
		t.Fatal(err)
	}
	open := s.rejects()
	for _, r := range open {
		if !slices.Contains(ids, r.ID) || r.State != activities.InDoubt && r.State != activities.Deferred {
			t.Errorf("listed: %+v", r)
		}
	}
	if len(open) == 0 {
		t.Error("nothing is listed of what the run had under way")
	}
	if got := s.shown(run.WorkflowID); got.Outcome != activities.Failed {
		t.Errorf("the terminated run is shown as %s", got.Outcome)
	}
}

// What is left of a connection's daily budget can be seen.
func TestDailyBudgetIsShown(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.write("jobs.hcl", strings.Replace(jobFiles, "requests_per_day    = 0", "requests_per_day    = 10000", 1))
	s.worker()
	s.ok("apply", s.dir)
	s.meeting("acme", nil)
	s.sync("meetings")
	out := s.ok("status", "meetings")
	if !regexp.MustCompile(`requests   gong\.acme: [1-9]\d* of 10,000 on `).MatchString(out) {
		t.Errorf("status does not say how much of the budget is used:\n%s", out)
	}
}
