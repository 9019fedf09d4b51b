package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

func failure(kind string, final bool, details ...any) error {
	return temporal.NewApplicationErrorWithOptions("it says "+kind, kind, temporal.ApplicationErrorOptions{NonRetryable: final, Details: details})
}

func TestSyncWritesWhatIsNew(t *testing.T) {
	var ids []string
	for i := range 230 {
		ids = append(ids, fmt.Sprintf("%03d", i))
	}
	w := newWorld(t, ids...)
	res, err := w.sync()
	if err != nil {
		t.Fatal(err)
	}
	w.check(res, activities.Completed, activities.Counts{Listed: 230, New: 230, Created: 230}, strings.Join(ids, " "))
	for what, sizes := range map[string][]int{"read": w.fetches, "rendered": w.renders, "claimed": w.claims} {
		if most := slices.Max(sizes); most > 25 {
			t.Errorf("%d records were %s at once", most, what)
		}
	}
	for _, id := range ids {
		if r := w.settled[id]; r.State != activities.Delivered || r.ID != "note of "+id || r.Target != "account of "+id {
			t.Fatalf("record %s was settled as %+v", id, r)
		}
	}
}

// A request to the source brings as much as it can, which is what its limit allows few of. What goes into a history stays in groups.
func TestSyncReadsAsManyAsTheConnectorTakes(t *testing.T) {
	for most, want := range map[int][]int{1000: {100, 100, 30}, 60: {60, 40, 60, 40, 30}} {
		var ids []string
		for i := range 230 {
			ids = append(ids, fmt.Sprintf("%03d", i))
		}
		w := newWorld(t, ids...)
		w.plan.Source.MaxRead = most
		for i := range 30 { // more than a group's, one after the other
			w.verdicts[ids[i]] = activities.Verdict{State: activities.Rejected, Reason: activities.ReasonFiltered}
		}
		res, err := w.sync()
		if err != nil {
			t.Fatal(err)
		}
		w.check(res, activities.CompletedWithRejects, activities.Counts{Listed: 230, New: 230, Created: 200, Rejected: 30}, strings.Join(ids[30:], " "))
		slices.Sort(w.fetches)
		slices.Sort(want)
		if !slices.Equal(w.fetches, want) {
			t.Errorf("with at most %d a read, %d were read at once, want %d", most, w.fetches, want)
		}
		for what, sizes := range map[string][]int{"rendered": w.renders, "claimed": w.claims, "settled": w.settles} {
			if most := slices.Max(sizes); most > 25 {
				t.Errorf("%d records were %s at once", most, what)
			}
		}
	}
}

func TestSyncSortsRecords(t *testing.T) {
	w := newWorld(t, "good", "gone", "young", "stranger", "unrendered", "refused")
	w.verdicts["gone"] = activities.Verdict{State: activities.Rejected, Reason: activities.ReasonGone}
	w.verdicts["young"] = activities.Verdict{State: activities.Deferred, Reason: activities.ReasonNotReady}
	w.unresolved["stranger"] = true
	w.unrendered["unrendered"] = true
	w.create["refused"] = []answer{{result: activities.CreateResult{Refused: "Account not found"}}}
	w.old = []activities.Pending{{ID: "old", Time: w.from.Add(-day), Day: "2026-03-02"}}
	res, err := w.sync()
	if err != nil {
		t.Fatal(err)
	}
	w.check(res, activities.CompletedWithRejects, activities.Counts{Listed: 7, New: 7, Created: 2, Rejected: 4, Deferred: 1}, "good old")
	w.settledAs(map[string]string{
		"good": "delivered", "old": "delivered", "gone": "rejected gone", "young": "deferred not_ready",
		"stranger": "rejected account_unresolved", "unrendered": "rejected render_failed", "refused": "rejected refused",
	})
	if len(res.Rejects) != 5 {
		t.Errorf("the result names %d records, want 5", len(res.Rejects))
	}
}

func TestSyncReadsAgainWhatWasTooBig(t *testing.T) {
	w := newWorld(t, "big1", "big2", "big3", "small")
	res, err := w.sync()
	if err != nil {
		t.Fatal(err)
	}
	w.check(res, activities.Completed, activities.Counts{Listed: 4, New: 4, Created: 4}, "big1 big2 big3 small")
}

