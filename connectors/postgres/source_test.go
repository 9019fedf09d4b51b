package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/plugin"
)

// TestListPages lists more rows than two pages hold, of which a thousand each have the same time.
func TestListPages(t *testing.T) {
	t.Parallel()
	const rows = 20_500
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, time timestamptz)",
		fmt.Sprintf("INSERT INTO t SELECT i, '2026-03-01Z'::timestamptz + i / 1000 * interval '1 minute' FROM generate_series(1, %d) AS i", rows))
	ids := list(t, d.open("t"), date(1), date(2))
	if len(ids) != rows {
		t.Fatalf("%d rows are listed, want %d", len(ids), rows)
	}
	for i, id := range ids {
		if id != fmt.Sprint(i+1) {
			t.Fatalf("row %d of the list is %s, want %d", i, id, i+1)
		}
	}
}

// TestListGoesOnWhereThePageEnded changes the table between two pages: no row that stays is lost or listed twice.
func TestListGoesOnWhereThePageEnded(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id text PRIMARY KEY, time timestamptz)",
		"INSERT INTO t SELECT 'r' || i, '2026-03-01Z' FROM generate_series(10001, 30000) AS i")
	c := d.open("t")
	req := &plugin.ListRequest{Stream: "rows", From: date(1), To: date(2)}
	first, err := c.List(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	d.exec("DELETE FROM t WHERE id < 'r15000'")
	d.exec("INSERT INTO t VALUES ('r00001', '2026-03-01Z')")
	req.PageToken = first.NextPageToken
	second, err := c.List(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if n, m := len(first.Entries), len(second.Entries); n != 10_000 || m != 10_000 {
		t.Fatalf("the pages have %d and %d rows, want 10000 each", n, m)
	}
	if last, next := first.Entries[9999].ID, second.Entries[0].ID; last != "r20000" || next != "r20001" {
		t.Errorf("the first page ends with %s, the second begins with %s", last, next)
	}
}

func TestListWindow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 123_456_000, time.UTC)
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, zoned timestamptz, bare timestamp, day date)",
		"INSERT INTO t SELECT 1, v, v AT TIME ZONE 'UTC', v FROM (VALUES ('2026-03-01 09:00:00.123456Z'::timestamptz)) AS t (v)",
		"INSERT INTO t VALUES (2, 'infinity', 'infinity', 'infinity'), (3, '-infinity', '-infinity', '-infinity'), (4, NULL, NULL, NULL)")
	for column, when := range map[string]time.Time{"zoned": at, "bare": at, "day": date(1)} {
		c := configure(t, d.settings("t").with(settings{"time": column}))
		for name, window := range map[string]struct {
			from, to time.Time
			want     []string
		}{
			"from the row's time":                 {when, when.Add(time.Hour), []string{"1"}},
			"from a nanosecond behind it":         {when.Add(1), when.Add(time.Hour), nil},
			"up to the row's time":                {when.Add(-time.Hour), when, nil},
			"up to a nanosecond behind it":        {when.Add(-time.Hour), when.Add(1), []string{"1"}},
			"in another zone":                     {when.In(time.FixedZone("", 7200)), when.Add(time.Hour), []string{"1"}},
			"from the beginning to the end of it": {time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), date(30), []string{"1"}},
		} {
			if got := list(t, c, window.from, window.to); !slices.Equal(got, window.want) {
				t.Errorf("column %s, %s: the window has the rows %v, want %v", column, name, got, window.want)
			}
		}
		records := read(t, c, "1", "2", "3", "4")
		if len(records) != 1 || !records[0].Time.Equal(when) {
			t.Errorf("column %s: of rows with and without a time, %+v are read, want the first one with %s", column, records, when)
		}
	}
}

// TestKeysOfAnyType has keys whose order, and whose text, is their type's. The last row is on a page of its own.
func TestKeysOfAnyType(t *testing.T) {
	t.Parallel()
	const rows = 10_001
	types := map[string]string{ // with an expression for the key of row i
		"bigint": "i", "numeric(9,2)": "i", "text": "i", "char(8)": "lpad(i::text, 5)", "varchar(5)": "i", "bit(20)": "i::bit(20)",
		"uuid": "md5(i::text)::uuid", "date": "'2000-01-01'::date + i", "bytea": "int4send(i)", "odd": "2 * i + 1",
	}
	columns, keys := "", ""
	for typ, key := range types {
		columns += fmt.Sprintf(", %q %s", typ, typ)
		keys += ", " + key
	}
	d := newDatabase(t, "CREATE DOMAIN odd AS int CHECK (VALUE % 2 = 1)", "CREATE TABLE t (time timestamptz"+columns+")",
		fmt.Sprintf("INSERT INTO t SELECT '2026-03-01Z'%s FROM generate_series(1, %d) AS i", keys, rows))
	for typ := range types {
		c := configure(t, d.settings("t").with(settings{"id": typ}))
		ids := list(t, c, date(1), date(2))
		slices.Sort(ids)
		if n := len(slices.Compact(slices.Clone(ids))); len(ids) != rows || n != rows {
			t.Fatalf("%s: %d rows are listed, %d different ones, want %d", typ, len(ids), n, rows)
		}
		if n := len(read(t, c, ids[:1000]...)); n != 1000 {
			t.Errorf("%s: of 1000 rows that are listed, %d are read", typ, n)
		}
	}
}

