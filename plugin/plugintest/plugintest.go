// Package plugintest is the conformance kit for connectors: it checks what the host relies on and the compiler cannot check.
//
// A connector's test needs three things: a simulator of the other system, a [Harness] that says what is in it, and a TestMain
// that lets the kit start the test binary as the connector's program:
//
//	func TestMain(m *testing.M) { plugintest.Main(m, New()) }
//
//	func TestConformance(t *testing.T) {
//		sim := crmtest.New()
//		plugintest.Run(t, plugintest.Harness{
//			New:     func() plugin.Connector { return New() },
//			Command: plugintest.Self(t),
//			System:  sim,
//			Config:  func(url string) json.RawMessage { return fmt.Appendf(nil, `{"base_url": %q, "token": "secret"}`, url) },
//			Source:  &plugintest.Source{Stream: "calls", From: sim.From, To: sim.To, Unknown: "404"},
//		})
//	}
//
// The same rules are checked three times: calling the connector's methods, through gRPC in one process, and through the
// connector's program as the host starts it. [Examine] checks a program alone, in whatever language it is written.
package plugintest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/plugin/internal/wire"
)

// Harness says how to make a connector and what the system behind it holds. Rules that need what is not given are skipped.
type Harness struct {
	// New returns a new connector, not yet configured. All of them, and the program, talk to the same system.
	New func() plugin.Connector

	// Command starts the connector's program; see [Self]. Without a path, no rule is checked through a program.
	Command host.Command

	// System is the other system's simulator. The kit puts a proxy in front of it, which counts requests, keeps answers back and
	// gives answers of its own.
	System http.Handler

	// Config returns a configuration by which the connector works with the system at the URL.
	Config func(url string) json.RawMessage

	// Limited returns one that declares a rate limit as well, of a few requests in a second or so.
	Limited func(url string) json.RawMessage

	// BadConfig are configurations that Configure must refuse, by the attribute that the error must name.
	BadConfig map[string]json.RawMessage

	// Source is set for sources.
	Source *Source

	// Destination is set for destinations.
	Destination *Destination
}

// Source says what a stream holds.
type Source struct {
	Stream string

	// From and To are a window with at least three records of different times.
	From, To time.Time

	// Unknown is an id of the right form that does not exist. Optional.
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

	// Written returns how many things the system holds that were written for the item. Optional.
	Written func(plugin.Item) int

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

// Run checks the connector, each rule in a test of its own.
func Run(t *testing.T, h Harness) {
	t.Helper()
	first, err := h.New().Describe(t.Context(), &plugin.DescribeRequest{})
	if err != nil {
		t.Fatalf("Describe: %v", err)
	}
	for _, transport := range []transport{direct, overGRPC, asProgram} {
		if transport == asProgram && h.Command.Path == "" {
			continue
		}
		t.Run(string(transport), func(t *testing.T) {
			log := hclog.New(&hclog.LoggerOptions{Name: "connector", Level: hclog.Debug, Output: t.Output()})
			s, err := newSession(h, transport, first, log)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.close)
			for _, r := range s.rules() {
				t.Run(r.name, func(t *testing.T) { s.check(t.Context(), r).to(t) })
			}
		})
	}
}

// to makes the outcome that of a test.
func (o Outcome) to(t *testing.T) {
	t.Helper()
	switch o.Result {
	case Failed:
		t.Errorf("%s\n- %s", o.Contract, strings.Join(o.Problems, "\n- "))
	case Skipped:
		t.Skip(o.Reason)
	}
}

// Examine checks the connector's program, and yields what each rule came to. It ends early when the context ends. It also returns
// the connector's description; the error says that the program cannot be started, or does not describe itself.
func Examine(ctx context.Context, h Harness, log hclog.Logger) (*plugin.DescribeResponse, iter.Seq[Outcome], error) {
	if log == nil {
		log = hclog.NewNullLogger()
	}
	c, err := host.Launch(ctx, h.Command, log)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	first, err := c.Describe(ctx, &plugin.DescribeRequest{})
	if err != nil {
		return nil, nil, fmt.Errorf("connector %s: its description: %w", h.Command.Path, err)
	}
	return first, examine(ctx, h, asProgram, first, log), nil
}

func examine(ctx context.Context, h Harness, transport transport, first *plugin.DescribeResponse, log hclog.Logger) iter.Seq[Outcome] {
	return func(yield func(Outcome) bool) {
		s, err := newSession(h, transport, first, log)
		if err != nil {
			yield(Outcome{Rule: "kit", Result: Failed, Problems: []string{err.Error()}})
			return
		}
		defer s.close()
		for _, r := range s.rules() {
			o := s.check(ctx, r)
			if ctx.Err() != nil || !yield(o) {
				return
			}
		}
	}
}
