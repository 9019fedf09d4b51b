// Package webhook sends records to any receiver of HTTP requests, as JSON that the job composes.
//
// Requests are what the open specification Standard Webhooks (https://www.standardwebhooks.com) describes, so that receivers verify
// them with libraries that exist: an id that is the same for every attempt, a time, and a signature over both and the body. The id
// is the Idempotency-Key as well.
//
// A request of unknown outcome cannot be looked up, since a receiver offers nothing but the one address. It is sent again with the
// same id: a record arrives at least once, and once where the receiver drops what it knows by its id. All the same the object is not
// described as idempotent, because the host would then send everything in the overlap again at every run.
package webhook

import (
	"context"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Version is the connector's version.
const Version = "1.0.0"

// Connector is the webhook connector. It is configured once and may then be used from many goroutines at once.
type Connector struct {
	conn plugin.Configured[connection]
}

var _ plugin.Destination = (*Connector)(nil)

// New returns a connector that waits to be configured.
func New() *Connector { return &Connector{} }

// connection is a configured connector.
type connection struct {
	config config
	http   *httpkit.Client
}

// Configure implements [plugin.Connector].
func (c *Connector) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	cfg, err := parseConfig(req.Config)
	if err != nil {
		return nil, err
	}
	client, err := httpkit.New(httpkit.Options{
		System:    "the receiver",
		BaseURL:   cfg.base,
		Attribute: "url",
		Secrets:   cfg.secrets,
		PlainHTTP: true, // parseConfig has decided
		Limits:    cfg.limits,
		Timeout:   cfg.timeout,
		MaxBody:   maxAnswer,
		UserAgent: "durasync-connector-webhook/" + Version,
	})
	if err != nil {
		return nil, err
	}
	c.conn.Set(&connection{config: cfg, http: client})
	return &plugin.ConfigureResponse{RateLimits: cfg.limits, WriteTimeout: cfg.timeout}, nil
}
