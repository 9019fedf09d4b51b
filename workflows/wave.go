package workflows

import (
	"go.temporal.io/sdk/workflow"
)

// waveSize is how many records are read and resolved at once: enough to fill the batches of address look-ups.
const waveSize = 4 * groupSize

// deliverPending takes the pending records, wave by wave: while one wave is written, the next one is read, and its groups follow those of
// the one before.
func (s *syncRun) deliverPending(ctx workflow.Context) error {
	ready := workflow.NewChannel(ctx)
	done := workflow.NewChannel(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		// What has been claimed is written and settled, also when the run is cancelled meanwhile.
		free, cancel := workflow.NewDisconnectedContext(ctx)
		defer cancel()
		var groups []group
		var d *deliverer
		for ready.Receive(free, &groups) {
			switch {
			case d == nil:
				d = s.newDeliverer(free, max(len(groups), waveSize/groupSize))
			case workflow.GetVersion(free, changeWaves, workflow.DefaultVersion, 1) == workflow.DefaultVersion:
				d.wait()
				d = s.newDeliverer(free, len(groups))
			}
			d.write(ctx, groups)
		}
		if d != nil {
			d.wait()
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
		return workflow.NewContinueAsNewError(ctx, Sync, s.in.next(s.state))
	}
	return nil
}

// prepareWaves hands over waves until nothing is pending, the run ends, or the history has grown.
func (s *syncRun) prepareWaves(ctx workflow.Context, ready workflow.SendChannel) error {
	for len(s.state.Pending) > 0 && s.failure == nil && !workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		n := min(len(s.state.Pending), waveSize)
		wave := s.state.Pending[:n]
		s.state.Pending = s.state.Pending[n:]
		groups, rest, err := reader{s.state.Plan}.prepare(ctx, wave)
		if err != nil {
			return err
		}
		s.state.Pending = append(rest, s.state.Pending...)
		ready.Send(ctx, groups)
	}
	return nil
}
