package postgres_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/internal/postgrestest"
	"github.com/durasync/durasync/plugin"
)

// patience bounds every wait. It is reached only by a test that fails.
const patience = time.Minute

// until asks again and again until the condition holds.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("it did not happen that %s", what)
		case <-tick.C:
		}
	}
}

// wire is a connection between the connector and the server that can be tampered with.
type wire struct {
	net.Listener
	mu    sync.Mutex
	deaf  bool // answers of the server are thrown away
	conns []net.Conn
}

// newWire leads to a port of this machine.
func newWire(t testing.TB, port int) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l}
	t.Cleanup(func() {
		l.Close()
		w.cut()
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
			if err != nil {
				client.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, client, server)
			w.mu.Unlock()
			go func() { _, _ = io.Copy(server, client) }()
			go func() { _, _ = io.Copy(answers{w, client}, server) }()
		}
	}()
	return w
}

func (w *wire) port() int { return w.Addr().(*net.TCPAddr).Port }

// answers is where the server's answers go.
type answers struct {
	wire   *wire
	client net.Conn
}

func (a answers) Write(p []byte) (int, error) {
	a.wire.mu.Lock()
	deaf := a.wire.deaf
	a.wire.mu.Unlock()
	if deaf {
		return len(p), nil
	}
	return a.client.Write(p)
}

func (w *wire) setDeaf(deaf bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = deaf
}

// cut ends all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// waiting is a query for how many wait for a lock in the database.
const waiting = "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database WHERE NOT granted AND datname = current_database()"

// TestConnectionLostAfterTheCommit: the write is uncertain, and made good by writing again.
func TestConnectionLostAfterTheCommit(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (0, 0)", "CREATE VIEW log AS SELECT n FROM t WHERE id = 1")
	w := newWire(t, d.server.Port)
	c := configure(t, d.settings("t").with(settings{"port": w.port()}))
	must(t, c, item("0", `{"n":1}`)) // there is a connection now
	lock, err := d.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.Background()) }()
	if _, err := lock.Exec(t.Context(), "LOCK TABLE t IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	failed := make(chan *plugin.Error, 1)
	go func() {
		_, err := c.Create(quiet(t), &plugin.CreateRequest{Object: "row", Items: []plugin.Item{item("1", `{"n":1}`), item("2", `{"n":2}`)}})
		failed <- plugin.AsError(err)
	}()
	until(t, "the batch waits for the table", func() bool { return d.query(waiting)[0] == "1" })
	w.setDeaf(true)
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "the batch is committed", func() bool { return d.query("SELECT count(*) FROM t")[0] == "3" })
	w.cut()
	e := <-failed
	saying(t, e, plugin.CodeUnavailable, "was lost")
	if e == nil || !e.Uncertain || !e.Retryable {
		t.Errorf("the error is %+v, want one that is uncertain and retryable", e)
	}
	w.setDeaf(false)
	must(t, c, item("1", `{"n":1}`), item("2", `{"n":2}`))
	d.want("SELECT id, n FROM t ORDER BY id", "0|1", "1|1", "2|2")
}

// TestHalfOfABatchIsWrittenAndThenTheServerFails: what has been written makes the whole batch uncertain.
func TestHalfOfABatchIsWrittenAndThenTheServerFails(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, n int)",
		`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
			IF NEW.n = 2 AND EXISTS (SELECT FROM t) THEN RAISE disk_full; END IF; RETURN NEW; END$$`,
		"CREATE TRIGGER fail BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fail()")
	c := d.open("t")
	e := createError(quiet(t), t, c, item("1", `{"n":1}`), item("2", `{"n":"x"}`), item("3", `{"n":3}`), item("4", `{"n":2}`))
	saying(t, e, plugin.CodeUnavailable, "53100")
	if !e.Uncertain {
		t.Errorf("the error %q is not uncertain", e.Message)
	}
	d.want("SELECT id FROM t", "1")
	d.exec("DROP TRIGGER fail ON t")
	results := create(t, c, item("1", `{"n":1}`), item("2", `{"n":"x"}`), item("3", `{"n":3}`), item("4", `{"n":2}`))
	saying(t, results[1].Err, plugin.CodeInvalidRecord)
	d.want("SELECT id FROM t ORDER BY id", "1", "3", "4")
}

