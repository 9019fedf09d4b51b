//go:build unix

package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/wire"
)

// TestMain makes the test binary the programs that the tests start, chosen by the first argument.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "serve": // the connector below
		plugin.Serve(newScenario(), plugin.WithArgs(os.Args[2:]))
	case "telling":
		plugin.Serve(&telling{scenario: newScenario()}, plugin.WithArgs(nil))
	case "misdescribed":
		plugin.Serve(misdescribed{&scenario{}}, plugin.WithArgs(nil))
	case "versions": // a connector without methods, for the versions of the protocol that follow
		versions := map[int]goplugin.PluginSet{}
		for _, arg := range os.Args[2:] {
			v, _ := strconv.Atoi(arg)
			versions[v] = goplugin.PluginSet{wire.Service: nothing{}}
		}
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  goplugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
			VersionedPlugins: versions,
			GRPCServer:       func(opts []grpc.ServerOption) *grpc.Server { return grpc.NewServer(opts...) },
		})
	case "foreign": // the same connector, served by a program that is not made with package plugin
		if err := serveForeign(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	case "hello":
		fmt.Println("Hello, world")
	case "panic":
		panic("no licence")
	case "exit":
		os.Exit(4)
	case "idle": // a child of the connector that nobody waits for
		holdPipe(os.Args[2])
		fmt.Println("ready")
		waitForever()
	case "host": // a host that is killed
		runHost(os.Args[2], os.Args[3:])
	default:
		os.Exit(m.Run())
	}
	os.Exit(0)
}

// self is the command that runs the test binary as one of the above.
func self(t testing.TB, args ...string) Command {
	t.Helper()
	c, err := Self(args...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// holdPipe opens the named pipe for writing for as long as the process lives, so that its reader sees when the last holder is
// gone.
func holdPipe(path string) {
	if _, err := syscall.Open(path, syscall.O_WRONLY, 0); err != nil {
		fmt.Fprintln(os.Stderr, "pipe:", err)
		os.Exit(5)
	}
}

func waitForever() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR2)
	<-never
}

// runHost is a host with one connector that has a child; it says so when both hold the pipe. The connector is the program at the
// path and with the checksum that program names, if it names one.
func runHost(pipe string, program []string) {
	exe, _ := os.Executable()
	cmd := Command{Path: exe, Args: []string{"serve"}}
	if len(program) == 2 {
		cmd = Command{Path: program[0], SHA256: program[1]}
	}
	c, err := Launch(context.Background(), cmd, nil)
	if err == nil {
		_, err = c.Read(context.Background(), &plugin.ReadRequest{IDs: []string{"child", pipe}})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	waitForever()
}

// scenario is a connector whose Read and Create do what their ids say.
type scenario struct {
	config json.RawMessage
	began  chan struct{} // closed when a Create that hangs has begun
	ended  chan struct{} // closed when the context of a Read that hangs has ended
}

func newScenario() *scenario {
	return &scenario{began: make(chan struct{}), ended: make(chan struct{})}
}

var _ Connector = (*scenario)(nil)

// description uses every member of every part of a description.
var description = &plugin.DescribeResponse{
	Name: "scenario", Version: "1.2.3", Doc: "Does what it is told.",
	Config: []plugin.Attribute{
		{Name: "region", Type: plugin.String, Doc: "Where.", Required: true, OneOf: []string{"us", "eu"}},
		{Name: "depth", Type: plugin.Int, Default: json.RawMessage(`98765432109876543210`)},
		{Name: "token", Type: plugin.String, Sensitive: true},
	},
	Streams: []plugin.Stream{{
		Name: "calls", Record: "call", Doc: "Calls.", MaxRead: 100,
		Fields: []plugin.Field{
			{Name: "id", Type: plugin.Int, Semantic: plugin.MeetingID, Doc: "Its id."},
			{Name: "parties", Type: plugin.ListOf(plugin.StructOf(
				plugin.Field{Name: "email", Type: plugin.String, Semantic: plugin.ParticipantEmail},
			))},
		},
	}},
	Objects: []plugin.Object{{
		Name: "touchpoint", Doc: "What happened.", MaxCreate: 25, Idempotent: true, ResolvedBy: "account", MaxResolve: 50, CreateOnly: true,
		Attributes: []plugin.Attribute{
			{Name: "account", Type: plugin.String, Required: true},
			{Name: "subject", Type: plugin.String, Semantic: plugin.MeetingTitle, Locked: true, MaxLength: 255},
		},
	}},
}

func (s *scenario) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return description, nil
}

