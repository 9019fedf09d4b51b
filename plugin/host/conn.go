package host

import (
	"context"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/calllog"
)

// Conn is a connection of a [Pool]. Each call runs in whatever process the connection has at that moment, starting one if need
// be, so a Conn can be kept for as long as the pool. Errors are those of [Client] and of [Pool.Get], without the secrets of the connection.
type Conn struct {
	pool *Pool
	name string
}

var _ Connector = (*Conn)(nil)

// Name returns the connection's name.
func (c *Conn) Name() string { return c.name }

// Settings returns what the connector answered when the running process was configured. The caller must not change it.
func (c *Conn) Settings(ctx context.Context) (*plugin.ConfigureResponse, error) {
	s, leave, err := c.pool.enter(ctx, c.name)
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.settings, nil
}

// invoke calls a method of the connection's process and tells the observer. The requests of an answer are its own count of them.
func invoke[Req, Resp any](
	ctx context.Context, c *Conn, name string, method func(Connector, context.Context, *Req) (*Resp, error), req *Req, requests func(*Resp) int,
) (*Resp, error) {
	s, leave, err := c.pool.enter(ctx, c.name)
	if err != nil {
		return nil, err
	}
	defer leave()
	logged, log := calllog.With(ctx)
	call := Call{Connection: c.name, Method: name, Began: time.Now()}
	resp, err := method(s.Client, logged, req)
	call.Took, call.Err, call.Log = time.Since(call.Began), plugin.AsError(err), log.Requests()
	known := s.process.secrets.Load()
	known.requests(call.Log)
	if call.Err != nil {
		known.fault(call.Err)
		call.Requests = call.Err.Requests
	} else {
		known.answer(resp)
		if requests != nil {
			call.Requests = requests(resp)
		}
	}
	c.pool.observer.Called(ctx, &call)
	return resp, err
}

// Describe implements [plugin.Connector].
func (c *Conn) Describe(ctx context.Context, req *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return invoke(ctx, c, "Describe", Connector.Describe, req, nil)
}

// Configure implements [plugin.Connector] and always fails: the pool alone configures its connections.
func (c *Conn) Configure(context.Context, *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	return nil, plugin.Errorf(plugin.CodeInvalidRequest, "connection %s is configured by its pool", c.name)
}

// Check implements [plugin.Checker].
func (c *Conn) Check(ctx context.Context, req *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	return invoke(ctx, c, "Check", Connector.Check, req, func(r *plugin.CheckResponse) int { return r.Requests })
}

// List implements [plugin.Source].
func (c *Conn) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	return invoke(ctx, c, "List", Connector.List, req, func(r *plugin.ListResponse) int { return r.Requests })
}

// Read implements [plugin.Source].
func (c *Conn) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	return invoke(ctx, c, "Read", Connector.Read, req, func(r *plugin.ReadResponse) int { return r.Requests })
}

// Create implements [plugin.Destination].
func (c *Conn) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	return invoke(ctx, c, "Create", Connector.Create, req, func(r *plugin.CreateResponse) int { return r.Requests })
}

// Resolve implements [plugin.Resolver].
func (c *Conn) Resolve(ctx context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	return invoke(ctx, c, "Resolve", Connector.Resolve, req, func(r *plugin.ResolveResponse) int { return r.Requests })
}

// Find implements [plugin.Finder].
func (c *Conn) Find(ctx context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	return invoke(ctx, c, "Find", Connector.Find, req, func(r *plugin.FindResponse) int { return r.Requests })
}

// Preview implements [plugin.Previewer].
func (c *Conn) Preview(ctx context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	return invoke(ctx, c, "Preview", Connector.Preview, req, func(r *plugin.PreviewResponse) int { return r.Requests })
}