// TestServerEndsTheConnection: it may have committed before, so the write is uncertain.
func TestServerEndsTheConnection(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY)",
		"CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END$$",
		"CREATE TRIGGER die BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION die()")
	c := d.open("t")
	e := createError(quiet(t), t, c, item("1", `{}`))
	saying(t, e, plugin.CodeUnavailable, "57P01")
	if !e.Uncertain || !e.Retryable {
		t.Errorf("the error %q is uncertain %t, retryable %t, want both", e.Message, e.Uncertain, e.Retryable)
	}
	d.exec("DROP TRIGGER die ON t")
	must(t, c, item("1", `{}`))
	d.want("SELECT id FROM t", "1")
}

// TestServerCrashes ends a server while batches are written to it, and starts it again: whoever writes until it succeeds has each row
// once, and what was answered for is there.
func TestServerCrashes(t *testing.T) {
	t.Parallel()
	const batches, rows = 40, 50
	d := newDatabaseOn(t, postgrestest.Start(t), "CREATE TABLE t (id int PRIMARY KEY, n int)")
	c := d.open("t")
	done := make(chan int, batches)
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(quiet(t), patience)
		defer cancel()
		pause := time.NewTicker(10 * time.Millisecond)
		defer pause.Stop()
		for b := range batches {
			var items []plugin.Item
			for i := range rows {
				items = append(items, item(fmt.Sprint(b*rows+i), fmt.Sprintf(`{"n":%d}`, b)))
			}
			for {
				_, err := c.Create(ctx, &plugin.CreateRequest{Object: "row", Items: items})
				if err == nil {
					break
				}
				if ctx.Err() != nil || !plugin.AsError(err).Retryable {
					t.Errorf("a crash of the server makes the error %+v, want one that goes away by trying again", plugin.AsError(err))
					return
				}
				<-pause.C
			}
			done <- b
		}
	}()
	for b := range done {
		if b == batches/4 || b == batches/2 {
			d.server.Crash(t)
			d.server.Restart(t)
		}
	}
	d.conn.Reset() // its connections are those of before the crash
	d.want("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM t", fmt.Sprintf("%d|%[1]d|0|%d", batches*rows, batches*rows-1))
}

// TestServerClosesIdleConnections: a call after that goes through.
func TestServerClosesIdleConnections(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY)")
	c := d.open("t")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { must(t, c, item(fmt.Sprint(i), `{}`)) })
	}
	wg.Wait()
	if n := len(d.query("SELECT FROM pg_stat_activity WHERE application_name = 'durasync' AND datname = current_database()")); n < 1 || n > 4 {
		t.Errorf("after 8 calls at once, %d connections are open, want 1 to 4", n)
	}
	d.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'durasync' AND datname = current_database()")
	until(t, "the connections are gone", func() bool {
		return len(d.query("SELECT FROM pg_stat_activity WHERE application_name = 'durasync' AND datname = current_database()")) == 0
	})
	must(t, c, item("9", `{}`))
	d.want("SELECT count(*) FROM t", "9")
}

// TestDeadline: a batch that waits for a lock is given up at the deadline, on the server, too, and is uncertain.
func TestDeadline(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY)")
	c := d.open("t")
	must(t, c, item("0", `{}`))
	lock, err := d.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.Background()) }()
	if _, err := lock.Exec(t.Context(), "LOCK TABLE t IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(quiet(t), 100*time.Millisecond)
	defer cancel()
	e := createError(ctx, t, c, item("1", `{}`))
	saying(t, e, plugin.CodeUnavailable, "before the deadline")
	if !e.Uncertain {
		t.Errorf("the error %q is not uncertain", e.Message)
	}
	until(t, "nobody waits for the table", func() bool { return d.query(waiting)[0] == "0" })
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, c, item("2", `{}`))
	d.want("SELECT id FROM t ORDER BY id", "0", "2")

	over, cancel := context.WithCancel(quiet(t))
	cancel()
	if e := createError(over, t, c, item("3", `{}`)); e.Uncertain {
		t.Errorf("a call whose context had ended before it is uncertain: %s", e.Message)
	}
	d.want("SELECT count(*) FROM t", "2")
}

