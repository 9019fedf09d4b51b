package plugintest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/plugin/internal/shim"
	"github.com/durasync/durasync/plugin/internal/wire"
)

// transport is a way to call a connector.
type transport string

const (
	direct    transport = "direct"
	overGRPC  transport = "grpc"
	asProgram transport = "program"
)

// session is all the checks of a connector through one transport.
type session struct {
	Harness
	transport transport
	front     *front // nil without a simulator
	log       hclog.Logger
	heard     *notes

	first    *plugin.DescribeResponse // what the connector said of itself at first
	main     *conn                    // configured, for rules that need nothing special
	failed   bool                     // there is no main, and will be none
	settings *plugin.ConfigureResponse
	entries  []plugin.Entry // of the whole window, when they have been listed
	unlisted bool           // they could not be
}

func newSession(h Harness, transport transport, first *plugin.DescribeResponse, log hclog.Logger) (*session, error) {
	s := &session{Harness: h, transport: transport, first: first, heard: &notes{}}
	s.heard.add("its description", indented(first))
	s.log = hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "connector", Level: hclog.Trace, Output: s.heard})
	s.log.(hclog.InterceptLogger).RegisterSink(forward{log})
	if h.System == nil {
		return s, nil
	}
	var err error
	s.front, err = newFront(h.System)
	return s, err
}

func (s *session) close() {
	if s.main != nil {
		s.main.close()
	}
	if s.front != nil {
		s.front.close()
	}
}

// config is the configuration by which the connector works, with the defaults, as the host has it; nil if there is none.
func (s *session) config() json.RawMessage {
	if s.Config == nil {
		return nil
	}
	config := s.Config(s.url())
	var members map[string]json.RawMessage
	if json.Unmarshal(config, &members) != nil || members == nil {
		return config
	}
	for _, a := range s.first.Config {
		if _, set := members[a.Name]; !set && a.Default != nil {
			members[a.Name] = a.Default
		}
	}
	if full, err := json.Marshal(members); err == nil {
		return full
	}
	return config
}

func (s *session) url() string {
	if s.front == nil {
		return ""
	}
	return s.front.url
}

// labelKey is the name of the label of goroutines that connectors run in.
const labelKey = "plugintest"

// label is the label of goroutines that the session's connectors run in.
func (s *session) label() string { return fmt.Sprintf("session %p", s) }

// forward sends what a connector logs on to another logger.
type forward struct{ to hclog.Logger }

// Accept implements [hclog.SinkAdapter].
func (f forward) Accept(_ string, level hclog.Level, msg string, args ...any) {
	f.to.Log(level, msg, args...)
}

// notes are what a connector said where people read it, by the place.
type notes struct {
	mu   sync.Mutex
	said map[string]*bytes.Buffer
}

func (n *notes) add(where, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said == nil {
		n.said = map[string]*bytes.Buffer{}
	}
	if n.said[where] == nil {
		n.said[where] = &bytes.Buffer{}
	}
	n.said[where].WriteString(text + "\n")
}

// Write implements [io.Writer], for the log.
func (n *notes) Write(p []byte) (int, error) {
	n.add("its log", string(p))
	return len(p), nil
}

// containing are the places where a text was said.
func (n *notes) containing(text string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var places []string
	for where, said := range n.said {
		if strings.Contains(said.String(), text) {
			places = append(places, where)
		}
	}
	slices.Sort(places)
	return places
}

// conn is a running connector. It has all methods and notes its errors; what the connector does not implement fails with
// [plugin.CodeUnimplemented].
type conn struct {
	plugin.Connector
	heard *notes
	label string       // of the goroutines of a connector that is called directly; empty for others
	log   hclog.Logger // for such a connector
	close func()
}

var _ host.Connector = (*conn)(nil)

// invoke calls a method of an interface that the connector may implement.
func invoke[I, Req, Resp any](
	ctx context.Context, c *conn, name string, method func(I, context.Context, *Req) (*Resp, error), req *Req,
) (resp *Resp, err error) {
	to, ok := c.Connector.(I)
	if !ok {
		return nil, plugin.Errorf(plugin.CodeUnimplemented, "the connector does not implement %s", name)
	}
	run := func(ctx context.Context) { resp, err = method(to, ctx, req) }
	if c.label == "" {
		run(ctx)
	} else { // goroutines inherit the labels of the one that starts them
		pprof.Do(hclog.WithContext(ctx, c.log), pprof.Labels(labelKey, c.label), run)
	}
	if err != nil {
		c.heard.add("an error of "+name, err.Error())
		return nil, err
	}
	if resp == nil {
		return nil, plugin.Errorf(plugin.CodeInternal, "the connector answered nothing to %s: neither a response nor an error", name)
	}
	return resp, nil
}

// Describe implements [plugin.Connector].
func (c *conn) Describe(ctx context.Context, req *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	resp, err := invoke(ctx, c, "Describe", plugin.Connector.Describe, req)
	if err == nil {
		c.heard.add("its description", indented(resp))
	}
	return resp, err
}

// Configure implements [plugin.Connector].
func (c *conn) Configure(ctx context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	return invoke(ctx, c, "Configure", plugin.Connector.Configure, req)
}

// Check implements [plugin.Checker].
func (c *conn) Check(ctx context.Context, req *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	return invoke(ctx, c, "Check", plugin.Checker.Check, req)
}

// List implements [plugin.Source].
func (c *conn) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	return invoke(ctx, c, "List", plugin.Source.List, req)
}

