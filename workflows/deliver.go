package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// createPatience is how long a run tries to write one record through a destination's troubles.
const createPatience = 6 * time.Hour

// outcome is what became of a draft.
type outcome struct {
	activities.SettleRecord
	draft  draft
	detail string

	// skip says that there is nothing to settle: the record is another run's.
	skip bool
}

// deliverer writes groups, several at a time, in the order in which they come.
type deliverer struct {
	run   *syncRun
	ctx   workflow.Context // outlives a cancellation
	slots workflow.Semaphore
	begun workflow.WaitGroup
}

// newDeliverer returns a deliverer that writes so many groups at a time, or fewer if the destination has a limit. The context outlives a
// cancellation.
func (s *syncRun) newDeliverer(free workflow.Context, parallel int) *deliverer {
	if len(s.state.Destination.Limits) > 0 {
		parallel = 2 // enough to keep the limit busy while one group claims and settles
	}
	return &deliverer{run: s, ctx: free, slots: workflow.NewSemaphore(free, int64(max(1, parallel))), begun: workflow.NewWaitGroup(free)}
}

// write returns once all groups have begun. Those that have not when the run, whose context is given, is cancelled or fails, are left alone:
// nothing is claimed for them.
func (d *deliverer) write(ctx workflow.Context, groups []group) {
	s := d.run
	for _, g := range groups {
		if err := d.slots.Acquire(d.ctx, 1); err != nil {
			s.fail(err)
			return
		}
		if ctx.Err() != nil || s.failure != nil {
			d.slots.Release(1)
			return
		}
		d.begun.Add(1)
		workflow.Go(d.ctx, func(ctx workflow.Context) {
			defer d.begun.Done()
			defer d.slots.Release(1)
			if err := s.deliverGroup(ctx, g); err != nil {
				s.fail(err)
			}
		})
	}
}

// wait waits for the groups that have begun.
func (d *deliverer) wait() { d.begun.Wait(d.ctx) }

// deliverGroup claims, writes and settles.
func (s *syncRun) deliverGroup(ctx workflow.Context, g group) error {
	st := s.state
	settle := make([]activities.SettleRecord, 0, len(g.drafts)+len(g.verdicts))
	for _, v := range g.verdicts {
		settle = append(settle, activities.SettleRecord{Pending: v.Pending, State: v.State, Reason: v.Reason, Title: v.Title})
	}
	grants, err := s.claim(ctx, g.drafts)
	if err != nil {
		return err
	}
	outcomes := make([]outcome, len(g.drafts))
	wg := workflow.NewWaitGroup(ctx)
	for i, d := range g.drafts {
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			outcomes[i] = s.write(ctx, d, grants[i])
		})
	}
	wg.Wait(ctx)
	for _, v := range g.verdicts {
		s.verdict(v)
	}
	for _, o := range outcomes {
		if !o.skip {
			s.count(o)
			settle = append(settle, o.SettleRecord)
		}
	}
	s.publish(ctx)
	if len(settle) == 0 || st.Plan.Destination.Idempotent {
		return nil
	}
	return clean(workflow.ExecuteActivity(entityOptions(ctx, "settle "+records(len(settle))), a.Settle, activities.SettleInput{
		Destination: st.Plan.Destination, Source: st.Plan.Source, Job: s.job, Owner: s.owner, Records: settle,
	}).Get(ctx, nil))
}

// claim asks the ledgers for the right to write the drafts.
func (s *syncRun) claim(ctx workflow.Context, drafts []draft) ([]activities.Grant, error) {
	st := s.state
	if len(drafts) == 0 {
		return nil, nil
	}
	if st.Plan.Destination.Idempotent {
		grants := make([]activities.Grant, len(drafts))
		for i, d := range drafts {
			grants[i] = activities.Grant{State: activities.Claimed, Target: d.decision.Target, Deadline: workflow.Now(ctx).Add(claimTTL(&st.Destination))}
		}
		return grants, nil
	}
	in := activities.ClaimInput{
		Destination: st.Plan.Destination, Source: st.Plan.Source, Job: s.job, Owner: s.owner,
		TTL: claimTTL(&st.Destination), Lag: st.Destination.SearchLag,
	}
	for _, d := range drafts {
		in.Records = append(in.Records, activities.ClaimRecord{Pending: d.record.Pending, Target: d.decision.Target, Doubt: d.doubt})
	}
	var res activities.ClaimGrants
	err := workflow.ExecuteActivity(entityOptions(ctx, "claim "+records(len(drafts))), a.Claim, in).Get(ctx, &res)
	if err != nil {
		return nil, clean(err)
	}
	return res.Grants, nil
}