// TestTLS connects in each way to a server whose certificate is for localhost and vouched for by itself.
func TestTLS(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY)")
	root := d.server.RootCert
	other := filepath.Join(t.TempDir(), "other.pem")
	if b, err := os.ReadFile(postgrestest.Start(t).RootCert); err != nil || os.WriteFile(other, b, 0o600) != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		host, mode, root string
		want             string // "true" or "false" for a connection with and without TLS, else what the error says
	}{
		"default here":             {"127.0.0.1", "", "", "true"},
		"disable":                  {"127.0.0.1", "disable", "", "false"},
		"allow":                    {"127.0.0.1", "allow", "", "false"},
		"prefer":                   {"127.0.0.1", "prefer", "", "true"},
		"require":                  {"127.0.0.1", "require", "", "true"},
		"require, with a root":     {"127.0.0.1", "require", other, "unknown authority"},
		"verify-ca":                {"127.0.0.1", "verify-ca", root, "true"},
		"verify-ca, another root":  {"127.0.0.1", "verify-ca", other, "unknown authority"},
		"verify-full":              {"localhost", "verify-full", root, "true"},
		"verify-full, wrong host":  {"127.0.0.1", "verify-full", root, "127.0.0.1"},
		"verify-full, not trusted": {"localhost", "verify-full", "", "unknown authority"},
		"socket":                   {d.server.Socket(), "", "", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			s := d.settings("t").with(settings{"host": tt.host, "sslmode": tt.mode, "sslrootcert": tt.root})
			called := strings.ReplaceAll(name, " ", "_")
			q := url.Values{"application_name": {called}}
			for parameter, value := range map[string]string{"sslmode": tt.mode, "sslrootcert": tt.root} {
				if value != "" {
					q.Set(parameter, value)
				}
			}
			for form, s := range map[string]settings{
				"parts": s, "url": {"table": "t", "url": urlTo("postgres", postgrestest.Password, tt.host, d.server.Port, d.name, q)},
			} {
				if tt.host == d.server.Socket() && form == "url" {
					q.Set("host", tt.host)
					s["url"] = fmt.Sprintf("postgres://postgres:%s@:%d/%s?%s", postgrestest.Password, d.server.Port, d.name, q.Encode())
				}
				c := configure(t, s)
				_, err := c.Check(t.Context(), &plugin.CheckRequest{})
				if tt.want != "true" && tt.want != "false" {
					e := plugin.AsError(err)
					saying(t, e, plugin.CodeInvalidConfig, tt.want, "sslrootcert")
					if want := map[string]string{"parts": "sslmode", "url": "url"}[form]; e != nil && e.Attribute != want {
						t.Errorf("%s: the error names the attribute %q, want %q", form, e.Attribute, want)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", form, err)
					continue
				}
				application := map[string]string{"parts": "durasync", "url": called}[form]
				d.want("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = current_database() "+
					"AND application_name = '"+application+"'", tt.want)
				d.exec("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", application)
			}
		})
	}
}

// TestTLSElsewhere: a server on another machine gets nothing from a connection that does not say how to use TLS, unless it offers TLS.
func TestTLSElsewhere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	greetings := make(chan uint32, 100)
	go func() { // a server that has no TLS
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			greeting := make([]byte, 8)
			_, _ = io.ReadFull(conn, greeting)
			greetings <- binary.BigEndian.Uint32(greeting[4:])
			_, _ = conn.Write([]byte{'N'})
			conn.Close()
		}
	}()
	// A second host makes it another machine, though the first one is asked.
	_, e := check(t, settings{"host": "127.0.0.1,db.invalid", "port": l.Addr().(*net.TCPAddr).Port, "user": "u", "table": "t"})
	saying(t, e, plugin.CodeInvalidConfig, "refused TLS", "sslmode")
	const asksForTLS = 80877103 // SSLRequest: https://www.postgresql.org/docs/current/protocol-message-formats.html
	if n := len(greetings); n == 0 {
		t.Error("the server was not asked")
	}
	for range len(greetings) {
		if g := <-greetings; g != asksForTLS {
			t.Errorf("the server was greeted with %d, want %d only", g, asksForTLS)
		}
	}
}

