package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/plugin"
)

func TestUpsert(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id text PRIMARY KEY, name text DEFAULT 'nobody', n int, changes int DEFAULT 0)",
		"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.changes := OLD.changes + 1; RETURN NEW; END$$",
		"CREATE TRIGGER note BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()")
	c := d.open("t")
	must(t, c, item("1", `{"name":"Ann","n":1}`), item("2", `{"n":2}`), item("3", `{"name":null}`), item("4", `{}`))
	all := "SELECT id, name, n, changes FROM t ORDER BY id"
	d.want(all, "1|Ann|1|0", "2|nobody|2|0", "3|NULL|NULL|0", "4|nobody|NULL|0")

	// What is left out stays, null clears, and a row that is as it should be is not touched.
	must(t, c, item("1", `{"n":7}`), item("2", `{"n":2}`), item("3", `{"name":null}`), item("4", `{"name":null,"n":4}`))
	d.want(all, "1|Ann|7|1", "2|nobody|2|0", "3|NULL|NULL|0", "4|NULL|4|1")
}

func TestOnConflictNothing(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text, code text UNIQUE)", "INSERT INTO t VALUES (1, 'old', 'a')")
	c := configure(t, d.settings("t").with(settings{"on_conflict": "nothing"}))
	results := create(t, c, item("1", `{"name":"new"}`), item("2", `{"name":"new"}`), item("3", `{"code":"a"}`))
	if results[0].Err != nil || results[1].Err != nil {
		t.Errorf("a row that is there, and one that is not, come to %v and %v", results[0].Err, results[1].Err)
	}
	saying(t, results[2].Err, plugin.CodeInvalidRecord, "t_code_key") // the conflict is with another column than the key
	d.want("SELECT id, name FROM t ORDER BY id", "1|old", "2|new")
}

func TestKeyOfARow(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE texts (id text PRIMARY KEY, n int)", `CREATE TABLE numbers ("The Key" bigint PRIMARY KEY)`)
	texts := d.open("texts")
	results := create(t, texts, item("of the record", `{"n":1}`), item("other", `{"id":"of the values","n":2}`), item("third", `{"id":null,"n":3}`),
		item("4", `{"id":{"a":1}}`), item("5", `{"id":""}`))
	d.want("SELECT id, n FROM texts ORDER BY n", "of the record|1", "of the values|2", "third|3")
	var ids []string
	for _, r := range results {
		ids = append(ids, r.ID)
	}
	if want := []string{"of the record", "of the values", "third", "", ""}; !slices.Equal(ids, want) {
		t.Errorf("the results have the ids %q, want %q", ids, want)
	}
	for _, r := range results[3:] {
		saying(t, r.Err, plugin.CodeInvalidRecord, `column "id"`)
	}

	numbers := configure(t, d.settings("numbers").with(settings{"id": "The Key"}))
	results = create(t, numbers, item("9007199254740993", `{}`), item("x", `{"The Key":9007199254740995}`), item("y", `{}`))
	d.want("SELECT * FROM numbers ORDER BY 1", "9007199254740993", "9007199254740995")
	saying(t, results[2].Err, plugin.CodeInvalidRecord, `column "The Key"`, `"y"`)
}

