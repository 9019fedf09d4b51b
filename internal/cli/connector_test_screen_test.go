//go:build unix

package cli

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
)

// programFile is a program that becomes another one.
func programFile(t *testing.T, command string) string {
	t.Helper()
	return writeFile(t, "program", "#!/bin/sh\nexec "+command+"\n", 0o755)
}

func writeFile(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	// A file that a process which is just being started has inherited open for writing cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// testConnector runs connector test and returns the exit code and what it prints.
func testConnector(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out strings.Builder
	args = append([]string{"connector", "test"}, args...)
	exit := Run(t.Context(), program, Options{Args: args, Stdout: &out, Stderr: &out, Env: os.Environ()})
	return exit, out.String()
}

func TestConnectorTestOfAGoodConnector(t *testing.T) {
	t.Parallel()
	company := gongtest.New(gongtest.Options{PageSize: 2})
	newest := time.Now().UTC().Truncate(time.Second)
	for i := range 5 {
		company.AddCall(gongtest.Call{Started: newest.Add(-time.Duration(i+24) * time.Hour), Duration: time.Minute, Brief: "They met."})
	}
	srv := httptest.NewServer(company)
	t.Cleanup(srv.Close)
	config := writeFile(t, "config.json", fmt.Sprintf(`{"access_key": %q, "access_key_secret": %q, "base_url": %q, "requests_per_second": 0}`,
		gongtest.AccessKey, gongtest.AccessKeySecret, srv.URL), 0o600)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	exit, out := testConnector(t, programFile(t, self+" connector serve gong"), "--config", config,
		"--stream", "calls", "--from", newest.Add(-72*time.Hour).Format(time.RFC3339))
	if exit != ExitDone {
		t.Errorf("exit code %d, want %d", exit, ExitDone)
	}
	golden(t, "connector_test_good.txt", out)
	narrowEnough(t, out)
}

// The program crm describes a stream and an object, and has nothing behind them.
func TestConnectorTestOfABadConnector(t *testing.T) {
	t.Parallel()
	path, config := programFile(t, "crm 1.4.0"), writeFile(t, "config.json", `{"token": "a-secret-token"}`, 0o600)
	item := writeFile(t, "item.json", `{"key": "crm/visits/1", "time": "2026-01-01T00:00:00Z", "attributes": {"subject": "Hello"}}`, 0o600)
	exit, out := testConnector(t, path, "--config", config, "--stream", "visits", "--from", "2026-01-01", "--to", "2026-01-31",
		"--object", "note", "--item", item)
	if exit != ExitRunFailed {
		t.Errorf("exit code %d, want %d", exit, ExitRunFailed)
	}
	golden(t, "connector_test_bad.txt", out)
	narrowEnough(t, out)

	exit, out = testConnector(t, path, "--json")
	if exit != ExitDone { // of itself it says nothing wrong
		t.Errorf("exit code %d without a configuration, want %d", exit, ExitDone)
	}
	golden(t, "connector_test.json", out)
}

// What is typed wrongly, or has not been built yet, says nothing about a connector.
func TestConnectorTestWithoutAConnector(t *testing.T) {
	t.Parallel()
	path := programFile(t, "crm 1.4.0")
	with := func(flags ...string) []string {
		return append([]string{path, "--config", writeFile(t, "config.json", `{"token": "a-secret-token"}`, 0o600)}, flags...)
	}
	for name, tc := range map[string]struct {
		args []string
		exit int
		says string
	}{
		"no program":           {[]string{"missing"}, ExitEnvironment, "there is no such file"},
		"no connector":         {[]string{programFile(t, "echo hello")}, ExitEnvironment, "it is no connector"},
		"no configuration":     {[]string{path, "--stream", "visits", "--from", "2026-01-01"}, ExitInvalid, "need --config"},
		"no window":            {with("--stream", "visits"), ExitInvalid, "--stream and --from go together"},
		"no item":              {with("--object", "note"), ExitInvalid, "--object and --item go together"},
		"wrong window":         {with("--stream", "visits", "--from", "soon"), ExitInvalid, `--from: "soon" is neither a day`},
		"no such stream":       {with("--stream", "visit", "--from", "2026-01-01"), ExitInvalid, `did you mean "visits"?`},
		"no such file":         {[]string{path, "--config", "missing.json"}, ExitInvalid, "--config: open missing.json"},
		"no JSON":              {[]string{path, "--config", path}, ExitInvalid, "invalid character"},
		"unknown attribute":    {[]string{path, "--config", writeFile(t, "c", `{"tokn": "x"}`, 0o600)}, ExitInvalid, `"tokn", which is not described`},
		"attribute is missing": {[]string{path, "--config", writeFile(t, "c", `{}`, 0o600)}, ExitInvalid, "--config: the attribute token is required"},
	} {
		exit, out := testConnector(t, tc.args...)
		if exit != tc.exit || !strings.Contains(out, tc.says) {
			t.Errorf("%s: exit code %d, want %d, saying %q:\n%s", name, exit, tc.exit, tc.says, out)
		}
	}
}