// TestPasswordsAndDatabasesOfAnyText: both forms of a connection take whatever PostgreSQL does.
func TestPasswordsAndDatabasesOfAnyText(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const password, name = `p w+%20@/:?#&='"\ß`, `a b+%20@/:?#&=ß`
	d.exec(`CREATE ROLE "o'dd +%" LOGIN SUPERUSER PASSWORD '` + strings.ReplaceAll(password, "'", "''") + "'")
	d.exec(`CREATE DATABASE "` + name + `"`)
	other := d.server.Connect(t, name)
	if _, err := other.Exec(t.Context(), "CREATE TABLE t (id int PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	parts := settings{"host": "127.0.0.1", "port": d.server.Port, "user": "o'dd +%", "password": password, "database": name, "table": "t"}
	if summary, e := check(t, parts); e != nil || !strings.Contains(summary, name) {
		t.Errorf("by parts, the check says %q (%v)", summary, e)
	}
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	address := fmt.Sprintf("postgresql://%s:%s@127.0.0.1:%d/%s", escape("o'dd +%"), escape(password), d.server.Port, escape(name))
	if summary, e := check(t, settings{"url": address, "table": "t"}); e != nil || !strings.Contains(summary, name) {
		t.Errorf("by url, the check says %q (%v)", summary, e)
	}
}

// TestAccess: what the server says to credentials and privileges.
func TestAccess(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE SCHEMA hidden", "CREATE TABLE hidden.t (id int PRIMARY KEY, time timestamptz)",
		"CREATE TABLE t (id int PRIMARY KEY, time timestamptz)")
	d.exec("CREATE ROLE reader LOGIN PASSWORD 'reader-secret'")
	d.exec("CREATE ROLE nobody LOGIN PASSWORD 'nobody-secret'")
	d.exec("GRANT SELECT ON t TO reader")
	reader, nobody := settings{"user": "reader", "password": "reader-secret"}, settings{"user": "nobody", "password": "nobody-secret"}
	for name, tt := range map[string]struct {
		settings  settings
		code      plugin.Code
		attribute string
		says      string
	}{
		"wrong password": {settings{"password": "wrong-secret"}, plugin.CodeUnauthenticated, "password", "28P01"},
		"no such user":   {settings{"user": "stranger"}, plugin.CodeUnauthenticated, "password", "28P01"},
		"no database":    {settings{"database": "nowhere"}, plugin.CodeNotFound, "database", "3D000"},
		"no privilege":   {nobody, plugin.CodePermissionDenied, "", "SELECT"},
		"hidden schema":  {reader.with(settings{"table": "hidden.t"}), plugin.CodePermissionDenied, "", "42501"},
		"nobody there":   {settings{"port": 1}, plugin.CodeUnavailable, "", "connection refused"},
		"no such host":   {settings{"host": "host.invalid"}, plugin.CodeUnavailable, "", "host.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, e := check(t, d.settings("t").with(tt.settings))
			saying(t, e, tt.code, tt.says)
			if e != nil && (e.Attribute != tt.attribute || e.Retryable != tt.code.Retryable()) {
				t.Errorf("the error names the attribute %q, want %q; retryable %t", e.Attribute, tt.attribute, e.Retryable)
			}
		})
	}
	s := d.settings("t").with(reader)
	summary, e := check(t, s)
	if e != nil || !strings.Contains(summary, `table "t"`) || !strings.Contains(summary, "cannot be a destination") {
		t.Errorf("the check of who may only read says %q (%v)", summary, e)
	}
	saying(t, createError(quiet(t), t, configure(t, s), item("1", `{}`)), plugin.CodePermissionDenied, "42501")
	if summary, e := check(t, d.settings("t")); e != nil || strings.Contains(summary, "cannot") || !strings.Contains(summary, "PostgreSQL 1") {
		t.Errorf("the check of a table that can be both says %q (%v)", summary, e)
	}
	// A standby, or what looks like one, may become the primary.
	d.exec("ALTER DATABASE " + d.name + " SET default_transaction_read_only = on")
	e = createError(quiet(t), t, d.open("t"), item("1", `{}`))
	saying(t, e, plugin.CodeUnavailable, "25006")
	if e.Uncertain {
		t.Errorf("the error %q is uncertain", e.Message)
	}
}

