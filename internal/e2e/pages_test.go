//go:build browser

package e2e

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/workflows"
)

// runPage is a page of a run in Temporal's web UI.
func (s *system) runPage(run activities.Owner, tab string) string {
	return fmt.Sprintf("%s/namespaces/default/workflows/%s/%s/%s", s.ui, url.PathEscape(run.WorkflowID), run.FirstRunID, tab)
}

// TestRunInTemporalsWebUI looks at a run while it is going on, held up by a touchpoint that Totango is slow to take, and when it has
// ended.
func TestRunInTemporalsWebUI(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.write("jobs.hcl", strings.Replace(jobFiles, `write_timeout       = "2s"`, `write_timeout = "5m"`, 1)) // so that the run waits
	s.worker()
	s.ok("apply", s.dir)
	company := s.company(sandbox.Size{})
	entered, left := make(chan struct{}), make(chan struct{})
	leave := sync.OnceFunc(func() { close(left) })
	t.Cleanup(leave)
	s.totango.Inject(totangotest.Fault{Kind: totangotest.Slow, Delay: time.Nanosecond, Endpoint: totangotest.CreateTouchpoint, Skip: 30, Strike: func() {
		close(entered)
		<-left
	}})
	command := start(t, s.env, "sync", "meetings", "--json")
	<-entered
	c := s.temporal()
	run, err := runningSync(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}

	p := newPage(t)
	p.open(s.runPage(run, "timeline"))
	p.shows("Running", run.WorkflowID, `"job": "meetings"`, "create touchpoint of ", "settle 25 records")
	p.shot("run-running")

	// The details change until all that can be done without the slow answer is done: what is shown must be what the run says.
	s.until("the page shows the run's progress", func() bool {
		p.open(s.runPage(run, "user-metadata"))
		text := p.shows("listed", "created")
		v, err := c.QueryWorkflow(t.Context(), run.WorkflowID, "", workflows.QueryProgress)
		if err != nil {
			t.Fatal(err)
		}
		var progress workflows.Progress
		if err := v.Get(&progress); err != nil {
			t.Fatal(err)
		}
		return progress.Counts.Created > 0 && showsCounts(text, progress.Counts)
	})
	p.shot("run-running-details")

	leave()
	if code := command.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &command.stderr)
	}
	sum := s.summary(command.rest())
	s.checkTruth(company, sum)

	p.open(s.runPage(run, "timeline"))
	p.shows("Completed", `"job": "meetings"`, `"outcome": "completed_with_rejects"`,
		fmt.Sprintf(`"listed": %d`, sum.Counts.Listed), fmt.Sprintf(`"created": %d`, sum.Counts.Created), fmt.Sprintf(`"rejected": %d`, sum.Counts.Rejected))
	p.shot("run-completed")

	p.open(s.runPage(run, "user-metadata"))
	if text := p.shows("listed", string(activities.ReasonUnresolved), "account id not resolved"); !showsCounts(text, sum.Counts) {
		t.Errorf("the details do not show %+v:\n%s", sum.Counts, text)
	}
	p.shot("run-completed-details")

	// The list tells how runs ended, among all that the server keeps.
	p.open(s.runPage(run, "search-attributes"))
	p.shows("DurasyncJob", "meetings", "DurasyncOutcome", "completed_with_rejects")
	p.shot("run-completed-attributes")
	p.open(s.ui + "/namespaces/default/workflows?query=" + url.QueryEscape(`DurasyncOutcome="completed_with_rejects"`))
	p.shows("1 Completed", run.WorkflowID)
	p.shot("runs")

	p.open(s.ui + "/namespaces/default/schedules/meetings")
	p.shows("meetings", "At 23:00 every day", "BufferOne", `"job": "meetings"`)
	p.shot("schedule")
}

// showsCounts reports whether a text has the name and the number of each count, in whatever form.
func showsCounts(text string, c activities.Counts) bool {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
	for name, n := range map[string]int{
		"listed": c.Listed, "known": c.Known, "new": c.New, "created": c.Created, "rejected": c.Rejected, "deferred": c.Deferred, "failed": c.Failed,
	} {
		if !slices.Contains(words, name) || !slices.Contains(words, fmt.Sprint(n)) {
			return false
		}
	}
	return true
}

