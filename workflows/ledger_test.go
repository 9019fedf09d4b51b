package workflows

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/activities"
)

var (
	alice = activities.Owner{WorkflowID: "sync/alice", FirstRunID: "1"}
	bob   = activities.Owner{WorkflowID: "sync/bob", FirstRunID: "2"}
)

const (
	ttl = 5 * time.Minute
	lag = 30 * time.Second
)

func claimOf(owner activities.Owner, target string, keys ...string) activities.ClaimRequest {
	req := activities.ClaimRequest{Owner: owner, Job: "job of " + owner.WorkflowID, TTL: ttl, Lag: lag}
	for _, k := range keys {
		req.Items = append(req.Items, activities.ClaimItem{Key: k, Time: epoch, Target: target})
	}
	return req
}

func settleOf(owner activities.Owner, state activities.State, keys ...string) activities.SettleRequest {
	req := activities.SettleRequest{Owner: owner, Job: "job of " + owner.WorkflowID}
	for _, k := range keys {
		req.Items = append(req.Items, activities.Settlement{Key: k, Time: epoch, State: state, Target: "acc", ID: "note"})
	}
	return req
}

// step is a claim or a settlement at a time, and the grant that the claim must get.
type step struct {
	at     time.Duration
	claim  *activities.ClaimRequest
	settle *activities.SettleRequest
	want   activities.Grant
}

func claimStep(at time.Duration, req activities.ClaimRequest, want activities.Grant) step {
	want.Key = req.Items[0].Key
	return step{at: at, claim: &req, want: want}
}

func settleStep(at time.Duration, req activities.SettleRequest) step {
	return step{at: at, settle: &req}
}

func dead(req activities.ClaimRequest, owners ...activities.Owner) activities.ClaimRequest {
	req.Dead = owners
	return req
}

// moved is a claim to records that have moved by two days since they were claimed first.
func moved(req activities.ClaimRequest) activities.ClaimRequest {
	for i := range req.Items {
		req.Items[i].Time = epoch.Add(2 * day)
	}
	return req
}

// givenBack gives back the claims that are clear at a time.
func givenBack(owner activities.Owner, clear time.Time, keys ...string) activities.SettleRequest {
	req := settleOf(owner, activities.Deferred, keys...)
	for i := range req.Items {
		req.Items[i].Clear = clear
	}
	return req
}

// doubting is a claim to records that the run may have written before.
func doubting(req activities.ClaimRequest) activities.ClaimRequest {
	for i := range req.Items {
		req.Items[i].Doubt = true
	}
	return req
}

