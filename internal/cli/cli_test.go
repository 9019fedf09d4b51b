package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
)

// walk calls f with every command.
func walk(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, c := range cmd.Commands() {
		walk(c, f)
	}
}

// Every command explains itself within 80 columns, refuses arguments that it does not want, and says --json the same way.
func TestCommands(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	root := a.root()
	root.InitDefaultHelpCmd()
	var reporting []string
	walk(root, func(c *cobra.Command) {
		out.Reset()
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("%s --help has a line of %d columns: %s", c.CommandPath(), n, line)
			}
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: the short help %q is missing or ends in a full stop", c.CommandPath(), c.Short)
		}
		if c.Name() != "help" && c.Args == nil && !c.DisableFlagParsing {
			t.Errorf("%s takes any arguments", c.CommandPath())
		}
		if f := c.Flags().Lookup("json"); f != nil {
			reporting = append(reporting, c.Name())
		}
	})
	slices.Sort(reporting)
	want := []string{
		"adopt", "apply", "backfill", "cancel", "demo", "describe", "dev", "doctor", "install", "list", "pause", "plan", "preview", "rejects", "resume",
		"retry", "runs", "sandbox", "server", "show", "show", "status", "sync", "test", "validate", "verify", "version", // show: of a job, of a run
	}
	if diff := cmp.Diff(want, reporting); diff != "" {
		t.Errorf("commands with --json (-want +got):\n%s", diff)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	e := environment{"A=1", "B=", "A=2", "C=x=y", "nonsense"}
	for name, want := range map[string]string{"A": "2", "B": "", "C": "x=y"} {
		if got, ok := e.LookupEnv(name); !ok || got != want {
			t.Errorf("%s = %q, %v; want %q", name, got, ok, want)
		}
	}
	if _, ok := e.LookupEnv("nonsense"); ok {
		t.Error("an entry without a value is a variable")
	}
	if got := e.with(map[string]string{"A": "3"}).get("A"); got != "3" || e.get("A") != "2" {
		t.Errorf("with: A = %q, and %q before", got, e.get("A"))
	}
}

// run runs the command with an embedded server of the test's.
func run(ctx context.Context, start func(context.Context, ServerOptions) (*Server, error), env []string, args ...string) (code int, stdout, stderr string) {
	p := program
	p.StartServer = start
	var out, errs bytes.Buffer
	code = Run(ctx, p, Options{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Env: env})
	return code, out.String(), errs.String()
}