// TestTouchpointInTotango reads a delivered meeting as its account manager does: from the list to the account to the touchpoint.
func TestTouchpointInTotango(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	s.company(sandbox.Size{})
	s.totango.AddTeam(totangotest.TeamMember{Email: "hana@vendor.example", Name: "Hana Host", Role: "CSM"})
	started := time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Minute)
	s.meeting("acme", func(c *gongtest.Call) {
		c.Title, c.Started, c.Duration = "Acme <roll-out> & next steps", started, 32*time.Minute
		c.Brief = "They went through the open points of the roll-out and agreed on dates."
		c.KeyPoints = []string{"The warehouse group uses it every day.", "Exports time out above 10,000 rows."}
		c.Topics = nil
	})
	sum := s.sync("meetings")
	base := s.totangoURL()

	p := newPage(t)
	p.open(base)
	p.shows(fmt.Sprintf("%d touchpoints in ", sum.Counts.Created), "Account acme", "Latest touchpoints", "They went through the open points")
	p.shot("totango")

	p.follow("Account acme", "Contacts", "Pat", "Timeline", "Acme <roll-out> & next steps", "Web Meeting")
	p.shot("totango-account")

	p.follow("Acme <roll-out>", "Created by", "Hana Host")
	if title := p.textOf("h1"); title != "Acme <roll-out> & next steps" {
		t.Errorf("title %q", title)
	}
	if lead := p.textOf(".lead"); !strings.Contains(lead, "Web Meeting") || !strings.Contains(lead, started.Format("2 January 2006, 15:04 UTC")) {
		t.Errorf("type and date %q", lead)
	}
	if facts := p.textOf(".facts"); !strings.Contains(facts, "Account acme") || !strings.Contains(facts, "hana@vendor.example") || !strings.Contains(facts, "Adoption") {
		t.Errorf("facts %q", facts)
	}
	checkSections(t, p.textOf("article"), []section{
		{"Meeting start time", "(UTC"}, {"Meeting duration", "32 min"}, {"Meeting purpose", "not set"}, {"Recording URL", "https://"},
		{"Meeting brief", "They went through"}, {"Key points", "Exports time out above 10,000 rows."}, {"Agenda items", "not set"},
		{"Topics discussed", "not set"}, {"Action items", "not set"}, {"[durasync gong/calls/", ""},
	})
	p.shot("totango-touchpoint")
}

// section is a part of a touchpoint's text: its name, and what it has to say among other things.
type section struct{ name, text string }

// checkSections checks that a text has the sections in that order.
func checkSections(t *testing.T, text string, want []section) {
	t.Helper()
	rest := text
	for i, w := range want {
		_, after, ok := strings.Cut(rest, w.name)
		if !ok {
			t.Fatalf("there is no %q after %q:\n%s", w.name, want[max(0, i-1)].name, text)
		}
		rest = after
		body := rest
		if i+1 < len(want) {
			body, _, _ = strings.Cut(rest, want[i+1].name)
		}
		if !strings.Contains(body, w.text) {
			t.Errorf("%s says %q, want %q in it", w.name, body, w.text)
		}
	}
}

// totangoURL is where the simulated Totango answers, for programs and for people.
func (s *system) totangoURL() string {
	for _, kv := range s.env {
		if u, ok := strings.CutPrefix(kv, "TOTANGO_BASE_URL="); ok {
			return u
		}
	}
	s.t.Fatal("there is no Totango")
	return ""
}

// TestPreviewPage opens what durasync preview writes for people who do not use the command line.
func TestPreviewPage(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	started := time.Now().UTC().Add(-3 * time.Hour)
	s.meeting("acme", func(c *gongtest.Call) { c.Title, c.Started = "Acme <roll-out> & next steps", started })
	s.meeting("acme", func(c *gongtest.Call) {
		c.Title, c.Started = "Somebody new", started.Add(-time.Hour)
		c.Parties[1].Email = "nobody@unknown.example"
	})
	file := filepath.Join(t.TempDir(), "preview.html")
	s.ok("preview", "meetings", "--dir", s.dir, "--html", file)
	if n := len(s.totango.Touchpoints()); n > 0 {
		t.Errorf("the preview wrote %d touchpoints", n)
	}

	p := newPage(t)
	p.open("file://" + file)
	text := p.shows("meetings", "Acme <roll-out> & next steps", "Account acme", "Web Meeting", "hana@vendor.example",
		"Somebody new", "account id not resolved", "nobody@unknown.example")
	_, body, _ := strings.Cut(text, "Meeting start time")
	checkSections(t, "Meeting start time"+body, []section{
		{"Meeting start time", "(UTC"}, {"Meeting duration", "30 min"}, {"Meeting purpose", "not set"}, {"Recording URL", "https://"},
		{"Meeting brief", "They talked."}, {"Key points", "All is well."}, {"Agenda items", "not set"}, {"Topics discussed", ""}, {"Action items", "not set"},
	})
	if n := do(p, "look for what is loaded", chromedp.Evaluate[int](`performance.getEntriesByType("resource").length`)); n > 0 {
		t.Errorf("the page loads %d files, and has to have everything in itself", n)
	}
	p.shot("preview")
}
