package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
)

// planned is what plan and apply say.
type planned struct {
	Hash    string
	Changed bool
	Others  []string
	Jobs    []struct {
		Job, Action, Problem string
		Done                 bool
		Next                 []time.Time
		Changes              []struct{ Field, Old, New string }
	}
	Error struct{ Code string }
}

// actions are the jobs with what is done about them.
func (p *planned) actions() map[string]string {
	all := map[string]string{}
	for _, j := range p.Jobs {
		all[j.Job] = j.Action
	}
	return all
}

// plan runs plan or apply and checks the exit code.
func (s *system) plan(code int, args ...string) *planned {
	s.t.Helper()
	r := s.run(append(args, "--json")...)
	if r.code != code {
		s.t.Fatalf("durasync %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	p := decode[planned](s.t, r.stdout)
	return &p
}

// aJob is a job with more blocks than the two that it needs.
func aJob(name, more string) string {
	return fmt.Sprintf(`
job %q {
  source {
    connection = connection.gong.acme
    stream     = "calls"
    initial    = "30d"
  }
  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }
  %s
}
`, name, more)
}

// TestPlanIsWhatApplyDoes follows a change from its plan to its end: what was planned is applied, anything else is refused, and
// applying twice changes nothing.
func TestPlanIsWhatApplyDoes(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	// An empty Temporal can be planned for without a worker.
	first := s.plan(0, "plan", s.dir)
	if got := first.actions()["meetings"]; got != "create" || !first.Changed {
		t.Errorf("a new job: %s", got)
	}
	s.worker()
	s.write("other.hcl", aJob("other", ""))
	if p := s.plan(2, "apply", s.dir, "--plan-hash", first.Hash); p.Error.Code != "stale_plan" {
		t.Errorf("a stale plan: %+v", p)
	}
	second := s.plan(4, "plan", s.dir, "--exit-code")
	s.plan(0, "apply", s.dir, "--plan-hash", second.Hash)
	s.until("Temporal lists both jobs", func() bool { return strings.Count(s.ok("status"), "next run") == 2 })
	if p := s.plan(0, "plan", s.dir, "--exit-code"); p.Changed {
		t.Errorf("after it was applied: %v", p.actions())
	}

	s.write("other.hcl", aJob("other", `schedule { every = "15m" }`))
	p := s.plan(0, "plan", s.dir)
	if diff := cmp.Diff(map[string]string{"meetings": "unchanged", "other": "change"}, p.actions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Somebody is faster.
	s.ok("pause", "meetings")
	s.plan(2, "apply", s.dir, "--plan-hash", p.Hash)
	s.plan(0, "apply", s.dir)

	if err := os.Remove(filepath.Join(s.dir, "other.hcl")); err != nil {
		t.Fatal(err)
	}
	if p := s.plan(0, "plan", s.dir); p.Changed || !cmp.Equal(p.Others, []string{"other"}) {
		t.Errorf("without --prune: %v, others %v", p.actions(), p.Others)
	}
	if p := s.plan(0, "apply", s.dir, "--prune"); p.actions()["other"] != "remove" {
		t.Errorf("with --prune: %v", p.actions())
	}
	s.until("the schedule is gone", func() bool { return !strings.Contains(s.ok("status"), "other") })
}

// TestOneBadJobDropsNoNeighbour makes a mistake in one of several jobs: the others are applied, and the one is left as it is, even by
// --prune.
func TestOneBadJobDropsNoNeighbour(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	s.write("other.hcl", aJob("other", ""))
	s.plan(0, "apply", s.dir)
	s.until("Temporal lists both jobs", func() bool { return strings.Count(s.ok("status"), "next run") == 2 })
	s.write("other.hcl", aJob("other", `schedule { daily = "25:00" }`))
	s.write("third.hcl", aJob("third", ""))
	p := s.plan(2, "apply", s.dir, "--prune")
	if diff := cmp.Diff(map[string]string{"meetings": "unchanged", "third": "create"}, p.actions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.until("all three are listed", func() bool { return strings.Count(s.ok("status"), "next run") == 3 })
}

// TestSchedulesRunWhenPlanSays compares the times that plan shows with those that Temporal itself has for each form of a schedule.
func TestSchedulesRunWhenPlanSays(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.worker()
	tomorrow := time.Now().Add(36 * time.Hour).Format("2006-01-02 15:04")
	forms := map[string]string{
		"every": `every = "40m"`, "hourly": `hourly = 17`, "daily": `daily = "02:30"`, "workdays": `workdays = "07:05"`,
		"weekly": `weekly = "monday,thursday 09:00"`, "monthly": `monthly = "28 06:30"`, "once": `once = "` + tomorrow + `"`,
		"cron": `cron = "*/20 6-18 * * mon-fri"`,
	}
	var files strings.Builder
	for name, form := range forms {
		files.WriteString(aJob(name, "schedule {\n"+form+"\ntimezone = \"America/New_York\"\n}"))
	}
	s.write("forms.hcl", files.String())
	p := s.plan(0, "apply", s.dir)
	c := s.temporal()
	for _, j := range p.Jobs {
		desc, err := c.ScheduleClient().GetHandle(t.Context(), j.Job).Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		have := desc.Info.NextActionTimes[:min(len(j.Next), len(desc.Info.NextActionTimes))]
		if len(j.Next) == 0 || len(have) != len(j.Next) {
			t.Fatalf("%s: plan says %v, Temporal %v", j.Job, j.Next, have)
		}
		for i := range have {
			if !have[i].Equal(j.Next[i]) {
				t.Errorf("%s: run %d is at %v, plan says %v", j.Job, i, have[i], j.Next[i])
			}
		}
	}
	if p := s.plan(0, "apply", s.dir); p.Changed {
		t.Errorf("applied again: %+v", p.Jobs)
	}
}

// TestPreviewWritesNothing shows one meeting of each kind, and looks into Totango afterwards.
func TestPreviewWritesNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.worker()
	good := s.meeting("acme", nil)
	stranger := s.meeting("acme", func(c *gongtest.Call) { c.Title, c.Parties[1].Email = "Intro", "nobody@stranger.example" })
	html := filepath.Join(t.TempDir(), "preview.html")
	got := decode[struct {
		Records []struct {
			ID, State, Reason, Target string
			Participants              []string
			Attributes                map[string]any
		}
	}](t, s.ok("preview", "meetings", "--dir", s.dir, "--json", "--html", html))
	states := map[string]string{}
	for _, r := range got.Records {
		states[r.ID] = r.State + " " + r.Reason
		if r.ID == good && (r.Target != "acme" || r.Attributes["subject"] != "Weekly sync") {
			t.Errorf("the good one: %+v", r)
		}
		if r.ID == stranger && !cmp.Equal(r.Participants, []string{"nobody@stranger.example"}) {
			t.Errorf("the people that were tried are %v", r.Participants)
		}
	}
	if diff := cmp.Diff(map[string]string{good: "claimed ", stranger: "rejected account_unresolved"}, states); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	page, err := os.ReadFile(html)
	if err != nil || !strings.Contains(string(page), "Weekly sync") {
		t.Errorf("the page: %v", err)
	}
	s.once() // nothing
}

// TestValidateConnect makes the mistakes that only real records show.
func TestValidateConnect(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.worker()
	check := func(what string, code int, words ...string) {
		t.Helper()
		r := s.run("validate", "--connect", s.dir)
		for _, w := range words {
			if !strings.Contains(strings.Join(strings.Fields(r.stdout+r.stderr), " "), w) {
				t.Errorf("%s: does not say %q:\n%s%s", what, w, r.stdout, r.stderr)
			}
		}
		if r.code != code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", what, r.code, code, r.stdout, r.stderr)
		}
	}
	check("no meetings", 0, "Warning: No records in job meetings", "permission")
	s.meeting("acme", func(c *gongtest.Call) { c.Title, c.Parties[1].Email = "Intro", "nobody@stranger.example" })
	check("only strangers", 2, "Account id not resolved in job meetings", "Intro", "nobody@stranger.example")
	s.meeting("acme", nil)
	check("one is known", 0, "meetings: 2 records: 1 would be written, 1 rejected", "is valid")
	s.write("other.hcl", aJob("other", "map {\n flow = \"no_such_flow\"\n}"))
	check("no such flow", 2, "no_such_flow")
	s.once()
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.run("doctor", s.dir)
	if r.code != 3 || strings.Count(r.stdout, "\nproblem ") != 3 || !strings.Contains(r.stdout, "durasync worker") {
		t.Errorf("without a worker: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	s.worker()
	r = s.run("doctor", s.dir)
	if r.code != 0 || strings.Contains(r.stdout, "problem") || strings.Contains(r.stdout, "skipped") ||
		!strings.Contains(r.stdout, "this machine and Temporal agree") {
		t.Errorf("with one: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// A worker whose key is wrong is found by the doctor, and by a try of the jobs.
func TestDoctorFindsAWrongKey(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	right := s.env
	s.env = with(s.env, "TOTANGO_APP_TOKEN", "wrong")
	s.worker()
	s.env = right
	for _, args := range [][]string{{"doctor", s.dir}, {"validate", "--connect", s.dir}, {"preview", "meetings", "--dir", s.dir}} {
		r := s.run(args...)
		if r.code != 3 || !strings.Contains(r.stdout+r.stderr, "totango.success") || !strings.Contains(r.stdout+r.stderr, "app_token") {
			t.Errorf("%s: exit code %d\n%s%s", args[0], r.code, r.stdout, r.stderr)
		}
	}
}
