package activities

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// connector is a connector whose methods are functions, for the ones that a test needs.
type connector struct {
	settings plugin.ConfigureResponse
	check    func() (*plugin.CheckResponse, error)
	list     func(*plugin.ListRequest) (*plugin.ListResponse, error)
	read     func(*plugin.ReadRequest) (*plugin.ReadResponse, error)
	resolve  func(*plugin.ResolveRequest) (*plugin.ResolveResponse, error)
	create   func(context.Context, *plugin.CreateRequest) (*plugin.CreateResponse, error)
	find     func(*plugin.FindRequest) (*plugin.FindResponse, error)
}

func (c *connector) Connector(context.Context, string) (Connector, error) { return c, nil }

func (c *connector) Settings(context.Context) (*plugin.ConfigureResponse, error) {
	return &c.settings, nil
}

func (c *connector) Check(context.Context, *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	return c.check()
}

func (c *connector) List(_ context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	return c.list(req)
}

func (c *connector) Read(_ context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	return c.read(req)
}

func (c *connector) Resolve(_ context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	return c.resolve(req)
}

func (c *connector) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	return c.create(ctx, req)
}

func (c *connector) Find(_ context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	return c.find(req)
}

func (c *connector) Preview(context.Context, *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	return nil, plugin.Errorf(plugin.CodeUnimplemented, "no previews")
}

// renderer passes records through: it matches all but those whose data say {"skip":true}.
type renderer struct{}

func (renderer) Renderer(*plan.Plan) (Renderer, error) { return renderer{}, nil }

func (renderer) Matches(r plugin.Record) (bool, error) {
	var v struct{ Skip bool }
	err := json.Unmarshal(r.Data, &v)
	return !v.Skip, err
}

func (renderer) Attributes(r plugin.Record) (json.RawMessage, error) { return r.Data, nil }

// ledgers hold entries by ledger.
type ledgers struct {
	Ledgers
	entries map[LedgerRef][]Entry

	mu    sync.Mutex
	asked []LedgerRef
}

func (l *ledgers) Lookup(_ context.Context, ref LedgerRef, keys []string) ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, ref)
	var out []Entry
	for _, e := range l.entries[ref] {
		if slices.Contains(keys, e.Key) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (l *ledgers) Open(_ context.Context, ref LedgerRef, job string) ([]Entry, error) {
	l.asked = append(l.asked, ref)
	var out []Entry
	for _, e := range l.entries[ref] {
		if e.Job == job && e.State != Delivered {
			out = append(out, e)
		}
	}
	return out, nil
}

// meter counts what it is told about rate limits.
type meter struct {
	mu       sync.Mutex
	acquired int
	spent    int
	blocked  []time.Duration
	refuse   error
}

func (m *meter) Acquire(_ context.Context, _ string, _ []plugin.RateLimit, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	m.acquired += n
	return nil
}

func (m *meter) Spent(_ string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spent += n
}

func (m *meter) Limited(_ context.Context, _ string, d time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocked = append(m.blocked, d)
	return nil
}