func TestKeysOfAnyText(t *testing.T) {
	t.Parallel()
	keys := map[string]string{
		"plain/key:1": "plain/key:1", "a b": "a%20b", "100%": "100%25", "%20": "%2520", "Zoë": "Zo%C3%AB", "line\nbreak": "line%0Abreak", "a+b": "a+b",
		strings.Repeat("k", 128): strings.Repeat("k", 128),
	}
	d := newDatabase(t, "CREATE TABLE t (id text PRIMARY KEY, time timestamptz)")
	for key := range keys {
		d.exec("INSERT INTO t VALUES ($1, '2026-03-01Z')", key)
	}
	c := d.open("t")
	ids := list(t, c, date(1), date(2))
	if len(ids) != len(keys) {
		t.Errorf("%d rows are listed, want %d", len(ids), len(keys))
	}
	for _, r := range read(t, c, ids...) {
		key, _ := exact(t, r.Data)["id"].(string)
		if keys[key] != r.ID {
			t.Errorf("the row with the key %q has the id %q, want %q", key, r.ID, keys[key])
		}
		delete(keys, key)
	}
	if len(keys) > 0 {
		t.Errorf("rows that are listed, but not read: %v", keys)
	}
	if got := read(t, c, "no%such", "%zz"); len(got) > 0 {
		t.Errorf("ids that no row has are read as %+v", got)
	}

	for key, says := range map[string]string{"": "no id", strings.Repeat("ë", 43): "too long"} {
		d.exec("INSERT INTO t VALUES ($1, '2026-03-05Z')", key)
		_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "rows", From: date(5), To: date(6)})
		saying(t, plugin.AsError(err), plugin.CodeInvalidRequest, says)
		d.exec("DELETE FROM t WHERE id = $1", key)
	}
}

func TestViewIsASource(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, `CREATE SCHEMA "Sales"`, `CREATE TABLE t (id int PRIMARY KEY, secret text)`,
		`CREATE VIEW "Sales"."v.2" AS SELECT id, 'v' AS "v", '2026-03-01Z'::timestamptz AS "when ""it"" was" FROM t`, `INSERT INTO t VALUES (1, 'x')`)
	s := d.settings("Sales.v.2").with(settings{"time": `when "it" was`})
	c := configure(t, s)
	if ids := list(t, c, date(1), date(2)); !slices.Equal(ids, []string{"1"}) {
		t.Errorf("the view's rows are %v, want one with the id 1", ids)
	}
	values, _ := exact(t, read(t, c, "1")[0].Data)["values"].(map[string]any)
	if len(values) != 3 || values["v"] != "v" {
		t.Errorf("the view's row is read as %v", values)
	}
	summary, e := check(t, s)
	if e != nil || !strings.Contains(summary, "cannot be a destination") || strings.Contains(summary, "cannot be a source") {
		t.Errorf("the check of a view says %q (%v)", summary, e)
	}
}

func TestOnlyWhatIsAskedForIsRead(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, time timestamptz)", "INSERT INTO t VALUES (1, '2026-03-01Z')")
	for _, field := range []string{"id", "time", "values"} {
		res, err := d.open("t").Read(t.Context(), &plugin.ReadRequest{Stream: "rows", IDs: []string{"1"}, Fields: []string{field}})
		if err != nil {
			t.Fatal(err)
		}
		data := exact(t, res.Records[0].Data)
		if len(data) != 1 || data[field] == nil {
			t.Errorf("asked for %s, Read returns %v", field, data)
		}
	}
}

// TestRowsThatAreTooLarge: the host takes 32 MiB at once.
func TestRowsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, time timestamptz, text text)",
		"INSERT INTO t SELECT i, '2026-03-01Z', repeat('x', 1000000) FROM generate_series(1, 32) AS i")
	c := d.open("t")
	ids := list(t, c, date(1), date(2))
	if got := read(t, c, ids[:30]...); len(got) != 30 {
		t.Errorf("%d rows of 1 MB are read, want 30", len(got))
	}
	_, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "rows", IDs: ids, Fields: []string{"values"}})
	saying(t, plugin.AsError(err), plugin.CodeTooLarge, "a view without the largest columns")
	if got := read(t, c, ids[0]); len(got) != 1 { // the connection is still good
		t.Errorf("after that, %d rows are read, want 1", len(got))
	}
}

func TestSourceThatCannotBe(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, time text)", "CREATE VIEW zero AS SELECT 1 / (random() * 0)::int AS id, now() AS time")
	for name, tt := range map[string]struct {
		settings  settings
		code      plugin.Code
		attribute string
		says      string
	}{
		"no table":       {settings{"table": "nowhere.t"}, plugin.CodeNotFound, "table", `"nowhere"."t"`},
		"no id column":   {settings{"id": "key"}, plugin.CodeInvalidConfig, "id", `"key"`},
		"no time column": {settings{"time": "at"}, plugin.CodeInvalidConfig, "time", `"at"`},
		"time is a text": {settings{}, plugin.CodeInvalidConfig, "time", "of type text"},
		"broken view":    {settings{"table": "zero"}, plugin.CodeInvalidRequest, "", "division by zero"},
	} {
		t.Run(name, func(t *testing.T) {
			c := configure(t, d.settings("t").with(tt.settings))
			_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "rows", From: date(1), To: time.Now().Add(time.Hour)})
			saying(t, plugin.AsError(err), tt.code, tt.says)
			if e := plugin.AsError(err); e.Attribute != tt.attribute {
				t.Errorf("the error names the attribute %q, want %q", e.Attribute, tt.attribute)
			}
		})
	}
	_, err := postgres.New().List(t.Context(), &plugin.ListRequest{Stream: "rows"})
	saying(t, plugin.AsError(err), plugin.CodeInvalidRequest, "not configured")
}
