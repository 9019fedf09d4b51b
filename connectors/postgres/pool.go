package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxConns is how many connections to the server there are at most.
const maxConns = 4

// cleanup is how long a call waits for the end of a connection that its context has cut off: the server is told to cancel what it does.
const cleanup = 500 * time.Millisecond

// pool keeps connections from one call to the next. Unlike pgxpool it has no goroutines of its own, which nobody would end.
type pool struct {
	server *pgx.ConnConfig
	open   chan struct{} // has an element for each connection
	idle   chan *pgx.Conn
}

func newPool(server *pgx.ConnConfig) *pool {
	return &pool{server: server, open: make(chan struct{}, maxConns), idle: make(chan *pgx.Conn, maxConns)}
}

// take returns a connection, and whether it has been idle before. It has to be given back.
func (p *pool) take(ctx context.Context) (conn *pgx.Conn, wasIdle bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	select {
	case conn := <-p.idle:
		return conn, true, nil
	default:
	}
	select {
	case conn := <-p.idle:
		return conn, true, nil
	case p.open <- struct{}{}:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	conn, err = pgx.ConnectConfig(ctx, p.server)
	if err != nil {
		<-p.open
	}
	return conn, false, err
}

// give takes a connection back.
func (p *pool) give(conn *pgx.Conn) {
	if !conn.IsClosed() {
		p.idle <- conn
		return
	}
	select {
	case <-conn.PgConn().CleanupDone():
	case <-time.After(cleanup):
	}
	<-p.open
}

// use calls f with a connection and what the server says of the table, which is asked for each time: it can change. That shows, too, whether the
// server has closed the connection since it was last used; then another one is taken.
func (c *connection) use(ctx context.Context, f func(*pgx.Conn, *table) error) error {
	for {
		conn, wasIdle, err := c.pool.take(ctx)
		if err != nil {
			return err
		}
		t, err := c.lookUp(ctx, conn)
		if err == nil {
			err = f(conn, t)
		} else if conn.IsClosed() && wasIdle && ctx.Err() == nil {
			c.pool.give(conn)
			continue
		}
		c.pool.give(conn)
		return err
	}
}
