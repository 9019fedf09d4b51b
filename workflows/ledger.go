package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// shardCapacity is how many entries a shard holds before the ledger goes on in the next one. Beyond 2 MB of state a workflow
// can never continue as new; an entry takes up to 400 bytes.
const shardCapacity = 4000

// LedgerState is the input of [Ledger] and what it carries along when it continues as new.
type LedgerState struct {
	Entries []activities.Entry `json:"entries,omitempty"`

	// Capacity is the number of entries that the shard holds; zero means the default. Tests set it.
	Capacity int `json:"capacity,omitempty"`
}

// Ledger is one shard of the record of what was written to a destination's objects on a day. It runs for ever, because an
// entry forgotten is a touchpoint written twice. Entries are never removed, so a full shard stays full, and all that look for
// the same record end up in the same shard.
func Ledger(ctx workflow.Context, state LedgerState) error {
	l := &ledger{state: state, index: make(map[string]int, len(state.Entries))}
	if l.state.Capacity == 0 {
		l.state.Capacity = shardCapacity
	}
	for i, e := range state.Entries {
		l.index[e.Key] = i
	}
	err := errors.Join(
		workflow.SetQueryHandler(ctx, QueryLookup, l.lookup),
		workflow.SetQueryHandler(ctx, QueryOpen, l.open),
		workflow.SetUpdateHandler(ctx, UpdateClaim, l.claim),
		workflow.SetUpdateHandler(ctx, UpdateSettle, l.settle),
	)
	if err != nil {
		return err
	}
	if err := untilContinueAsNew(ctx); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Ledger, l.state)
}

type ledger struct {
	state LedgerState
	index map[string]int // key -> position in state.Entries
}

func (l *ledger) full() bool { return len(l.state.Entries) >= l.state.Capacity }

// entry returns the entry of a key, adding one if there is room; nil if there is not.
func (l *ledger) entry(key string, t time.Time) (e *activities.Entry, added bool) {
	if i, ok := l.index[key]; ok {
		return &l.state.Entries[i], false
	}
	if l.full() {
		return nil, false
	}
	l.index[key] = len(l.state.Entries)
	l.state.Entries = append(l.state.Entries, activities.Entry{Key: key, Time: t})
	return &l.state.Entries[len(l.state.Entries)-1], true
}

func (l *ledger) lookup(keys []string) (activities.LookupResult, error) {
	res := activities.LookupResult{Full: l.full()}
	for _, key := range keys {
		if i, ok := l.index[key]; ok {
			res.Entries = append(res.Entries, l.state.Entries[i])
		}
	}
	return res, nil
}

func (l *ledger) open(job string) (activities.LookupResult, error) {
	res := activities.LookupResult{Full: l.full()}
	for _, e := range l.state.Entries {
		if e.Job == job && e.State != activities.Delivered {
			res.Entries = append(res.Entries, e)
		}
	}
	return res, nil
}

// claim grants the right to write.
func (l *ledger) claim(ctx workflow.Context, req activities.ClaimRequest) (activities.ClaimResult, error) {
	var res activities.ClaimResult
	now := workflow.Now(ctx)
	for _, item := range req.Items {
		e, _ := l.entry(item.Key, item.Time)
		if e == nil {
			res.Rest = append(res.Rest, item)
			continue
		}
		if grant, ok := refusal(e, &req, now); ok {
			res.Grants = append(res.Grants, grant)
			continue
		}
		if item.Doubt || e.State == activities.InDoubt || e.State == activities.Claimed && *e.Owner != req.Owner {
			e.Doubt = true
		}
		// Invariant: a record in doubt is looked for where, and when, it may have been written.
		if !e.Doubt {
			e.Target, e.Time = item.Target, item.Time
		}
		owner := req.Owner
		deadline := now.Add(req.TTL)
		e.State, e.Reason, e.Job, e.Owner = activities.Claimed, "", req.Job, &owner
		e.Clear = deadline.Add(req.Lag)
		res.Grants = append(res.Grants, activities.Grant{
			Key: item.Key, State: activities.Claimed, Deadline: deadline, Doubt: e.Doubt, Target: e.Target, Time: e.Time,
		})
	}
	return res, nil
}

// refusal returns the answer to a claim that cannot be granted.
//
// Invariant: exactly once. Nobody acts on another owner's claim until that owner runs no more and no write of it can turn up
// any more, by server time.
func refusal(e *activities.Entry, req *activities.ClaimRequest, now time.Time) (activities.Grant, bool) {
	switch e.State {
	case activities.Delivered:
		return activities.Grant{Key: e.Key, State: activities.Delivered}, true
	case activities.Claimed:
		if *e.Owner == req.Owner || contains(req.Dead, *e.Owner) && !now.Before(e.Clear) {
			break
		}
		return activities.Grant{Key: e.Key, State: activities.InDoubt, Holder: e.Owner, Clear: e.Clear}, true
	default: // given up, perhaps in doubt
		if now.Before(e.Clear) {
			return activities.Grant{Key: e.Key, State: activities.InDoubt, Clear: e.Clear}, true
		}
	}
	return activities.Grant{}, false
}

// settle notes what became of records.
func (l *ledger) settle(_ workflow.Context, req activities.SettleRequest) (activities.SettleResult, error) {
	var res activities.SettleResult
	for _, item := range req.Items {
		e, added := l.entry(item.Key, item.Time)
		if e == nil {
			res.Rest = append(res.Rest, item)
			continue
		}
		// Invariant: what was delivered stays delivered, and only a claim's owner gives it up, that claim and no later one.
		foreign := e.State == activities.Claimed && *e.Owner != req.Owner
		stale := !item.Clear.IsZero() && !item.Clear.Equal(e.Clear)
		if !added && (e.State == activities.Delivered || (foreign || stale) && item.State != activities.Delivered) {
			continue
		}
		e.State, e.Reason, e.Job, e.Title = item.State, item.Reason, req.Job, item.Title
		if !e.Doubt {
			e.Time = item.Time
		}
		switch item.State {
		case activities.Delivered:
			e.Title = "" // only what is not delivered has to be shown
			e.Target, e.ID, e.Owner, e.Doubt, e.Clear = item.Target, item.ID, nil, false, time.Time{}
		case activities.InDoubt: // Clear, Target and Time stay: they say when and where to look
			e.Owner, e.Doubt = nil, true
		default: // Invariant: doubt, and when it can be cleared, outlive all but a delivery.
			e.Owner = nil
			if !e.Doubt {
				e.Clear = time.Time{}
			}
		}
	}
	return res, nil
}

func contains(owners []activities.Owner, owner activities.Owner) bool {
	for _, o := range owners {
		if o == owner {
			return true
		}
	}
	return false
}
