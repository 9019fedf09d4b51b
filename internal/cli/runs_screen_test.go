package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// goldenScreen is golden for what people see: no line is wider than 80 columns unless one word of it is, and there is no colour.
func goldenScreen(t *testing.T, name string, out *bytes.Buffer) {
	t.Helper()
	for line := range strings.Lines(out.String()) {
		line = strings.TrimRight(line, "\n")
		if n := utf8.RuneCountInString(line); n > 80 && !strings.Contains(line, "/") {
			t.Errorf("%s has a line of %d columns: %s", name, n, line)
		}
		if strings.HasSuffix(line, " ") || strings.Contains(line, "\x1b") {
			t.Errorf("%s has a line that ends in a space or is coloured: %q", name, line)
		}
	}
	golden(t, name, out.String())
}

// someRuns are what a job remembers, oldest first.
func someRuns() []activities.Run {
	run := func(kind activities.RunKind, id, clock string, o activities.Outcome, c activities.Counts) activities.Run {
		return activities.Run{
			Kind: kind, Owner: activities.Owner{WorkflowID: id, FirstRunID: "first"}, RunID: "last", Started: at(clock), Ended: at(clock).Add(90 * time.Second),
			Outcome: o, From: at("00:00:00"), To: at(clock), Counts: c,
		}
	}
	failed := run("", "sync/gong_meetings-2026-11-24T06:00:00Z", "06:00:00", activities.Failed, activities.Counts{})
	failed.Error = "gong.acme: Gong does not accept the access key; an administrator sees the keys under Company settings"
	return []activities.Run{
		failed,
		run(activities.KindSync, "sync/gong_meetings-2026-11-24T07:00:00Z", "07:00:00", activities.CompletedWithRejects,
			activities.Counts{Listed: 1320, Known: 20, New: 1300, Created: 1240, Rejected: 57, Deferred: 3}),
		run(activities.KindRetry, "retry/gong_meetings-2026-11-24T07:30:00Z", "07:30:00", activities.Completed, activities.Counts{Listed: 60, New: 60, Created: 60}),
		run(activities.KindBackfill, "backfill/gong_meetings-20260101T000000Z-20260201T000000Z", "08:00:00", activities.Cancelled,
			activities.Counts{Listed: 400, Known: 100, New: 300, Created: 125, Failed: 175}),
	}
}

func progressAt(phase workflows.Phase, c activities.Counts) *workflows.Progress {
	return &workflows.Progress{Job: "gong_meetings", Phase: phase, Counts: c}
}

// spent is what ends a run when a day's requests are spent.
const spent = "totango.success: the connection's budget of 10000 requests a day is spent; it wants no requests for 14h57m0s"

func TestRunsScreen(t *testing.T) {
	t.Parallel()
	active := []running{
		{startedRun: startedRun{WorkflowID: "sync/gong_meetings-2026-11-24T09:00:00Z"}, Kind: activities.KindSync, Since: at("09:00:00"),
			Progress: progressAt(workflows.PhaseListing, activities.Counts{Listed: 500, New: 500, Created: 200, Rejected: 4})},
		{startedRun: startedRun{WorkflowID: "sync/gong_meetings-2026-11-24T09:01:00Z"}, Kind: activities.KindSync, Since: at("09:01:00"),
			Progress: progressAt(workflows.PhaseWaiting, activities.Counts{})},
		{startedRun: startedRun{WorkflowID: "retry/gong_meetings-2026-11-24T09:02:00Z"}, Kind: activities.KindRetry, Since: at("09:02:00")},
		{startedRun: startedRun{WorkflowID: "sync/gong_meetings-2026-11-25T00:01:00.000000Z"}, Kind: activities.KindSync, Since: at("09:02:10"),
			Progress: &workflows.Progress{Job: "gong_meetings", Phase: workflows.PhasePostponed, NotBefore: at("23:59:00"), Because: spent}},
	}
	temporal := &temporalClient{}
	a, out := screen(Options{})
	runs := someRuns()
	runs[len(runs)-1].Outcome, runs[len(runs)-1].Error, runs[len(runs)-1].Resumes = activities.Partial, spent, at("23:59:00")
	temporal.runList("gong_meetings", runs, active, 3).show(a, at("09:02:30"))
	goldenScreen(t, "runs.txt", out)

	a, out = screen(Options{})
	temporal.runList("gong_meetings", nil, nil, 3).show(a, at("09:02:30"))
	goldenScreen(t, "runs_none.txt", out)

	a, out = screen(Options{})
	a.writeJSON(temporal.runList("gong_meetings", someRuns()[:1], active[1:2], 3))
	golden(t, "runs.json", out.String())
}

