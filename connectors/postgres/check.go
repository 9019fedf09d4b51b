package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/durasync/durasync/plugin"
)

// Check implements [plugin.Checker]. Which end of a job the connection stands at is not known here, so it fails if it can stand at none.
func (c *Connector) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	conn, err := c.conn.Get()
	if err != nil {
		return nil, err
	}
	var summary string
	err = conn.use(ctx, func(server *pgx.Conn, t *table) (err error) {
		summary, err = t.check(ctx, server)
		return err
	})
	if err != nil {
		return nil, conn.failed(ctx, err)
	}
	return &plugin.CheckResponse{Summary: summary}, nil
}

// check says what the table can be used for.
func (t *table) check(ctx context.Context, server *pgx.Conn) (string, error) {
	var database, version string
	var mayRead, mayWrite bool
	err := server.QueryRow(ctx, `SELECT current_database()::text, current_setting('server_version'),
		has_table_privilege(to_regclass($1)::oid, 'SELECT'), has_table_privilege(to_regclass($1)::oid, 'INSERT')`, t.relation.Sanitize(),
	).Scan(&database, &version, &mayRead, &mayWrite)
	if err != nil {
		return "", err
	}
	read, write := t.readable(), t.writable()
	if !mayRead {
		read = plugin.Errorf(plugin.CodePermissionDenied, "user %s may not SELECT from table %s", t.server.User, t.relation.Sanitize())
	}
	if !mayRead || !mayWrite {
		write = plugin.Errorf(plugin.CodePermissionDenied, "user %s may not SELECT, INSERT and UPDATE table %s", t.server.User, t.relation.Sanitize())
	}
	summary := fmt.Sprintf("table %s of database %s, PostgreSQL %s", t.relation.Sanitize(), database, version)
	switch {
	case read != nil && write != nil:
		return "", read
	case read != nil:
		summary += "; it cannot be a source: " + read.Error()
	case write != nil:
		summary += "; it cannot be a destination: " + write.Error()
	}
	return summary, nil
}
