package entities

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
)

var perMinute = []plugin.RateLimit{{Requests: 100, Per: time.Minute}}

// server hands out slots of 600 ms, four at a time, as the Quota workflow does.
type server struct {
	mu     sync.Mutex
	next   time.Time
	leases int
	refuse *activities.LeaseResult
}

func (s *server) lease(_ context.Context, _ string, req activities.LeaseRequest) (activities.LeaseResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases++
	if s.refuse != nil {
		return *s.refuse, nil
	}
	now := time.Now()
	if s.next.Before(now) {
		s.next = now
	}
	res := activities.LeaseResult{Slots: min(4, req.Slots), Wait: s.next.Sub(now), Interval: 600 * time.Millisecond}
	s.next = s.next.Add(time.Duration(res.Slots) * res.Interval)
	return res, nil
}

func quotasOf(s *server) *Client {
	return &Client{quotas: &quotas{lease: s.lease, buckets: map[string]*bucket{}}}
}

func TestAcquirePaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		c := quotasOf(s)
		began := time.Now()
		var mu sync.Mutex
		var calls []time.Duration
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if err := c.Acquire(t.Context(), "totango.success", perMinute, 1); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				calls = append(calls, time.Since(began))
			})
		}
		wg.Wait()
		for i, at := range calls {
			if want := time.Duration(i) * 600 * time.Millisecond; at != want {
				t.Errorf("call %d is made after %v, want %v", i, at, want)
			}
		}
		if s.leases > 6 { // the first callers may not know of each other yet
			t.Errorf("%d leases for 12 calls", s.leases)
		}
	})
}

func TestAcquirePaysWhatWasOverspent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quotasOf(&server{})
		acquire := func() time.Duration {
			began := time.Now()
			if err := c.Acquire(t.Context(), "gong.acme", perMinute, 1); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		acquire()
		c.Spent("gong.acme", 3)
		if got, want := acquire(), 4*600*time.Millisecond; got != want {
			t.Errorf("after three requests too many the next one waits %v, want %v", got, want)
		}
		c.Spent("gong.acme", -5)
		if got, want := acquire(), 600*time.Millisecond; got != want {
			t.Errorf("after requests that were not made the next one waits %v, want %v: their slots have passed", got, want)
		}
	})
}

func TestAcquireUsesNoOldSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		c := quotasOf(s)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := c.Acquire(t.Context(), "gong.acme", perMinute, 1); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		before := s.leases
		time.Sleep(time.Hour) // of the test's own clock
		if err := c.Acquire(t.Context(), "gong.acme", perMinute, 1); err != nil {
			t.Fatal(err)
		}
		if s.leases == before {
			t.Error("a slot of an hour ago was used")
		}
	})
}

func TestAcquireSaysWhenToComeBack(t *testing.T) {
	s := &server{refuse: &activities.LeaseResult{Wait: 3 * time.Hour}}
	err := quotasOf(s).Acquire(t.Context(), "gong.acme", perMinute, 1)
	var e *plugin.Error
	if !errors.As(err, &e) || e.Code != plugin.CodeRateLimited || e.RetryAfter != 3*time.Hour || !e.Retryable {
		t.Errorf("got %+v, want a rate limit that ends in 3 hours", err)
	}
}

func TestAcquireWithoutLimitsAsksNobody(t *testing.T) {
	s := &server{}
	if err := quotasOf(s).Acquire(t.Context(), "gong.acme", nil, 1); err != nil || s.leases > 0 {
		t.Errorf("%v after %d leases, want neither", err, s.leases)
	}
}