func openRecords() []openRecord {
	records := []openRecord{
		recordOf(activities.Verdict{Pending: activities.Pending{ID: "7782342274025937895", Time: at("08:00:00")}, State: activities.Rejected,
			Reason: activities.ReasonUnresolved, Title: "Weekly sync with the newcomers of Newcomer Incorporated",
			External: []string{"pat@newcomer.example", "alexandra.maria.fernandez@newcomer.example"}, URL: "https://gong.example/call?id=7782342274025937895"}),
		recordOf(activities.Verdict{Pending: activities.Pending{ID: "5695529595914879363", Time: at("08:30:00")}, State: activities.Rejected,
			Reason: activities.ReasonRefused, Title: "=HYPERLINK(\"https://evil.example\")", Detail: "Totango says: the touchpoint type \"meting\" does not exist in this workspace"}),
		recordOf(activities.Verdict{Pending: activities.Pending{ID: "3745537739490857891", Time: at("07:00:00")}, State: activities.InDoubt,
			Reason: activities.ReasonUncertain, Title: "Renewal,\nsecond \"round\""}),
		recordOf(activities.Verdict{Pending: activities.Pending{ID: "1", Time: at("06:00:00").AddDate(0, 0, -60)}, State: activities.Rejected,
			Reason: activities.ReasonUnresolved}),
	}
	records[3].RetriedUntil = at("06:00:00").AddDate(0, 0, -30)
	sortRecords(records)
	return records
}

func TestRejectsScreen(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	l := &rejectList{Job: "gong_meetings", Since: at("00:00:00"), Records: openRecords()}
	l.show(a, at("09:00:00"))
	goldenScreen(t, "rejects.txt", out)

	a, out = screen(Options{})
	a.writeJSON(l)
	golden(t, "rejects.json", out.String())

	a, out = screen(Options{})
	(&rejectList{Job: "gong_meetings", Since: at("00:00:00")}).show(a, at("09:00:00"))
	goldenScreen(t, "rejects_none.txt", out)
}

