package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/schema"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	run := func(kind string) error { return temporal.NewNonRetryableApplicationError("words", kind, nil) }
	diagnostics := func(codes ...schema.Code) error {
		var d schema.Diagnostics
		for _, c := range codes {
			d = append(d, schema.Diagnostic{Severity: schema.SeverityError, Code: c})
		}
		return append(d, schema.Diagnostic{Severity: schema.SeverityWarning, Code: schema.CodeExposedSecret})
	}
	for name, tc := range map[string]struct {
		err  error
		exit int
		code string
	}{
		"a mistake in a file":              {diagnostics(schema.CodeUnknownField), 2, "invalid_config"},
		"a missing variable":               {diagnostics(schema.CodeEnvironment), 3, "environment"},
		"a connector that does not start":  {diagnostics(schema.CodeConnector), 3, "environment"},
		"both":                             {diagnostics(schema.CodeEnvironment, schema.CodeSyntax), 2, "invalid_config"},
		"no Temporal":                      {&serviceerror.Unavailable{}, 3, "environment"},
		"no such namespace":                {&serviceerror.NamespaceNotFound{}, 3, "environment"},
		"not allowed by Temporal":          {&serviceerror.PermissionDenied{}, 3, "environment"},
		"wrapped":                          {fmt.Errorf("list: %w", &serviceerror.Unavailable{}), 3, "environment"},
		"a connector":                      {fmt.Errorf("start: %w", &host.LaunchError{Reason: host.Exited}), 3, "environment"},
		"somebody else's schedule":         {&schedules.ForeignError{ID: "x"}, 2, "invalid_config"},
		"interrupted":                      {fmt.Errorf("x: %w", context.Canceled), 130, "interrupted"},
		"a run, wrong key":                 {run(string(plugin.CodeUnauthenticated)), 3, "unauthenticated"},
		"a run, no permission":             {run(string(plugin.CodePermissionDenied)), 3, "permission_denied"},
		"a run, unreachable":               {run(string(plugin.CodeUnavailable)), 3, "unavailable"},
		"a run, wrong setting":             {run(string(plugin.CodeInvalidConfig)), 2, "invalid_config"},
		"a run, no worker":                 {run(activities.TypeUnserved), 3, "unserved"},
		"a run, job unknown":               {run(activities.TypeNotApplied), 2, "not_applied"},
		"a run, the daily budget is spent": {run(string(plugin.CodeRateLimited)), 1, "rate_limited"},
		"anything else":                    {errors.New("x"), 1, "run_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := classify(tc.err)
			if f.exit != tc.exit || f.code != tc.code {
				t.Errorf("exit code %d, code %q; want %d, %q", f.exit, f.code, tc.exit, tc.code)
			}
		})
	}
}

// Every code that a connector can end a run with has been thought of.
func TestExitCodesOfConnectors(t *testing.T) {
	t.Parallel()
	want := map[plugin.Code]int{
		plugin.CodeUnauthenticated: 3, plugin.CodePermissionDenied: 3, plugin.CodeUnavailable: 3,
		plugin.CodeInvalidConfig:  2,
		plugin.CodeInvalidRequest: 1, plugin.CodeInvalidRecord: 1, plugin.CodeNotFound: 1, plugin.CodeExpired: 1,
		plugin.CodeRateLimited: 1, plugin.CodeUnimplemented: 1, plugin.CodeInternal: 1,
	}
	for code, exit := range want {
		if got := exitOfRun(string(code)); got != exit {
			t.Errorf("%s: exit code %d, want %d", code, got, exit)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	long := environmentError("no Temporal server answers at 127.0.0.1:7233: connection refused; start one with durasync dev, or set TEMPORAL_ADDRESS")
	for name, tc := range map[string]struct {
		opts   Options
		err    error
		stdout string
		stderr string
	}{
		"to a file, in one line": {Options{}, long, "",
			"durasync: no Temporal server answers at 127.0.0.1:7233: connection refused; start one with durasync dev, or set TEMPORAL_ADDRESS\n"},
		"to a terminal, broken into lines": {Options{StderrTerminal: true, Width: 80, Env: []string{"NO_COLOR=1"}}, long, "",
			"durasync: no Temporal server answers at 127.0.0.1:7233: connection refused;\n  start one with durasync dev, or set TEMPORAL_ADDRESS\n"},
		"to a terminal, in colour": {Options{StderrTerminal: true}, errors.New("x"), "", "\x1b[31mdurasync:\x1b[0m x\n"},
		"no colour on a dumb one":  {Options{StderrTerminal: true, Env: []string{"TERM=dumb"}}, errors.New("x"), "", "durasync: x\n"},
		"with a hint":              {Options{}, &failure{exit: 2, err: errors.New("x"), hint: "see there"}, "", "durasync: x\nhint: see there\n"},
		"as JSON":                  {Options{Args: []string{"--json"}}, errors.New(`a "b" & <c>`), `{"error":{"message":"a \"b\" & <c>","code":"run_failed"}}`, ""},
		"as JSON, with the run": {Options{Args: []string{"--json"}}, withRun(startedRun{WorkflowID: "w", RunID: "r"}, &failure{code: "x", err: errors.New("m")}),
			`{"error":{"message":"m","code":"x"},"run":{"workflow_id":"w","run_id":"r"}}`, ""},
		"what was reported already": {Options{}, reported(&failure{exit: 2, err: errors.New("x")}), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			tc.opts.Stdout, tc.opts.Stderr = &stdout, &stderr
			newApp(Program{}, tc.opts).report(tc.err)
			if got := strings.NewReplacer("\n", "", "  ", "", ": ", ":").Replace(stdout.String()); got != strings.ReplaceAll(tc.stdout, ": ", ":") {
				t.Errorf("standard output %q, want %q", got, tc.stdout)
			}
			if got := stderr.String(); got != tc.stderr {
				t.Errorf("standard error %q, want %q", got, tc.stderr)
			}
		})
	}
}
