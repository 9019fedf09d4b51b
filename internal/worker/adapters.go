package worker

import (
	"context"
	"encoding/json"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/notify"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
)

// connectors gives activities the pool's connections.
type connectors struct{ pool *host.Pool }

func (c connectors) Connector(ctx context.Context, connection string) (activities.Connector, error) {
	return c.pool.Get(ctx, connection)
}

// evaluator makes renderers and keeps those of the plans used last.
type evaluator struct {
	renderers *lru.Cache[string, activities.Renderer]
}

// keptRenderers is how many plans a worker is prepared for at once; more are prepared again and again.
const keptRenderers = 256

func newEvaluator() *evaluator {
	cache, err := lru.New[string, activities.Renderer](keptRenderers)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &evaluator{renderers: cache}
}

func (e *evaluator) Renderer(p *plan.Plan) (activities.Renderer, error) {
	hash := p.Hash()
	if r, ok := e.renderers.Get(hash); ok {
		return r, nil
	}
	r, err := schema.NewRenderer(p)
	if err != nil {
		return nil, err
	}
	e.renderers.Add(hash, r)
	return r, nil
}

// notifiers sends notices through what the directory declares at the moment.
type notifiers struct {
	current atomic.Pointer[notify.Notifiers]
}

func (n *notifiers) set(declared []schema.Notifier) error {
	configs := make(map[string]json.RawMessage, len(declared))
	for _, d := range declared {
		configs[d.ID()] = d.Config
	}
	next, err := notify.New(configs)
	if err != nil {
		return err
	}
	n.current.Store(next)
	return nil
}

func (n *notifiers) Notify(ctx context.Context, to string, notice activities.Notice) error {
	return n.current.Load().Notify(ctx, to, notice)
}