// The table reads back as it was, but for what a spreadsheet would run.
func TestRejectsCSV(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := writeRecordsCSV(&out, openRecords(), at("09:00:00")); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\r\n"); n < 5 || strings.Count(out.String(), "\n") != n {
		t.Errorf("the lines do not end in CR LF: %q", out.String())
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, r := range rows {
		got = append(got, []string{r[0], r[1], r[2], r[3], r[4], r[7]})
	}
	want := [][]string{
		{"id", "time", "title", "state", "reason", "link"},
		{"5695529595914879363", "2026-11-24T08:30:00Z", "'=HYPERLINK(\"https://evil.example\")", "rejected", "refused", ""},
		{"7782342274025937895", "2026-11-24T08:00:00Z", "Weekly sync with the newcomers of Newcomer Incorporated", "rejected", "account_unresolved", "https://gong.example/call?id=7782342274025937895"},
		{"3745537739490857891", "2026-11-24T07:00:00Z", "Renewal,\nsecond \"round\"", "in_doubt", "uncertain", ""},
		{"1", "2026-09-25T06:00:00Z", "", "rejected", "account_unresolved", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(rows[4][5], "retry_rejected") || strings.Contains(rows[2][5], "retry_rejected") {
		t.Errorf("what to do: %q, %q", rows[4][5], rows[2][5])
	}
}

func TestInertCells(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "plain": "plain", "a=b": "a=b", "12": "12", "'quoted": "'quoted",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "＝1": "'＝1",
	} {
		if got := inert(cell); got != want {
			t.Errorf("inert(%q) = %q, want %q", cell, got, want)
		}
	}
}

func TestRunScreens(t *testing.T) {
	t.Parallel()
	done := &runDetails{
		startedRun: runNamed, Job: "gong_meetings", Kind: activities.KindSync, Outcome: activities.CompletedWithRejects, History: true, Executions: 3,
		Started: at("08:00:00"), Ended: at("08:10:00"), DurationMS: 600_000, From: at("00:00:00"), To: at("08:00:00"),
		Counts: activities.Counts{Listed: 1320, Known: 20, New: 1300, Created: 1240, Rejected: 57, Deferred: 3},
		Steps: []step{
			{Activity: "Begin", Times: 1, LongestMS: 12},
			{Activity: "Render", Times: 52},
			{Activity: "Create", Times: 1241, Retries: 3, Failed: 1, LongestMS: 22_400,
				LastError: "totango.success: POST /api/v3/touchpoints/: read: connection reset by peer; whether it was written is not known and will be looked up"},
		},
		Records: openRecords(),
		Ambiguous: []workflows.Ambiguity{{ID: "42", Target: "acme", Name: "Acme", Losers: []activities.Candidate{
			{ID: "acme-emea", Name: "Acme Europe, Middle East and Africa", Matched: 1}, {ID: "zeta", Matched: 2}}}},
	}
	done.rate()
	going := &runDetails{
		startedRun: startedRun{WorkflowID: "sync/gong_meetings-2026-11-24T09:00:00Z"}, Job: "gong_meetings", Kind: activities.KindSync, History: true, Executions: 1,
		Phase: workflows.PhaseListing, Started: at("09:00:00"), DurationMS: 65_000, Counts: activities.Counts{Listed: 500, New: 500, Created: 200, Rejected: 4},
		Steps: []step{{Activity: "Begin", Times: 1, LongestMS: 12}},
	}
	going.rate()
	gone := &runDetails{startedRun: startedRun{WorkflowID: someRuns()[0].Owner.WorkflowID}, Job: "gong_meetings"}
	gone.remember(&someRuns()[0])
	dry := &runDetails{
		startedRun: startedRun{WorkflowID: "backfill/gong_meetings-20260101T000000Z-20260201T000000Z-dry-run"}, Job: "gong_meetings", Kind: activities.KindBackfill,
		Outcome: activities.Completed, History: true, Executions: 1, Started: at("09:00:00"), DurationMS: 1200, From: at("00:00:00"), To: at("08:00:00"),
		Counts: activities.Counts{Listed: 12_400, Known: 100, New: 12_300}, Estimate: anEstimate(),
	}
	for name, d := range map[string]*runDetails{"run_show.txt": done, "run_show_running.txt": going, "run_show_gone.txt": gone, "run_show_dry.txt": dry} {
		a, out := screen(Options{})
		d.show(a)
		goldenScreen(t, name, out)
	}
	a, out := screen(Options{})
	done.Records, done.Steps = done.Records[:1], done.Steps[:1]
	a.writeJSON(done)
	golden(t, "run_show.json", out.String())
}

func anEstimate() *workflows.Estimate {
	return &workflows.Estimate{Records: 12_300, SourceRequests: 492, DestinationRequests: 12_792, Time: 2*time.Hour + 9*time.Minute}
}

func TestBackfillScreen(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	w, err := parseWindow("2026-01-01", "2026-01-31", zone, at("09:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	b := &backfillRun{job: "gong_meetings", window: w, source: "gong.acme", destination: "totango.success"}
	res := &workflows.SyncResult{Counts: activities.Counts{Listed: 12_400, Known: 100, New: 12_300}, Estimate: anEstimate()}
	a, out := screen(Options{})
	b.show(a, res)
	goldenScreen(t, "backfill_dry.txt", out)
	a, out = screen(Options{})
	a.writeJSON(newEstimateReport(b, res))
	golden(t, "backfill_dry.json", out.String())
	if got, want := b.id(false), "backfill/gong_meetings-20260101T050000Z-20260201T050000Z"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	if b.id(true) == b.id(false) {
		t.Error("a dry run has the id of the run")
	}
}

func TestParseWindow(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		from, to         string
		wantFrom, wantTo string // UTC
		err              string
	}{
		"days, the last one included": {from: "2026-01-01", to: "2026-01-31", wantFrom: "2025-12-31T23:00:00Z", wantTo: "2026-01-31T23:00:00Z"},
		"one day":                     {from: "2026-01-01", to: "2026-01-01", wantFrom: "2025-12-31T23:00:00Z", wantTo: "2026-01-01T23:00:00Z"},
		"the day that has 23 hours":   {from: "2026-03-29", to: "2026-03-29", wantFrom: "2026-03-28T23:00:00Z", wantTo: "2026-03-29T22:00:00Z"},
		"the day that has 25 hours":   {from: "2026-10-25", to: "2026-10-25", wantFrom: "2026-10-24T22:00:00Z", wantTo: "2026-10-25T23:00:00Z"},
		"times":                       {from: "2026-01-01T08:00:00Z", to: "2026-01-01T10:00:00+01:00", wantFrom: "2026-01-01T08:00:00Z", wantTo: "2026-01-01T09:00:00Z"},
		"until now":                   {from: "2026-11-01", wantFrom: "2026-10-31T23:00:00Z", wantTo: "2026-11-24T09:00:00Z"},
		"until the end of today":      {from: "2026-11-01", to: "2026-11-24", wantFrom: "2026-10-31T23:00:00Z", wantTo: "2026-11-24T23:00:00Z"},
		"nonsense":                    {from: "yesterday", err: "--from: \"yesterday\" is neither a day such as 2026-01-31 nor a time such as 2026-01-31T08:00:00Z"},
		"a day that does not exist":   {from: "2026-02-01", to: "2026-02-30", err: "--to: \"2026-02-30\" is neither a day such as 2026-01-31 nor a time such as 2026-01-31T08:00:00Z"},
		"turned around":               {from: "2026-02-01", to: "2026-01-01", err: "the window is empty: --from has to be before --to"},
		"empty":                       {from: "2026-01-01T08:00:00Z", to: "2026-01-01T08:00:00Z", err: "the window is empty: --from has to be before --to"},
		"what has not happened":       {from: "2027-01-01", err: "--from is in the future"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := parseWindow(tc.from, tc.to, berlin, at("09:00:00"))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tc.err {
				t.Fatalf("error %q, want %q", got, tc.err)
			}
			if err != nil {
				return
			}
			if from, to := w.from.UTC().Format(time.RFC3339), w.to.UTC().Format(time.RFC3339); from != tc.wantFrom || to != tc.wantTo {
				t.Errorf("%s to %s, want %s to %s", from, to, tc.wantFrom, tc.wantTo)
			}
		})
	}
}

func TestCancelAndPauseScreens(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	(&cancelReport{Job: "gong_meetings", Buffered: 1, Cancelled: []cancelledRun{
		{startedRun: runNamed, Outcome: activities.Cancelled, Counts: activities.Counts{Listed: 500, New: 500, Created: 100, Failed: 400}},
		{startedRun: startedRun{WorkflowID: "retry/gong_meetings-2026-11-24T09:02:00Z"}, Outcome: activities.Completed, Counts: activities.Counts{Listed: 3, New: 3, Created: 3}},
	}}).show(a)
	(&cancelReport{Job: "gong_meetings"}).show(a)
	goldenScreen(t, "cancel.txt", out)

	a, out = screen(Options{})
	(&pauseReport{Job: "gong_meetings", Paused: true, Changed: true, Note: "paused by durasync pause: Totango moves house until Monday (hana@laptop, 2026-11-24 09:12 UTC)"}).show(a)
	(&pauseReport{Job: "gong_meetings", Changed: true, Next: at("23:00:00")}).show(a)
	(&pauseReport{Job: "gong_meetings"}).show(a)
	goldenScreen(t, "pause.txt", out)
}

func TestStatusScreenOfOverlaps(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	const days = 24 * time.Hour
	j := jobStatus{
		Job: "gong_meetings", Paused: true, Runs: someRuns(), backlog: backlog{Buffered: 1, Dropped: 2},
		Note: "paused by durasync pause: Totango moves house until Monday (hana@laptop, 2026-11-24 09:12 UTC)",
		Quotas: []connectionQuota{
			{"gong.acme", activities.QuotaStatus{Day: "2026-11-24", Today: 1234, Budget: 10_000}}, {"totango.success", activities.QuotaStatus{Day: "2026-11-24", Today: 56}},
		},
	}
	j.setRunning(&workflows.Lock{Owner: activities.Owner{WorkflowID: "sync/gong_meetings-2026-11-24T09:00:00Z"}}, []running{
		{startedRun: startedRun{WorkflowID: "backfill/gong_meetings-20260101T000000Z-20260201T000000Z"}, Kind: activities.KindBackfill, Since: ago(4 * days),
			Progress: progressAt(workflows.PhaseListing, activities.Counts{Listed: 2000, New: 2000, Created: 900})},
		{startedRun: startedRun{WorkflowID: "sync/gong_meetings-2026-11-24T09:00:00Z"}, Kind: activities.KindSync, Since: ago(3 * days),
			Progress: progressAt(workflows.PhaseListing, activities.Counts{Listed: 500, New: 500, Created: 200})},
		{startedRun: startedRun{WorkflowID: "sync/gong_meetings-2026-11-24T09:01:00Z"}, Kind: activities.KindSync, Since: ago(2 * days),
			Progress: progressAt(workflows.PhaseWaiting, activities.Counts{})},
	})
	a, out := screen(Options{})
	a.showStatus(&status{Worker: true, Jobs: []jobStatus{j}}, true)
	goldenScreen(t, "status_overlap.txt", out)
}

// A job's oldest window is where its records begin.
func TestEarliest(t *testing.T) {
	t.Parallel()
	state := &workflows.JobState{Plan: &plan.Plan{Source: plan.Source{Initial: plan.Duration(time.Hour)}}}
	if got := earliest(state, at("09:00:00")); !got.Equal(at("08:00:00")) {
		t.Errorf("of a job that never ran: %v", got)
	}
	state.First = at("05:00:00")
	if got := earliest(state, at("09:00:00")); !got.Equal(at("05:00:00")) {
		t.Errorf("of a job that ran: %v", got)
	}
	state.Runs = []activities.Run{{From: at("06:00:00")}, {From: at("01:00:00")}, {}}
	if got := earliest(state, at("09:00:00")); !got.Equal(at("01:00:00")) {
		t.Errorf("of a job with a backfill: %v", got)
	}
}

func TestRetryOfRecordsThatCannotBe(t *testing.T) {
	t.Parallel()
	l := &rejectList{Job: "gong_meetings", Records: openRecords()}
	for id, want := range map[string]string{"7782342274025937895": "", "1": "too old", "2": "neither rejected"} {
		err := checkIDs(l, []string{"5695529595914879363", id}, at("09:00:00"))
		var f *failure
		switch {
		case want == "" && err != nil:
			t.Errorf("record %s: %v", id, err)
		case want != "" && (!errors.As(err, &f) || f.exit != ExitInvalid || !strings.Contains(f.Error(), want)):
			t.Errorf("record %s: %v, want an invalid call that says %q", id, err, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]activities.RunKind{
		"sync/a-2026": activities.KindSync, "retry/a-2026": activities.KindRetry, "backfill/a-1-2": activities.KindBackfill, "typed by hand": activities.KindSync,
	} {
		if got := kindOf(id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// Programs need not tell no list from an empty one.
func TestEmptyListsInJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal([]any{(&temporalClient{}).runList("j", nil, nil, 1), &rejectList{Records: []openRecord{}}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "null") {
		t.Errorf("%s", b)
	}
}