func (s *scenario) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	if strings.Contains(string(req.Config), "mars") {
		e := plugin.Errorf(plugin.CodeInvalidConfig, "there is no region mars")
		e.Attribute = "region"
		return nil, e
	}
	s.config = req.Config
	return &plugin.ConfigureResponse{
		RateLimits:   []plugin.RateLimit{{Requests: 3, Per: time.Second}, {Requests: 10000, Per: 24 * time.Hour}},
		WriteTimeout: 1500 * time.Millisecond, SearchLag: 5 * time.Minute,
	}, nil
}

func (s *scenario) Check(context.Context, *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	return &plugin.CheckResponse{Summary: "the workspace", Requests: 1}, nil
}

// List answers with its request.
func (s *scenario) List(_ context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	return &plugin.ListResponse{
		Entries:       []plugin.Entry{{ID: req.Stream, Time: req.From}, {ID: "to", Time: req.To}, {ID: "no time"}},
		NextPageToken: req.PageToken, Requests: 2,
	}, nil
}

func (s *scenario) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	answer := func(v any) (*plugin.ReadResponse, error) {
		data, err := json.Marshal(v)
		return &plugin.ReadResponse{Records: []plugin.Record{{ID: req.IDs[0], Data: data}}, Requests: 1}, err
	}
	switch req.IDs[0] {
	case "env":
		return answer(os.Environ())
	case "pid":
		return answer(os.Getpid())
	case "config":
		return answer(s.config)
	case "error":
		return nil, fullError(plugin.Code(req.IDs[1]))
	case "wrapped":
		return nil, fmt.Errorf("listing \xff: %w", fullError(plugin.CodeRateLimited))
	case "plain":
		return nil, errors.New("no \xff idea")
	case "nil error":
		var none *plugin.Error
		return &plugin.ReadResponse{}, none
	case "nothing":
		return nil, nil
	case "panic":
		panic("a mistake")
	case "die":
		os.Exit(7)
	case "term":
		return s.terminate(answer)
	case "hang":
		<-ctx.Done()
		close(s.ended)
		return nil, ctx.Err()
	case "wait for hang":
		<-s.ended
		return answer(true)
	case "wait for create":
		<-s.began
		return answer(true)
	case "big":
		return bigAnswer(req.IDs[1], req.IDs[2])
	case "log":
		log := hclog.FromContext(ctx)
		log.Trace("at trace")
		log.Debug("at debug")
		log.Info("at info", "with", 42)
		log.Warn("at warn")
		log.Error("at error\non two lines")
		fmt.Println("on stdout")
		return answer(true)
	case "child":
		return answer(startChild(req.IDs[1]))
	case "full":
		return &plugin.ReadResponse{Records: []plugin.Record{fullRecord}, Requests: 3}, nil
	}
	return answer(req)
}

var fullRecord = plugin.Record{
	ID: "7782342274025937895", Time: time.Date(2026, 3, 29, 1, 59, 59, 123456789, time.UTC), URL: "https://example.com/ü",
	Pending: "no brief yet", Data: json.RawMessage(`{"id": 98765432109876543210, "x": 1e2, "s": "\u00fc\ud83d\ude00"}`),
}

// fullError has every field set.
func fullError(code plugin.Code) *plugin.Error {
	return &plugin.Error{
		Code: code, Message: "slow down, ü", Retryable: true, RetryAfter: 90*time.Second + 5*time.Millisecond, Uncertain: true,
		Attribute: "map.subject", Requests: 12,
	}
}

