package workflows

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/activities"
)

var perMinute = []activities.Limit{{Requests: 100, Per: time.Minute}}

func TestQuotaKeepsTheLimitInEveryWindow(t *testing.T) {
	s := newScript(t)
	var slots []time.Time
	// Two workers ask for more than there is, all the time, for ten minutes.
	for at := time.Duration(0); at < 10*time.Minute; at += 700 * time.Millisecond {
		s.at(at, func() {
			update(s, UpdateLease, activities.LeaseRequest{Limits: perMinute, Slots: 20}, func(res activities.LeaseResult, err error) {
				if err != nil {
					t.Error(err)
				}
				for i := range res.Slots {
					slots = append(slots, s.env.Now().Add(res.Wait+time.Duration(i)*res.Interval))
				}
			})
		})
	}
	s.run(Quota, QuotaState{})

	first := 0
	for i, at := range slots {
		if i > 0 && at.Before(slots[i-1]) {
			t.Fatalf("slot %d is before the one that was granted earlier", i)
		}
		for at.Sub(slots[first]) > time.Minute {
			first++
		}
		if n := i - first + 1; n > 100 {
			t.Fatalf("%d requests in the minute before %v", n, at)
		}
	}
	if n := len(slots); n < 980 {
		t.Errorf("%d slots in ten minutes; more than 2 %% of the limit is lost", n)
	}
}

func TestQuotaLeases(t *testing.T) {
	budget := []activities.Limit{{Requests: 5, Per: day}}
	type lease struct {
		Slots int
		Wait  time.Duration
	}
	tests := map[string]struct {
		limits []activities.Limit
		block  time.Duration // at one second; zero for none
		ask    []time.Duration
		want   []lease
	}{
		"a lease is for a few seconds": {perMinute, 0, []time.Duration{0}, []lease{{4, 0}}},
		"leases follow each other":     {perMinute, 0, []time.Duration{0, 0}, []lease{{4, 0}, {4, 2424 * time.Millisecond}}},
		"nobody waits for long":        {perMinute, 0, []time.Duration{0, 0, 0, 0, 0, 0}, []lease{{4, 0}, {4, 2424 * time.Millisecond}, {4, 4848 * time.Millisecond}, {4, 7272 * time.Millisecond}, {4, 9696 * time.Millisecond}, {0, 12120 * time.Millisecond}}},
		"idle time is not saved up":    {perMinute, 0, []time.Duration{0, time.Hour}, []lease{{4, 0}, {4, 0}}},
		"a refusal blocks everybody":   {perMinute, 40 * time.Second, []time.Duration{2 * time.Second, 41 * time.Second}, []lease{{0, 39 * time.Second}, {4, 0}}},
		"the day's budget ends at midnight UTC": {budget, 0, []time.Duration{0, time.Minute, 12 * time.Hour},
			[]lease{{5, 0}, {0, 12*time.Hour - time.Minute}, {5, 0}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			var got []lease
			if test.block > 0 {
				s.at(time.Second, func() { update[any](s, UpdateBlock, activities.BlockRequest{For: test.block}, nil) })
			}
			for _, at := range test.ask {
				s.at(at, func() {
					update(s, UpdateLease, activities.LeaseRequest{Limits: test.limits, Slots: 50}, func(res activities.LeaseResult, err error) {
						if err != nil {
							t.Error(err)
						}
						got = append(got, lease{res.Slots, res.Wait})
					})
				})
			}
			s.run(Quota, QuotaState{})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("leases (-want +got):\n%s", diff)
			}
		})
	}
}
