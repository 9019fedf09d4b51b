// Package temporaltest runs a Temporal server for tests as a company does: the server's own program, with its settings left as they are,
// on PostgreSQL, with a schema that Temporal's tool makes. The programs are built at the version that the module tools/temporal pins.
//
// A server listens on the loopback interface. It ends when the test binary does, in whatever way: a process waits for that.
package temporaltest

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/template"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/durasync/durasync/internal/postgrestest"
)

// patience is how long a step of a start may take. It is reached only when something is wrong.
const patience = 2 * time.Minute

// Server is a running Temporal server.
type Server struct {
	// Address is the frontend's "host:port".
	Address string

	client     client.Client
	log        string       // its file
	life       io.Closer    // the watch ends all when it is closed, if only because nothing refers to it
	namespaces atomic.Int32 // how many have been made
}

// shared is the server that the tests of a binary share.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared returns the server that all tests of the binary share. Each test makes a namespace of its own.
func Shared(t testing.TB) *Server {
	t.Helper()
	database := postgrestest.Shared(t)
	shared.once.Do(func() { shared.server, shared.err = start(database) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

func start(database *postgrestest.Server) (*Server, error) {
	if err := makeSchema(database); err != nil {
		return nil, err
	}
	const attempts = 5 // somebody else can take a free port
	var err error
	for range attempts {
		var s *Server
		if s, err = serve(database); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// The server's databases.
const (
	store      = "temporal"
	visibility = "temporal_visibility"
)

// makeSchema makes the databases and what is in them.
func makeSchema(database *postgrestest.Server) error {
	tool, err := program("sql")
	if err != nil {
		return err
	}
	for name, schema := range map[string]string{store: "temporal", visibility: "visibility"} {
		for _, args := range [][]string{
			{"create-database"}, {"setup-schema", "--version", "0.0"}, {"update-schema", "--schema-name", "postgresql/v12/" + schema},
		} {
			cmd := exec.CommandContext(context.Background(), tool, append([]string{"--database", name}, args...)...)
			cmd.Env = append(os.Environ(), "SQL_PLUGIN=postgres12", "SQL_HOST=127.0.0.1", "SQL_PORT="+strconv.Itoa(database.Port),
				"SQL_USER=postgres", "SQL_PASSWORD="+postgrestest.Password)
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("temporal-sql-tool %s: %w\n%s", strings.Join(args, " "), err, out)
			}
		}
	}
	return nil
}

// program returns the path of one of Temporal's programs. It is built when it is first used.
func program(name string) (string, error) {
	var stderr bytes.Buffer
	root, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module's directory: %w", err)
	}
	cmd := exec.CommandContext(context.Background(), "go", "tool", "-n", name)
	cmd.Dir, cmd.Stderr = filepath.Join(strings.TrimSpace(string(root)), "tools", "temporal"), &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build Temporal's %s: %w\n%s", name, err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}

//go:embed server.yaml
var configuration string

var config = template.Must(template.New("server.yaml").Option("missingkey=error").Parse(configuration))

// serve starts the server's program and waits until it answers.
func serve(database *postgrestest.Server) (*Server, error) {
	path, err := program("server")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "temporaltest-")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(8)
	if err != nil {
		return nil, err
	}
	dynamic, err := filepath.Abs("../../deploy/dynamicconfig.yaml") // from a package under internal
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := config.Execute(&text, map[string]any{
		"Ports": ports, "Database": net.JoinHostPort("127.0.0.1", strconv.Itoa(database.Port)), "Password": postgrestest.Password,
		"Store": store, "Visibility": visibility, "Dynamic": dynamic,
	}); err != nil {
		return nil, err
	}
	file, log := filepath.Join(dir, "server.yaml"), filepath.Join(dir, "log")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	output, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }()
	cmd := exec.CommandContext(context.Background(), path, "--config-file", file, "--allow-no-auth", "start")
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log says how it ended
		close(ended)
	}()
	life, err := watch(cmd.Process.Pid, dir)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	s := &Server{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0])), log: log, life: life}
	if err := s.awaitReady(ended); err != nil {
		said := s.said()
		_ = life.Close() // removes the log, too
		return nil, fmt.Errorf("the Temporal server does not start: %w\n%s", err, said)
	}
	return s, nil
}

// said returns the end of the server's log.
func (s *Server) said() string {
	const most = 4000
	b, _ := os.ReadFile(s.log)
	return string(b[max(0, len(b)-most):])
}

// watch starts the process that ends the server, and removes its directory, when this process is gone.
func watch(pid int, dir string) (io.Closer, error) {
	const script = `trap "" INT TERM HUP
cat
kill -KILL "$1" 2>/dev/null
rm -rf "$0"`
	cmd := exec.CommandContext(context.Background(), "sh", "-c", script, dir, strconv.Itoa(pid))
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return life, cmd.Start()
}

// freePorts finds ports that the server can write down: its table of members holds them in 16 bits with a sign.
func freePorts(n int) ([]int, error) {
	const first, last = 16384, 32767
	var ports []int
	var listeners []net.Listener // all at once, so that the ports differ
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	for range 100 * n {
		port := first + rand.IntN(last-first+1)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		listeners = append(listeners, l)
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("there are no %d free ports from %d to %d", n, first, last)
}

// awaitReady waits until the server knows its own namespace.
func (s *Server) awaitReady(ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go func() {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	c, err := client.NewLazyClient(client.Options{HostPort: s.Address, Logger: silent{}})
	if err != nil {
		return err
	}
	s.client = c
	return retry(ctx, func() error {
		_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: "temporal-system"})
		return err
	})
}

// Namespace makes a namespace with search attributes, which may be nil, and returns its name when it can be used.
func (s *Server) Namespace(t testing.TB, attributes map[string]enumspb.IndexedValueType) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", s.namespaces.Add(1))
	s.Register(t, name, attributes)
	return name
}

// Register is Namespace with a name of the test's choice.
func (s *Server) Register(t testing.TB, name string, attributes map[string]enumspb.IndexedValueType) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	frontend := s.client.WorkflowService()
	if _, err := frontend.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(30 * 24 * time.Hour),
	}); err != nil {
		t.Fatalf("%v\n%s", err, s.said())
	}
	// The services of the server read the list of namespaces every few seconds.
	if err := retry(ctx, func() error {
		if len(attributes) == 0 {
			return nil
		}
		_, err := s.client.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: name, SearchAttributes: attributes,
		})
		if _, ok := errors.AsType[*serviceerror.AlreadyExists](err); ok {
			return nil
		}
		return err
	}); err != nil {
		t.Fatalf("%v\n%s", err, s.said())
	}
	query := "WorkflowType = 'None'"
	for attribute := range attributes {
		query += " AND " + attribute + " IS NULL"
	}
	if err := retry(ctx, func() error {
		_, err := frontend.ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: name, Query: query})
		if err != nil {
			return err
		}
		_, err = frontend.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: name, TaskQueue: &taskqueue.TaskQueue{Name: "none"}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
		})
		return err
	}); err != nil {
		t.Fatalf("%v\n%s", err, s.said())
	}
}

// retry tries again and again until it works.
func retry(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// silent throws away what the Temporal SDK logs.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
