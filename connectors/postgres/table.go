package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/durasync/durasync/plugin"
)

// table is a table or view as it is now.
type table struct {
	*config
	columns []column
}

// column is a column of a table.
type column struct {
	name   string
	typ    string // as a column is declared with it, such as character varying(20)
	bare   string // the same without length and precision
	base   uint32 // the type's object identifier; of a domain, that of what it is a domain of
	unique bool   // no two rows have the same value, by an index on this column alone
}

// lookUpQuery has a row for each column. An index that does not hold for all rows, or not at once, is none to find a row by.
const lookUpQuery = `
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, -1), COALESCE(NULLIF(t.typbasetype, 0), t.oid), EXISTS (
	SELECT FROM pg_index AS i
	WHERE i.indrelid = a.attrelid AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
	AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
)
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

// lookUp asks the server for the table.
func (c *config) lookUp(ctx context.Context, conn *pgx.Conn) (*table, error) {
	rows, err := conn.Query(ctx, lookUpQuery, c.relation.Sanitize())
	if err != nil {
		return nil, err
	}
	t := &table{config: c}
	t.columns, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (col column, err error) {
		return col, r.Scan(&col.name, &col.typ, &col.bare, &col.base, &col.unique)
	})
	if err == nil && len(t.columns) == 0 {
		e := plugin.Errorf(plugin.CodeNotFound, "there is no table %s; names are taken as they are, in upper and lower case", c.relation.Sanitize())
		e.Attribute = "table"
		err = e
	}
	return t, err
}

// column returns a column by its name; nil if there is none.
func (t *table) column(name string) *column {
	if i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name }); i >= 0 {
		return &t.columns[i]
	}
	return nil
}

// readable says what stands against reading rows from the table.
func (t *table) readable() error {
	if t.column(t.id) == nil {
		return t.missing("id", t.id)
	}
	switch at := t.column(t.time); {
	case at == nil:
		return t.missing("time", t.time)
	case at.base != pgtype.TimestamptzOID && at.base != pgtype.TimestampOID && at.base != pgtype.DateOID:
		return plugin.InvalidConfig("time", "names a column of type %s; the column has to be of type timestamptz, timestamp or date", at.typ)
	}
	return nil
}

// writable says what stands against writing rows to the table.
func (t *table) writable() error {
	switch key := t.column(t.id); {
	case key == nil:
		return t.missing("id", t.id)
	case !key.unique:
		return plugin.InvalidConfig("id", "names a column by which no row can be found again, for want of a unique index on it alone; "+
			"make one with CREATE UNIQUE INDEX ON %s (%s)", t.relation.Sanitize(), quote(t.id))
	}
	return nil
}

func (t *table) missing(attribute, column string) error {
	return plugin.InvalidConfig(attribute, "names the column %s, which table %s does not have", quote(column), t.relation.Sanitize())
}

// quote is an identifier as it stands in SQL.
func quote(identifier string) string { return pgx.Identifier{identifier}.Sanitize() }

// each joins what f makes of the elements, as a list in SQL.
func each[T any](elements []T, f func(T) string) string {
	parts := make([]string, len(elements))
	for i, e := range elements {
		parts[i] = f(e)
	}
	return strings.Join(parts, ", ")
}
