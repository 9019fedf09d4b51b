//go:build unix

package host

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

func spec(t testing.TB, name, config string) Spec {
	t.Helper()
	return Spec{Name: name, Connector: "scenario", Command: self(t, "serve"), Config: json.RawMessage(config)}
}

// newPool returns a pool with the connections scenario.a and scenario.b.
func newPool(t testing.TB, logger hclog.Logger) *Pool {
	t.Helper()
	p := NewPool(logger, nil)
	t.Cleanup(p.Close)
	apply(t, p, spec(t, "scenario.a", `{"region":"us"}`), spec(t, "scenario.b", `{"region":"eu"}`))
	return p
}

func apply(t testing.TB, p *Pool, specs ...Spec) {
	t.Helper()
	if _, err := p.Apply(specs); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, p *Pool, name string) *Conn {
	t.Helper()
	c, err := p.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pid(t *testing.T, c *Conn) int { return read[int](t, c, "pid") }

// running returns the connection's process as it is now.
func running(t testing.TB, p *Pool, name string) *session {
	t.Helper()
	s, leave, err := p.enter(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	return s
}

// kill ends the connection's process from outside and returns when the pool can know.
func kill(t testing.TB, p *Pool, name string) {
	t.Helper()
	s := running(t, p, name)
	if err := syscall.Kill(s.process.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
}

func TestPoolRunsOneProcessForEachConnection(t *testing.T) {
	p := newPool(t, nil)
	var wg sync.WaitGroup
	pids := make([]int, 20)
	for i := range pids {
		wg.Go(func() {
			c, err := p.Get(t.Context(), []string{"scenario.a", "scenario.b"}[i%2])
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: []string{"pid"}})
			if err != nil {
				t.Error(err)
				return
			}
			if err := json.Unmarshal(resp.Records[0].Data, &pids[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, got := range pids {
		if got != pids[i%2] {
			t.Errorf("caller %d sees process %d, caller %d process %d of the same connection", i, got, i%2, pids[i%2])
		}
	}
	if pids[0] == pids[1] {
		t.Errorf("both connections have process %d", pids[0])
	}
	if diff := cmp.Diff([]string{"scenario.a", "scenario.b"}, p.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestPoolConfigures(t *testing.T) {
	p := newPool(t, nil)
	c := get(t, p, "scenario.b")
	if got := read[map[string]string](t, c, "config"); got["region"] != "eu" {
		t.Errorf("the connector was configured with %v", got)
	}
	got, err := c.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &plugin.ConfigureResponse{
		RateLimits:   []plugin.RateLimit{{Requests: 3, Per: time.Second}, {Requests: 10000, Per: 24 * time.Hour}},
		WriteTimeout: 1500 * time.Millisecond, SearchLag: 5 * time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestPoolRestartsDeadProcess(t *testing.T) {
	p := newPool(t, nil)
	c := get(t, p, "scenario.a")
	before := pid(t, c)
	kill(t, p, "scenario.a")
	if after := pid(t, c); after == before {
		t.Errorf("still process %d", after)
	}
	if got := read[map[string]string](t, c, "config"); got["region"] != "us" {
		t.Errorf("the new process was configured with %v", got)
	}
}

// The clock stands still, so that each end is one in a row.
func TestPoolBacksOff(t *testing.T) {
	now := time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)
	p := NewPool(nil, nil)
	p.now = func() time.Time { return now }
	t.Cleanup(p.Close)
	apply(t, p, spec(t, "scenario.a", `{}`))

	get(t, p, "scenario.a")
	kill(t, p, "scenario.a")
	get(t, p, "scenario.a") // at once
	kill(t, p, "scenario.a")
	_, err := p.Get(t.Context(), "scenario.a")
	var launch *LaunchError
	if !errors.As(err, &launch) || launch.Reason != BackingOff || !launch.RetryAt.Equal(now.Add(time.Second)) {
		t.Fatalf("error %v, want a LaunchError that is backing off for a second", err)
	}
	for _, part := range []string{"connection scenario.a", "ended 2 times in a row", "in 1s, at 15:04:06", "signal: killed"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want %q in it", err, part)
		}
	}
	if e := plugin.AsError(err); e.Code != plugin.CodeUnavailable || !e.Retryable || e.RetryAfter != time.Second {
		t.Errorf("plugin error %+v, want an unavailable one to be retried after 1s", e)
	}

	now = now.Add(time.Second)
	get(t, p, "scenario.a")
	now = now.Add(time.Hour) // it lasts
	kill(t, p, "scenario.a")
	get(t, p, "scenario.a") // at once again
}

func TestPoolBacksOffFailedStarts(t *testing.T) {
	now := time.Now()
	p := NewPool(nil, nil)
	p.now = func() time.Time { return now }
	t.Cleanup(p.Close)
	s := spec(t, "scenario.a", `{}`)
	s.Command = self(t, "exit")
	apply(t, p, s)
	for i, want := range []Reason{Exited, Exited, BackingOff, BackingOff} {
		var launch *LaunchError
		if _, err := p.Get(t.Context(), "scenario.a"); !errors.As(err, &launch) || launch.Reason != want || launch.Name != "scenario.a" {
			t.Errorf("attempt %d: %v, want reason %s", i, err, want)
		}
	}
}

func TestDelay(t *testing.T) {
	var got []time.Duration
	for n := range 10 {
		got = append(got, delay(n+1)/time.Second)
	}
	if diff := cmp.Diff([]time.Duration{0, 1, 2, 4, 8, 16, 30, 30, 30, 30}, got); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
}

func TestPoolConfigureFails(t *testing.T) {
	p := NewPool(nil, nil)
	t.Cleanup(p.Close)
	apply(t, p, spec(t, "scenario.a", `{"region":"mars"}`))
	for range 4 { // the process is not to blame, so nothing is backed off
		_, err := p.Get(t.Context(), "scenario.a")
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeInvalidConfig || e.Attribute != "region" {
			t.Fatalf("error %+v, want an invalid region", e)
		}
	}
}

func TestPoolRefusesOtherConnector(t *testing.T) {
	p := NewPool(nil, nil)
	t.Cleanup(p.Close)
	s := spec(t, "gong.acme", `{}`)
	s.Connector = "gong"
	apply(t, p, s)
	_, err := p.Get(t.Context(), "gong.acme")
	var launch *LaunchError
	if !errors.As(err, &launch) || launch.Reason != NotConnector || !strings.Contains(err.Error(), `"scenario", not "gong"`) {
		t.Errorf("error %v, want that it is another connector", err)
	}
}

func TestPoolApply(t *testing.T) {
	p := newPool(t, nil)
	a, b := get(t, p, "scenario.a"), get(t, p, "scenario.b")
	oldA, oldB := pid(t, a), pid(t, b)
	procB := running(t, p, "scenario.b")

	// A call of b is in flight while b changes.
	_, leave, err := p.enter(t.Context(), "scenario.b")
	if err != nil {
		t.Fatal(err)
	}
	apply(t, p, spec(t, "scenario.a", `{"region":"us"}`), spec(t, "scenario.b", `{"region":"us"}`))
	if got := pid(t, a); got != oldA {
		t.Errorf("the unchanged connection has process %d, had %d", got, oldA)
	}
	if got := pid(t, b); got == oldB {
		t.Errorf("the changed connection still has process %d", got)
	}
	if got := read[map[string]string](t, b, "config"); got["region"] != "us" {
		t.Errorf("the changed connection is configured with %v", got)
	}
	if _, err := procB.Check(t.Context(), &plugin.CheckRequest{}); err != nil {
		t.Errorf("the old process was stopped with a call in flight: %v", err)
	}
	leave()
	<-procB.Done()

	procA := running(t, p, "scenario.a")
	apply(t, p)
	<-procA.Done()
	_, err = a.Check(t.Context(), &plugin.CheckRequest{})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeNotFound || e.Retryable {
		t.Errorf("error %+v for a connection that is gone, want not_found", e)
	}
}

func TestPoolApplyRefuses(t *testing.T) {
	p := newPool(t, nil)
	s := spec(t, "scenario.c", `{}`)
	for name, specs := range map[string][]Spec{
		"twice":      {s, s},
		"no name":    {{Connector: "x", Command: s.Command}},
		"no command": {{Name: "x.y", Connector: "x"}},
	} {
		if _, err := p.Apply(specs); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if diff := cmp.Diff([]string{"scenario.a", "scenario.b"}, p.Names()); diff != "" {
		t.Errorf("a refused Apply changed the connections (-want +got):\n%s", diff)
	}
}

func TestPoolClose(t *testing.T) {
	p := newPool(t, nil)
	c := get(t, p, "scenario.a")
	s := running(t, p, "scenario.a")
	p.Close()
	if !s.ended() {
		t.Error("the process still runs")
	}
	if _, err := c.Check(t.Context(), &plugin.CheckRequest{}); plugin.AsError(err) == nil {
		t.Error("a closed pool still serves")
	}
	if _, err := p.Apply(nil); err == nil {
		t.Error("a closed pool takes connections")
	}
	if err := os.Remove(socketDir(s)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's directory is left over: %v", err)
	}
}

// socketDir is where the process's socket was.
func socketDir(s *session) string {
	for _, kv := range s.process.cmd.Env {
		if dir, ok := strings.CutPrefix(kv, "PLUGIN_UNIX_SOCKET_DIR="); ok {
			return dir
		}
	}
	return ""
}
