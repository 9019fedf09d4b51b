package entities

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/workflows"
)

// Acquire implements [activities.Quotas].
func (c *Client) Acquire(ctx context.Context, connection string, limits []plugin.RateLimit, n int) error {
	if len(limits) == 0 {
		return nil
	}
	return c.quotas.bucket(connection).acquire(ctx, limits, n)
}

// Spent implements [activities.Quotas].
func (c *Client) Spent(connection string, n int) { c.quotas.bucket(connection).spent(n) }

// Limited implements [activities.Quotas].
func (c *Client) Limited(ctx context.Context, connection string, retryAfter time.Duration) error {
	c.quotas.bucket(connection).drop()
	return c.block(ctx, connection, activities.BlockRequest{For: retryAfter})
}

// Quota returns a connection's quota as its entity knows it, or nil if it was never limited.
func (c *Client) Quota(ctx context.Context, connection string) (*activities.QuotaStatus, error) {
	var s activities.QuotaStatus
	found, err := c.query(ctx, workflows.QuotaID(connection), workflows.QueryStatus, &s)
	if err != nil || !found {
		return nil, err
	}
	return &s, nil
}

func (c *Client) lease(ctx context.Context, connection string, req activities.LeaseRequest) (activities.LeaseResult, error) {
	var res activities.LeaseResult
	err := c.update(ctx, quotaEntity(connection), workflows.UpdateLease, req, &res)
	return res, err
}

func (c *Client) block(ctx context.Context, connection string, req activities.BlockRequest) error {
	return c.update(ctx, quotaEntity(connection), workflows.UpdateBlock, req, nil)
}

func quotaEntity(connection string) entity {
	return entity{id: workflows.QuotaID(connection), workflow: workflows.QuotaType, input: workflows.QuotaState{}, summary: "rate limit of " + connection}
}

// quotas holds this process's share of each connection's quota.
type quotas struct {
	lease func(context.Context, string, activities.LeaseRequest) (activities.LeaseResult, error)
	block func(context.Context, string, activities.BlockRequest) error

	mu      sync.Mutex
	buckets map[string]*bucket
}

func (q *quotas) bucket(connection string) *bucket {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.buckets[connection]
	if b == nil {
		b = &bucket{lease: func(ctx context.Context, req activities.LeaseRequest) (activities.LeaseResult, error) {
			return q.lease(ctx, connection, req)
		}, turn: make(chan struct{}, 1)}
		q.buckets[connection] = b
	}
	return b
}

// bucket holds the slots that this process has leased for a connection. Callers take them in the order in which they come.
type bucket struct {
	lease func(context.Context, activities.LeaseRequest) (activities.LeaseResult, error)

	// turn is held by the caller that takes slots, so that one lease is asked for at a time.
	turn chan struct{}

	mu      sync.Mutex
	slots   []time.Time // by this process's monotonic clock, ascending
	debt    int         // requests made beyond what was acquired
	waiting int         // callers that want a slot
}

// leaseAhead is how many slots a lease asks for at most; the quota cuts it down to a few seconds' worth.
const leaseAhead = 64

func (b *bucket) acquire(ctx context.Context, limits []plugin.RateLimit, n int) error {
	b.add(n)
	defer b.add(-n)
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	at, err := b.take(ctx, limits, n)
	<-b.turn
	if err != nil {
		return err
	}
	return sleepUntil(ctx, at)
}

func (b *bucket) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting += n
}

// take returns the time of the n-th slot from now, after the debt is paid.
func (b *bucket) take(ctx context.Context, limits []plugin.RateLimit, n int) (time.Time, error) {
	b.mu.Lock()
	owed := b.debt
	b.debt = 0
	b.mu.Unlock()
	var at time.Time
	for need := n + owed; need > 0; {
		var ok bool
		if at, ok = b.pop(); ok {
			need--
			continue
		}
		if err := b.refill(ctx, limits, need); err != nil {
			b.spent(owed)
			return time.Time{}, err
		}
	}
	return at, nil
}

// pop takes the next slot. Slots that nobody used in time are void: used late, they would make a burst with those that follow.
func (b *bucket) pop() (time.Time, bool) {
	const stale = 500 * time.Millisecond
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.slots) > 0 {
		at := b.slots[0]
		b.slots = b.slots[1:]
		if time.Since(at) < stale {
			return at, true
		}
	}
	return time.Time{}, false
}

// refill leases slots. A wait that is too long is an error that says when to come back.
func (b *bucket) refill(ctx context.Context, limits []plugin.RateLimit, need int) error {
	b.mu.Lock()
	req := activities.LeaseRequest{Slots: min(leaseAhead, max(need, b.waiting))}
	b.mu.Unlock()
	for _, l := range limits {
		req.Limits = append(req.Limits, activities.Limit{Requests: l.Requests, Per: l.Per})
	}
	asked := time.Now()
	res, err := b.lease(ctx, req)
	if err != nil {
		return err
	}
	if res.Slots == 0 {
		e := plugin.Errorf(plugin.CodeRateLimited, "%s", cmp.Or(res.Because, "others use the connection's rate limit up"))
		e.RetryAfter = res.Wait
		return e
	}
	// Counted from when the lease was asked for, the slots can only be too early by the time that the question took to
	// arrive, which the quota's margin covers; counted from the answer, each lease would lose the whole round trip.
	first := asked.Add(res.Wait)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range res.Slots {
		b.slots = append(b.slots, first.Add(time.Duration(i)*res.Interval))
	}
	return nil
}

// spent notes requests beyond those acquired. One that was acquired and not made is lost: its slot has passed.
func (b *bucket) spent(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.debt += max(0, n)
}

// drop forgets the leased slots: the other system refuses requests.
func (b *bucket) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slots = nil
}

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