// TestSecretsAreNeverShown: whatever goes wrong, no error has the password in it, in clear or escaped, nor a part of it.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY)")
	const password = "canary/p@ss?w#rd: %zz'\\ birdseed"
	parts := []string{"canary", "w#rd", "birdseed", url.QueryEscape("p@ss")}
	escaped := url.UserPassword("u", password).String()
	port := fmt.Sprint(d.server.Port)
	for _, address := range []string{
		"postgres://" + escaped + "@127.0.0.1:" + port + "/" + d.name,
		"postgres://" + escaped + "@127.0.0.1:1/" + d.name,
		"postgres://" + escaped + "@host.invalid/d",
		"postgres://" + escaped + "@localhost:" + port + "/d?sslmode=verify-full",
		"postgres://" + escaped + "@127.0.0.1:" + port + "/d?sslmode=nonsense",
		"postgres://" + escaped + "@127.0.0.1:99999/d",
		"postgres://" + escaped + "@127.0.0.1:" + port + "/d?sslrootcert=/nowhere.pem",
		"postgres://" + escaped + "@127.0.0.1:" + port + "/d?connect_timeout=soon",
		"postgres://" + escaped + "@127.0.0.1:" + port + "/d?no_such_parameter=1",
		"postgres://" + escaped + "@127.0.0.1:" + port + "/d?service=s&servicefile=/nowhere",
		"postgres://u:" + password + "@127.0.0.1:" + port + "/" + d.name, // not escaped
		"postgres://u:1/" + password + "@127.0.0.1:" + port + "/" + d.name,
		"postgres://u:1?" + password + "@127.0.0.1:" + port + "/" + d.name,
		"postgres://u:1#" + password + "@127.0.0.1:" + port + "/" + d.name,
		"postgres://u:1@" + password + "@127.0.0.1:" + port + "/" + d.name,
		"postgres://u:1@birdseed/canary@127.0.0.1:" + port + "/" + d.name,
		"postgres://u:1@birdseed:1/canary@127.0.0.1?x",
		"mysql://" + escaped + "@127.0.0.1/d",
		"user=u password='" + password + "' host=127.0.0.1",
		password,
	} {
		failed(t, settings{"table": "t", "url": address}, parts)
	}
	failed(t, settings{"table": "t", "url": "postgres://u:7713/secret@127.0.0.1/d"}, []string{"7713", "secret"})
	s := d.settings("t").with(settings{"password": password})
	for _, other := range []settings{
		{}, {"port": 1}, {"host": "host.invalid"}, {"host": "localhost", "sslmode": "verify-full"}, {"sslrootcert": "/nowhere.pem", "sslmode": "require"},
		{"port": -1}, {"url": "postgres://u@h/d"}, {"sslmode": "nonsense"}, {"table": ""},
	} {
		failed(t, s.with(other), parts)
	}
}

// failed checks that a connection does not work, and that no error says any of the parts of its password.
func failed(t *testing.T, s settings, parts []string) {
	t.Helper()
	c := postgres.New()
	_, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: s.json()})
	if err == nil {
		_, err = c.Check(t.Context(), &plugin.CheckRequest{})
	}
	if err == nil {
		t.Errorf("%v works", s)
		return
	}
	var e *plugin.Error
	if !errors.As(err, &e) {
		t.Errorf("%v: the error %v is none of package plugin", s, err)
	}
	said, _ := json.Marshal(plugin.AsError(err)) // it has nothing that JSON does not have
	for _, part := range parts {
		if strings.Contains(string(said), part) || strings.Contains(err.Error(), part) {
			t.Errorf("with %v, the error shows %q: %s", s, part, err)
		}
	}
}
