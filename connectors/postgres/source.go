package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/durasync/durasync/plugin"
)

const (
	// pageSize is how many entries a page of a listing has.
	pageSize = 10_000

	// maxAnswer is how many bytes of rows one Read returns. The host takes a little more.
	maxAnswer = 30 << 20

	// maxID is the longest id of a record, in bytes.
	maxID = 128
)

// place is a page's last row; the next page begins after it.
type place struct {
	Time time.Time `json:"time"`
	ID   string    `json:"id"`
}

// List implements [plugin.Source].
func (c *Connector) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	conn, err := c.reading(req.Stream)
	if err != nil {
		return nil, err
	}
	var after place
	if err := plugin.DecodePageToken(req.PageToken, &after); err != nil {
		return nil, err
	}
	var res *plugin.ListResponse
	err = conn.read(ctx, func(server *pgx.Conn, t *table) error {
		rows, err := t.list(ctx, server, req, after)
		if err != nil {
			return err
		}
		res, err = page(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// Read implements [plugin.Source].
func (c *Connector) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	conn, err := c.reading(req.Stream)
	if err != nil {
		return nil, err
	}
	var records []plugin.Record
	err = conn.read(ctx, func(server *pgx.Conn, t *table) (err error) {
		records, err = t.read(ctx, server, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &plugin.ReadResponse{Records: records}, nil
}

// reading returns the connection to read a stream of.
func (c *Connector) reading(stream string) (*connection, error) {
	conn, err := c.conn.Get()
	if err == nil && stream != streamRows {
		err = plugin.UnknownStream(stream)
	}
	return conn, err
}

// read calls f with a table that can be read.
func (c *connection) read(ctx context.Context, f func(*pgx.Conn, *table) error) error {
	err := c.use(ctx, func(server *pgx.Conn, t *table) error {
		if err := t.readable(); err != nil {
			return err
		}
		return f(server, t)
	})
	if err == nil {
		return nil
	}
	e := c.failed(ctx, err)
	if e.Code == plugin.CodeInvalidRecord { // a view computes what cannot be computed: this is about no single record
		e.Code = plugin.CodeInvalidRequest
	}
	return e
}

// list asks for the rows of a page. Times in the database have microseconds: the first one that is not before a time is that time rounded
// up.
func (t *table) list(ctx context.Context, server *pgx.Conn, req *plugin.ListRequest, after place) ([]place, error) {
	id, at := "t."+quote(t.id), "t."+quote(t.time)
	query := fmt.Sprintf("SELECT %s::timestamptz, COALESCE(%s::text, '') FROM %s AS t WHERE %[1]s >= $1::timestamptz AND %[1]s < $2::timestamptz",
		at, id, t.relation.Sanitize())
	args := []any{roundUp(req.From), roundUp(req.To)}
	if req.PageToken != "" {
		query += fmt.Sprintf(" AND (%s, %s) > ($3::timestamptz, $4::text::%s)", at, id, t.column(t.id).bare)
		args = append(args, after.Time, after.ID)
	}
	query += fmt.Sprintf(" ORDER BY %s, %s LIMIT %d", at, id, pageSize)
	rows, err := server.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[place])
}

func roundUp(t time.Time) time.Time {
	if down := t.Truncate(time.Microsecond); down.Before(t) {
		return down.Add(time.Microsecond)
	}
	return t
}

// page makes a page of its rows.
func page(rows []place) (*plugin.ListResponse, error) {
	res := &plugin.ListResponse{Entries: make([]plugin.Entry, len(rows))}
	for i, r := range rows {
		id, err := recordID(r.ID)
		if err != nil {
			return nil, err
		}
		res.Entries[i] = plugin.Entry{ID: id, Time: r.Time.UTC()}
	}
	if len(rows) == pageSize {
		res.NextPageToken = plugin.EncodePageToken(rows[len(rows)-1])
	}
	return res, nil
}

// recordID is the id of a row in Durasync: its key, with % and what is no printable ASCII escaped as in URLs.
func recordID(key string) (string, error) {
	var id strings.Builder
	for i := range len(key) {
		if b := key[i]; b <= ' ' || b > '~' || b == '%' {
			fmt.Fprintf(&id, "%%%02X", b)
		} else {
			id.WriteByte(b)
		}
	}
	switch {
	case key == "":
		return "", plugin.Errorf(plugin.CodeInvalidRequest, "a row has no id, or an empty one; "+
			"set id of the connection to a column in which every row has one")
	case id.Len() > maxID:
		return "", plugin.Errorf(plugin.CodeInvalidRequest, "the id of a row is too long: %.60q and so on; it can have %d bytes, "+
			"of which each that is no printable ASCII character counts three", key, maxID)
	}
	return id.String(), nil
}

// read returns the rows of the ids that are there and have a time.
func (t *table) read(ctx context.Context, server *pgx.Conn, req *plugin.ReadRequest) ([]plugin.Record, error) {
	if len(req.IDs) > maxRead {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "%d rows are asked for at once; at most %d can be", len(req.IDs), maxRead)
	}
	keys := make([]string, 0, len(req.IDs))
	for _, id := range req.IDs {
		if key, err := url.PathUnescape(id); err == nil {
			keys = append(keys, key)
		}
	}
	id, at := "t."+quote(t.id), "t."+quote(t.time)
	query := fmt.Sprintf("SELECT %s::timestamptz, %s::text, %s FROM %s AS t WHERE %[2]s = ANY($1::text[]::%[5]s[]) AND isfinite(%[1]s::timestamptz)",
		at, id, t.values(req.Fields), t.relation.Sanitize(), t.column(t.id).bare)
	rows, err := server.Query(ctx, query, keys)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records, size := make([]plugin.Record, 0, len(keys)), 0
	for rows.Next() {
		var row place
		var values json.RawMessage
		if err := rows.Scan(&row.Time, &row.ID, (*[]byte)(&values)); err != nil {
			return nil, err
		}
		r, err := record(row, values, req.Fields)
		if err != nil {
			return nil, err
		}
		if size += len(r.Data); size > maxAnswer {
			return nil, plugin.Errorf(plugin.CodeTooLarge, "%d rows of %s have more than %d MiB; read a view without the largest columns",
				len(req.IDs), t.relation.Sanitize(), maxAnswer>>20)
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

// values is the expression for a row's values, as a JSON object; null if they are not asked for.
func (t *table) values(fields []string) string {
	if !slices.Contains(fields, fieldValues) {
		return "NULL"
	}
	columns := each(t.columns, func(c column) string {
		if c.base == pgtype.ByteaOID {
			return fmt.Sprintf(`translate(encode(t.%s, 'base64'), E'\n', '') AS %[1]s`, quote(c.name))
		}
		return "t." + quote(c.name)
	})
	return "(SELECT row_to_json(v.*)::text FROM (SELECT " + columns + ") AS v)"
}

// record makes the record of a row.
func record(row place, values json.RawMessage, fields []string) (plugin.Record, error) {
	id, err := recordID(row.ID)
	if err != nil {
		return plugin.Record{}, err
	}
	data := map[string]any{}
	for _, f := range fields {
		switch f {
		case fieldID:
			data[f] = row.ID
		case fieldTime:
			data[f] = row.Time.UTC()
		case fieldValues:
			data[f] = values
		}
	}
	b, err := json.Marshal(data)
	return plugin.Record{ID: id, Time: row.Time.UTC(), Data: b}, err
}
