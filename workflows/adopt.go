package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// adoptPending looks for the pending records in the destination, wave by wave, and notes as delivered those that are there. The others
// are left to the next run.
func (s *syncRun) adoptPending(ctx workflow.Context) error {
	st := s.state
	for len(st.Pending) > 0 {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return workflow.NewContinueAsNewError(ctx, Sync, s.in.next(st))
		}
		n := min(len(st.Pending), waveSize)
		rest, err := s.adopt(ctx, st.Pending[:n])
		if err != nil {
			return err
		}
		st.Pending = append(rest, st.Pending[n:]...)
		s.publish(ctx)
	}
	return nil
}

// adopt looks for a wave. The rest are those that made a result too big.
func (s *syncRun) adopt(ctx workflow.Context, wave []activities.Pending) (rest []activities.Pending, err error) {
	st := s.state
	read := reader{st.Plan}
	fetched, rest, err := read.fetch(ctx, wave)
	if err != nil {
		return nil, err
	}
	decisions, err := read.resolve(ctx, fetched)
	if err != nil {
		return nil, err
	}
	var missing []activities.Verdict
	byKey := map[string]*activities.Record{}
	in := activities.FindInput{Connection: st.Plan.Destination.Connection, Object: st.Plan.Destination.Object}
	for i, f := range fetched {
		missing = append(missing, f.Verdicts...)
		for n := range f.Records {
			r, d := &f.Records[n], &decisions[i][n]
			sought := activities.Sought{Key: activities.Key(&st.Plan.Source, r.Pending.ID), Time: r.Pending.Time, Targets: targetsOf(st.Plan.Destination.ResolvedBy != "", d)}
			if len(sought.Targets) == 0 {
				missing = append(missing, r.Set(activities.Rejected, d.Reason, d.Detail))
				continue
			}
			byKey[sought.Key] = r
			in.Items = append(in.Items, sought)
		}
	}
	var res activities.FindResult
	if len(in.Items) > 0 {
		if err := workflow.ExecuteActivity(
			readOptions(ctx, queueOf(in.Connection), "look for "+records(len(in.Items)), findTimeout), a.Find, in).Get(ctx, &res); err != nil {
			return nil, clean(err)
		}
	}
	settle := activities.SettleInput{Destination: st.Plan.Destination, Source: st.Plan.Source, Job: s.job, Owner: s.owner}
	for _, item := range in.Items {
		r := byKey[item.Key]
		if found, ok := res.Found[item.Key]; ok {
			settle.Records = append(settle.Records, activities.SettleRecord{Pending: r.Pending, State: activities.Delivered, Target: found.Target, ID: found.ID})
			continue
		}
		missing = append(missing, r.Set(activities.Deferred, activities.ReasonMissing, "it is not in the destination; the next run looks at it"))
	}
	if len(settle.Records) > 0 && !s.in.DryRun {
		if err := workflow.ExecuteActivity(entityOptions(ctx, "settle "+records(len(settle.Records))), a.Settle, settle).Get(ctx, nil); err != nil {
			return nil, clean(err)
		}
	}
	s.countAdopted(len(settle.Records), missing)
	return rest, nil
}

// countAdopted counts the records of a wave. What is missing is nothing to tell anybody about: the next run does.
func (s *syncRun) countAdopted(found int, missing []activities.Verdict) {
	c := &s.state.Counts
	c.Adopted += found
	c.Known += found
	c.New -= found
	for _, v := range missing {
		if v.State == activities.Rejected {
			c.Rejected++
		} else {
			c.Deferred++
		}
	}
	s.state.Rejects = last(append(s.state.Rejects, missing...), keptRejects)
}

// targetsOf are where a record may have been written: where it belongs now, and the other candidates, since people move.
func targetsOf(resolved bool, d *activities.Decision) []string {
	if !resolved {
		return []string{""}
	}
	var targets []string
	if d.Target != "" {
		targets = append(targets, d.Target)
	}
	for _, l := range d.Losers {
		targets = append(targets, l.ID)
	}
	return targets
}