// write writes one draft under its grant, renewing the claim for as long as the destination is in trouble.
func (s *syncRun) write(ctx workflow.Context, d draft, grant activities.Grant) outcome {
	began := workflow.Now(ctx)
	doubt := false
	for {
		switch {
		case grant.State == activities.Delivered:
			s.state.Counts.New--
			s.state.Counts.Known++
			return outcome{skip: true}
		case grant.State == activities.InDoubt:
			s.hold(d.record, grant)
			return outcome{skip: true}
		case grant.State == activities.Deferred && !doubt:
			s.verdict(d.record.Set(activities.Deferred, activities.ReasonHeld,
				"the ledger has it under another day, too, as when a meeting is moved; a later run looks there"))
			return outcome{skip: true}
		}
		doubt = doubt || grant.Doubt
		o := outcome{draft: d, SettleRecord: activities.SettleRecord{Pending: d.record.Pending, Target: grant.Target, Title: d.record.Title}}
		if grant.State == activities.Deferred {
			o.State, o.Reason = activities.InDoubt, activities.ReasonUncertain
			return o
		}
		res, err := s.create(ctx, d, grant, doubt)
		switch {
		case err == nil && res.Refused != "":
			o.State, o.Reason, o.detail = activities.Rejected, activities.ReasonRefused, res.Refused
			return o
		case err == nil:
			o.State, o.ID = activities.Delivered, res.ID
			return o
		}
		failure := failureOf(err)
		if !failure.clean {
			doubt = true
		}
		// Invariant: what may have been written is never given up as not written.
		o.State, o.Reason, o.detail = activities.Deferred, activities.ReasonUnavailable, message(err)
		if doubt {
			o.State, o.Reason = activities.InDoubt, activities.ReasonUncertain
		}
		if failure.final {
			s.fail(clean(err))
		}
		if failure.hopeless || s.failure != nil || s.cancelled(ctx) || workflow.Now(ctx).Sub(began) > createPatience {
			return o
		}
		if !failure.clean {
			// Invariant: nobody looks before the last attempt's write can be found; it may still be under way.
			if err := workflow.Sleep(ctx, s.state.Destination.WriteTimeout+s.state.Destination.SearchLag); err != nil {
				return o
			}
		}
		d.decision.Target, d.doubt = grant.Target, doubt
		grants, err := s.claim(ctx, []draft{d})
		if err != nil {
			s.fail(err)
			return o
		}
		grant = grants[0]
	}
}

// cancelled reports whether somebody wants the run to end. What has been claimed is still settled, but no longer tried again.
func (s *syncRun) cancelled(ctx workflow.Context) bool {
	return s.root.Err() != nil && workflow.GetVersion(ctx, changeCancel, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

func (s *syncRun) create(ctx workflow.Context, d draft, grant activities.Grant, doubt bool) (*activities.CreateResult, error) {
	dst := &s.state.Plan.Destination
	record := d.record.Pending
	if !grant.Time.IsZero() {
		record.Time = grant.Time
	}
	var res activities.CreateResult
	err := workflow.ExecuteActivity(
		createOptions(ctx, queueOf(dst.Connection), fmt.Sprintf("create %s of %s", dst.Object, d.record.Pending.ID), &s.state.Destination, max(time.Second, grant.Deadline.Sub(workflow.Now(ctx)))),
		a.Create, activities.CreateInput{
			Connection: dst.Connection, Object: dst.Object, Key: activities.Key(&s.state.Plan.Source, d.record.Pending.ID),
			Pending: record, URL: d.record.URL, Target: grant.Target, Attributes: d.attributes, InDoubt: doubt,
			Deadline: grant.Deadline, WriteTimeout: s.state.Destination.WriteTimeout, SearchLag: s.state.Destination.SearchLag,
		}).Get(ctx, &res)
	if err != nil {
		return nil, err
	}
	return &res, nil
}

// createFailure is what an error of Create means.
type createFailure struct {
	clean    bool // no write whose outcome is unknown was sent
	final    bool // the run cannot go on: a person has to do something, or the limit is spent for long
	hopeless bool // whether this record was written cannot be found out
}

func failureOf(err error) createFailure {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return createFailure{} // a timeout
	}
	var f createFailure
	if app.HasDetails() {
		if app.Details(&f.clean) != nil {
			f.clean = false
		}
	}
	switch app.Type() {
	case activities.TypeClaimExpired:
	case activities.TypeUncertain:
		f.hopeless = app.NonRetryable()
	default:
		f.final = app.NonRetryable()
	}
	return f
}

// hold keeps a record for later whose last writer is gone, and gives up one that a living run is about to write.
func (s *syncRun) hold(r activities.Record, grant activities.Grant) {
	st := s.state
	if grant.Holder != nil {
		s.verdict(r.Set(activities.Deferred, activities.ReasonHeld, "another run is writing it"))
		return
	}
	st.Held = append(st.Held, r.Pending)
	if grant.Clear.After(st.HeldUntil) {
		st.HeldUntil = grant.Clear
	}
}

// verdict counts a record that is not written and keeps the last ones for the result.
func (s *syncRun) verdict(v activities.Verdict) {
	switch {
	case v.State == activities.Rejected:
		s.state.Counts.Rejected++
		if !v.Pending.Again {
			s.state.NewRejects++
		}
	case v.State == activities.Deferred && v.Reason != activities.ReasonUnavailable:
		s.state.Counts.Deferred++
	default:
		s.state.Counts.Failed++
	}
	s.state.Rejects = last(append(s.state.Rejects, v), keptRejects)
}

// last returns the last n elements.
func last[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	return append([]T(nil), list[len(list)-n:]...)
}

// count counts what became of a draft.
func (s *syncRun) count(o outcome) {
	if o.State == activities.Delivered {
		s.state.Counts.Created++
		if d := &o.draft.decision; len(d.Losers) > 0 || d.Detail != "" {
			a := Ambiguity{ID: o.Pending.ID, Target: o.Target, Name: d.Name, Losers: d.Losers, Detail: d.Detail}
			s.state.Ambiguous = last(append(s.state.Ambiguous, a), keptRejects)
		}
		return
	}
	s.verdict(o.draft.record.Set(o.State, o.Reason, o.detail))
}

func (s *syncRun) fail(err error) {
	if s.failure == nil {
		s.failure = err
	}
}
