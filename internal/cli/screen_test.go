package cli

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

func verdicts(n int, state activities.State, reason activities.Reason, detail string) []activities.Verdict {
	var list []activities.Verdict
	for i := range n {
		list = append(list, activities.Verdict{
			Pending: activities.Pending{ID: fmt.Sprintf("%s-%d", reason, i), Time: at("08:00:00")}, State: state, Reason: reason, Detail: detail,
		})
	}
	return list
}

func aRun() *workflows.SyncResult {
	return &workflows.SyncResult{
		Job: "gong_meetings", Outcome: activities.CompletedWithRejects, From: at("00:00:00"), To: at("23:00:00"),
		Counts: activities.Counts{Listed: 1320, Known: 20, New: 1300, Created: 1240, Rejected: 57, Deferred: 3},
		Rejects: append(append(verdicts(3, activities.Rejected, activities.ReasonUnresolved, "nobody"),
			verdicts(5, activities.Rejected, activities.ReasonInternalOnly, "")...),
			verdicts(1, activities.Rejected, activities.ReasonRefused, "Totango says: the subject is too long")...),
	}
}

var runNamed = startedRun{WorkflowID: "sync/gong_meetings-2026-11-24T23:00:00Z", RunID: "run", URL: "http://127.0.0.1:8233/namespaces/default/workflows/x"}

func TestSummaryScreen(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	newSummary(runNamed, aRun(), 8200*time.Millisecond).show(a)
	golden(t, "summary.txt", out.String())
}

func TestSummaryJSON(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	res := aRun()
	res.Rejects = res.Rejects[:1]
	a.writeJSON(newSummary(runNamed, res, 8200*time.Millisecond))
	golden(t, "summary.json", out.String())

	// Programs need not tell no list from an empty one.
	res.Rejects = nil
	b, err := json.Marshal(newSummary(runNamed, res, 0))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Rejects []any }
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Rejects == nil {
		t.Error("rejects is null without rejects")
	}
}

func TestSummaryOutcome(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[activities.Outcome]int{
		activities.Completed: 0, activities.CompletedWithRejects: 0, activities.Partial: 1, activities.Skipped: 1,
		activities.Failed: 1, activities.Cancelled: 1,
	} {
		got := 0
		if err := (&summary{Job: "j", Outcome: outcome}).err(); err != nil {
			got = classify(err).exit
		}
		if got != want {
			t.Errorf("%s: exit code %d, want %d", outcome, got, want)
		}
	}
}

func TestStatusScreen(t *testing.T) {
	t.Parallel()
	run := func(clock string, o activities.Outcome, problem string) activities.Run {
		return activities.Run{Started: at(clock), Ended: at(clock).Add(90 * time.Second), Outcome: o, Error: problem,
			Counts: activities.Counts{Listed: 30, Known: 10, New: 20, Created: 20}}
	}
	s := &status{Address: "127.0.0.1:7233", Namespace: "default", Worker: true, Jobs: []jobStatus{
		{
			Job: "gong_meetings", Description: "Gong meetings become Totango touchpoints", Watermark: at("08:00:00"),
			Runs: []activities.Run{
				run("06:00:00", activities.Failed, "gong.acme: Gong does not accept the access key; an administrator sees the keys under Company settings"),
				run("08:00:00", activities.Completed, ""),
			},
			Quotas: []connectionQuota{{"gong.acme", activities.QuotaStatus{Day: "2026-11-24", Today: 1234}}},
		},
		{Job: "notes", Paused: true, Note: "disabled by the job file (enabled = false)"},
	}}
	for name, one := range map[string]bool{"status.txt": false, "status_one.txt": true} {
		a, out := screen(Options{})
		a.showStatus(s, one)
		golden(t, name, out.String())
	}
	a, out := screen(Options{})
	a.showStatus(&status{Address: "127.0.0.1:7233", Namespace: "default"}, false)
	golden(t, "status_none.txt", out.String())
}

func TestDemoScreen(t *testing.T) {
	t.Parallel()
	first := int64(1234)
	for name, differences := range map[string][]difference{
		"demo.txt":      nil,
		"demo_diff.txt": {{Fault: "lost", CallID: "42", Detail: "it is not there"}},
	} {
		res := aRun()
		res.Rejects = nil
		a, out := screen(Options{})
		r := &demoReport{summary: newSummary(runNamed, res, time.Second), FirstTouchpointMS: &first,
			Truth: truth{Expected: 1240, Found: 1240, Differences: differences}}
		r.show(a)
		golden(t, name, out.String())
	}
}
