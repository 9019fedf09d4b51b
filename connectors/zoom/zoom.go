// Package zoom reads meetings from Zoom through its REST API, version 2.
//
// One stream, meetings, has the meetings of an account that have ended, with the people who took part and the summary that Zoom's AI
// Companion wrote. Listing uses the report GET /report/history_meetings, which covers all hosts of the account. Reading asks for
// each meeting: GET /past_meetings/{uuid}, its /participants, and GET /meetings/{uuid}/meeting_summary.
//
// Facts about the API in this package's comments are from Zoom's API reference (https://developers.zoom.us/docs/api/) unless they
// are marked as inferred: those follow from what users of the API report, or are the careful reading of what it leaves open.
package zoom

import (
	"context"
	"net/url"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Version is the connector's version.
const Version = "1.0.0"

// Connector is the Zoom connector. It is configured once and may then be used from many goroutines at once.
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
}

// Configure implements [plugin.Connector].
func (c *Connector) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	cfg, err := parseConfig(req.Config)
	if err != nil {
		return nil, err
	}
	const agent = "durasync-connector-zoom/" + Version
	tokens, err := httpkit.NewTokenSource(httpkit.TokenOptions{
		System: system, URL: cfg.TokenURL, ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, UserAgent: agent,
		// The grant of apps of the type Server-to-Server OAuth. Its tokens live an hour.
		Form:        url.Values{"grant_type": {"account_credentials"}, "account_id": {cfg.AccountID}},
		Credentials: "account_id, client_id and client_secret of a Server-to-Server OAuth app that is activated",
	})
	if err != nil {
		return nil, err
	}
	api, err := httpkit.New(httpkit.Options{System: system, BaseURL: cfg.BaseURL, Tokens: tokens, Limits: cfg.limits, UserAgent: agent})
	if err != nil {
		return nil, err
	}
	c.conn.Set(&connection{config: cfg, api: api})
	return &plugin.ConfigureResponse{RateLimits: cfg.limits}, nil
}

// forStream returns the connection for the methods that name a stream.
func (c *Connector) forStream(name string) (*connection, error) {
	if name != streamMeetings {
		return nil, plugin.UnknownStream(name)
	}
	return c.conn.Get()
}
