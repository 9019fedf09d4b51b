package workflows

import (
	"cmp"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

const (
	// sliceLength is how much of the window one listing covers at most, so that it ends long before a page token expires.
	sliceLength = 31 * day

	// maxPending is how many records one listing brings, so that its result stays small.
	maxPending = 5000

	// maxHold is how long a run waits, in all, for records whose last writer is gone.
	maxHold = 20 * time.Minute
)

// process works through the phases. It returns a continue-as-new error when the history has grown.
func (s *syncRun) process(ctx workflow.Context) error {
	write := s.deliverPending
	switch {
	case s.kind == activities.KindAdopt:
		write = s.adoptPending
	case copies(ctx, s.state.Plan):
		s.copies = workflow.NewSemaphore(ctx, copyParallel)
		defer s.awaitCopies(ctx) // a listing can fail while they go on
		write = s.copyPending
	}
	for {
		if err := write(ctx); err != nil {
			return err
		}
		var err error
		switch s.state.Phase {
		case PhaseListing:
			err = s.list(ctx)
		case PhaseRevisiting:
			err = s.revisit(ctx)
		case PhaseHeld:
			err = s.takeHeld(ctx)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// list lists the next part of the window.
func (s *syncRun) list(ctx workflow.Context) error {
	st := s.state
	if !st.Next.Before(st.To) {
		st.Phase = PhaseRevisiting
		return nil
	}
	slice := cmp.Or(st.Slice, sliceLength)
	to := st.Next.Add(slice)
	if to.After(st.To) {
		to = st.To
	}
	s.publish(ctx)
	var res activities.DiscoverResult
	err := workflow.ExecuteActivity(
		readOptions(ctx, queueOf(st.Plan.Source.Connection), span("list", st.Next, to), 30*time.Minute),
		a.Discover,
		activities.DiscoverInput{Source: st.Plan.Source, Destination: st.Plan.Destination, From: st.Next, To: to, Max: maxPending},
	).Get(ctx, &res)
	if err != nil {
		return clean(err)
	}
	st.Counts.Listed += res.Listed
	st.Counts.Known += res.Known
	st.Counts.New += len(res.New)
	// What is listed beyond maxPending is listed again, so the next slice is as long as what this one could take.
	switch {
	case res.Until.Before(to):
		st.Slice = res.Until.Sub(st.Next)
	case res.Listed < maxPending/2:
		st.Slice = min(2*slice, sliceLength)
	}
	if s.copies == nil || s.copied(ctx) {
		st.SliceFrom = st.Next
	}
	st.Pending, st.Next = res.New, res.Until
	return nil
}

// revisit looks once more at what was rejected, deferred or left in doubt before the window.
func (s *syncRun) revisit(ctx workflow.Context) error {
	st := s.state
	st.Phase = PhaseHeld
	if s.in.windowed() {
		return nil
	}
	var res activities.RevisitResult
	err := workflow.ExecuteActivity(
		readOptions(ctx, TaskQueue, "look again at rejected and deferred records", 10*time.Minute),
		a.Revisit,
		activities.RevisitInput{Job: s.job, Source: st.Plan.Source, Destination: st.Plan.Destination, Before: st.From, Records: s.in.Records},
	).Get(ctx, &res)
	if err != nil {
		return clean(err)
	}
	st.Counts.Listed += len(res.New)
	st.Counts.New += len(res.New)
	st.Pending = res.New
	return nil
}

// takeHeld waits until the records whose last writer is gone can be looked for, and takes them up again, once.
func (s *syncRun) takeHeld(ctx workflow.Context) error {
	st := s.state
	if len(st.Held) == 0 {
		st.Phase = PhaseDone
		return nil
	}
	wait := st.HeldUntil.Sub(workflow.Now(ctx))
	if wait > maxHold {
		for _, p := range st.Held {
			s.verdict(activities.Verdict{Pending: p, State: activities.Deferred, Reason: activities.ReasonHeld,
				Detail: "a run that is gone may have written it; it can be looked for after " + st.HeldUntil.UTC().Format(time.DateTime+" MST")})
		}
		st.Held, st.Phase = nil, PhaseDone
		return nil
	}
	s.publish(ctx)
	if err := workflow.NewTimerWithOptions(ctx, max(wait, time.Second), workflow.TimerOptions{
		Summary: "until the writes of a run that is gone can be looked for",
	}).Get(ctx, nil); err != nil {
		return err
	}
	st.Pending, st.Held, st.HeldUntil = st.Held, nil, time.Time{}
	return nil
}

func span(verb string, from, to time.Time) string {
	return verb + " " + from.UTC().Format(time.DateTime) + " to " + to.UTC().Format(time.DateTime)
}