// TestRefusedRows writes rows of which every other one is refused, each for another reason.
func TestRefusedRows(t *testing.T) {
	t.Parallel()
	d := newDatabase(t,
		"CREATE TABLE owners (name text PRIMARY KEY)", "INSERT INTO owners VALUES ('ann')",
		`CREATE TABLE t (id int PRIMARY KEY, n int, name varchar(5), code text UNIQUE, age int CHECK (age > 0), must text NOT NULL DEFAULT 'x', data bytea,
			at timestamptz, owner text REFERENCES owners, late text REFERENCES owners DEFERRABLE INITIALLY DEFERRED, list int[], half numeric(3,1), json jsonb,
			ratio int GENERATED ALWAYS AS (100 / NULLIF(n, 13)) STORED, CHECK (n + 0 <> 14 OR 1 / (n - 14) > 0))`,
		"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.n = 99 THEN RAISE 'not ninety-nine'; END IF; RETURN NEW; END$$",
		"CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
		"INSERT INTO t (id, code) VALUES (0, 'taken')")
	cases := []struct {
		values, attribute, says string
	}{
		{`{"n":"many"}`, "values.n", `"many"`},
		{`{"n":1.5}`, "values.n", "1.5"},
		{`{"n":2147483648}`, "values.n", "out of range"},
		{`{"name":"Gretel"}`, "values.name", "too long"},
		{`{"code":"taken"}`, "values", "t_code_key"},
		{`{"age":-1}`, "values", "t_age_check"},
		{`{"must":null}`, "values.must", "not-null"},
		{`{"n":1,"name":"ok","data":"not Base64!","half":1}`, "values.data", "base64"},
		{`{"at":"tomorrow, perhaps"}`, "values.at", "tomorrow"},
		{`{"owner":"bob"}`, "values", "t_owner_fkey"},
		{`{"late":"bob"}`, "values", "t_late_fkey"},
		{`{"list":[1,"two"]}`, "values.list", "two"},
		{`{"half":1000}`, "values.half", "overflow"},
		{`{"name":"a\u0000b","n":5}`, "values.name", "Unicode"},
		{`{"n":99}`, "values", "not ninety-nine"},
		{`{"n":0}`, "values", "division by zero"},
		{`{"titel":"x"}`, "values.titel", `no such column`},
		{`"text"`, "values", "an object"},
		{`null`, "values", "an object"},
		{`[{"n":1}]`, "values", "an object"},
	}
	var items []plugin.Item
	for i, c := range cases {
		items = append(items, item(fmt.Sprint(2*i+1), fmt.Sprintf(`{"n":%d}`, i+1000)), item(fmt.Sprint(2*i+2), c.values))
	}
	results := create(t, d.open("t"), items...)
	for i, c := range cases {
		if e := results[2*i].Err; e != nil {
			t.Errorf("a good row beside %s is refused: %v", c.values, e)
		}
		e := results[2*i+1].Err
		saying(t, e, plugin.CodeInvalidRecord, c.says)
		if e != nil && (e.Attribute != c.attribute || e.Retryable || e.Uncertain) {
			t.Errorf("%s: the error names %q, want %q; retryable %t, uncertain %t", c.values, e.Attribute, c.attribute, e.Retryable, e.Uncertain)
		}
		if column, named := strings.CutPrefix(c.attribute, "values."); named && e != nil && !strings.Contains(e.Message, column) {
			t.Errorf("%s: the error %q does not name the column", c.values, e.Message)
		}
		if e != nil && strings.Contains(e.Message, "Failing row") {
			t.Errorf("%s: the error shows the whole row: %s", c.values, e.Message)
		}
	}
	d.want("SELECT count(*), min(n), max(n) FROM t WHERE id > 0", fmt.Sprintf("%d|1000|%d", len(cases), 999+len(cases)))
}

// TestSameKeyInOneBatch: two records can have the same key in their values. The later one wins.
func TestSameKeyInOneBatch(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, n int)")
	must(t, d.open("t"), item("a", `{"id":1,"n":1}`), item("b", `{"id":2,"n":2}`), item("c", `{"id":1,"n":3}`))
	d.want("SELECT id, n FROM t ORDER BY id", "1|3", "2|2")
}

// TestConcurrentUpserts writes the same keys from many connectors at once, each in another order.
func TestConcurrentUpserts(t *testing.T) {
	t.Parallel()
	const rounds, rows = 10, 100
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, writer int, other int)")
	var wg sync.WaitGroup
	for _, step := range []int{1, 3, 7, 9, 11, 13, 17, 19} { // no factor in common with 100
		c := d.open("t")
		wg.Go(func() {
			for round := range rounds {
				var items []plugin.Item
				for i := range rows {
					items = append(items, item(fmt.Sprint((i*step+round)%rows), fmt.Sprintf(`{"writer":%d,"other":%[1]d}`, step)))
				}
				must(t, c, items...)
			}
		})
	}
	wg.Wait()
	d.want("SELECT count(*) = count(DISTINCT id) AS unique, bool_and(writer = other) AS whole FROM t", "true|true")
	d.want("SELECT count(*) FROM t", fmt.Sprint(rows))
}

