//go:build unix

package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

func launch(t testing.TB, c Command, logger hclog.Logger) *Client {
	t.Helper()
	client, err := Launch(t.Context(), c, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// read reads the ids and decodes the data of the only record.
func read[T any](t testing.TB, c plugin.Source, ids ...string) T {
	t.Helper()
	resp, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Records) != 1 {
		t.Fatalf("Read(%v): %d records, want 1", ids, len(resp.Records))
	}
	var v T
	if err := json.Unmarshal(resp.Records[0].Data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEnvironment(t *testing.T) {
	for _, name := range passed {
		t.Setenv(name, "/")
		if err := os.Unsetenv(name); err != nil { // t.Setenv restores it
			t.Fatal(err)
		}
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("PATH", "/usr/bin")
	t.Setenv("https_proxy", "http://proxy.example.com")
	t.Setenv("GONG_ACCESS_KEY_SECRET", "planted")
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("GOMEMLIMIT", "8GiB")
	cmd := self(t, "serve")
	cmd.Env = []string{"GOMEMLIMIT=100MiB"}

	got := map[string]string{}
	for _, kv := range read[[]string](t, launch(t, cmd, nil), "env") {
		name, value, _ := strings.Cut(kv, "=")
		got[name] = value
	}

	want := map[string]string{"PATH": "/usr/bin", "TMPDIR": tmp, "https_proxy": "http://proxy.example.com", "GOMEMLIMIT": "100MiB"}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s = %q, want %q", name, got[name], value)
		}
		delete(got, name)
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range got {
			if !yield(name) {
				return
			}
		}
	})
	handshake := []string{
		"DURASYNC_CONNECTOR", "DURASYNC_LIFE_FD", "DURASYNC_LOG_LEVEL", "PLUGIN_CLIENT_CERT", "PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT",
		"PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR",
	}
	if diff := cmp.Diff(handshake, names); diff != "" {
		t.Errorf("the connector sees other variables (-want +got):\n%s", diff)
	}
}

func TestDescribe(t *testing.T) {
	got, err := Describe(t.Context(), self(t, "serve"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(description, got); diff != "" {
		t.Errorf("the description arrives changed (-sent +got):\n%s", diff)
	}
}

func TestLaunchFailures(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) Command {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return Command{Path: path}
	}
	tests := map[string]struct {
		cmd    Command
		reason Reason
		say    string // part of the message: what happened
		code   plugin.Code
	}{
		"missing":           {Command{Path: filepath.Join(dir, "none")}, Missing, "there is no such file", plugin.CodeInvalidConfig},
		"directory":         {Command{Path: dir}, NotExecutable, "it is a directory", plugin.CodeInvalidConfig},
		"mode":              {file("mode", "#!/bin/sh\n", 0o600), NotExecutable, "chmod +x", plugin.CodeInvalidConfig},
		"no program":        {file("text", "hello", 0o700), NotExecutable, "no program for this machine", plugin.CodeInvalidConfig},
		"no interpreter":    {file("script", "#!/no/such/interpreter\n", 0o700), NotExecutable, "interpreter", plugin.CodeInvalidConfig},
		"another program":   {self(t, "hello"), NotConnector, `it printed "Hello, world"`, plugin.CodeInvalidConfig},
		"newer version":     {self(t, "versions", "9"), Incompatible, "version 9 of the connector protocol, this program version 1; install", plugin.CodeInvalidConfig},
		"wrong description": {self(t, "misdescribed"), NotConnector, "stream calls.max_read: is 0", plugin.CodeInvalidConfig},
		"panics":            {self(t, "panic"), Exited, "(exit status 2); its last words: panic: no licence", plugin.CodeUnavailable},
		"says nothing":      {self(t, "exit"), Exited, "(exit status 4) and said nothing", plugin.CodeUnavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Describe(t.Context(), tt.cmd, nil)
			var launch *LaunchError
			if !errors.As(err, &launch) {
				t.Fatalf("error %v (%T), want a LaunchError", err, err)
			}
			if launch.Reason != tt.reason || !strings.Contains(err.Error(), tt.say) || !strings.Contains(err.Error(), tt.cmd.Path) {
				t.Errorf("reason %q, %q; want reason %q with the path and %q", launch.Reason, err, tt.reason, tt.say)
			}
			if e := plugin.AsError(err); e.Code != tt.code || e.Message != err.Error() {
				t.Errorf("plugin error %+v, want code %s with the same message", e, tt.code)
			}
		})
	}
}

// A connector that speaks several versions of the protocol speaks the host's.
func TestVersionIsNegotiated(t *testing.T) {
	c := launch(t, self(t, "versions", "9", "1"), nil)
	if got := c.plugin.NegotiatedVersion(); got != ProtocolVersion || ProtocolVersion != 1 {
		t.Errorf("they speak version %d, want 1", got)
	}
}

func TestLaunchEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Launch(ctx, self(t, "serve"), nil)
	var e *plugin.Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Code != plugin.CodeUnavailable {
		t.Errorf("error %v, want one that is context.Canceled and unavailable", err)
	}
}

