package activities

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"
)

// granting are ledgers that grant every claim and note what is settled.
type granting struct {
	ledgers
	settled map[LedgerRef][]Settlement
}

func (l *granting) Claim(_ context.Context, _ LedgerRef, req ClaimRequest) (*ClaimResult, error) {
	res := &ClaimResult{}
	for _, item := range req.Items {
		res.Grants = append(res.Grants, Grant{Key: item.Key, State: Claimed, Target: item.Target, Deadline: noon.Add(req.TTL)})
	}
	return res, nil
}

func (l *granting) Settle(_ context.Context, ref LedgerRef, req SettleRequest) error {
	l.settled[ref] = append(l.settled[ref], req.Items...)
	return nil
}

// TestClaimLooksAround claims a record that another day's ledger knows, as when it was moved after somebody had noted it.
func TestClaimLooksAround(t *testing.T) {
	const key = "gong/calls/1"
	moved := noon.AddDate(0, 0, 4) // since it was noted
	other := &Owner{WorkflowID: "sync/other", FirstRunID: "1"}
	tests := map[string]struct {
		day     string
		entry   Entry
		grant   State
		settled []Settlement
	}{
		"delivered the day before": {
			"2026-03-09", Entry{State: Delivered, Target: "acc", ID: "note"}, Delivered,
			[]Settlement{{Key: key, Time: moved, State: Delivered, Target: "acc", ID: "note"}},
		},
		"delivered on the day that it has moved to": {
			"2026-03-14", Entry{State: Delivered, Target: "acc", ID: "note"}, Delivered,
			[]Settlement{{Key: key, Time: moved, State: Delivered, Target: "acc", ID: "note"}},
		},
		"in another run's hands": {
			"2026-03-11", Entry{State: Claimed, Owner: other}, Deferred,
			[]Settlement{{Key: key, Time: moved, State: Deferred, Reason: ReasonHeld, Clear: noon.Add(time.Minute + time.Second)}},
		},
		"perhaps written": {
			"2026-03-13", Entry{State: InDoubt, Doubt: true}, Deferred,
			[]Settlement{{Key: key, Time: moved, State: Deferred, Reason: ReasonHeld, Clear: noon.Add(time.Minute + time.Second)}},
		},
		"refused, but perhaps written before": {
			"2026-03-13", Entry{State: Rejected, Doubt: true}, Deferred,
			[]Settlement{{Key: key, Time: moved, State: Deferred, Reason: ReasonHeld, Clear: noon.Add(time.Minute + time.Second)}},
		},
		"only rejected":  {"2026-03-11", Entry{State: Rejected}, Claimed, nil},
		"another record": {"2026-03-11", Entry{Key: "gong/calls/2", State: Delivered}, Claimed, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.entry.Key == "" {
				test.entry.Key = key
			}
			l := &granting{settled: map[LedgerRef][]Settlement{}}
			l.entries = map[LedgerRef][]Entry{ledgerOf(test.day): {test.entry}}
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			acts := New(Dependencies{Ledgers: l})
			env.RegisterActivity(acts)
			v, err := env.ExecuteActivity(acts.Claim, ClaimInput{
				Destination: aDestination, Source: aSource, Job: "meetings", Owner: Owner{WorkflowID: "sync/me"}, TTL: time.Minute, Lag: time.Second,
				Records: []ClaimRecord{{Pending: Pending{ID: "1", Time: moved, Day: "2026-03-10"}, Target: "acc"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			var res ClaimGrants
			if err := v.Get(&res); err != nil {
				t.Fatal(err)
			}
			if got := res.Grants[0].State; got != test.grant {
				t.Errorf("the claim is answered with %s, want %s", got, test.grant)
			}
			if diff := cmp.Diff(test.settled, l.settled[ledgerOf("2026-03-10")]); diff != "" {
				t.Errorf("settled in the ledger of the claim (-want +got):\n%s", diff)
			}
		})
	}
}