// TestNamesAreNeverSQL has a table, columns and values that would end a statement and begin another, were they put into it as they are.
func TestNamesAreNeverSQL(t *testing.T) {
	t.Parallel()
	const evil = `x"; DROP TABLE victim; --`
	d := newDatabase(t, "CREATE TABLE victim (id text PRIMARY KEY)", `CREATE SCHEMA "s'"";"`,
		`CREATE TABLE "s'"";"."x""; DROP TABLE victim; --" ("x""; DROP TABLE victim; --" text PRIMARY KEY, time timestamptz, "$1'" text)`)
	s := d.settings(`s'";.` + evil).with(settings{"id": evil})
	c := configure(t, s)
	must(t, c, item("1", `{"time":"2026-03-01T00:00:00Z","$1'":"'; DROP TABLE victim; --"}`),
		item(`2'; DROP TABLE victim; --`, `{"time":"2026-03-01T00:00:00Z"}`))
	ids := list(t, c, date(1), date(2))
	if len(ids) != 2 || len(read(t, c, ids...)) != 2 {
		t.Errorf("the rows are %q, want two", ids)
	}
	if _, e := check(t, s); e != nil {
		t.Error(e)
	}
	for _, table := range []string{evil, "victim" + evil, `public".` + evil, `victim; --`} {
		_, e := check(t, d.settings(table))
		saying(t, e, plugin.CodeNotFound)
	}
	results := create(t, d.open("victim"), item("3", `{"id\") SELECT 'x'; DROP TABLE victim; --":1}`))
	saying(t, results[0].Err, plugin.CodeInvalidRecord, "no such column")
	d.want("SELECT count(*) FROM victim", "0")
}

func TestDestinationThatCannotBe(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int, a int UNIQUE DEFERRABLE, b int, time timestamptz)", "CREATE UNIQUE INDEX ON t (id, b)",
		"CREATE UNIQUE INDEX ON t (b) WHERE b > 0",
		"CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
	for name, tt := range map[string]struct {
		settings settings
		code     plugin.Code
		says     string
	}{
		"an index on more columns":  {settings{"table": "public.t"}, plugin.CodeInvalidConfig, `CREATE UNIQUE INDEX ON "public"."t" ("id")`},
		"a constraint that waits":   {settings{"id": "a"}, plugin.CodeInvalidConfig, "unique index"},
		"an index on some rows":     {settings{"id": "b"}, plugin.CodeInvalidConfig, "unique index"},
		"no key column":             {settings{"id": "key"}, plugin.CodeInvalidConfig, `"key"`},
		"no table":                  {settings{"table": "T"}, plugin.CodeNotFound, `"T"`},
		"a key that nobody may set": {settings{"table": "always"}, plugin.CodeInvalidRequest, "non-DEFAULT"},
	} {
		t.Run(name, func(t *testing.T) {
			e := createError(quiet(t), t, configure(t, d.settings("t").with(tt.settings)), item("1", `{}`))
			saying(t, e, tt.code, tt.says)
			if e.Uncertain || e.Retryable {
				t.Errorf("the error %q is uncertain %t, retryable %t, want neither", e.Message, e.Uncertain, e.Retryable)
			}
		})
	}
	// The index that the message asks for helps.
	d.exec(`CREATE UNIQUE INDEX ON "public"."t" ("id")`)
	must(t, d.open("t"), item("1", `{"b":1}`))
	d.want("SELECT id, b FROM t", "1|1")

	e := createError(quiet(t), t, postgres.New(), item("1", `{}`))
	saying(t, e, plugin.CodeInvalidRequest, "not configured")
}

// TestTableThatChanges: a column that is added is there at once.
func TestTableThatChanges(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, time timestamptz)")
	c := d.open("t")
	saying(t, create(t, c, item("1", `{"name":"Ann"}`))[0].Err, plugin.CodeInvalidRecord, `"name"`)
	d.exec("ALTER TABLE t ADD COLUMN name text")
	must(t, c, item("1", `{"name":"Ann","time":"2026-03-01T00:00:00Z"}`))
	d.want("SELECT id, name FROM t", "1|Ann")
	d.exec("ALTER TABLE t ALTER COLUMN id TYPE text, DROP COLUMN name")
	if ids := list(t, c, date(1), date(2)); !slices.Equal(ids, []string{"1"}) || len(read(t, c, ids...)) != 1 {
		t.Errorf("after the change, the rows are %v", ids)
	}
}