// Read implements [plugin.Source].
func (c *conn) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	return invoke(ctx, c, "Read", plugin.Source.Read, req)
}

// Create implements [plugin.Destination].
func (c *conn) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	resp, err := invoke(ctx, c, "Create", plugin.Destination.Create, req)
	if err == nil {
		for _, r := range resp.Results {
			if r.Err != nil {
				c.heard.add("an error of Create", r.Err.Message)
			}
		}
	}
	return resp, err
}

// Resolve implements [plugin.Resolver].
func (c *conn) Resolve(ctx context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	return invoke(ctx, c, "Resolve", plugin.Resolver.Resolve, req)
}

// Find implements [plugin.Finder].
func (c *conn) Find(ctx context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	return invoke(ctx, c, "Find", plugin.Finder.Find, req)
}

// Preview implements [plugin.Previewer].
func (c *conn) Preview(ctx context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	return invoke(ctx, c, "Preview", plugin.Previewer.Preview, req)
}

// lacks reports whether an error says that a method is not offered.
func lacks(err error) bool {
	e := plugin.AsError(err)
	return e != nil && e.Code == plugin.CodeUnimplemented
}

// open starts a connector, which is closed at the end of the check.
func (t *probe) open() *conn { return t.start(t.Command) }

func (t *probe) start(cmd host.Command) *conn {
	c, err := t.session.start(t.ctx, cmd)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(c.close)
	return c
}

func (s *session) start(ctx context.Context, cmd host.Command) (*conn, error) {
	switch s.transport {
	case direct:
		return &conn{Connector: s.New(), heard: s.heard, label: s.label(), log: s.log, close: func() {}}, nil
	case overGRPC:
		return s.serve(s.New())
	default:
		c, err := host.Launch(ctx, cmd, s.log)
		if err != nil {
			return nil, err
		}
		return &conn{Connector: c, heard: s.heard, close: c.Close}, nil
	}
}

// serve serves a connector in this process and connects to it.
func (s *session) serve(c plugin.Connector) (*conn, error) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(wire.MaxMessage), grpc.MaxSendMsgSize(wire.MaxMessage))
	plugin.Register(server, c, s.log)
	go func() { _ = server.Serve(listener) }() // returns when the server stops
	dial := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) })
	client, err := grpc.NewClient("passthrough:///connector",
		append(shim.DialOptions(), dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		server.Stop()
		return nil, err
	}
	return &conn{Connector: shim.NewClient(client), heard: s.heard, close: func() {
		_ = client.Close()
		server.Stop()
	}}, nil
}

// configured starts a connector and configures it.
func (t *probe) configured(config json.RawMessage) *conn {
	c := t.open()
	t.configure(c, config)
	return c
}

func (t *probe) configure(c *conn, config json.RawMessage) *plugin.ConfigureResponse {
	if config == nil {
		t.Skipf("no configuration is given")
	}
	resp, err := c.Configure(t.ctx, &plugin.ConfigureRequest{Config: config})
	if err != nil {
		t.Fatalf("Configure: %v", err)
	}
	return resp
}

// connector is the connector that most rules share.
func (t *probe) connector() *conn {
	switch {
	case t.config() == nil:
		t.Skipf("no configuration is given")
	case t.failed:
		t.Skipf("the connector cannot be configured")
	case t.main != nil:
		return t.main
	}
	t.failed = true
	c, err := t.session.start(t.ctx, t.Command)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.settings, err = c.Configure(t.ctx, &plugin.ConfigureRequest{Config: t.config()})
	if err != nil {
		c.close()
		t.Fatalf("Configure: %v", err)
	}
	t.main, t.failed = c, false
	return c
}

// proxy is the proxy before the simulator.
func (t *probe) proxy() *front {
	if t.front == nil {
		t.Skipf("needs a simulator; see package plugintest")
	}
	return t.front
}

// shell starts programs that are traced.
const shell = "/bin/sh"

// trace follows a program and all that it starts: they hold the other end of a pipe open, which the shell wrote the program's
// process id to.
type trace struct {
	pid  int
	pipe *bufio.Reader
	file *os.File
}

// startTraced starts the program so that it can be followed.
func (t *probe) startTraced() (*conn, *trace) {
	path, err := filepath.Abs(t.Command.Path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	dir, err := os.MkdirTemp("", "plugintest")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	name := filepath.Join(dir, "pipe")
	file, err := newPipe(name)
	if err != nil {
		t.Skipf("processes cannot be followed here: %v", err)
	}
	t.Cleanup(func() { _ = file.Close() })
	c := t.start(host.Command{
		Path: shell, Args: append([]string{"-c", `exec 9>"$0" && echo $$ >&9 && exec "$@"`, name, path}, t.Command.Args...),
		Env: t.Command.Env,
	})
	followed := &trace{pipe: bufio.NewReader(file), file: file}
	line, err := followed.pipe.ReadString('\n')
	if err == nil {
		followed.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		t.Fatalf("the process cannot be followed: %v", err)
	}
	return c, followed
}

// kill ends the program as a crash does.
func (t *trace) kill() {
	if p, err := os.FindProcess(t.pid); err == nil {
		_ = p.Kill()
	}
}

// gone reports whether all processes end within the patience.
func (t *trace) gone() bool {
	if err := t.file.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return false
	}
	_, err := t.pipe.ReadByte()
	return errors.Is(err, io.EOF)
}