// One record that takes long keeps nothing but the records of its group from being settled.
func TestSyncDoesNotWaitForOneRecord(t *testing.T) {
	var ids []string
	for i := range 230 {
		ids = append(ids, fmt.Sprintf("%03d", i))
	}
	for name, limits := range map[string][]activities.Limit{"without a limit": nil, "with one": {{Requests: 100, Per: time.Minute}}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ids...)
			w.limits = limits
			down := failure("unavailable", false, true)
			w.create["007"] = []answer{{err: down}, {err: down}, {err: down}, {writes: true, result: activities.CreateResult{ID: "1"}}}
			res, err := w.sync()
			if err != nil {
				t.Fatal(err)
			}
			w.check(res, activities.Completed, activities.Counts{Listed: 230, New: 230, Created: 230}, strings.Join(ids, " "))
			if last := w.order[len(w.order)-1]; last != "007" {
				t.Errorf("the last record that is written is %s; those behind 007 waited for it", last)
			}
		})
	}
}

func TestSyncUncertainWrites(t *testing.T) {
	uncertain := failure(activities.TypeUncertain, false)
	down := failure("unavailable", false, true)
	expired := failure(activities.TypeClaimExpired, true, true)
	tests := map[string]struct {
		answers []answer
		want    activities.Counts
		outcome activities.Outcome
		written string
		ledger  string
	}{
		"the answer is lost after the write": {
			[]answer{{writes: true, err: uncertain}, {writes: true, result: activities.CreateResult{ID: "1", Existed: true}}},
			activities.Counts{Listed: 1, New: 1, Created: 1}, activities.Completed, "k", "delivered",
		},
		"the destination is down for a while": {
			[]answer{{err: down}, {err: down}, {err: down}, {writes: true, result: activities.CreateResult{ID: "1"}}},
			activities.Counts{Listed: 1, New: 1, Created: 1}, activities.Completed, "k", "delivered",
		},
		"the claim has to be renewed": {
			[]answer{{err: expired}, {writes: true, result: activities.CreateResult{ID: "1"}}},
			activities.Counts{Listed: 1, New: 1, Created: 1}, activities.Completed, "k", "delivered",
		},
		"the destination stays down": {
			[]answer{{err: down}},
			activities.Counts{Listed: 1, New: 1, Failed: 1}, activities.Partial, "", "deferred unavailable",
		},
		"the record cannot be looked up": {
			[]answer{{writes: true, err: uncertain}, {err: failure(activities.TypeUncertain, true)}},
			activities.Counts{Listed: 1, New: 1, Failed: 1}, activities.Partial, "k", "in_doubt uncertain",
		},
		"the destination never says": {
			[]answer{{writes: true, err: uncertain}, {err: uncertain}},
			activities.Counts{Listed: 1, New: 1, Failed: 1}, activities.Partial, "k", "in_doubt uncertain",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "k")
			w.create["k"] = test.answers
			res, err := w.sync()
			if err != nil {
				t.Fatal(err)
			}
			w.check(res, test.outcome, test.want, test.written)
			w.settledAs(map[string]string{"k": test.ledger})
		})
	}
}

func TestCancelledRunDoesNotWaitForADestinationThatIsDown(t *testing.T) {
	w := newWorld(t, "k")
	w.create["k"] = []answer{{err: failure("unavailable", false, true)}}
	w.prepare = func() { w.env.RegisterDelayedCallback(w.env.CancelWorkflow, time.Minute) }
	if _, err := w.sync(); !temporal.IsCanceledError(err) {
		t.Errorf("the run ended with %v, want it cancelled", err)
	}
	if took := w.env.Now().Sub(epoch); took > 15*time.Minute {
		t.Errorf("it ended %v after the beginning, and was cancelled after a minute", took)
	}
	w.settledAs(map[string]string{"k": "deferred unavailable"})
}

func TestSyncEndsOnWhatAPersonMustMend(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		w := newWorld(t, "k")
		w.connectErrs = []error{failure("unauthenticated", true)}
		_, err := w.sync()
		var app *temporal.ApplicationError
		if !errors.As(err, &app) || app.Type() != "unauthenticated" || app.Message() != "it says unauthenticated" {
			t.Errorf("got %v, want the connector's sentence", err)
		}
		if len(w.written) > 0 || len(w.settled) > 0 {
			t.Errorf("something was done: %v, %v", w.written, w.settled)
		}
		if len(w.finished) != 1 || w.finished[0].Outcome != activities.Failed || w.finished[0].Error != "it says unauthenticated" {
			t.Errorf("the job was told %+v", w.finished)
		}
	})
	t.Run("in the middle", func(t *testing.T) {
		w := newWorld(t, "first", "second", "third")
		w.create["second"] = []answer{{err: failure("unauthenticated", true, true)}}
		w.create["third"] = []answer{{writes: true, err: failure(activities.TypeUncertain, false)}, {err: failure("unauthenticated", true, false)}}
		if _, err := w.sync(); err == nil {
			t.Fatal("the run did not fail")
		}
		w.settledAs(map[string]string{"first": "delivered", "second": "deferred unavailable", "third": "in_doubt uncertain"})
		c := w.finished[0].Counts
		if c.Created != 1 || c.Failed != 2 {
			t.Errorf("the job was told %+v", w.finished)
		}
	})
}

