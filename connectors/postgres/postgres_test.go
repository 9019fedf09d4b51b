package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/internal/postgrestest"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m, postgres.New()) }

func date(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }

// settings are attributes of a connection.
type settings map[string]any

// with returns the settings with others in their place.
func (s settings) with(others settings) settings {
	s = maps.Clone(s)
	maps.Copy(s, others)
	return s
}

func (s settings) json() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // tests set nothing that JSON does not have
	}
	return b
}

// database is a database of the server that all tests share.
type database struct {
	t      testing.TB
	server *postgrestest.Server
	name   string
	conn   *pgxpool.Pool // of the superuser
}

// newDatabase makes a database with what the statements make.
func newDatabase(t testing.TB, statements ...string) *database {
	t.Helper()
	return newDatabaseOn(t, postgrestest.Shared(t), statements...)
}

func newDatabaseOn(t testing.TB, server *postgrestest.Server, statements ...string) *database {
	t.Helper()
	name := server.Database(t)
	d := &database{t: t, server: server, name: name, conn: server.Connect(t, name)}
	for _, s := range statements {
		d.exec(s)
	}
	return d
}

func (d *database) exec(statement string, args ...any) {
	d.t.Helper()
	if _, err := d.conn.Exec(d.t.Context(), statement, args...); err != nil {
		d.t.Fatalf("%s: %v", statement, err)
	}
}

// query returns the rows of a query as texts, with a bar between columns.
func (d *database) query(query string, args ...any) []string {
	d.t.Helper()
	rows, err := d.conn.Query(d.t.Context(), `SELECT concat_ws('|', VARIADIC ARRAY(SELECT COALESCE(value, 'NULL') FROM json_each_text(row_to_json(q.*))))
		FROM (`+query+") AS q", args...)
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return texts
}

// want checks the rows of a query.
func (d *database) want(query string, rows ...string) {
	d.t.Helper()
	if got := d.query(query); !slices.Equal(got, rows) {
		d.t.Errorf("%s finds\n\t%s\nwant\n\t%s", query, strings.Join(got, "\n\t"), strings.Join(rows, "\n\t"))
	}
}

// settings are those of a connection to a table.
func (d *database) settings(table string) settings {
	return settings{
		"host": "127.0.0.1", "port": d.server.Port, "user": "postgres", "password": postgrestest.Password, "database": d.name,
		"table": table, "sslmode": "disable",
	}
}

// open returns a connector for a table.
func (d *database) open(table string) *postgres.Connector {
	d.t.Helper()
	return configure(d.t, d.settings(table))
}

func configure(t testing.TB, s settings) *postgres.Connector {
	t.Helper()
	c := postgres.New()
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: s.json()}); err != nil {
		t.Fatal(err)
	}
	return c
}

// check returns what Check says of a connection, or its error.
func check(t testing.TB, s settings) (string, *plugin.Error) {
	t.Helper()
	res, err := configure(t, s).Check(t.Context(), &plugin.CheckRequest{})
	if err != nil {
		return "", plugin.AsError(err)
	}
	return res.Summary, nil
}

// list returns the ids of a window's rows, in order.
func list(t testing.TB, c plugin.Source, from, to time.Time) (ids []string) {
	t.Helper()
	req := &plugin.ListRequest{Stream: "rows", From: from, To: to}
	for {
		res, err := c.List(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Entries {
			ids = append(ids, e.ID)
		}
		if res.NextPageToken == "" {
			return ids
		}
		req.PageToken = res.NextPageToken
	}
}

// read returns rows by their ids, with all fields.
func read(t testing.TB, c plugin.Source, ids ...string) []plugin.Record {
	t.Helper()
	res, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "rows", IDs: ids, Fields: []string{"id", "time", "values"}})
	if err != nil {
		t.Fatal(err)
	}
	return res.Records
}

// item is an item to write, with values in JSON.
func item(id, values string) plugin.Item {
	return plugin.Item{Key: "test/rows/" + id, RecordID: id, Time: date(1), Attributes: fmt.Appendf(nil, `{"values":%s}`, values)}
}

// create writes items, whether or not some are refused.
func create(t testing.TB, c plugin.Destination, items ...plugin.Item) []plugin.Result {
	t.Helper()
	res, err := c.Create(quiet(t), &plugin.CreateRequest{Object: "row", Items: items})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Results) != len(items) {
		t.Fatalf("%d results for %d items", len(res.Results), len(items))
	}
	return res.Results
}

// must writes items, all of them.
func must(t testing.TB, c plugin.Destination, items ...plugin.Item) {
	t.Helper()
	for _, r := range create(t, c, items...) {
		if r.Err != nil {
			t.Errorf("item %s: %v", r.Key, r.Err)
		}
	}
}

// createError returns the error of a batch that has to fail.
func createError(ctx context.Context, t testing.TB, c plugin.Destination, items ...plugin.Item) *plugin.Error {
	t.Helper()
	res, err := c.Create(ctx, &plugin.CreateRequest{Object: "row", Items: items})
	if err == nil {
		t.Fatalf("the batch came to %+v, want an error", res.Results)
	}
	return plugin.AsError(err)
}

func quiet(t testing.TB) context.Context {
	return hclog.WithContext(t.Context(), hclog.NewNullLogger())
}

// saying checks that an error has a code and says all of some things.
func saying(t testing.TB, e *plugin.Error, code plugin.Code, what ...string) {
	t.Helper()
	if e == nil || e.Code != code {
		t.Errorf("the error is %+v, want one of code %s", e, code)
		return
	}
	for _, w := range what {
		if !strings.Contains(e.Message, w) {
			t.Errorf("the error says %q and not %q", e.Message, w)
		}
	}
}

// urlTo is a URL to a table's database for a user.
func urlTo(user, password, host string, port int, database string, query url.Values) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: net.JoinHostPort(host, fmt.Sprint(port)), Path: database, RawQuery: query.Encode(),
	}
	return u.String()
}
