package httpkit

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/durasync/durasync/plugin"
)

// PerSecond reads the attribute requests_per_second, as connections of most connectors have it: the limit of so many requests in a
// second, which may be a fraction (2.5 is 1 in 400 ms). Zero is no limit; beyond 1,000 is [plugin.CodeInvalidConfig].
func PerSecond(requests float64) ([]plugin.RateLimit, error) {
	switch {
	case requests < 0 || requests > 1000:
		return nil, plugin.InvalidConfig("requests_per_second", "must lie between 0, which is no limit, and 1000")
	case requests == 0:
		return nil, nil
	case requests == float64(int(requests)):
		return []plugin.RateLimit{{Requests: int(requests), Per: time.Second}}, nil
	}
	return []plugin.RateLimit{{Requests: 1, Per: time.Duration(float64(time.Second) / max(requests, 1e-6))}}, nil
}

// limiter delays requests so that all limits hold in this process.
type limiter []*rate.Limiter

// margin is added to a period, because requests do not arrive in the rhythm in which they are sent.
const margin = 100 * time.Millisecond

// newLimiter spaces requests evenly for limits over a minute or less: any period then holds at most the allowed number. Over
// longer periods even spacing would make every run slow, so they get a budget that can be spent at once and refills evenly.
func newLimiter(limits []plugin.RateLimit) limiter {
	var l limiter
	for _, limit := range limits {
		if limit.Requests <= 0 || limit.Per <= 0 {
			continue
		}
		per, burst := limit.Per+margin, 1
		if limit.Per > time.Minute {
			per, burst = limit.Per, limit.Requests
		}
		l = append(l, rate.NewLimiter(rate.Every(per/time.Duration(limit.Requests)), burst))
	}
	return l
}

// wait returns when a request may be sent. If that is only after the context's end it does not wait but says how long it
// would have been.
func (l limiter) wait(ctx context.Context, system string) *plugin.Error {
	if err := ctx.Err(); err != nil {
		return plugin.Errorf(plugin.CodeUnavailable, "nothing was sent to %s: %v", system, err)
	}
	now := time.Now()
	var delay time.Duration
	reserved := make([]*rate.Reservation, len(l))
	for i, one := range l {
		reserved[i] = one.ReserveN(now, 1)
		delay = max(delay, reserved[i].DelayFrom(now))
	}
	if delay == 0 {
		return nil
	}
	giveUp := func(e *plugin.Error) *plugin.Error {
		for _, r := range reserved {
			r.Cancel()
		}
		return e
	}
	if deadline, ok := ctx.Deadline(); ok && now.Add(delay).After(deadline) {
		e := plugin.Errorf(plugin.CodeRateLimited, "the rate limit configured for %s leaves no request before the deadline", system)
		e.RetryAfter = delay
		return giveUp(e)
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return giveUp(plugin.Errorf(plugin.CodeUnavailable, "nothing was sent to %s: %v", system, ctx.Err()))
	}
}
