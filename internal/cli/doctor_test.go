package cli

import (
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

func TestDoctorScreen(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	d := &doctor{app: a}
	d.ok("files", "jobs: 2 jobs, 2 connections")
	d.warn("search attributes", "not registered: DurasyncJob (all else works without them)", "a worker registers them if Temporal lets it")
	d.problem("worker of totango.success", ExitEnvironment, "none serves totango.success (task queue durasync/totango/success)",
		"start one with durasync worker in the directory that declares it")
	d.skip("clocks", "not compared: no workflow could be run")
	err := d.report()
	golden(t, "doctor.txt", out.String())
	narrowEnough(t, out.String())
	if f := classify(err); f.exit != ExitEnvironment || f.Error() != "1 problem, see above" {
		t.Errorf("exit code %d, %q", f.exit, f.Error())
	}
}

// The worst check decides: mistakes in the files come before what is wrong around them, and warnings do not count.
func TestDoctorExitCodes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		checks []check
		want   int
	}{
		"all well":    {[]check{{Health: healthy}, {Health: doubtful}, {Health: unchecked}}, ExitDone},
		"around":      {[]check{{Health: broken, exit: ExitEnvironment}}, ExitEnvironment},
		"files":       {[]check{{Health: broken, exit: ExitInvalid}}, ExitInvalid},
		"both":        {[]check{{Health: broken, exit: ExitEnvironment}, {Health: broken, exit: ExitInvalid}, {Health: broken, exit: ExitEnvironment}}, ExitInvalid},
		"no checks":   {nil, ExitDone},
		"in any case": {[]check{{Health: broken, exit: ExitRunFailed}}, ExitEnvironment},
	} {
		got := ExitDone
		if err := (&doctor{checks: tc.checks}).worst(); err != nil {
			got = classify(err).exit
		}
		if got != tc.want {
			t.Errorf("%s: exit code %d, want %d", name, got, tc.want)
		}
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	before, after := at("10:00:00"), at("10:00:01")
	for name, tc := range map[string]struct {
		server time.Time
		want   health
		text   string
	}{
		"between":             {at("10:00:00").Add(500 * time.Millisecond), healthy, "this machine and Temporal agree"},
		"a little off":        {at("10:00:02"), healthy, "this machine and Temporal agree"},
		"seconds behind":      {at("10:00:06"), doubtful, "this machine is 5.0s behind Temporal"},
		"seconds ahead":       {at("09:59:50"), doubtful, "this machine is 10s ahead of Temporal"},
		"minutes ahead":       {at("09:57:00"), broken, "this machine is 3m00s ahead of Temporal"},
		"half an hour behind": {at("10:30:01"), broken, "this machine is 30m00s behind Temporal"},
	} {
		d := &doctor{}
		d.compareClocks(tc.server, before, after)
		if c := d.checks[0]; c.Health != tc.want || c.Text != tc.text || (c.Todo == "") != (tc.want == healthy) {
			t.Errorf("%s: %+v, want %s: %s", name, c, tc.want, tc.text)
		}
	}
}

// Without Temporal, what can be checked is checked all the same.
func TestDoctorWithoutTemporal(t *testing.T) {
	t.Parallel()
	a, _ := screen(Options{Env: []string{"TEMPORAL_ADDRESS=127.0.0.1:1"}})
	d := &doctor{app: a}
	if err := d.examine(t.Context(), "testdata/jobs", hclog.NewNullLogger()); err != nil {
		t.Fatal(err)
	}
	got := map[string]health{}
	for _, c := range d.checks {
		got[c.Name] = c.Health
	}
	for name, want := range map[string]health{
		"files": healthy, "connector gong": healthy, "connector totango": healthy, "temporal": broken, "credentials": unchecked, "clocks": unchecked,
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}
