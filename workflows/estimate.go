package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// estimate ends a dry run: it lists the whole window and says what writing it would take.
func (s *syncRun) estimate(ctx workflow.Context) (*SyncResult, error) {
	st := s.state
	for st.Next.Before(st.To) {
		if err := s.list(ctx); err != nil {
			return nil, err
		}
		st.Pending = nil // only their number counts
	}
	res := s.result(activities.Completed)
	n := st.Counts.New
	e := &Estimate{
		Records:             n,
		SourceRequests:      ceil(n, readSize(ctx, &st.Plan.Source)),
		DestinationRequests: n + ceil(n, groupSize),
	}
	e.Time = max(takes(e.SourceRequests, st.Source.Limits), takes(e.DestinationRequests, st.Destination.Limits))
	res.Estimate = e
	return res, nil
}

// takes is how long the limits make a number of requests take.
func takes(requests int, limits []activities.Limit) time.Duration {
	interval, budget := pace(limits)
	d := time.Duration(requests) * interval
	if budget > 0 {
		d = max(d, time.Duration((requests-1)/budget)*day)
	}
	return d
}

func ceil(n, size int) int { return (n + size - 1) / size }