func TestFind(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	good, broken := filepath.Join(second, "durasync-connector-good"), filepath.Join(first, "durasync-connector-broken")
	for path, mode := range map[string]os.FileMode{good: 0o700, broken: 0o600} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	dirs := []string{first, second}
	if c, err := Find("good", dirs); err != nil || c.Path != good {
		t.Errorf("Find(good) = %v, %v; want %s", c, err, good)
	}
	for name, reason := range map[string]Reason{"none": Missing, "broken": NotExecutable} {
		var launch *LaunchError
		if _, err := Find(name, dirs); !errors.As(err, &launch) || launch.Reason != reason {
			t.Errorf("Find(%s): %v, want a LaunchError of reason %s", name, err, reason)
		}
	}
	if _, err := Find("../good", dirs); err == nil {
		t.Error("Find accepts a name that is a path")
	}
}

func TestLogForwarding(t *testing.T) {
	var out bytes.Buffer
	logger := hclog.New(&hclog.LoggerOptions{Name: "host", Level: hclog.Debug, Output: &out, JSONFormat: true})
	pool := newPool(t, logger)
	conn := get(t, pool, "scenario.a")
	read[bool](t, conn, "log")
	if _, err := conn.Read(t.Context(), &plugin.ReadRequest{IDs: []string{"panic"}}); err == nil {
		t.Error("the panic is lost")
	}
	pool.Close() // all output has been read after that

	got := map[string]map[string]any{}
	for line := range strings.Lines(out.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in the line %q", err, line)
		}
		got[entry["@message"].(string)] = entry
	}
	levels := map[string]string{
		"at debug": "debug", "at info": "info", "at warn": "warn", "at error\non two lines": "error",
		"the connector panicked": "error", "on stdout": "debug",
	}
	for message, level := range levels {
		entry := got[message]
		if entry["@level"] != level || entry["connection"] != "scenario.a" || entry["@module"] != "host" {
			t.Errorf("line %q: %v, want level %s, connection scenario.a", message, entry, level)
		}
	}
	if got["at info"]["with"] != float64(42) {
		t.Errorf("line %v lost its members", got["at info"])
	}
	if stack, _ := got["the connector panicked"]["stack"].(string); !strings.Contains(stack, "(*scenario).Read") {
		t.Errorf("the panic's line has no stack: %v", got["the connector panicked"])
	}
	if _, ok := got["at trace"]; ok {
		t.Error("a trace line is forwarded to a logger at level debug")
	}
	for message, entry := range got {
		if level := entry["@level"]; (level == "error" || level == "warn") && levels[message] == "" {
			t.Errorf("a connector that ends well causes %v", entry)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	cmd := self(b, "serve")
	for b.Loop() {
		c, err := Launch(b.Context(), cmd, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Describe(b.Context(), &plugin.DescribeRequest{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		c.Close()
		b.StartTimer()
	}
}

func BenchmarkUnary(b *testing.B) {
	c := launch(b, self(b, "serve"), nil)
	for b.Loop() {
		if _, err := c.Check(b.Context(), &plugin.CheckRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads 1,000 records of 2 KB.
func BenchmarkRead(b *testing.B) {
	c := launch(b, self(b, "serve"), nil)
	req := large(1000, 2000)
	b.SetBytes(1000 * 2002)
	var records int
	start := time.Now()
	for b.Loop() {
		resp, err := c.Read(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		records += len(resp.Records)
	}
	took := time.Since(start)
	b.ReportMetric(float64(records)/took.Seconds(), "records/s")
	b.ReportMetric(float64(took.Microseconds())/float64(records), "µs/record")
}

// BenchmarkRestart kills the process of a connection and asks it something again. Each time it is a new pool's: the second death in a
// row is waited for.
func BenchmarkRestart(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		p := newPool(b, nil)
		c := get(b, p, "scenario.a")
		read[int](b, c, "pid")
		b.StartTimer()
		kill(b, p, "scenario.a")
		read[int](b, c, "pid")
		b.StopTimer()
		p.Close()
		b.StartTimer()
	}
}
