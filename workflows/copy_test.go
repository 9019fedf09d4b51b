package workflows

import (
	"fmt"
	"testing"

	"github.com/durasync/durasync/activities"
)

func TestSyncCopiesWhereNothingHasToBeClaimed(t *testing.T) {
	var ids []string
	for i := range 2300 {
		ids = append(ids, fmt.Sprintf("%04d", i))
	}
	w := newWorld(t, ids...)
	w.plan.Destination.Idempotent, w.plan.Destination.ResolvedBy = true, ""
	w.verdicts["0007"] = activities.Verdict{State: activities.Rejected, Reason: activities.ReasonRefused, Detail: "no such column"}
	res, err := w.sync()
	if err != nil {
		t.Fatal(err)
	}
	want := activities.Counts{Listed: 2300, New: 2300, Created: 2299, Rejected: 1}
	if res.Outcome != activities.CompletedWithRejects || res.Counts != want {
		t.Errorf("%s with %+v, want completed_with_rejects with %+v", res.Outcome, res.Counts, want)
	}
	for _, id := range ids {
		if n := w.written[id]; n != 1 && id != "0007" {
			t.Errorf("record %s was written %d times", id, n)
		}
	}
	if len(w.copies) != 3 || len(w.fetches) > 0 || len(w.settled) > 0 {
		t.Errorf("%d batches were copied, want 3; %d were fetched and %d records settled, want none", len(w.copies), len(w.fetches), len(w.settled))
	}
	if len(res.Rejects) != 1 || res.Rejects[0].Detail != "no such column" {
		t.Errorf("the result shows the rejects %+v", res.Rejects)
	}
}
