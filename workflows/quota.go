package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

const (
	// leaseSpan is how much time's worth of slots one lease takes, so that workers rarely ask and little is lost with one.
	leaseSpan = 3 * time.Second

	// defaultBlock is how long a connection rests after a refusal that did not say for how long.
	defaultBlock = 5 * time.Second

	day = 24 * time.Hour
)

// QuotaState is the input of [Quota] and what it carries along when it continues as new.
type QuotaState struct {
	// Next is when the next slot is free.
	Next time.Time `json:"next,omitzero"`

	activities.QuotaStatus
}

// Quota paces the requests of one connection across all workers. It hands out slots that follow each other at an even interval,
// so that no window of any length sees more requests than the limits allow, and keeps count of the UTC day.
func Quota(ctx workflow.Context, state QuotaState) error {
	q := &quota{state: state}
	err := errors.Join(
		workflow.SetQueryHandler(ctx, QueryStatus, func() (activities.QuotaStatus, error) { return q.state.QuotaStatus, nil }),
		workflow.SetUpdateHandler(ctx, UpdateLease, q.lease),
		workflow.SetUpdateHandler(ctx, UpdateBlock, q.block),
	)
	if err != nil {
		return err
	}
	if err := untilContinueAsNew(ctx); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Quota, q.state)
}

type quota struct{ state QuotaState }

// lease grants the next slots.
func (q *quota) lease(ctx workflow.Context, req activities.LeaseRequest) (activities.LeaseResult, error) {
	now := workflow.Now(ctx)
	if today := now.UTC().Format(time.DateOnly); today != q.state.Day {
		q.state.Day, q.state.Today = today, 0
	}
	interval, budget := pace(req.Limits)
	q.state.Budget = budget
	res := activities.LeaseResult{Interval: interval}

	start := later(now, q.state.Next)
	res.Wait = start.Sub(now)
	switch {
	case now.Before(q.state.BlockedUntil):
		res.Wait, res.Because = q.state.BlockedUntil.Sub(now), "it has refused a request and said when to come back"
		return res, nil
	case budget > 0 && q.state.Today >= budget:
		res.Wait, res.Because = now.UTC().Truncate(day).Add(day).Sub(now), fmt.Sprintf("the connection's budget of %d requests a day is spent", budget)
		return res, nil
	case res.Wait > activities.MaxSlotWait:
		return res, nil
	}
	res.Slots = max(1, req.Slots)
	if interval > 0 {
		res.Slots = min(res.Slots, max(1, int(leaseSpan/interval)))
	}
	if budget > 0 {
		res.Slots = min(res.Slots, budget-q.state.Today)
	}
	q.state.Today += res.Slots
	q.state.Next = start.Add(time.Duration(res.Slots) * interval)
	return res, nil
}

// pace returns the interval between requests that keeps all limits shorter than a day, and the smallest daily budget; zero for
// none. The margin, a hundredth, absorbs that a request may reach the other system later than its slot, by 0.6 s where the limit is one
// of a minute, and the next ones may not.
func pace(limits []activities.Limit) (interval time.Duration, budget int) {
	const minMargin = 100 * time.Millisecond
	for _, l := range limits {
		switch {
		case l.Requests <= 0:
		case l.Per >= day:
			if budget == 0 || l.Requests < budget {
				budget = l.Requests
			}
		default:
			interval = max(interval, (l.Per+max(l.Per/100, minMargin))/time.Duration(l.Requests))
		}
	}
	return interval, budget
}

// block notes that the other system refused a request.
func (q *quota) block(ctx workflow.Context, req activities.BlockRequest) error {
	wait := req.For
	if wait <= 0 {
		wait = defaultBlock
	}
	q.state.BlockedUntil = later(q.state.BlockedUntil, workflow.Now(ctx).Add(wait))
	return nil
}
