package entities

import (
	"context"
	"sync"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// maxInFlight is how many updates one process has under way at one ledger. The server takes ten from everybody.
const maxInFlight = 4

// Claim implements [activities.Ledgers].
func (c *Client) Claim(ctx context.Context, ref activities.LedgerRef, req activities.ClaimRequest) (*activities.ClaimResult, error) {
	byKey := make(map[string]activities.Grant, len(req.Items))
	all := req.Items
	for shard := 1; len(req.Items) > 0; shard++ {
		var res activities.ClaimResult
		if err := c.updateLedger(ctx, ref, shard, workflows.UpdateClaim, req, &res); err != nil {
			return nil, err
		}
		for _, g := range res.Grants {
			byKey[g.Key] = g
		}
		req.Items = res.Rest
	}
	out := &activities.ClaimResult{Grants: make([]activities.Grant, 0, len(all))}
	for _, item := range all {
		out.Grants = append(out.Grants, byKey[item.Key])
	}
	return out, nil
}

// Settle implements [activities.Ledgers].
func (c *Client) Settle(ctx context.Context, ref activities.LedgerRef, req activities.SettleRequest) error {
	for shard := 1; len(req.Items) > 0; shard++ {
		var res activities.SettleResult
		if err := c.updateLedger(ctx, ref, shard, workflows.UpdateSettle, req, &res); err != nil {
			return err
		}
		req.Items = res.Rest
	}
	return nil
}

// Lookup implements [activities.Ledgers].
func (c *Client) Lookup(ctx context.Context, ref activities.LedgerRef, keys []string) ([]activities.Entry, error) {
	return c.entries(ctx, ref, workflows.QueryLookup, keys)
}

// Open implements [activities.Ledgers].
func (c *Client) Open(ctx context.Context, ref activities.LedgerRef, job string) ([]activities.Entry, error) {
	return c.entries(ctx, ref, workflows.QueryOpen, job)
}

// OpenRecords returns the job's records of the days from since to until, both included, that are not delivered, in the order of
// their days.
func (c *Client) OpenRecords(ctx context.Context, p *plan.Plan, since, until time.Time) ([]activities.Entry, error) {
	var open []activities.Entry
	for at := since; activities.Day(at) <= activities.Day(until); at = at.AddDate(0, 0, 1) {
		ref := activities.LedgerRef{Connection: p.Destination.Connection, Object: p.Destination.Object, Day: activities.Day(at)}
		entries, err := c.Open(ctx, ref, p.Job)
		if err != nil {
			return nil, err
		}
		open = append(open, entries...)
	}
	return open, nil
}

// entries collects the answers of all shards of a ledger.
func (c *Client) entries(ctx context.Context, ref activities.LedgerRef, query string, arg any) ([]activities.Entry, error) {
	var entries []activities.Entry
	for shard := 1; ; shard++ {
		var res activities.LookupResult
		found, err := c.query(ctx, workflows.LedgerID(ref, shard), query, &res, arg)
		if err != nil {
			return nil, err
		}
		entries = append(entries, res.Entries...)
		if !found || !res.Full {
			return entries, nil
		}
	}
}

func (c *Client) updateLedger(ctx context.Context, ref activities.LedgerRef, shard int, name string, arg, result any) error {
	id := workflows.LedgerID(ref, shard)
	leave, err := c.ledgers.enter(ctx, id)
	if err != nil {
		return err
	}
	defer leave()
	return c.update(ctx, entity{id: id, workflow: workflows.LedgerType, input: workflows.LedgerState{}, summary: "ledger of " + ref.Object + "s of " + ref.Day}, name, arg, result)
}

// gates bounds the updates under way at each ledger.
type gates struct {
	mu   sync.Mutex
	open map[string]*gate
}

type gate struct {
	slots chan struct{}
	users int // under gates.mu
}

func newGates() *gates { return &gates{open: map[string]*gate{}} }

// enter waits for a place and returns how to leave it.
func (g *gates) enter(ctx context.Context, id string) (leave func(), err error) {
	g.mu.Lock()
	t := g.open[id]
	if t == nil {
		t = &gate{slots: make(chan struct{}, maxInFlight)}
		g.open[id] = t
	}
	t.users++
	g.mu.Unlock()
	release := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(g.open, id)
		}
	}
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots; release() }, nil
	case <-ctx.Done():
		release()
		return nil, ctx.Err()
	}
}
