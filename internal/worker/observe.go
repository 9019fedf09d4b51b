package worker

import (
	"context"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/internal/telemetry"
)

// lookInterval is how often the worker looks at jobs and quotas for its metrics.
const lookInterval = 30 * time.Second

// observe looks at jobs and quotas again and again. What cannot be seen is left out until the next look.
func (w *Worker) observe(ctx context.Context, entity *entities.Client) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		w.opts.Telemetry.Observe(w.look(ctx, entity))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.opts.Telemetry.Changed():
		}
	}
}

func (w *Worker) look(ctx context.Context, entity *entities.Client) telemetry.View {
	view := telemetry.View{Jobs: map[string]telemetry.JobView{}, Budgets: map[string]telemetry.BudgetView{}}
	list, err := schedules.List(ctx, w.opts.Client.ScheduleClient())
	if err != nil && ctx.Err() == nil {
		w.opts.Logger.Warn("the jobs cannot be listed for the metrics", "error", err)
	}
	for _, s := range list {
		state, err := entity.Job(ctx, s.Job)
		if err != nil || state == nil {
			continue
		}
		view.Jobs[s.Job] = telemetry.JobView{Watermark: state.Watermark, Paused: s.Paused}
	}
	for _, connection := range w.pool.Names() {
		q, err := entity.Quota(ctx, connection)
		if err != nil || q == nil || q.Budget == 0 {
			continue
		}
		left := q.Budget
		if q.Day == activities.Day(time.Now()) {
			left = max(q.Budget-q.Today, 0)
		}
		view.Budgets[connection] = telemetry.BudgetView{Left: left, All: q.Budget}
	}
	return view
}

// Ready implements [telemetry.Health]: the worker takes tasks and reaches Temporal.
func (w *Worker) Ready(ctx context.Context) error {
	if w.stopping.Load() {
		return errStopping
	}
	_, err := w.opts.Client.CheckHealth(ctx, nil)
	return err
}
