package devserver

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"modernc.org/sqlite"
)

// greet is the workflow that the tests run.
func greet(_ workflow.Context, name string) (string, error) { return "hello " + name, nil }

func TestInMemory(t *testing.T) {
	logs := &syncBuffer{}
	s := start(t, Options{
		Namespaces:      []string{"first", "second"},
		UICodecEndpoint: "http://127.0.0.1:9/codec",
		Logger:          hclog.New(&hclog.LoggerOptions{Output: logs}),
	})
	if s.Namespace != "first" {
		t.Errorf("Namespace = %q, want %q", s.Namespace, "first")
	}
	c := dial(t, s)

	t.Run("runs workflows", func(t *testing.T) {
		w := worker.New(c, "queue", worker.Options{})
		w.RegisterWorkflow(greet)
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Stop)
		job := temporal.NewSearchAttributeKeyKeyword("DurasyncJob")
		outcome := temporal.NewSearchAttributeKeyKeyword("DurasyncOutcome")
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			TaskQueue:             "queue",
			TypedSearchAttributes: temporal.NewSearchAttributes(job.ValueSet("gong_meetings"), outcome.ValueSet("completed")),
		}, greet, "world")
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := run.Get(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		if got != "hello world" {
			t.Errorf("result = %q, want %q", got, "hello world")
		}
	})

	t.Run("runs schedules", func(t *testing.T) {
		w := worker.New(c, "scheduled", worker.Options{})
		w.RegisterWorkflow(greet)
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Stop)
		if _, err := c.ScheduleClient().Create(t.Context(), client.ScheduleOptions{
			ID:                 "nightly",
			TriggerImmediately: true,
			Action: &client.ScheduleWorkflowAction{
				ID: "scheduled-greet", TaskQueue: "scheduled", Workflow: greet, Args: []any{"schedule"},
			},
		}); err != nil {
			t.Fatal(err)
		}
		got := scheduledResult(t, c, "nightly")
		if got != "hello schedule" {
			t.Errorf("result = %q, want %q", got, "hello schedule")
		}
	})

	t.Run("keeps closed runs 30 days", func(t *testing.T) {
		for _, ns := range []string{"first", "second"} {
			resp, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: ns})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := resp.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), 720*time.Hour; got != want {
				t.Errorf("namespace %s: retention = %s, want %s", ns, got, want)
			}
		}
	})

	t.Run("knows the search attributes", func(t *testing.T) {
		resp, err := c.OperatorService().ListSearchAttributes(t.Context(),
			&operatorservice.ListSearchAttributesRequest{Namespace: "second"})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]enumspb.IndexedValueType{
			"DurasyncCreated":  enumspb.INDEXED_VALUE_TYPE_INT,
			"DurasyncFailed":   enumspb.INDEXED_VALUE_TYPE_INT,
			"DurasyncJob":      enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			"DurasyncRejected": enumspb.INDEXED_VALUE_TYPE_INT,
			"DurasyncOutcome":  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		}
		if diff := cmp.Diff(want, resp.GetCustomAttributes()); diff != "" {
			t.Errorf("custom search attributes (-want +got):\n%s", diff)
		}
	})

	t.Run("serves the web UI", func(t *testing.T) {
		page := body(t, s.UIURL+"/namespaces/first/workflows")
		if !strings.Contains(page, "<html") {
			t.Errorf("the page is no HTML: %.200s", page)
		}
		var settings struct {
			DefaultNamespace string
			DisableNewsFetch bool
			Codec            struct{ Endpoint string }
		}
		if err := json.Unmarshal([]byte(body(t, s.UIURL+"/api/v1/settings")), &settings); err != nil {
			t.Fatal(err)
		}
		if got, want := settings.Codec.Endpoint, "http://127.0.0.1:9/codec"; got != want {
			t.Errorf("codec endpoint = %q, want %q", got, want)
		}
		if settings.DefaultNamespace != "first" || !settings.DisableNewsFetch {
			t.Errorf("settings = %+v, want namespace first and no news", settings)
		}
		// The UI reaches the server.
		if namespaces := body(t, s.UIURL+"/api/v1/namespaces"); !strings.Contains(namespaces, `"second"`) {
			t.Errorf("the UI's list of namespaces lacks %q: %.500s", "second", namespaces)
		}
	})

	t.Run("listens on one address only", func(t *testing.T) {
		for _, addr := range []string{s.Address, strings.TrimPrefix(s.UIURL, "http://")} {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				t.Fatal(err)
			}
			// Linux routes all of 127/8 to itself, so a listener on every address would answer here.
			conn, err := net.DialTimeout("tcp4", "127.0.0.2:"+port, time.Second)
			if err == nil {
				_ = conn.Close()
				t.Errorf("%s is also reachable as 127.0.0.2", addr)
			}
		}
	})

	s.Stop()
	s.Stop() // may be called again
	if got := logs.String(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
	if resp, err := http.Get(s.UIURL); err == nil {
		_ = resp.Body.Close()
		t.Error("the web UI still answers after Stop")
	}
}

