// Package postgrestest starts PostgreSQL servers for tests, from the programs of a package such as Debian's postgresql.
//
// A server's data is in a temporary directory, and it listens on the loopback interface, with TLS for those who want it. It ends, and the
// directory is removed, when its test ends, or else when the test binary does, in whatever way: a process waits for that.
package postgrestest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Password is the password of the superuser, postgres.
const Password = "postgrestest-secret"

// patience is how long a server may take to start or end. It is reached only when something is wrong.
const patience = time.Minute

// Server is a running PostgreSQL server.
type Server struct {
	// Port is the server's on 127.0.0.1, which is also called localhost.
	Port int

	// RootCert is the file with the certificate of who vouches for the server's own, which is for localhost.
	RootCert string

	programs string // their directory
	dir      string
	settings []string
	postgres *exec.Cmd
	ended    chan struct{} // closed when postgres has ended
	watch    *exec.Cmd
	life     io.Closer // the watch ends all when it is closed

	databases atomic.Int32 // how many have been made
}

// shared is the server that the tests of a binary share.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared returns the server that all tests of the binary share. It serves until the binary ends. Each test makes a database of its own.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = start(nil) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// Start starts a server for one test, with settings such as "fsync=on" beside those that make it fast.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := start(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

func start(settings []string) (*Server, error) {
	programs, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs, settings: settings}
	if s.dir, err = os.MkdirTemp("", "postgrestest-"); err != nil {
		return nil, err
	}
	s.RootCert = filepath.Join(s.dir, "server.crt")
	if err := s.startWatch(); err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	if err := s.initialize(); err != nil {
		s.stop()
		return nil, err
	}
	const attempts = 5 // somebody else can take the free port
	for range attempts {
		if s.Port, err = freePort(); err == nil {
			err = s.serve()
		}
		if err == nil {
			return s, nil
		}
	}
	s.stop()
	return nil, err
}

// find returns the directory of PostgreSQL's programs. Debian's package does not put them into PATH.
func find() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("this test needs a PostgreSQL server, and there is no initdb in PATH nor in /usr/lib/postgresql/*/bin; " +
			"on Debian, apt-get install postgresql")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// startWatch starts the process that ends the server, and removes its directory, when this process closes a pipe or is gone.
func (s *Server) startWatch() error {
	const script = `trap "" INT TERM HUP
cat
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
rm -rf "$0"`
	s.watch = exec.CommandContext(context.Background(), "sh", "-c", script, s.dir)
	life, err := s.watch.StdinPipe()
	if err != nil {
		return err
	}
	s.life = life
	return s.watch.Start()
}

// stop ends the server.
func (s *Server) stop() {
	_ = s.life.Close()
	_ = s.watch.Wait() // what it could not remove is in a temporary directory
	if s.ended != nil {
		<-s.ended
	}
}

// initialize makes the server's data and certificate.
func (s *Server) initialize() error {
	if err := s.makeCertificate(); err != nil {
		return err
	}
	password := filepath.Join(s.dir, "password")
	if err := os.WriteFile(password, []byte(Password), 0o600); err != nil {
		return err
	}
	if err := s.handOver(); err != nil {
		return err
	}
	initdb, err := s.command(context.Background(), "initdb", "--pgdata", s.data(), "--username", "postgres", "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// nobody is whom PostgreSQL runs as when the tests run as root, which it refuses.
func nobody() (*user.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	return user.Lookup("nobody")
}

// handOver gives the directory and what is in it to the user that PostgreSQL runs as.
func (s *Server) handOver() error {
	u, err := nobody()
	if u == nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid) // numbers, where there is a root
	gid, _ := strconv.Atoi(u.Gid)
	return filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	})
}

// command is one of PostgreSQL's programs.
func (s *Server) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path := filepath.Join(s.programs, name)
	u, err := nobody()
	if err != nil {
		return nil, err
	}
	if u != nil {
		path, args = "setpriv", append([]string{"--reuid", u.Uid, "--regid", u.Gid, "--clear-groups", path}, args...)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = s.dir, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	return cmd, nil
}

// serve starts the server and waits until it accepts connections.
func (s *Server) serve() error {
	settings := append([]string{
		"listen_addresses=127.0.0.1", fmt.Sprintf("port=%d", s.Port), "unix_socket_directories=" + s.dir, "max_connections=200",
		"ssl=on", "ssl_cert_file=" + s.RootCert, "ssl_key_file=" + s.key(), "fsync=off", "full_page_writes=off",
	}, s.settings...)
	args := []string{"-D", s.data()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if s.postgres, err = s.command(context.Background(), "postgres", args...); err != nil {
		return err
	}
	s.postgres.Stdout, s.postgres.Stderr = log, log
	if err := s.postgres.Start(); err != nil {
		return err
	}
	postgres, ended := s.postgres, make(chan struct{})
	s.ended = ended
	go func() {
		_ = postgres.Wait() // how it ended says nothing to anybody
		close(ended)
	}()
	if err := s.waitUntilReady(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, said)
	}
	return nil
}

func (s *Server) waitUntilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.ended:
			return err
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// URL is how the superuser connects to a database, without TLS.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", Password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)),
		Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Socket is the directory of the server's Unix socket.
func (s *Server) Socket() string { return s.dir }

// Database makes an empty database and returns its name.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	if _, err := s.Connect(t, "postgres").Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return name
}

// Connect connects the superuser to a database, until the end of the test.
func (s *Server) Connect(t testing.TB, database string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Crash ends the server at once: what was not committed is lost, and it has to recover when it is started again.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	if err := s.postgres.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		t.Fatal("PostgreSQL does not end")
	}
}

// Restart starts the server again after a crash, on its port and with its data.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.serve(); err != nil {
		t.Fatal(err)
	}
}
