package workflows

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
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
	for _, n := range w.fetches {
		if n > groupSize {
			t.Errorf("%d records were read at once", n)
		}
	}
	for _, id := range ids {
		if r := w.settled[id]; r.State != activities.Delivered || r.ID != "note of "+id || r.Target != "account of "+id {
			t.Fatalf("record %s was settled as %+v", id, r)
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

func TestSyncEndsOnWhatAPersonMustMend(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		w := newWorld(t, "k")
		w.connectErr = failure("unauthenticated", true)
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
