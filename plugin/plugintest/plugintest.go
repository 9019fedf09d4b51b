// Package plugintest is the conformance kit for connectors: it checks what the host relies on and the compiler cannot check.
//
// A connector's test needs three things: a simulator of the other system, a [Harness] that says what is in it, and a TestMain
// that lets the kit start the test binary as the connector's program:
//
//	func TestMain(m *testing.M) { plugintest.Main(m, New()) }
//
//	func TestConformance(t *testing.T) {
//		sim := crmtest.NewServer(t)
//		plugintest.Run(t, plugintest.Harness{
//			New:     func() plugin.Connector { return New() },
//			Command: plugintest.Self(t),
//			Config:  fmt.Appendf(nil, `{"base_url": %q, "token": "secret"}`, sim.URL),
//			Source:  &plugintest.Source{Stream: "calls", From: sim.From, To: sim.To, Unknown: "404"},
//		})
//	}
//
// The same cases run three times: calling the connector's methods, through gRPC in one process, and through the connector's
// program as the host starts it.
package plugintest

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/plugin/internal/shim"
	"github.com/durasync/durasync/plugin/internal/wire"
)

// Harness says how to make a connector and what the system behind it holds.
type Harness struct {
	// New returns a new connector, not yet configured. All of them, and the program, talk to the same system.
	New func() plugin.Connector

	// Command starts the connector's program; see [Self]. Without a path, the cases do not run through a program.
	Command host.Command

	// Config configures the connector so that it works.
	Config json.RawMessage

	// BadConfig are configurations that Configure must refuse, by the attribute that the error must name. Optional.
	BadConfig map[string]json.RawMessage

	// Source is set for sources.
	Source *Source

	// Destination is set for destinations.
	Destination *Destination

	// Stall makes the other system stop answering until the function that it returns is called. Optional.
	Stall func() (resume func())
}

// Source says what a stream holds.
type Source struct {
	Stream string

	// From and To are a window with at least three records of different times.
	From, To time.Time

	// Unknown is an id of the right form that does not exist.
	Unknown string

	// Private are ids of records in the window that must not leave the source. Optional.
	Private []string

	// Want are records in the window. Of each, the time, the URL and the members of Data that are given must be as given;
	// it is good to have an integer of 20 digits among them. Optional.
	Want []plugin.Record

	// BadToken is a page token that has expired. Optional.
	BadToken string
}

// Destination says how to write to an object.
type Destination struct {
	Object string

	// Item returns an item that can be written, with a new key each time.
	Item func() plugin.Item

	// BadItem returns an item that the destination refuses for what it is, with a new key each time. Optional.
	BadItem func() plugin.Item

	// Unwritable returns an item that Create refuses before it sends anything, for itself or for the whole call, with a new key each
	// time: a [plugin.Previewer] has to say the same of it. Optional.
	Unwritable func() plugin.Item

	// Settle is called after a write, before it is looked up, and returns when it can be seen. Optional.
	Settle func()

	// Known and Unknown are addresses for [plugin.Resolver]. Optional.
	Known, Unknown []string
}

// Main is the body of TestMain. If the test binary was started as a connector's program it serves c, else it runs the tests.
func Main(m *testing.M, c plugin.Connector) {
	if os.Getenv(wire.CookieKey) == wire.CookieValue {
		plugin.Serve(c)
	}
	os.Exit(m.Run())
}

