package postgres_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// values of all kinds of types: a value in SQL, and what it is in JSON.
var values = []struct{ typ, sql, json string }{
	{"smallint", `-32768`, `-32768`},
	{"integer", `2147483647`, `2147483647`},
	{"bigint", `9223372036854775807`, `9223372036854775807`},
	{"numeric", `12345678901234567890.123456789`, `12345678901234567890.123456789`},
	{"numeric", `'NaN'`, `"NaN"`},
	{"numeric(5,2)", `-1.5`, `-1.50`},
	{"real", `1.5`, `1.5`},
	{"double precision", `0.1`, `0.1`},
	{"double precision", `'-Infinity'`, `"-Infinity"`},
	{"boolean", `true`, `true`},
	{"text", `E'Zoë <&> "Co"\n\\'`, `"Zoë <&> \"Co\"\n\\"`},
	{"text", `''`, `""`},
	{"varchar(5)", `'Grüße'`, `"Grüße"`},
	{"char(4)", `'ab'`, `"ab  "`},
	{`"char"`, `'x'`, `"x"`},
	{"date", `'2026-03-01'`, `"2026-03-01"`},
	{"timestamp", `'2026-03-01 09:02:11.123456'`, `"2026-03-01T09:02:11.123456"`},
	{"timestamptz", `'2026-03-01 09:02:11.5+02'`, `"2026-03-01T07:02:11.5+00:00"`},
	{"timestamptz(0)", `'2026-03-01 09:02:11+02'`, `"2026-03-01T07:02:11+00:00"`},
	{"time", `'09:02:11'`, `"09:02:11"`},
	{"interval", `'1 day 2 hours'`, `"1 day 02:00:00"`},
	{"uuid", `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`},
	{"json", `'{"b":1,"a":[12345678901234567890,null]}'`, `{"b":1,"a":[12345678901234567890,null]}`},
	{"json", `'"a text"'`, `"a text"`},
	{"jsonb", `'{"b": 1, "a": {"c": [true, 0.10]}}'`, `{"a": {"c": [true, 0.10]}, "b": 1}`},
	// Base64 of 60 bytes has no line break, though PostgreSQL's own has one after 76 characters.
	{"bytea", `decode(repeat('00ff10', 20), 'hex')`, `"` + strings.Repeat("AP8Q", 20) + `"`},
	{"bytea", `''`, `""`},
	{"blob", `'\xfeff'`, `"/v8="`},
	{"bytea[]", `ARRAY['\xfeff']::bytea[]`, `["\\xfeff"]`},
	{"integer[]", `'{1,NULL,3}'`, `[1,null,3]`},
	{"text[]", `ARRAY['a,b', '"', '{}']`, `["a,b","\"","{}"]`},
	{"integer[][]", `'{{1,2},{3,4}}'`, `[[1,2],[3,4]]`},
	{"timestamptz[]", `ARRAY['2026-03-01Z']::timestamptz[]`, `["2026-03-01T00:00:00+00:00"]`},
	{"mood", `'fine'`, `"fine"`},
	{"positive", `7`, `7`},
	{"pair", `ROW(1, 'x y')`, `{"a":1,"b":"x y"}`},
	{"inet", `'10.0.0.0/8'`, `"10.0.0.0/8"`},
	{"macaddr", `'08:00:2b:01:02:03'`, `"08:00:2b:01:02:03"`},
	{"int4range", `'[1,5)'`, `"[1,5)"`},
	{"point", `'(1,2)'`, `"(1,2)"`},
	{"bit(3)", `'101'`, `"101"`},
	{"money", `12.5`, `"$12.50"`},
	{"tsvector", `'a b'`, `"'a' 'b'"`},
	{"xml", `'<a/>'`, `"<a/>"`},
	{"pg_lsn", `'16/B374D848'`, `"16/B374D848"`},
}

// TestEveryTypeBothWays reads a value of each type, writes what was read into another table, and compares the two there. A second row
// has nothing but NULL.
func TestEveryTypeBothWays(t *testing.T) {
	t.Parallel()
	var columns, literals, want, nulls strings.Builder
	for i, v := range values {
		fmt.Fprintf(&columns, ", c%d %s", i, v.typ)
		fmt.Fprintf(&literals, ", %s", v.sql)
		fmt.Fprintf(&want, ",\"c%d\":%s", i, v.json)
		fmt.Fprintf(&nulls, ",\"c%d\":null", i)
	}
	d := newDatabase(t, "CREATE TYPE mood AS ENUM ('fine')", "CREATE TYPE pair AS (a int, b text)", "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
		"CREATE DOMAIN blob AS bytea",
		"CREATE TABLE a (id int PRIMARY KEY, time timestamptz"+columns.String()+")", "CREATE TABLE b (LIKE a INCLUDING ALL)",
		"INSERT INTO a VALUES (1, '2026-03-01Z'"+literals.String()+")", "INSERT INTO a (id, time) VALUES (2, '2026-03-01Z')")

	records := read(t, d.open("a"), "1", "2")
	if len(records) != 2 {
		t.Fatalf("%d rows are read, want 2", len(records))
	}
	for _, r := range records {
		wanted := want.String()
		if r.ID == "2" {
			wanted = nulls.String()
		}
		wanted = fmt.Sprintf(`{"id":%s,"time":"2026-03-01T00:00:00+00:00"%s}`, r.ID, wanted)
		got, want := exact(t, r.Data)["values"].(map[string]any), exact(t, []byte(wanted))
		if len(got) != len(want) {
			t.Errorf("row %s has %d values, want %d", r.ID, len(got), len(want))
		}
		for name, w := range want {
			if !reflect.DeepEqual(got[name], w) {
				t.Errorf("row %s: column %s is read as %#v, want %#v", r.ID, name, got[name], w)
			}
		}
		i := item("another", "null")
		i.Attributes = r.Data
		must(t, d.open("b"), i)
	}
	for i, v := range values {
		d.want(fmt.Sprintf(`SELECT b.id, a.c%d::text IS NOT DISTINCT FROM b.c%[1]d::text AS same, a.c%[1]d IS NULL AS absent
			FROM a JOIN b USING (id) ORDER BY id`, i),
			"1|true|false", "2|true|true")
		if t.Failed() {
			t.Fatalf("a value of type %s, %s, is not written as it was read", v.typ, v.sql)
		}
	}
	// What is there already, in all types, is not written again.
	before := d.query("SELECT xmin FROM b ORDER BY id")
	for _, r := range records {
		i := item("another", "null")
		i.Attributes = r.Data
		must(t, d.open("b"), i)
	}
	d.want("SELECT xmin FROM b ORDER BY id", before...)
}

// exact decodes a JSON object and keeps numbers as they are written.
func exact(t testing.TB, data []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return v
}
