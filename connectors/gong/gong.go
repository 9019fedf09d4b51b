// Package gong reads calls from Gong through its public REST API, version 2.
//
// One stream, calls, has everything that Gong writes about a meeting. Listing and reading both use POST /v2/calls/extensive,
// because GET /v2/calls has windows over another time. Private calls are dropped here, at both, so that they never leave this
// process. Facts about the API in this package's comments are from Gong's API reference unless another source is named.
package gong

import (
	"context"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Version is the connector's version.
const Version = "1.0.0"

// Connector is the Gong connector. It is configured once and may then be used from many goroutines at once.
type Connector struct {
	conn plugin.Configured[connection]
}

var (
	_ plugin.Source  = (*Connector)(nil)
	_ plugin.Checker = (*Connector)(nil)
)

// New returns a connector that waits to be configured.
func New() *Connector { return &Connector{} }

// connection is a configured connector.
type connection struct {
	config config
	api    *httpkit.Client
	users  directory
}

// Configure implements [plugin.Connector].
func (c *Connector) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	cfg, err := parseConfig(req.Config)
	if err != nil {
		return nil, err
	}
	api, err := httpkit.New(httpkit.Options{
		System:    system,
		BaseURL:   cfg.baseURL,
		Authorize: cfg.authorize,
		Limits:    cfg.limits,
		MaxBody:   maxAnswer,
		UserAgent: "durasync-connector-gong/" + Version,
	})
	if err != nil {
		return nil, err
	}
	c.conn.Set(newConnection(cfg, api))
	return &plugin.ConfigureResponse{RateLimits: cfg.limits}, nil
}

func newConnection(cfg config, api *httpkit.Client) *connection {
	return &connection{config: cfg, api: api, users: newDirectory()}
}

// forStream returns the connection for the methods that name a stream.
func (c *Connector) forStream(name string) (*connection, error) {
	if name != streamCalls {
		return nil, plugin.UnknownStream(name)
	}
	return c.conn.Get()
}