// Self is the command that starts the test binary as the connector's program, if its TestMain calls [Main].
func Self(t testing.TB) host.Command {
	t.Helper()
	c, err := host.Self()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Run checks the connector.
func Run(t *testing.T, h Harness) {
	t.Helper()
	direct := h.New()
	want, err := direct.Describe(t.Context(), &plugin.DescribeRequest{})
	if err != nil {
		t.Fatalf("Describe: %v", err)
	}
	transports := []struct {
		name string
		open func(*testing.T, Harness) plugin.Connector
	}{
		{"direct", func(_ *testing.T, h Harness) plugin.Connector { return h.New() }},
		{"grpc", overGRPC},
		{"program", asProgram},
	}
	for _, transport := range transports {
		if transport.name == "program" && h.Command.Path == "" {
			continue
		}
		t.Run(transport.name, func(t *testing.T) {
			open := func(t *testing.T) plugin.Connector { return transport.open(t, h) }
			runAll(t, h, offered(direct), want, open)
		})
	}
}

// offer says which optional interfaces a connector implements: across the boundary every method can be called.
type offer struct {
	source, destination, checker, resolver, finder, previewer bool
}

func offered(c plugin.Connector) offer {
	var o offer
	_, o.source = c.(plugin.Source)
	_, o.destination = c.(plugin.Destination)
	_, o.checker = c.(plugin.Checker)
	_, o.resolver = c.(plugin.Resolver)
	_, o.finder = c.(plugin.Finder)
	_, o.previewer = c.(plugin.Previewer)
	return o
}

func runAll(t *testing.T, h Harness, has offer, want *plugin.DescribeResponse, open func(*testing.T) plugin.Connector) {
	c := open(t)
	t.Run("describe", func(t *testing.T) { testDescribe(t, c, has, want) })
	t.Run("configure", func(t *testing.T) {
		for attribute, config := range h.BadConfig {
			_, err := open(t).Configure(t.Context(), &plugin.ConfigureRequest{Config: config})
			e := mustFail(t, err, plugin.CodeInvalidConfig)
			if e.Attribute != attribute {
				t.Errorf("the error is about attribute %q, want %q", e.Attribute, attribute)
			}
		}
	})
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: h.Config}); err != nil {
		t.Fatalf("Configure: %v", err)
	}
	if has.checker {
		t.Run("check", func(t *testing.T) {
			resp, err := c.(plugin.Checker).Check(t.Context(), &plugin.CheckRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if resp.Summary == "" {
				t.Error("Check says nothing about what it reached")
			}
		})
	}
	if h.Source != nil {
		t.Run("source", func(t *testing.T) { testSource(t, h, *h.Source, c.(plugin.Source), want) })
	}
	if h.Destination != nil {
		t.Run("destination", func(t *testing.T) { testDestination(t, h, c.(plugin.Destination), has, want) })
	}
}

func testDescribe(t *testing.T, c plugin.Connector, has offer, want *plugin.DescribeResponse) {
	if err := want.Validate(); err != nil {
		t.Errorf("the description is not valid:\n%v", err)
	}
	for range 2 {
		got, err := c.Describe(t.Context(), &plugin.DescribeRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the description changes (-first +later):\n%s", diff)
		}
	}
	if has.source != (len(want.Streams) > 0) {
		t.Errorf("implements plugin.Source: %t, describes %d streams", has.source, len(want.Streams))
	}
	if has.destination != (len(want.Objects) > 0) {
		t.Errorf("implements plugin.Destination: %t, describes %d objects", has.destination, len(want.Objects))
	}
	for _, o := range want.Objects {
		if o.ResolvedBy != "" && !has.resolver {
			t.Errorf("object %s is resolved by %s, but the connector does not implement plugin.Resolver", o.Name, o.ResolvedBy)
		}
	}
}

// mustFail checks that the error is of one of the codes.
func mustFail(t *testing.T, err error, codes ...plugin.Code) *plugin.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of code %v", codes)
	}
	e := plugin.AsError(err)
	for _, code := range codes {
		if e.Code == code {
			return e
		}
	}
	t.Errorf("error %q of code %s, want code %v", e.Message, e.Code, codes)
	return e
}

func overGRPC(t *testing.T, h Harness) plugin.Connector {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(wire.MaxMessage), grpc.MaxSendMsgSize(wire.MaxMessage))
	plugin.Register(server, h.New(), hclog.NewNullLogger())
	go func() { _ = server.Serve(listener) }() // returns when the server stops
	t.Cleanup(server.Stop)
	dial := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) })
	conn, err := grpc.NewClient("passthrough:///connector",
		append(shim.DialOptions(), dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return shim.NewClient(conn)
}

func asProgram(t *testing.T, h Harness) plugin.Connector {
	logger := hclog.New(&hclog.LoggerOptions{Name: "connector", Level: hclog.Debug, Output: t.Output()})
	c, err := host.Launch(t.Context(), h.Command, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