func TestSyncLeavesOthersClaimsAlone(t *testing.T) {
	clear := epoch.Add(4 * time.Minute)
	pinned := activities.Grant{State: activities.Claimed, Doubt: true, Target: "pinned"}
	tests := map[string]struct {
		grants  []activities.Grant
		want    activities.Counts
		written string
		doubts  []bool
	}{
		"delivered meanwhile":       {[]activities.Grant{{State: activities.Delivered}}, activities.Counts{Listed: 1, Known: 1}, "", nil},
		"a living run's":            {[]activities.Grant{{State: activities.InDoubt, Holder: &bob, Clear: clear}}, activities.Counts{Listed: 1, New: 1, Deferred: 1}, "", nil},
		"a dead run's":              {[]activities.Grant{{State: activities.InDoubt, Clear: clear}, pinned}, activities.Counts{Listed: 1, New: 1, Created: 1}, "k", []bool{true}},
		"a dead run's, then taken":  {[]activities.Grant{{State: activities.InDoubt, Clear: clear}, {State: activities.InDoubt, Holder: &bob, Clear: clear}}, activities.Counts{Listed: 1, New: 1, Deferred: 1}, "", nil},
		"a dead run's, far too new": {[]activities.Grant{{State: activities.InDoubt, Clear: epoch.Add(time.Hour)}}, activities.Counts{Listed: 1, New: 1, Deferred: 1}, "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "k")
			w.grants["k"] = test.grants
			res, err := w.sync()
			if err != nil {
				t.Fatal(err)
			}
			w.check(res, activities.Completed, test.want, test.written)
			if fmt.Sprint(w.doubts["k"]) != fmt.Sprint(test.doubts) {
				t.Errorf("written in doubt %v, want %v", w.doubts["k"], test.doubts)
			}
		})
	}
}

func TestSyncWaitsForAnotherRun(t *testing.T) {
	t.Run("that ends", func(t *testing.T) {
		w := newWorld(t, "k")
		w.holders = 10
		res, err := w.sync()
		if err != nil {
			t.Fatal(err)
		}
		w.check(res, activities.Completed, activities.Counts{Listed: 1, New: 1, Created: 1}, "k")
	})
	t.Run("that does not", func(t *testing.T) {
		w := newWorld(t, "k")
		w.holders = 1_000_000
		res, err := w.sync()
		if err != nil {
			t.Fatal(err)
		}
		w.check(res, activities.Skipped, activities.Counts{}, "")
	})
}

func TestSyncWithoutJobSaysHow(t *testing.T) {
	if _, err := syncOf(t, SyncInput{}); err == nil || !strings.Contains(err.Error(), `{"job":"NAME"}`) {
		t.Errorf("got %v, want a hint at the input", err)
	}
}

