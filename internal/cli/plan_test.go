package cli

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// aPlan is a job as schema compiles it.
func aPlan(change ...func(*plan.Plan)) *plan.Plan {
	p := &plan.Plan{
		Version: 1, Job: "meetings", Description: "Meetings",
		Source: plan.Source{
			Connection: "gong.acme", Connector: "gong", Stream: "calls", Record: "call", Fields: []string{"title"},
			Initial: plan.Duration(7 * 24 * time.Hour), Overlap: plan.Duration(7 * 24 * time.Hour), Grace: plan.Duration(24 * time.Hour),
			RetryRejected: plan.Duration(30 * 24 * time.Hour), Wait: plan.Duration(time.Hour),
		},
		Destination: plan.Destination{Connection: "totango.success", Connector: "totango", Object: "touchpoint", ResolvedBy: "account_id"},
		Map: []plan.Mapping{
			{Attribute: "subject", Origin: plan.OriginAuto, Expr: &plan.Expression{Source: "call.title"}},
			{Attribute: "content", Origin: plan.OriginAuto, Notes: &plan.Notes{Brief: "brief"}},
		},
		Resolve:  plan.Resolve{OnAmbiguous: plan.MostParticipants},
		Schedule: plan.Schedule{Cron: "0 23 * * *", Timezone: "America/New_York", Enabled: true},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

// compared is what comes of a job that Temporal knows by one plan and the files by another.
func compared(old, now *plan.Plan, exists bool, drift ...schedules.Difference) change {
	c := change{Job: now.Job, New: now.Hash(), Enabled: now.Schedule.Enabled, Action: actionUnchanged,
		Schedule: schedules.Words(&now.Schedule), Source: "gong.acme calls", Destination: "totango.success touchpoint", plan: now}
	var state *workflows.JobState
	if old != nil {
		state = &workflows.JobState{Plan: old}
	}
	c.compare(schedules.State{Exists: exists, Differences: drift}, state)
	next, err := schema.NextRuns(now.Schedule, at("08:00:00"), nextRuns)
	if err != nil {
		panic(err)
	}
	if now.Schedule.Enabled {
		c.Next = next
	}
	return c
}

func TestActions(t *testing.T) {
	t.Parallel()
	paused := schedules.Difference{Field: schedules.FieldState, Old: "enabled", New: "paused"}
	resumed := schedules.Difference{Field: schedules.FieldState, Old: "paused (Hana, for the weekend)", New: "enabled"}
	disabled := func(p *plan.Plan) { p.Schedule.Enabled = false }
	starts := func(p *plan.Plan) { p.Schedule.SyncOnApply = true }
	words := func(p *plan.Plan) { p.Description = "Other words" }
	for name, tc := range map[string]struct {
		change change
		want   action
		fields []string
		starts bool
	}{
		"a new job":                       {compared(nil, aPlan(), false), actionCreate, nil, false},
		"a new job that runs at once":     {compared(nil, aPlan(starts), false), actionCreate, nil, true},
		"a job that was removed":          {compared(aPlan(), aPlan(), false), actionCreate, nil, false},
		"a job without its entity":        {compared(nil, aPlan(), true), actionCreate, nil, false},
		"nothing":                         {compared(aPlan(), aPlan(), true), actionUnchanged, nil, false},
		"nothing, and it ran at once":     {compared(aPlan(starts), aPlan(starts), true), actionUnchanged, nil, false},
		"words":                           {compared(aPlan(), aPlan(words), true), actionChange, []string{"description"}, false},
		"enabled = false":                 {compared(aPlan(), aPlan(disabled), true, paused), actionPause, []string{"state"}, false},
		"enabled = false, runs at once":   {compared(aPlan(starts), aPlan(starts, disabled), true, paused), actionPause, []string{"state"}, false},
		"enabled again":                   {compared(aPlan(disabled), aPlan(), true, resumed), actionResume, []string{"state"}, false},
		"paused by hand":                  {compared(aPlan(), aPlan(), true, resumed), actionResume, []string{"state"}, false},
		"paused by hand and then in file": {compared(aPlan(), aPlan(disabled), true), actionChange, []string{"enabled"}, false},
		"words and enabled = false":       {compared(aPlan(), aPlan(words, disabled), true, paused), actionChange, []string{"description", "state"}, false},
		"another connector": {compared(aPlan(), aPlan(func(p *plan.Plan) { p.Source.MaxRead = 7 }), true), actionChange,
			[]string{"compiled form"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var fields []string
			for _, d := range tc.change.Changes {
				fields = append(fields, d.Field)
			}
			if tc.change.Action != tc.want || tc.change.Starts != tc.starts || !slices.Equal(fields, tc.fields) {
				t.Errorf("%s of %v, starts %v; want %s of %v, starts %v", tc.change.Action, fields, tc.change.Starts, tc.want, tc.fields, tc.starts)
			}
		})
	}
}

// Whatever a job can say is found when it changes, by the name under which it was said, with what it was and what it becomes.
func TestPlanDiff(t *testing.T) {
	t.Parallel()
	week := plan.Duration(7 * 24 * time.Hour)
	for name, tc := range map[string]struct {
		change func(*plan.Plan)
		want   []schedules.Difference
	}{
		"stream": {func(p *plan.Plan) { p.Source.Stream = "videos" }, []schedules.Difference{{Field: "source", Old: "gong.acme calls", New: "gong.acme videos"}}},
		"where": {func(p *plan.Plan) { p.Source.Where = &plan.Expression{Source: `call.scope == "External"`} },
			[]schedules.Difference{{Field: "where", Old: "", New: `call.scope == "External"`}}},
		"overlap": {func(p *plan.Plan) { p.Source.Overlap = 2 * week }, []schedules.Difference{{Field: "overlap", Old: "7d", New: "14d"}}},
		"wait":    {func(p *plan.Plan) { p.Source.Wait = plan.Duration(90 * time.Minute) }, []schedules.Difference{{Field: "wait", Old: "1h", New: "1h30m"}}},
		"a mapping of the job's own": {func(p *plan.Plan) {
			p.Map[0] = plan.Mapping{Attribute: "subject", Origin: plan.OriginJob, Expr: &plan.Expression{Source: `"[Gong] ${call.title}"`}}
		}, []schedules.Difference{{Field: "map.subject", Old: "call.title (auto)", New: `"[Gong] ${call.title}"`}}},
		"a mapping more": {func(p *plan.Plan) {
			p.Map = append(p.Map, plan.Mapping{Attribute: "flow", Origin: plan.OriginJob, Expr: &plan.Expression{Source: `"adoption"`}})
		}, []schedules.Difference{{Field: "map.flow", Old: "", New: `"adoption"`}}},
		"a mapping less": {func(p *plan.Plan) { p.Map = p.Map[:1] },
			[]schedules.Difference{{Field: "map.content", Old: "the standard notes of a meeting (auto)", New: ""}}},
		"a template": {func(p *plan.Plan) { p.Templates = []plan.Template{{Path: "notes.tmpl", Text: "a\nb\n"}} },
			[]schedules.Difference{{Field: "template notes.tmpl", Old: "", New: "a\nb\n"}}},
		"policy": {func(p *plan.Plan) { p.Resolve.OnAmbiguous = plan.Skip }, []schedules.Difference{{Field: "on_ambiguous", Old: "most_participants", New: "skip"}}},
		"aliases": {func(p *plan.Plan) { p.Resolve.Aliases = []plan.Alias{{From: "a@x.example", To: "b@x.example"}} },
			[]schedules.Difference{{Field: "alias a@x.example", Old: "", New: "b@x.example"}}},
		"domain fallback": {func(p *plan.Plan) { p.Resolve.DomainFallback = true }, []schedules.Difference{{Field: "domain_fallback", Old: "", New: "true"}}},
		"notify": {func(p *plan.Plan) {
			p.Notify = []plan.Notify{{To: "webhook.ops", On: []plan.Notice{plan.NoticeFailed, plan.NoticeEmpty}}}
		}, []schedules.Difference{{Field: "notify webhook.ops", Old: "", New: "failed, empty"}}},
		"nothing":                  {func(*plan.Plan) {}, nil},
		"when, which is elsewhere": {func(p *plan.Plan) { p.Schedule.Cron = "0 22 * * *" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, planDiff(aPlan(), aPlan(tc.change))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestChangedLines(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		old, now string
		want     []string
	}{
		{"a\nb\nc\n", "a\nB\nc\n", []string{"- b", "+ B"}},
		{"a\nb\n", "a\nb\nc\n", []string{"+ c"}},
		{"a\na\n", "a\n", []string{"- a"}},
		{"", "a\nb", []string{"- ", "+ a", "+ b"}},
		{"same\n", "same\n", nil},
	} {
		if diff := cmp.Diff(tc.want, changedLines(tc.old, tc.now)); diff != "" {
			t.Errorf("%q to %q (-want +got):\n%s", tc.old, tc.now, diff)
		}
	}
}

// The hash is that of what was decided on, not of the hour.
func TestPlanHash(t *testing.T) {
	t.Parallel()
	hash := func(jobs ...change) string { return (&changeSet{Jobs: jobs}).digest() }
	one := compared(aPlan(), aPlan(), true)
	later := one
	later.Next = nil
	if hash(one) != hash(later) {
		t.Error("the hash changes with time")
	}
	drift := compared(aPlan(), aPlan(), true, schedules.Difference{Field: schedules.FieldState, Old: "paused", New: "enabled"})
	seen := map[string]string{}
	for name, h := range map[string]string{
		"unchanged":         hash(one),
		"drift":             hash(drift),
		"a file changed":    hash(compared(aPlan(), aPlan(func(p *plan.Plan) { p.Description = "x" }), true)),
		"Temporal changed":  hash(compared(aPlan(func(p *plan.Plan) { p.Description = "x" }), aPlan(), true)),
		"the compiled form": hash(compared(aPlan(), aPlan(func(p *plan.Plan) { p.Source.MaxRead = 7 }), true)),
		"a job more":        hash(one, change{Job: "old", Action: actionRemove}),
		"none":              hash(),
	} {
		if other := seen[h]; other != "" {
			t.Errorf("%q and %q have the same hash", name, other)
		}
		seen[h] = name
	}
}

// aSet has a job for each action.
func aSet() *changeSet {
	foreign := &schedules.ForeignError{ID: "billing", Workflow: "Billing"}
	named := func(c change, job string) change {
		c.Job = job
		return c
	}
	set := &changeSet{
		Hash: "0123456789ab", Changed: true, Others: []string{"old", "older"},
		Jobs: []change{
			named(compared(nil, aPlan(func(p *plan.Plan) { p.Schedule.SyncOnApply = true }), false), "a_new_one"),
			named(compared(aPlan(), aPlan(func(p *plan.Plan) {
				p.Source.Overlap *= 2
				p.Map[0] = plan.Mapping{Attribute: "subject", Origin: plan.OriginJob, Expr: &plan.Expression{
					Source: `"[Gong] ${call.title} (${formatdate("DD MMM", call.started)}, ${call.host_name})"`}}
				p.Map[1] = plan.Mapping{Attribute: "content", Origin: plan.OriginJob, Expr: &plan.Expression{Source: "<<-EOT\n  Hello\nEOT"}}
				p.Schedule = plan.Schedule{Every: plan.Duration(15 * time.Minute), Jitter: plan.Duration(time.Minute), Timezone: "Europe/Berlin", Enabled: true}
			}), true, schedules.Difference{Field: schedules.FieldSchedule, Old: "daily at 23:00, America/New_York", New: "every 15m, up to 1m later"}), "b_changed"),
			named(compared(aPlan(), aPlan(func(p *plan.Plan) { p.Schedule.Enabled = false }), true,
				schedules.Difference{Field: schedules.FieldState, Old: "enabled", New: "paused"}), "c_paused"),
			named(compared(aPlan(), aPlan(), true,
				schedules.Difference{Field: schedules.FieldState, Old: "paused (Hana, for the weekend)", New: "enabled"}), "d_resumed"),
			named(compared(aPlan(), aPlan(), true), "e_as_it_was"),
			named(compared(aPlan(), aPlan(), false), "f_back_again"),
			{Job: "billing", Action: actionBlocked, Problem: foreign.Error(), err: foreign},
			{Job: "gone", Action: actionRemove},
		},
	}
	return set
}

func TestPlanScreen(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	a.showPlan(aSet(), "jobs", true)
	golden(t, "plan.txt", out.String())

	a, out = screen(Options{})
	a.showPlan(&changeSet{Jobs: []change{compared(aPlan(), aPlan(func(p *plan.Plan) {}), true)}}, ".", false)
	golden(t, "plan_none.txt", out.String())
}

func TestPlanJSON(t *testing.T) {
	t.Parallel()
	set := aSet()
	set.Jobs = []change{set.Jobs[3], set.Jobs[6]}
	set.fail(set.err())
	a, out := screen(Options{Args: []string{"--json"}})
	a.writeJSON(set)
	golden(t, "plan.json", out.String())
}

func TestAppliedScreen(t *testing.T) {
	t.Parallel()
	set := aSet()
	set.Jobs = append(set.Jobs[:1:1], set.Jobs[2], set.Jobs[4], set.Jobs[6], set.Jobs[7])
	applied := &appliedSet{changeSet: set}
	for i := range set.Jobs {
		applied.Jobs = append(applied.Jobs, appliedJob{change: &set.Jobs[i], Done: true})
	}
	applied.Jobs[0].Run = &runNamed
	applied.Jobs[1].Done, applied.Jobs[1].Error = false, "job c_paused: Temporal is not there"
	a, out := screen(Options{})
	a.showApplied(applied)
	golden(t, "applied.txt", out.String())

	a, out = screen(Options{Args: []string{"--json"}})
	if err := a.reportApplied(applied, set.err()); classify(err).exit != ExitInvalid || !errors.Is(err, errReported) {
		t.Errorf("the error is %v", err)
	}
	var got struct {
		Hash string
		Jobs []struct {
			Job, Action, Error string
			Done               bool
			Run                *startedRun
		}
		Error jsonError
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Jobs) != 5 || got.Jobs[0].Run == nil || got.Jobs[1].Error == "" || got.Jobs[1].Done || got.Error.Code != codeInvalid {
		t.Errorf("got %+v", got)
	}
}

// Of several errors all are told; the first decides on the exit code.
func TestJoined(t *testing.T) {
	t.Parallel()
	if joined(nil, nil) != nil {
		t.Error("no errors are an error")
	}
	err := joined(nil, environmentError("x"), invalidError("y"))
	if f := classify(err); f.exit != ExitEnvironment || f.Error() != "x\ny" {
		t.Errorf("exit code %d, %q", f.exit, f.Error())
	}
}
