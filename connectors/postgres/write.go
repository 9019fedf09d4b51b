package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/durasync/durasync/plugin"
)

// Create implements [plugin.Destination].
func (c *Connector) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	conn, err := c.conn.Get()
	if err != nil {
		return nil, err
	}
	if req.Object != objectRow {
		return nil, plugin.UnknownObject(req.Object)
	}
	var w writer
	err = conn.use(ctx, func(server *pgx.Conn, t *table) error {
		if err := t.writable(); err != nil {
			return err
		}
		w = writer{table: t, server: server, results: make([]plugin.Result, len(req.Items))}
		return w.put(ctx, w.rows(req.Items))
	})
	if err != nil {
		e := conn.failed(ctx, err)
		e.Uncertain = w.touched
		return nil, e
	}
	return &plugin.CreateResponse{Results: w.results}, nil
}

// writer writes a batch.
type writer struct {
	*table
	server  *pgx.Conn
	results []plugin.Result
	touched bool // something was written, or may have been
}

// row is an item on its way into the table.
type row struct {
	values  map[string]json.RawMessage // by column
	columns []string                   // their names, sorted
	result  *plugin.Result
}

// rows makes rows of the items, except of those that cannot be one. They are sorted by their keys, so that batches that are written
// at the same time wait for each other in one direction only.
func (w *writer) rows(items []plugin.Item) []row {
	rows := make([]row, 0, len(items))
	for i := range items {
		result := &w.results[i]
		result.Key = items[i].Key
		if values, err := w.rowValues(&items[i], result); err != nil {
			result.Err = err
		} else {
			rows = append(rows, row{values: values, columns: slices.Sorted(maps.Keys(values)), result: result})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return strings.Compare(a.result.ID, b.result.ID) })
	return rows
}

// rowValues returns the values of an item, the key among them, and sets the result's id to the key's text.
func (t *table) rowValues(item *plugin.Item, result *plugin.Result) (map[string]json.RawMessage, *plugin.Error) {
	var in struct{ Values map[string]json.RawMessage }
	if json.Unmarshal(item.Attributes, &in) != nil || in.Values == nil {
		return nil, refused("", "values must be an object with a member for each column")
	}
	for name := range in.Values {
		if t.column(name) == nil {
			return nil, refused(name, "table %s has no such column", t.relation.Sanitize())
		}
	}
	key := in.Values[t.id]
	if key == nil || string(key) == "null" {
		result.ID = item.RecordID
		in.Values[t.id] = quoteJSON(item.RecordID)
		return in.Values, nil
	}
	if key[0] == '{' || key[0] == '[' {
		return nil, refused(t.id, "a key must be a text, a number or a truth value")
	}
	if json.Unmarshal(key, &result.ID) != nil {
		result.ID = string(key)
	}
	if result.ID == "" {
		return nil, refused(t.id, "a key must not be empty")
	}
	return in.Values, nil
}

// refused makes the error of an item that is not written for what is in a column.
func refused(column, format string, args ...any) *plugin.Error {
	e := plugin.Errorf(plugin.CodeInvalidRecord, format, args...)
	e.Attribute = fieldValues
	if column != "" {
		e.Message = "column " + quote(column) + ": " + e.Message
		e.Attribute += "." + column
	}
	return e
}

// put writes rows in one transaction. If the database refuses that, it writes their halves, until it knows which ones are refused.
func (w *writer) put(ctx context.Context, rows []row) error {
	err := w.insert(ctx, rows)
	switch {
	case err == nil:
		w.touched = true
		return nil
	case !isRefusal(err):
		w.touched = w.touched || !isOutcomeKnown(err)
		return err
	case len(rows) == 1:
		rows[0].result.ID, rows[0].result.Err = "", w.refusal(ctx, &rows[0], err)
		return nil
	}
	half := len(rows) / 2
	if err := w.put(ctx, rows[:half]); err != nil {
		return err
	}
	return w.put(ctx, rows[half:])
}

