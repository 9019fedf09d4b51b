// Package activities holds the steps of a run that do I/O: everything that a workflow may not do itself.
//
// The package knows connectors only by the types of package plugin and reaches the world only through the interfaces that it
// declares, so that workflows can refer to its methods without linking a connector host, HCL, or a Temporal client. Every
// activity takes one input and returns one result; what it returns is stored in a history, so results hold what the next step
// needs and nothing else.
package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"go.temporal.io/sdk/activity"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// Activities are the steps, registered with every worker. Make them with [New]; all methods are safe for concurrent use.
type Activities struct {
	deps    Dependencies
	matches *expirable.LRU[matchKey, plugin.Match]
}

// Dependencies are what the steps work with. All are required.
type Dependencies struct {
	Connectors Connectors
	Evaluator  Evaluator
	Jobs       Jobs
	Ledgers    Ledgers
	Runs       Runs
	Quotas     Quotas
	Notifier   Notifier

	// SearchAttributes returns the names of our search attributes that the namespace has. Setting another one would hang a
	// workflow for ever.
	SearchAttributes func(ctx context.Context) []string
}

// Connectors gives access to the connections that this worker serves.
type Connectors interface {
	// Connector returns the running, configured connector of a connection such as "gong.acme", starting it if need be.
	// Errors are of type [*plugin.Error].
	Connector(ctx context.Context, connection string) (Connector, error)
}

// Connector is a running connector. Methods that the connector does not offer fail with [plugin.CodeUnimplemented].
type Connector interface {
	// Settings returns what the connector answered to its configuration. It is not to be changed.
	Settings(ctx context.Context) (*plugin.ConfigureResponse, error)

	Check(ctx context.Context, req *plugin.CheckRequest) (*plugin.CheckResponse, error)
	List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error)
	Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error)
	Resolve(ctx context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error)
	Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error)
	Find(ctx context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error)
	Preview(ctx context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error)
}

// Evaluator makes renderers of plans. It is called often with the same plan and is expected to remember.
type Evaluator interface {
	Renderer(p *plan.Plan) (Renderer, error)
}

// Renderer evaluates a plan's expressions on a record. Errors are meant for the job's author.
type Renderer interface {
	// Matches reports whether the record meets the source's where condition; true if there is none.
	Matches(record plugin.Record) (bool, error)
	// Attributes returns the object's attributes as a JSON object.
	Attributes(record plugin.Record) (json.RawMessage, error)
}

// Runs knows which runs are still going on.
type Runs interface {
	// Alive reports whether the chain of runs that the owner names is still open.
	Alive(ctx context.Context, owner Owner) (bool, error)
}

// Quotas keeps the rate limits of connections across all workers.
type Quotas interface {
	// Acquire waits until n requests may be made. A wait that would be longer than [MaxSlotWait] fails at once with
	// [plugin.CodeRateLimited] and the time to come back. Without limits it returns at once.
	Acquire(ctx context.Context, connection string, limits []plugin.RateLimit, n int) error

	// Spent corrects an Acquire: n more requests than acquired were made. A negative n changes nothing.
	Spent(connection string, n int)

	// Limited notes that the other system refused a request and wants none for the given time; zero if it did not say.
	Limited(ctx context.Context, connection string, retryAfter time.Duration) error
}

// MaxSlotWait is how long an activity waits for its turn under a rate limit before it makes room for another.
const MaxSlotWait = 10 * time.Second

// HeartbeatTimeout is how soon a worker that died during a step without writes is noticed. Those steps heartbeat on their own.
const HeartbeatTimeout = 20 * time.Second

// Owner names a run for as long as it lives: a chain of executions that began with FirstRunID. It is the identity in every
// claim and lock, so that a retried update by the same run changes nothing.
type Owner struct {
	WorkflowID string `json:"workflow_id"`
	FirstRunID string `json:"first_run_id"`
}

const (
	matchCacheSize = 50_000
	matchCacheTTL  = 15 * time.Minute
)

// New returns the activities over their dependencies.
func New(deps Dependencies) *Activities {
	return &Activities{
		deps:    deps,
		matches: expirable.NewLRU[matchKey, plugin.Match](matchCacheSize, nil, matchCacheTTL),
	}
}

// call makes one call to a connection's connector within its rate limit. The cost is the number of requests that the call is
// expected to make; f returns how many it made.
func (a *Activities) call(ctx context.Context, connection string, cost int, f func(Connector) (int, error)) error {
	c, err := a.deps.Connectors.Connector(ctx, connection)
	if err != nil {
		return err
	}
	settings, err := c.Settings(ctx)
	if err != nil {
		return err
	}
	if err := a.deps.Quotas.Acquire(ctx, connection, settings.RateLimits, cost); err != nil {
		return err
	}
	requests, err := f(c)
	if err == nil {
		a.deps.Quotas.Spent(connection, requests-cost)
		return nil
	}
	e := plugin.AsError(err)
	a.deps.Quotas.Spent(connection, e.Requests-cost)
	if e.Code == plugin.CodeRateLimited {
		if err := a.deps.Quotas.Limited(ctx, connection, e.RetryAfter); err != nil {
			return err
		}
	}
	return err
}

// keepAlive heartbeats until the returned function is called.
func keepAlive(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(HeartbeatTimeout / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return cancel
}
