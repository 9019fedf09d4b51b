package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durasync/durasync/schema/plan"
)

// ClaimInput is the input of [Activities.Claim].
type ClaimInput struct {
	Destination plan.Destination `json:"destination"`
	Source      plan.Source      `json:"source"`
	Job         string           `json:"job"`
	Owner       Owner            `json:"owner"`
	TTL         time.Duration    `json:"ttl"`
	Lag         time.Duration    `json:"lag"`
	Records     []ClaimRecord    `json:"records"`
}

// ClaimRecord is a record to claim, with the target that was resolved for it.
type ClaimRecord struct {
	Pending Pending `json:"p"`
	Target  string  `json:"target,omitempty"`

	// Doubt says that the run itself may have written the record before.
	Doubt bool `json:"doubt,omitempty"`
}

// ClaimGrants has a grant for each record of the input, in its order.
type ClaimGrants struct {
	Grants []Grant `json:"grants"`
}

// Claim notes in the ledgers that the run is about to write the records. A claim whose owner is no longer running is taken
// over once nothing that the owner sent can turn up any more.
func (a *Activities) Claim(ctx context.Context, in ClaimInput) (*ClaimGrants, error) {
	res := &ClaimGrants{Grants: make([]Grant, len(in.Records))}
	for _, group := range byDay(in.Records, func(r ClaimRecord) string { return r.Pending.Day }) {
		ref := ledgerOfDay(&in.Destination, group.day)
		req := ClaimRequest{Owner: in.Owner, Job: in.Job, TTL: in.TTL, Lag: in.Lag}
		for _, i := range group.indexes {
			r := in.Records[i]
			req.Items = append(req.Items, ClaimItem{Key: Key(&in.Source, r.Pending.ID), Time: r.Pending.Time, Target: r.Target, Doubt: r.Doubt})
		}
		grants, err := a.claim(ctx, ref, req)
		if err != nil {
			return nil, fmt.Errorf("claim %d records in the ledger of %s: %w", len(req.Items), ref.Day, err)
		}
		for n, i := range group.indexes {
			res.Grants[i] = grants[n]
		}
	}
	return res, a.yield(ctx, in, res.Grants)
}

// yield gives back the claims to records that stand in the ledger of another day, too: delivered, or in somebody's hands.
//
// Invariant: exactly once, also for a record that moved from one day to another while two runs were looking at it. Whoever claims
// looks around only afterwards, so of two runs at least one sees the other; if both do, both leave it to a later run.
func (a *Activities) yield(ctx context.Context, in ClaimInput, grants []Grant) error {
	elsewhere, err := a.elsewhere(ctx, in, grants)
	if err != nil || len(elsewhere) == 0 {
		return err
	}
	settle := SettleInput{Destination: in.Destination, Source: in.Source, Job: in.Job, Owner: in.Owner}
	for i, r := range in.Records {
		e, ok := elsewhere[Key(&in.Source, r.Pending.ID)]
		if !ok || grants[i].State != Claimed {
			continue
		}
		// A give-back that arrives late must not give back a claim that the run has made since.
		s := SettleRecord{Pending: r.Pending, State: Deferred, Reason: ReasonHeld, Clear: grants[i].Deadline.Add(in.Lag)}
		if e.State == Delivered {
			s = SettleRecord{Pending: r.Pending, State: Delivered, Target: e.Target, ID: e.ID}
		}
		grants[i] = Grant{Key: grants[i].Key, State: s.State}
		settle.Records = append(settle.Records, s)
	}
	return a.Settle(ctx, settle)
}

// elsewhere returns what the ledgers of the days around each claimed record know of it, as far as it forbids to write the record.
func (a *Activities) elsewhere(ctx context.Context, in ClaimInput, grants []Grant) (map[string]found, error) {
	keys := map[string][]string{}
	for i, r := range in.Records {
		if grants[i].State != Claimed {
			continue
		}
		days := around(r.Pending.Time, r.Pending.Time)
		noted, err := time.Parse(time.DateOnly, r.Pending.Day)
		if err != nil {
			return nil, fmt.Errorf("the ledger's day of record %s: %w", r.Pending.ID, err)
		}
		for _, day := range around(noted, noted) {
			if !slices.Contains(days, day) {
				days = append(days, day)
			}
		}
		for _, day := range days {
			if day != r.Pending.Day {
				keys[day] = append(keys[day], Key(&in.Source, r.Pending.ID))
			}
		}
	}
	known, err := a.lookup(ctx, &in.Destination, keys)
	maps.DeleteFunc(known, func(_ string, e found) bool { return e.State != Delivered && e.State != Claimed && !e.Doubt })
	return known, err
}

// claim claims in one ledger and, where dead owners stand in the way, asks once more with their names.
func (a *Activities) claim(ctx context.Context, ref LedgerRef, req ClaimRequest) ([]Grant, error) {
	first, err := a.deps.Ledgers.Claim(ctx, ref, req)
	if err != nil {
		return nil, err
	}
	alive := map[Owner]bool{}
	for _, g := range first.Grants {
		if g.Holder == nil {
			continue
		}
		if _, asked := alive[*g.Holder]; asked {
			continue
		}
		if alive[*g.Holder], err = a.deps.Runs.Alive(ctx, *g.Holder); err != nil {
			return nil, err
		}
		if !alive[*g.Holder] {
			req.Dead = append(req.Dead, *g.Holder)
		}
	}
	if len(req.Dead) == 0 {
		return first.Grants, nil
	}
	second, err := a.deps.Ledgers.Claim(ctx, ref, req)
	if err != nil {
		return nil, err
	}
	for i, g := range second.Grants {
		if g.Holder != nil && !alive[*g.Holder] {
			second.Grants[i].Holder = nil // nobody holds it any more; only Clear has to pass
		}
	}
	return second.Grants, nil
}

type dayGroup struct {
	day     string
	indexes []int
}

// byDay groups the indexes of items by day, days in the order of their first item.
func byDay[T any](items []T, day func(T) string) []dayGroup {
	var groups []dayGroup
	at := map[string]int{}
	for i, item := range items {
		d := day(item)
		n, ok := at[d]
		if !ok {
			n = len(groups)
			at[d] = n
			groups = append(groups, dayGroup{day: d})
		}
		groups[n].indexes = append(groups[n].indexes, i)
	}
	return groups
}