func TestSyncKinds(t *testing.T) {
	window := SyncInput{Job: "meetings", From: epoch.Add(-90 * day), To: epoch.Add(-80 * day)}
	t.Run("a backfill lists its window and takes no lock", func(t *testing.T) {
		w := newWorld(t, "in", "out")
		w.records[0].Time = window.From
		w.records[1].Time = window.To
		w.holders = 1_000_000
		res, err := w.start(window)
		if err != nil {
			t.Fatal(err)
		}
		w.check(res, activities.Completed, activities.Counts{Listed: 1, New: 1, Created: 1}, "in")
		if res.Kind != activities.KindBackfill || !res.From.Equal(window.From) || w.finished[0].Kind != activities.KindBackfill {
			t.Errorf("got %+v", res)
		}
	})
	t.Run("a backfill that continues as new began when its first part did", func(t *testing.T) {
		w := newWorld(t)
		again := window
		again.State = &SyncState{Plan: w.plan, Phase: PhaseHeld, From: window.From, To: window.To, Started: epoch.Add(-time.Hour)}
		if _, err := w.start(again); err != nil {
			t.Fatal(err)
		}
		if started := w.finished[0].Started; !started.Equal(epoch.Add(-time.Hour)) {
			t.Errorf("the job was told that it began at %v, an hour before %v is right", started, epoch)
		}
	})
	t.Run("a dry run counts and writes nothing", func(t *testing.T) {
		w := newWorld(t)
		for i := range 60 {
			w.records = append(w.records, activities.Pending{ID: fmt.Sprint(i), Time: window.From.Add(time.Duration(i) * time.Hour)})
		}
		w.limits = []activities.Limit{{Requests: 101, Per: time.Minute}}
		dry := window
		dry.DryRun = true
		res, err := w.start(dry)
		if err != nil {
			t.Fatal(err)
		}
		// 60 records are read in 3 requests; each is written in one, and 3 ask for the accounts. 101 a minute, less the margin, are 0.6 s each.
		want := Estimate{Records: 60, SourceRequests: 3, DestinationRequests: 63, Time: 63 * 600 * time.Millisecond}
		if res.Estimate == nil || *res.Estimate != want {
			t.Errorf("got %+v, want %+v", res.Estimate, want)
		}
		if len(w.written)+len(w.settled)+len(w.finished) > 0 {
			t.Error("a dry run left something behind")
		}
	})
	t.Run("a retry looks at what was left, and at nothing else", func(t *testing.T) {
		w := newWorld(t, "listed")
		w.old = []activities.Pending{{ID: "left", Time: epoch.Add(-day), Day: "2026-03-09"}}
		res, err := w.start(SyncInput{Job: "meetings", Retry: true, Records: []string{"left"}})
		if err != nil {
			t.Fatal(err)
		}
		w.check(res, activities.Completed, activities.Counts{Listed: 1, New: 1, Created: 1}, "left")
		if len(w.revisits) != 1 || w.revisits[0].Records[0] != "left" || !w.revisits[0].Before.Equal(epoch) {
			t.Errorf("asked for %+v", w.revisits)
		}
	})
	for name, in := range map[string]SyncInput{
		"an empty window":          {Job: "meetings", From: epoch, To: epoch},
		"half a window":            {Job: "meetings", From: epoch},
		"a window and a retry":     {Job: "meetings", From: epoch, To: epoch.Add(day), Retry: true},
		"records without a retry":  {Job: "meetings", Records: []string{"k"}},
		"a dry run of the job now": {Job: "meetings", DryRun: true},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			w := newWorld(t, "k")
			if _, err := w.start(in); err == nil || len(w.finished) > 0 {
				t.Errorf("got %v, want a refusal before anything is done", err)
			}
		})
	}
}

func TestSyncNotifies(t *testing.T) {
	all := []plan.Notice{plan.NoticeFailed, plan.NoticeRejected, plan.NoticeEmpty}
	tests := map[string]struct {
		prepare func(*world)
		on      []plan.Notice
		want    string
	}{
		"nothing to say":            {func(*world) {}, all, ""},
		"new rejects":               {func(w *world) { w.unresolved["k"] = true }, all, "rejected"},
		"rejects that are known":    {func(w *world) { w.unresolved["k"], w.records[0].Again = true, true }, all, ""},
		"nobody asked for rejects":  {func(w *world) { w.unresolved["k"] = true }, []plan.Notice{plan.NoticeFailed}, ""},
		"a failed run":              {func(w *world) { w.connectErrs = []error{failure("unauthenticated", true)} }, all, "failed"},
		"records that failed":       {func(w *world) { w.create["k"] = []answer{{err: failure("unavailable", false, true)}} }, all, "failed"},
		"a run that was skipped":    {func(w *world) { w.holders = 1_000_000 }, all, "failed"},
		"nothing in the window":     {func(w *world) { w.records = nil }, all, "empty"},
		"a receiver that is broken": {func(w *world) { w.records, w.notifyErr = nil, failure("unavailable", false) }, all, "empty"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "k")
			w.plan.Notify = []plan.Notify{{To: "webhook.ops", On: test.on}}
			test.prepare(w)
			_, err := w.sync()
			if (err != nil) != (name == "a failed run") {
				t.Errorf("the run ended with %v", err)
			}
			var got []string
			for i, n := range w.notices {
				got = append(got, string(n.Notice.Kind))
				if n.To != "webhook.ops" || n.Notice.Job != "meetings" {
					t.Errorf("notice %d: %+v", i, n)
				}
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("told %q, want %q", s, test.want)
			}
		})
	}
}

func TestSyncSetsOnlyRegisteredSearchAttributes(t *testing.T) {
	w := newWorld(t, "k")
	w.attributes = []string{AttributeOutcome, AttributeCreated}
	marks := temporal.NewSearchAttributes(
		temporal.NewSearchAttributeKeyKeyword("DurasyncOutcome").ValueSet("completed"),
		temporal.NewSearchAttributeKeyInt64("DurasyncCreated").ValueSet(1),
	)
	w.marks = &marks
	if _, err := w.sync(); err != nil {
		t.Fatal(err)
	}
	w.env.AssertExpectations(t)
}
