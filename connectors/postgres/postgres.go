// Package postgres reads rows from a table or view of a PostgreSQL database and writes rows to a table.
//
// As a source it lists rows by a time column, page after page by time and key, and reads them by their keys. PostgreSQL itself turns a
// row into JSON, so that numbers of any size stay exact.
//
// As a destination it inserts or updates rows by their keys. A batch is one transaction. If the database refuses it for what is in it, its
// halves are tried, and so on, until only the rows that are refused by themselves are left out.
package postgres

import (
	"context"
	"time"

	"github.com/durasync/durasync/plugin"
)

// Version is the connector's version.
const Version = "1.0.0"

// writeTimeout is how long a Create may take. It may have to wait for locks that others hold.
const writeTimeout = time.Minute

// Connector is the postgres connector. It is configured once and may then be used from many goroutines at once.
type Connector struct {
	conn plugin.Configured[connection]
}

var (
	_ plugin.Source      = (*Connector)(nil)
	_ plugin.Destination = (*Connector)(nil)
	_ plugin.Checker     = (*Connector)(nil)
)

// New returns a connector that waits to be configured.
func New() *Connector { return &Connector{} }

// connection is a configured connector: both ends, of which a job uses one.
type connection struct {
	*config
	pool *pool
}

// Configure implements [plugin.Connector]. It reads the certificate files that the configuration names.
func (c *Connector) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	cfg, err := parseConfig(req.Config)
	if err != nil {
		return nil, err
	}
	c.conn.Set(&connection{config: cfg, pool: newPool(cfg.server)})
	return &plugin.ConfigureResponse{WriteTimeout: writeTimeout}, nil
}
