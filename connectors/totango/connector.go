package totango

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Connector is the connector to Totango. Make it with [New].
type Connector struct {
	session plugin.Configured[session]
}

// session is a configured connection.
type session struct {
	config config
	http   *httpkit.Client

	types *cached[catalog]
	tags  *cached[catalog]
	flows *cached[catalog]
	staff *cached[*staff]
	teams teamCache

	smallBatches atomic.Bool // Totango refused a search for many addresses
}

var (
	_ plugin.Destination = (*Connector)(nil)
	_ plugin.Resolver    = (*Connector)(nil)
	_ plugin.Finder      = (*Connector)(nil)
	_ plugin.Checker     = (*Connector)(nil)
	_ plugin.Previewer   = (*Connector)(nil)
)

// New returns a connector that is not configured yet.
func New() *Connector { return &Connector{} }

// Configure implements [plugin.Connector].
func (c *Connector) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	cfg, err := parseConfig(req.Config)
	if err != nil {
		return nil, err
	}
	var limits []plugin.RateLimit
	if cfg.perMinute > 0 {
		limits = []plugin.RateLimit{{Requests: cfg.perMinute, Per: time.Minute}}
	}
	client, err := httpkit.New(httpkit.Options{
		System:    "Totango",
		BaseURL:   cfg.baseURL(),
		Attribute: cfg.hostAttribute(),
		Authorize: func(r *http.Request) { r.Header.Set("app-token", cfg.AppToken) },
		Limits:    limits,
		Timeout:   max(requestTimeout, cfg.writeTimeout),
		UserAgent: "durasync-connector-totango/" + Version,
	})
	if err != nil {
		return nil, err
	}
	c.session.Set(&session{
		config: cfg,
		http:   client,
		types:  newCached[catalog](),
		tags:   newCached[catalog](),
		flows:  newCached[catalog](),
		staff:  newCached[*staff](),
	})
	return &plugin.ConfigureResponse{RateLimits: limits, WriteTimeout: cfg.writeTimeout, SearchLag: cfg.searchLag}, nil
}

// forTouchpoint returns the session for the methods that name an object.
func (c *Connector) forTouchpoint(object string) (*session, error) {
	if object != objectName {
		return nil, plugin.UnknownObject(object)
	}
	return c.session.Get()
}