// insert writes rows, or none of them: those with the same columns with one statement, and all statements in a pipeline, which is a
// transaction by itself.
func (w *writer) insert(ctx context.Context, rows []row) error {
	var statements pgx.Batch
	for len(rows) > 0 {
		columns := rows[0].columns
		var same, others []row
		for _, r := range rows {
			if slices.Equal(r.columns, columns) {
				same = append(same, r)
			} else {
				others = append(others, r)
			}
		}
		statements.Queue(w.statement(columns), array(same, columns))
		rows = others
	}
	return w.server.SendBatch(ctx, &statements).Close()
}

// statement inserts the rows of $1 that are not in the table. Of those that are, it updates what differs, so that nothing happens to a row
// that is as it should be. Values are compared as texts, since not every type has an equality.
func (w *writer) statement(columns []string) string {
	others := slices.DeleteFunc(slices.Clone(columns), func(name string) bool { return name == w.id })
	action := "NOTHING"
	if !w.keep && len(others) > 0 {
		action = fmt.Sprintf("UPDATE SET %s WHERE ROW(%s) IS DISTINCT FROM ROW(%s)",
			each(others, func(name string) string { return quote(name) + " = EXCLUDED." + quote(name) }),
			each(others, func(name string) string { return "old." + quote(name) + "::text" }),
			each(others, func(name string) string { return "EXCLUDED." + quote(name) + "::text" }))
	}
	return fmt.Sprintf("INSERT INTO %s AS old (%s) %s ON CONFLICT (%s) DO %s",
		w.relation.Sanitize(), each(columns, quote), w.parse(columns), quote(w.id), action)
}

// parse is a query for some columns of the rows of $1, a JSON array of objects.
func (t *table) parse(columns []string) string {
	values := each(columns, func(name string) string {
		if t.column(name).base == pgtype.ByteaOID {
			return "decode(r." + quote(name) + ", 'base64')"
		}
		return "r." + quote(name)
	})
	types := each(columns, func(name string) string {
		if t.column(name).base == pgtype.ByteaOID {
			return quote(name) + " text"
		}
		return quote(name) + " " + t.column(name).typ
	})
	return fmt.Sprintf("SELECT %s FROM json_to_recordset($1::json) AS r (%s)", values, types)
}

// array is a JSON array of objects with the columns of rows.
func array(rows []row, columns []string) string {
	names := make([][]byte, len(columns))
	for i, name := range columns {
		names[i] = append(quoteJSON(name), ':')
	}
	var b bytes.Buffer
	separator := byte('[')
	for _, r := range rows {
		b.WriteByte(separator)
		separator = '{'
		for i, name := range columns {
			b.WriteByte(separator)
			b.Write(names[i])
			b.Write(r.values[name])
			separator = ','
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.String()
}

// refusal says why a row is refused, and for which column if that can be found out.
func (w *writer) refusal(ctx context.Context, r *row, err error) *plugin.Error {
	var e *pgconn.PgError
	errors.As(err, &e)
	column := e.ColumnName
	if column == "" && strings.HasPrefix(e.Code, "22") {
		column = w.unfit(ctx, r)
	}
	return refused(column, "%s", saying(e))
}

// unfit returns a column whose value is not of the column's type, by halves; empty if the values are not to blame.
func (w *writer) unfit(ctx context.Context, r *row) string {
	fits := func(columns []string) bool {
		_, err := w.server.Exec(ctx, w.parse(columns), array([]row{*r}, columns))
		return !isRefusal(err)
	}
	columns := r.columns
	if fits(columns) {
		return ""
	}
	for len(columns) > 1 {
		half := len(columns) / 2
		if fits(columns[:half]) {
			columns = columns[half:]
		} else {
			columns = columns[:half]
		}
	}
	return columns[0]
}

// quoteJSON is a text as it stands in JSON.
func quoteJSON(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has JSON
	}
	return b
}
