// Package file reads rows from files and writes rows to a file: JSON Lines or CSV, packed with gzip if the name ends in .gz.
//
// As a source it keeps an index of the files in memory, in which each row has its id, its time and its place. A file is read from
// beginning to end once for each of its versions, however many times its rows are listed and read.
//
// As a destination it appends. A batch is one write, which is on the disk before it is answered for, and a key that is in the file is
// never written again. What a crash has left of a batch's last line is cut off before the next one is written.
package file

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/durasync/durasync/plugin"
)

// Version is the connector's version.
const Version = "1.0.0"

// writeTimeout is how long a Create may take. The first one reads the keys that are in the file.
const writeTimeout = time.Minute

// Connector is the file connector. It is configured once and may then be used from many goroutines at once.
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
	config config
	source source
	writer writer
}

// Configure implements [plugin.Connector].
func (c *Connector) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	cfg, err := parseConfig(req.Config)
	if err != nil {
		return nil, err
	}
	c.conn.Set(&connection{config: cfg, source: newSource(cfg), writer: newWriter(cfg)})
	return &plugin.ConfigureResponse{WriteTimeout: writeTimeout}, nil
}

// turn lets one goroutine in at a time. Unlike a mutex it can be waited for with a context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// failed classifies what the operating system says about a file. Its text names the file.
func failed(err error) *plugin.Error {
	code := plugin.CodeUnavailable
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = plugin.CodeNotFound
	case errors.Is(err, fs.ErrPermission):
		code = plugin.CodePermissionDenied
	}
	e := plugin.Errorf(code, "%v", err)
	e.Attribute = "path"
	return e
}

// isIO reports whether an error is the operating system's, and not about what is in a file.
func isIO(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}
