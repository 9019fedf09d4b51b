package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

const (
	// groupSize is how many records are read, claimed and settled together.
	groupSize = 25

	// waveGroups is how many groups are read and resolved at once: enough to fill the batches of address look-ups.
	waveGroups = 4
)

// draft is a record that is ready to be claimed and written.
type draft struct {
	pending    activities.Pending
	url        string
	target     string
	attributes []byte // JSON
}

// group is a part of a wave: drafts to write and verdicts to note.
type group struct {
	drafts   []draft
	verdicts []activities.Verdict
}

// deliverPending takes the pending records, wave by wave: while one wave is written, the next one is read.
func (s *syncRun) deliverPending(ctx workflow.Context) error {
	ready := workflow.NewChannel(ctx)
	done := workflow.NewChannel(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		// What has been claimed is written and settled, also when the run is cancelled meanwhile.
		free, cancel := workflow.NewDisconnectedContext(ctx)
		defer cancel()
		var groups []group
		for ready.Receive(free, &groups) {
			s.deliver(ctx, free, groups)
			s.publish(free)
		}
		done.Close()
	})

	err := s.prepareWaves(ctx, ready)
	ready.Close()
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	done.Receive(free, nil)
	switch {
	case s.failure != nil:
		return s.failure
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case len(s.state.Pending) > 0:
		return workflow.NewContinueAsNewError(ctx, Sync, SyncInput{Job: s.job, State: s.state})
	}
	return nil
}

// prepareWaves hands over waves until nothing is pending, the run ends, or the history has grown.
func (s *syncRun) prepareWaves(ctx workflow.Context, ready workflow.SendChannel) error {
	for len(s.state.Pending) > 0 && s.failure == nil && !workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		n := min(len(s.state.Pending), groupSize*waveGroups)
		wave := s.state.Pending[:n]
		s.state.Pending = s.state.Pending[n:]
		groups, err := s.prepare(ctx, wave)
		if err != nil {
			return err
		}
		ready.Send(ctx, groups)
	}
	return nil
}

// prepare reads, resolves and renders a wave.
func (s *syncRun) prepare(ctx workflow.Context, wave []activities.Pending) ([]group, error) {
	fetched, err := s.fetch(ctx, wave)
	if err != nil {
		return nil, err
	}
	decisions, err := s.resolve(ctx, fetched)
	if err != nil {
		return nil, err
	}
	rendered := make([]workflow.Future, len(fetched))
	for i, f := range fetched {
		if len(f.Records) > 0 {
			rendered[i] = workflow.ExecuteLocalActivity(renderOptions(ctx, "render "+records(len(f.Records))), a.Render,
				activities.RenderInput{Plan: s.state.Plan, Records: f.Records})
		}
	}
	groups := make([]group, len(fetched))
	for i, f := range fetched {
		groups[i].verdicts = f.Verdicts
		if rendered[i] == nil {
			continue
		}
		var res activities.RenderResult
		if err := rendered[i].Get(ctx, &res); err != nil {
			return nil, clean(err)
		}
		for n, r := range f.Records {
			groups[i].add(r, decisions[i][n], res.Rendered[n])
		}
	}
	return groups, nil
}

// add sorts a record into the group.
func (g *group) add(r activities.Record, d activities.Decision, out activities.Rendered) {
	switch {
	case d.Reason != "":
		g.verdicts = append(g.verdicts, activities.Verdict{Pending: r.Pending, State: activities.Rejected, Reason: d.Reason, Detail: d.Detail})
	case out.Failure != "":
		g.verdicts = append(g.verdicts, activities.Verdict{Pending: r.Pending, State: activities.Rejected, Reason: activities.ReasonRender, Detail: out.Failure})
	default:
		g.drafts = append(g.drafts, draft{pending: r.Pending, url: r.URL, target: d.Target, attributes: out.Attributes})
	}
}

// fetch reads a wave, one group an activity. What made a result too big comes back to the pending records.
func (s *syncRun) fetch(ctx workflow.Context, wave []activities.Pending) ([]activities.FetchResult, error) {
	size := groupSize
	if m := s.state.Plan.Source.MaxRead; m > 0 {
		size = min(size, m)
	}
	var futures []workflow.Future
	for len(wave) > 0 {
		n := min(size, len(wave))
		futures = append(futures, workflow.ExecuteActivity(
			readOptions(ctx, queueOf(s.state.Plan.Source.Connection), fmt.Sprintf("fetch %d %s", n, s.state.Plan.Source.Stream), 2*time.Minute),
			a.Fetch, activities.FetchInput{Plan: s.state.Plan, Pending: wave[:n]}))
		wave = wave[n:]
	}
	results := make([]activities.FetchResult, len(futures))
	var rest []activities.Pending
	for i, f := range futures {
		if err := f.Get(ctx, &results[i]); err != nil {
			return nil, clean(err)
		}
		rest = append(rest, results[i].Rest...)
	}
	s.state.Pending = append(rest, s.state.Pending...)
	return results, nil
}

// resolve decides where the records of a wave belong, all in one activity, so that each address is asked for once.
func (s *syncRun) resolve(ctx workflow.Context, fetched []activities.FetchResult) ([][]activities.Decision, error) {
	decisions := make([][]activities.Decision, len(fetched))
	var external [][]string
	for i, f := range fetched {
		decisions[i] = make([]activities.Decision, len(f.Records))
		for _, r := range f.Records {
			external = append(external, r.External)
		}
	}
	p := s.state.Plan
	if p.Destination.ResolvedBy == "" || len(external) == 0 {
		return decisions, nil
	}
	var res activities.ResolveResult
	err := workflow.ExecuteActivity(
		readOptions(ctx, queueOf(p.Destination.Connection), "resolve "+records(len(external)), 5*time.Minute),
		a.Resolve, activities.ResolveInput{Destination: p.Destination, Resolve: p.Resolve, External: external},
	).Get(ctx, &res)
	if err != nil {
		return nil, clean(err)
	}
	next := 0
	for i := range decisions {
		next += copy(decisions[i], res.Decisions[next:])
	}
	return decisions, nil
}