func TestLedgerClaims(t *testing.T) {
	granted := func(at time.Duration, target string, doubt bool) activities.Grant {
		return activities.Grant{State: activities.Claimed, Deadline: epoch.Add(at + ttl), Target: target, Time: epoch, Doubt: doubt}
	}
	held := func(claimedAt time.Duration, by *activities.Owner) activities.Grant {
		return activities.Grant{State: activities.InDoubt, Holder: by, Clear: epoch.Add(claimedAt + ttl + lag)}
	}
	delivered := activities.Grant{State: activities.Delivered}

	tests := map[string][]step{
		"a new record is granted": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
		},
		"the same owner is granted again, and the deadline moves": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Minute, claimOf(alice, "acc", "k"), granted(time.Minute, "acc", false)),
		},
		"another owner is refused while the first lives, however long": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Minute, claimOf(bob, "acc", "k"), held(0, &alice)),
			claimStep(100*time.Hour, claimOf(bob, "acc", "k"), held(0, &alice)),
		},
		"a dead owner's claim stands until its last write can be found": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(ttl+lag-time.Second, dead(claimOf(bob, "acc", "k"), alice), held(0, &alice)),
			claimStep(ttl+lag, dead(claimOf(bob, "acc", "k"), alice), granted(ttl+lag, "acc", true)),
		},
		"a claim taken over keeps the target it was made for": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Hour, dead(claimOf(bob, "other", "k"), alice), granted(time.Hour, "acc", true)),
		},
		"a claim taken over keeps the time of the record that it was made for": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Hour, moved(dead(claimOf(bob, "acc", "k"), alice)), granted(time.Hour, "acc", true)),
		},
		"a claim that is given back late does not give back the one made since": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Minute, claimOf(alice, "acc", "k"), granted(time.Minute, "acc", false)),
			settleStep(2*time.Minute, givenBack(alice, epoch.Add(ttl+lag), "k")),
			claimStep(3*time.Minute, claimOf(bob, "acc", "k"), held(time.Minute, &alice)),
			settleStep(4*time.Minute, givenBack(alice, epoch.Add(time.Minute+ttl+lag), "k")),
			claimStep(5*time.Minute, claimOf(bob, "acc", "k"), granted(5*time.Minute, "acc", false)),
		},
		"a run that may have written says so when it claims again": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Minute, doubting(claimOf(alice, "other", "k")), granted(time.Minute, "acc", true)),
			settleStep(2*time.Minute, settleOf(alice, activities.Deferred, "k")),
			claimStep(time.Hour, claimOf(bob, "other", "k"), granted(time.Hour, "acc", true)),
		},
		"doubt stays over later claims": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Hour, dead(claimOf(bob, "other", "k"), alice), granted(time.Hour, "acc", true)),
			claimStep(2*time.Hour, claimOf(bob, "other", "k"), granted(2*time.Hour, "acc", true)),
		},
		"what is delivered is not granted again": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			settleStep(time.Minute, settleOf(alice, activities.Delivered, "k")),
			claimStep(time.Hour, claimOf(alice, "acc", "k"), delivered),
			claimStep(2*time.Hour, dead(claimOf(bob, "acc", "k"), alice), delivered),
		},
		"what is delivered stays delivered": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			settleStep(time.Minute, settleOf(alice, activities.Delivered, "k")),
			settleStep(2*time.Minute, settleOf(bob, activities.Rejected, "k")),
			claimStep(time.Hour, claimOf(bob, "acc", "k"), delivered),
		},
		"a late settlement of a former owner that delivered counts": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			claimStep(time.Hour, dead(claimOf(bob, "acc", "k"), alice), granted(time.Hour, "acc", true)),
			settleStep(2*time.Hour, settleOf(alice, activities.Delivered, "k")),
			claimStep(3*time.Hour, claimOf(bob, "acc", "k"), delivered),
		},
		"a former owner cannot give up another's claim": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			settleStep(time.Minute, settleOf(bob, activities.Rejected, "k")),
			claimStep(2*time.Minute, claimOf(bob, "acc", "k"), held(0, &alice)),
		},
		"a rejected record can be claimed, for another target": {
			settleStep(0, settleOf(alice, activities.Rejected, "k")),
			claimStep(time.Minute, claimOf(bob, "other", "k"), granted(time.Minute, "other", false)),
		},
		"a claim given up in doubt stands until it is clear, then anyone looks": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			settleStep(time.Minute, settleOf(alice, activities.InDoubt, "k")),
			claimStep(2*time.Minute, claimOf(bob, "other", "k"), held(0, nil)),
			claimStep(ttl+lag, claimOf(bob, "other", "k"), granted(ttl+lag, "acc", true)),
		},
		"rejecting a record in doubt does not clear it early": {
			claimStep(0, claimOf(alice, "acc", "k"), granted(0, "acc", false)),
			settleStep(time.Minute, settleOf(alice, activities.InDoubt, "k")),
			settleStep(2*time.Minute, settleOf(bob, activities.Rejected, "k")),
			claimStep(3*time.Minute, claimOf(bob, "other", "k"), held(0, nil)),
			claimStep(time.Hour, claimOf(bob, "other", "k"), granted(time.Hour, "acc", true)),
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			claims := 0
			for _, st := range steps {
				s.at(st.at, func() {
					if st.settle != nil {
						update[activities.SettleResult](s, UpdateSettle, *st.settle, func(_ activities.SettleResult, err error) {
							if err != nil {
								t.Errorf("settle at %v: %v", st.at, err)
							}
						})
						return
					}
					update(s, UpdateClaim, *st.claim, func(res activities.ClaimResult, err error) {
						claims++
						if err != nil {
							t.Fatalf("claim at %v: %v", st.at, err)
						}
						if diff := cmp.Diff([]activities.Grant{st.want}, res.Grants); diff != "" {
							t.Errorf("claim at %v (-want +got):\n%s", st.at, diff)
						}
					})
				})
			}
			s.run(Ledger, LedgerState{})
			want := 0
			for _, st := range steps {
				if st.claim != nil {
					want++
				}
			}
			if claims != want {
				t.Errorf("%d claims were answered, want %d", claims, want)
			}
		})
	}
}

