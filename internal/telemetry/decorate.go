package telemetry

import (
	"context"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
)

// Jobs reports the runs that end.
func (t *Telemetry) Jobs(next activities.Jobs) activities.Jobs { return jobs{next, t} }

type jobs struct {
	activities.Jobs
	t *Telemetry
}

// Finish implements [activities.Jobs]. A run whose end was noted and not answered is reported twice.
func (j jobs) Finish(ctx context.Context, job string, req activities.FinishRequest) error {
	if err := j.Jobs.Finish(ctx, job, req); err != nil {
		return err
	}
	r, took := &req.Run, time.Since(req.Run.Started)
	j.t.ran(ctx, job, r, took)
	select {
	case j.t.changed <- struct{}{}:
	default: // a look is due already
	}
	log := j.t.log.Info
	if r.Outcome == activities.Failed {
		log = j.t.log.Error
	}
	log("run ended", "job", job, "run", r.Owner.WorkflowID, "outcome", r.Outcome, "took", took.Round(time.Millisecond),
		"listed", r.Counts.Listed, "known", r.Counts.Known, "created", r.Counts.Created, "rejected", r.Counts.Rejected,
		"deferred", r.Counts.Deferred, "failed", r.Counts.Failed, "error", r.Error)
	return nil
}

// Ledgers reports what becomes of records.
func (t *Telemetry) Ledgers(next activities.Ledgers) activities.Ledgers { return ledgers{next, t} }

type ledgers struct {
	activities.Ledgers
	t *Telemetry
}

// Settle implements [activities.Ledgers].
func (l ledgers) Settle(ctx context.Context, ref activities.LedgerRef, req activities.SettleRequest) error {
	if err := l.Ledgers.Settle(ctx, ref, req); err != nil {
		return err
	}
	for i := range req.Items {
		s := &req.Items[i]
		log := l.t.log.Debug
		if s.State == activities.Rejected || s.State == activities.InDoubt {
			log = l.t.log.Info
		}
		log("record settled", "job", req.Job, "run", req.Owner.WorkflowID, "record", s.Key, "state", s.State, "reason", s.Reason)
	}
	return nil
}

// Quotas reports how long steps wait for their turn.
func (t *Telemetry) Quotas(next activities.Quotas) activities.Quotas { return quotas{next, t} }

type quotas struct {
	activities.Quotas
	t *Telemetry
}

// Acquire implements [activities.Quotas].
func (q quotas) Acquire(ctx context.Context, connection string, limits []plugin.RateLimit, n int) error {
	began := time.Now()
	err := q.Quotas.Acquire(ctx, connection, limits, n)
	if len(limits) > 0 {
		q.t.waits.Record(ctx, time.Since(began).Seconds(), with(label(labelConnection, connection)))
	}
	return err
}