// A server is started with what the flags say, told when it is ready, has its payloads decoded for its own pages alone, and is
// stopped at the interrupt.
func TestServerCommand(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	stopped := false
	var got ServerOptions
	code, stdout, stderr := run(ctx, func(_ context.Context, o ServerOptions) (*Server, error) {
		got = o
		interrupt()
		return &Server{Address: "127.0.0.1:1", UIURL: "http://127.0.0.1:2", Namespace: "default", Stop: func() { stopped = true }}, nil
	}, nil, "server", "--json", "--port", "11", "--ui-port", "12", "--db", "file.db")
	if code != ExitDone || stderr != "" {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
	if got.Port != 11 || got.UIPort != 12 || got.DBFile != "file.db" {
		t.Errorf("started with %+v", got)
	}
	if want := `{"address":"127.0.0.1:1","namespace":"default","ui":"http://127.0.0.1:2"}` + "\n"; stdout != want {
		t.Errorf("standard output %q, want %q", stdout, want)
	}
	if !stopped {
		t.Error("the server was not stopped")
	}
}

func TestCodecServer(t *testing.T) {
	t.Parallel()
	a, _ := screen(Options{})
	var endpoint string
	a.program.StartServer = func(_ context.Context, o ServerOptions) (*Server, error) {
		endpoint = o.CodecEndpoint
		return &Server{UIURL: "http://127.0.0.1:2", Stop: func() {}}, nil
	}
	s, err := a.startServer(t.Context(), serverFlags{}, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	for origin, want := range map[string]int{"http://127.0.0.1:2": 200, "http://localhost:2": 200, "http://example.com": 403} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint+"/decode", strings.NewReader(`{"payloads":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("pages of %s: status %d, want %d", origin, resp.StatusCode, want)
		}
	}
}

// What the server says about a port is the command's sentence.
func TestServerDoesNotStart(t *testing.T) {
	t.Parallel()
	start := func(context.Context, ServerOptions) (*Server, error) {
		return nil, errors.New("port 7233 is already in use: stop the program that listens there")
	}
	for _, args := range [][]string{{"server"}, {"demo"}} {
		code, _, stderr := run(t.Context(), start, nil, args...)
		if code != ExitEnvironment || !strings.HasSuffix(stderr, "durasync: port 7233 is already in use: stop the program that listens there\n") {
			t.Errorf("%s: exit code %d, %q", args, code, stderr)
		}
	}
	code, stdout, _ := run(t.Context(), start, nil, "demo", "--once", "--json")
	var got struct {
		Error struct{ Message, Code string }
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if code != ExitEnvironment || got.Error.Code != "environment" || !strings.HasPrefix(got.Error.Message, "port 7233") {
		t.Errorf("exit code %d, %+v", code, got)
	}
}

// onWrite calls f when something has been written.
type onWrite struct {
	bytes.Buffer
	f func()
}

func (w *onWrite) Write(p []byte) (int, error) {
	defer w.f()
	return w.Buffer.Write(p)
}

// The sandbox answers from when it has said where until it is interrupted.
func TestSandboxCommand(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	var said struct {
		Gong, Totango string
		Meetings      int
		Env           map[string]string
	}
	var stdout onWrite
	stdout.f = func() {
		defer interrupt()
		if err := json.Unmarshal(stdout.Bytes(), &said); err != nil {
			t.Error(err)
			return
		}
		for _, url := range []string{said.Gong, said.Totango} {
			resp, err := http.Get(url)
			if err != nil {
				t.Error(err)
				continue
			}
			_ = resp.Body.Close()
		}
	}
	code := Run(ctx, program, Options{Args: []string{"sandbox", "--meetings", "60", "--json"}, Stdout: &stdout, Stderr: &stdout.Buffer})
	if code != ExitDone {
		t.Errorf("exit code %d", code)
	}
	if said.Meetings != 60 || said.Env["GONG_BASE_URL"] != said.Gong || said.Env["TOTANGO_BASE_URL"] != said.Totango {
		t.Errorf("said %+v", said)
	}
	if resp, err := http.Get(said.Totango); err == nil {
		_ = resp.Body.Close()
		t.Error("the simulated Totango still answers")
	}
}

func TestSandboxPortInUse(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	taken := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	code, stdout, stderr := run(t.Context(), nil, nil, "sandbox", "--totango-port", taken)
	if code != ExitEnvironment || stdout != "" || !strings.Contains(stderr, taken) {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

func TestStateFile(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for name, tc := range map[string]struct {
		env  []string
		want string
	}{
		"XDG_STATE_HOME": {[]string{"XDG_STATE_HOME=" + home + "/state", "HOME=/nowhere"}, home + "/state/durasync/dev.db"},
		"HOME":           {[]string{"HOME=" + home}, home + "/.local/state/durasync/dev.db"},
		"a relative one": {[]string{"XDG_STATE_HOME=state", "HOME=" + home}, home + "/.local/state/durasync/dev.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, _ := screen(Options{Env: tc.env})
			got, err := a.stateFile("dev.db")
			if err != nil || got != filepath.FromSlash(tc.want) {
				t.Errorf("got %s, %v; want %s", got, err, tc.want)
			}
		})
	}
	a, _ := screen(Options{})
	if _, err := a.stateFile("dev.db"); err == nil || classify(err).exit != ExitEnvironment {
		t.Errorf("without a home: %v", err)
	}
}

// A development server has its web UI a thousand ports above its own.
func TestFindUI(t *testing.T) {
	t.Parallel()
	ui := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/settings" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
	}))
	t.Cleanup(ui.Close)
	page := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(page.Close)
	below := func(url string) string {
		_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(n-1000))
	}
	for address, want := range map[string]string{
		below(ui.URL):                  ui.URL,
		below(page.URL):                "", // some other program
		"acme.a1b2c.tmprl.cloud:7233":  "https://cloud.temporal.io",
		"temporal.internal.acme:7233":  "", // nobody knows
		"192.0.2.1:7233":               "",
		"dns:///temporal.example:7233": "",
		"nonsense":                     "",
	} {
		if got := findUI(t.Context(), address); got != want {
			t.Errorf("findUI(%s) = %q, want %q", address, got, want)
		}
	}
}

func TestRunURL(t *testing.T) {
	t.Parallel()
	c := &temporalClient{namespace: "acme.a1b2c", ui: "https://cloud.temporal.io"}
	if got, want := c.runURL("sync/j-2026-11-24T23:00:00Z", "run"), "https://cloud.temporal.io/namespaces/acme.a1b2c/workflows/sync%2Fj-2026-11-24T23:00:00Z/run"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (&temporalClient{}).runURL("w", "r"); got != "" {
		t.Errorf("without a web UI: %q", got)
	}
}