func TestFileKeepsRuns(t *testing.T) {
	// The name has every character that means something in an SQLite URI.
	file := filepath.Join(t.TempDir(), "a#b?c%20d e&f.db")
	pragmas := watchPragmas(file)

	s := start(t, Options{DBFile: file})
	run, err := dial(t, s).ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "kept", TaskQueue: "nobody"}, "greet", "x")
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()

	if _, err := os.Stat(file); err != nil {
		t.Errorf("the database is not where it was asked for: %v", err)
	}
	// For synchronous, 1 is NORMAL.
	if diff := cmp.Diff([]string{"journal_mode=wal locking_mode=exclusive synchronous=1"}, pragmas()); diff != "" {
		t.Errorf("pragmas of the server's connections (-want +got):\n%s", diff)
	}

	s = start(t, Options{DBFile: file})
	desc, err := dial(t, s).DescribeWorkflowExecution(t.Context(), "kept", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := desc.GetWorkflowExecutionInfo().GetExecution().GetRunId(), run.GetRunID(); got != want {
		t.Errorf("run after a restart = %q, want %q", got, want)
	}
}

// An empty file is what a caller that makes a temporary file has.
func TestEmptyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, Options{DBFile: file})
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	taken := l.Addr().(*net.TCPAddr).Port

	for name, tc := range map[string]struct {
		opts Options
		want PortInUseError
	}{
		"frontend": {Options{Port: taken}, PortInUseError{Port: taken, For: "the Temporal server"}},
		"web UI":   {Options{UIPort: taken}, PortInUseError{Port: taken, For: "the web UI"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), tc.opts)
			var got *PortInUseError
			if !errors.As(err, &got) {
				t.Fatalf("error = %v, want a *PortInUseError", err)
			}
			if diff := cmp.Diff(tc.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("port %d ", taken)) {
				t.Errorf("the message does not name the port: %s", err)
			}
		})
	}
}

func TestFileThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	noDatabase := filepath.Join(dir, "text.db")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	inUse := filepath.Join(dir, "inuse.db")
	other, err := sql.Open("sqlite", "file:"+inUse+"?_pragma=locking_mode=EXCLUSIVE")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if _, err := other.ExecContext(t.Context(), "CREATE TABLE held (id INTEGER)"); err != nil {
		t.Fatal(err)
	}

	for name, file := range map[string]string{
		"missing directory": filepath.Join(dir, "missing", "state.db"),
		"not a database":    noDatabase,
		"in use":            inUse,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), Options{DBFile: file})
			if err == nil {
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), file) {
				t.Errorf("the message does not name the file: %s", err)
			}
			if file == inUse && !strings.Contains(err.Error(), "in use by another process") {
				t.Errorf("the message does not say why: %s", err)
			}
		})
	}
}

func start(t *testing.T, opts Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func dial(t *testing.T, s *Server) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{
		HostPort:  s.Address,
		Namespace: s.Namespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// scheduledResult waits for the schedule's first run and gives its result.
func scheduledResult(t *testing.T, c client.Client, schedule string) string {
	t.Helper()
	var id string
	if err := poll(t.Context(), func() error {
		desc, err := c.ScheduleClient().GetHandle(t.Context(), schedule).Describe(t.Context())
		if err != nil {
			return err
		}
		if len(desc.Info.RecentActions) == 0 {
			return errors.New("the schedule has not acted")
		}
		id = desc.Info.RecentActions[0].StartWorkflowResult.WorkflowID
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var result string
	if err := c.GetWorkflow(t.Context(), id, "").Get(t.Context(), &result); err != nil {
		t.Fatal(err)
	}
	return result
}

func body(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s: %s", url, resp.Status, b)
	}
	return string(b)
}

// watchPragmas notes the pragmas in force on every connection to the file that SQLite's driver opens from now on, as they are after
// the driver has set the connection up. The function it returns gives what was noted, without repetitions.
func watchPragmas(file string) func() []string {
	var (
		mu   sync.Mutex
		seen []string
	)
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		if !strings.Contains(dsn, uriPath(file)) {
			return nil
		}
		var got []string
		for _, pragma := range []string{"journal_mode", "locking_mode", "synchronous"} {
			rows, err := conn.QueryContext(context.Background(), "PRAGMA "+pragma, nil)
			if err != nil {
				return err
			}
			row := make([]driver.Value, 1)
			if err := rows.Next(row); err != nil {
				return err
			}
			got = append(got, fmt.Sprintf("%s=%v", pragma, row[0]))
			if err := rows.Close(); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if line := strings.Join(got, " "); len(seen) == 0 || seen[len(seen)-1] != line {
			seen = append(seen, line)
		}
		return nil
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), seen...)
	}
}

// syncBuffer is a buffer that several goroutines write to.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