func TestLedgerChains(t *testing.T) {
	s := newScript(t)
	s.at(0, func() {
		update(s, UpdateClaim, claimOf(alice, "acc", "a", "b", "c"), func(res activities.ClaimResult, err error) {
			if err != nil || len(res.Grants) != 2 || len(res.Rest) != 1 || res.Rest[0].Key != "c" {
				t.Errorf("claim of three in a shard of two: %+v, %v; want two grants and c left over", res, err)
			}
		})
	})
	s.at(time.Minute, func() {
		update(s, UpdateSettle, settleOf(alice, activities.Delivered, "c", "a"), func(res activities.SettleResult, err error) {
			if err != nil || len(res.Rest) != 1 || res.Rest[0].Key != "c" {
				t.Errorf("settle in a full shard: %+v, %v; want c left over", res, err)
			}
		})
	})
	s.at(2*time.Minute, func() {
		got := query[activities.LookupResult](s, QueryLookup, []string{"a", "b", "c"})
		states := map[string]activities.State{}
		for _, e := range got.Entries {
			states[e.Key] = e.State
		}
		want := map[string]activities.State{"a": activities.Delivered, "b": activities.Claimed}
		if diff := cmp.Diff(want, states); diff != "" || !got.Full {
			t.Errorf("lookup: full %v, states (-want +got):\n%s", got.Full, diff)
		}
	})
	s.run(Ledger, LedgerState{Capacity: 2})
}

func TestLedgerOpenListsWhatIsNotDelivered(t *testing.T) {
	s := newScript(t)
	s.at(0, func() {
		update[activities.ClaimResult](s, UpdateClaim, claimOf(alice, "acc", "claimed", "delivered", "doubt"), nil)
		update[activities.SettleResult](s, UpdateSettle, settleOf(alice, activities.Delivered, "delivered"), nil)
		update[activities.SettleResult](s, UpdateSettle, settleOf(alice, activities.InDoubt, "doubt"), nil)
		update[activities.SettleResult](s, UpdateSettle, settleOf(alice, activities.Deferred, "deferred"), nil)
		update[activities.SettleResult](s, UpdateSettle, settleOf(bob, activities.Rejected, "of another job"), nil)
	})
	s.at(time.Minute, func() {
		got := query[activities.LookupResult](s, QueryOpen, "job of "+alice.WorkflowID)
		var keys []string
		for _, e := range got.Entries {
			keys = append(keys, e.Key)
		}
		if diff := cmp.Diff([]string{"claimed", "doubt", "deferred"}, keys); diff != "" {
			t.Errorf("open entries (-want +got):\n%s", diff)
		}
	})
	s.run(Ledger, LedgerState{})
}

// TestLedgerStateFits checks that a full shard can continue as new: its state must stay below the 2 MB that a payload may have.
func TestLedgerStateFits(t *testing.T) {
	l := &ledger{state: LedgerState{Capacity: shardCapacity}, index: map[string]int{}}
	for i := range shardCapacity {
		e, _ := l.entry(fmt.Sprintf("gong/calls/%020d", i), epoch)
		e.State, e.Reason, e.Job = activities.InDoubt, activities.ReasonUncertain, "a_job_with_a_name_of_a_usual_length"
		e.Owner = &activities.Owner{WorkflowID: "sync/a_job_with_a_name_of_a_usual_length-2026-03-10T12:00:00Z", FirstRunID: "0195be4c-7aeb-7b4b-9b0a-4e4f3f5c1c11"}
		e.Clear, e.Doubt, e.Target, e.ID = epoch, true, "0013601230sV7grAAC", "981234567"
	}
	if size := jsonSize(t, l.state); size > 2_000_000 {
		t.Errorf("a full shard takes %d bytes, more than a payload may have", size)
	}
}