// terminate sends this process SIGTERM and answers when it has arrived: the call must still end well.
func (s *scenario) terminate(answer func(any) (*plugin.ReadResponse, error)) (*plugin.ReadResponse, error) {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return nil, err
	}
	<-term
	return answer("still here")
}

func bigAnswer(count, size string) (*plugin.ReadResponse, error) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(strings.Repeat("x", bytes))
	resp := &plugin.ReadResponse{Requests: 1}
	for i := range n {
		resp.Records = append(resp.Records, plugin.Record{ID: strconv.Itoa(i), Data: data})
	}
	return resp, err
}

// startChild starts a process that nobody waits for and that holds the connector's standard error open, and returns when both
// hold the pipe.
func startChild(pipe string) string {
	exe, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	holdPipe(pipe)
	cmd := exec.Command(exe, "idle", pipe)
	cmd.Stderr = os.NewFile(2, "stderr")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err.Error()
	}
	if err := cmd.Start(); err != nil {
		return err.Error()
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(line)
}

func (s *scenario) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	switch req.Items[0].Key {
	case "die":
		os.Exit(7)
	case "panic":
		panic("a mistake")
	case "plain":
		return nil, errors.New("no idea")
	case "refused":
		return nil, plugin.Errorf(plugin.CodePermissionDenied, "read only")
	case "short":
		return &plugin.CreateResponse{}, nil
	case "hang":
		close(s.began)
		<-ctx.Done()
		lost := plugin.Errorf(plugin.CodeUnavailable, "no answer")
		lost.Uncertain = true
		return &plugin.CreateResponse{Results: []plugin.Result{{Key: "hang", ID: "1"}, {Key: req.Items[1].Key, Err: lost}}}, nil
	}
	resp := &plugin.CreateResponse{Requests: len(req.Items)}
	for _, i := range req.Items {
		r := plugin.Result{Key: i.Key, ID: fmt.Sprintf("%s %s %s %s %s %d", i.RecordID, i.URL, i.Target, i.Time.Format(time.RFC3339Nano),
			i.Attributes[:min(len(i.Attributes), 40)], len(i.Attributes)), Existed: i.InDoubt}
		if i.Key == "bad" {
			r.Err = fullError(plugin.CodeInvalidRecord)
		}
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}

func (s *scenario) Resolve(_ context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	var team []string
	if req.Team {
		team = []string{"csm@vendor.example", "\xff@vendor.example"}
	}
	return &plugin.ResolveResponse{Matches: []plugin.Match{
		{Address: req.Addresses[0], Targets: []plugin.Target{{ID: "1", Name: req.Object, Contact: true, Team: team}, {ID: "2", Name: "B", KeyContact: true}}},
		{Address: req.Addresses[1], Internal: true},
	}, Requests: 2}, nil
}

func (s *scenario) Find(_ context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	i := req.Items[0]
	return &plugin.FindResponse{Results: []plugin.Result{
		{Key: i.Key, ID: req.Object + i.Target + i.Time.Format(time.RFC3339Nano), Existed: true},
	}, Requests: 4}, nil
}

func (s *scenario) Preview(_ context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	resp := &plugin.PreviewResponse{Requests: 5}
	for _, i := range req.Items {
		v := plugin.Preview{Key: i.Key}
		switch i.Key {
		case "short":
			continue
		case "bad":
			v.Err = fullError(plugin.CodeNotFound)
		default:
			v.Attributes = fmt.Appendf(nil, `[%q,%q,%q,%q,%q,%s]`, req.Object, i.RecordID, i.URL, i.Target, i.Time.Format(time.RFC3339Nano), i.Attributes)
		}
		resp.Previews = append(resp.Previews, v)
	}
	return resp, nil
}

// misdescribed offers a stream that cannot be read.
type misdescribed struct{ *scenario }

func (misdescribed) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	d := *description
	d.Streams = []plugin.Stream{{Name: "calls", Record: "call"}}
	return &d, nil
}

// nothing is a plugin without a service.
type nothing struct{ connection }

func (nothing) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }
