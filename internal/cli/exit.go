package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/schema"
)

// The exit codes.
const (
	ExitDone        = 0
	ExitRunFailed   = 1   // a run did not complete
	ExitInvalid     = 2   // the configuration or the command line is wrong
	ExitEnvironment = 3   // no Temporal, no credentials, a port in use, a connector that does not start
	ExitChanges     = 4   // plan --exit-code: there are changes
	ExitInterrupted = 130 // by a signal, before the end
)

// failure is an error with the code that programs see in JSON and the exit code.
type failure struct {
	exit int
	code string
	err  error

	// hint is a second line that says what to do; optional.
	hint string

	// run is the run that the error is about; optional.
	run *startedRun
}

// Error implements error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

// The codes of errors in JSON. Those of runs are also the connectors' own, such as "unauthenticated".
const (
	codeUsage       = "usage"
	codeInvalid     = "invalid_config"
	codeEnvironment = "environment"
	codeRunFailed   = "run_failed"
	codeInterrupted = "interrupted"
	codeUnknownJob  = "unknown_job"
	codeStalePlan   = "stale_plan"
	codeChanges     = "changes"
)

func usageError(cmd *cobra.Command, format string, args ...any) error {
	return &failure{exit: ExitInvalid, code: codeUsage, err: fmt.Errorf(format, args...), hint: fmt.Sprintf("see %s --help", cmd.CommandPath())}
}

func invalidError(format string, args ...any) error {
	return &failure{exit: ExitInvalid, code: codeInvalid, err: fmt.Errorf(format, args...)}
}

func environmentError(format string, args ...any) error {
	return &failure{exit: ExitEnvironment, code: codeEnvironment, err: fmt.Errorf(format, args...)}
}

// classify gives any error its exit code. It is the one place that does.
func classify(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	if d, ok := errors.AsType[schema.Diagnostics](err); ok {
		return classifyDiagnostics(d)
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		exit := exitOfRun(app.Type())
		return &failure{exit: exit, code: app.Type(), err: errors.New(app.Message())}
	}
	for _, is := range []func(error) bool{is[*host.LaunchError], is[*serviceerror.Unavailable], is[*serviceerror.NamespaceNotFound],
		is[*serviceerror.PermissionDenied], is[*serviceerror.DeadlineExceeded], is[*serviceerror.ResourceExhausted]} {
		if is(err) {
			return &failure{exit: ExitEnvironment, code: codeEnvironment, err: err}
		}
	}
	switch {
	case is[*schedules.ForeignError](err):
		return &failure{exit: ExitInvalid, code: codeInvalid, err: err}
	case errors.Is(err, codec.ErrNoKey):
		return &failure{
			exit: ExitEnvironment, code: codeEnvironment, err: err,
			hint: "give it the keys that the workers have: " + envKeysFile + ", " + envKeysCommand + " or " + envKeys,
		}
	case errors.Is(err, context.Canceled):
		return &failure{exit: ExitInterrupted, code: codeInterrupted, err: errors.New("interrupted")}
	}
	return &failure{exit: ExitRunFailed, code: codeRunFailed, err: err}
}

// exitOfRun is the exit code of a run that failed with an error of the given type.
func exitOfRun(kind string) int {
	switch kind {
	case string(plugin.CodeInvalidConfig), activities.TypeNotApplied, activities.TypeInvalidPlan, activities.TypeInvalidInput:
		return ExitInvalid
	case string(plugin.CodeUnauthenticated), string(plugin.CodePermissionDenied), string(plugin.CodeUnavailable), activities.TypeUnserved:
		return ExitEnvironment
	}
	return ExitRunFailed
}

// classifyDiagnostics tells mistakes in files from what the surroundings lack.
func classifyDiagnostics(d schema.Diagnostics) *failure {
	f := &failure{exit: ExitEnvironment, code: codeEnvironment, err: d}
	for _, x := range d {
		if x.Severity == schema.SeverityError && x.Code != schema.CodeEnvironment && x.Code != schema.CodeConnector {
			f.exit, f.code = ExitInvalid, codeInvalid
		}
	}
	return f
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// report writes an error, if there is one, and returns the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return ExitDone
	}
	f := classify(err)
	if errors.Is(err, errReported) {
		return f.exit
	}
	if a.json {
		type body struct {
			Message string `json:"message"`
			Code    string `json:"code"`
		}
		a.writeJSON(struct {
			Error body        `json:"error"`
			Run   *startedRun `json:"run,omitempty"`
		}{body{f.Error(), f.code}, f.run})
		return f.exit
	}
	style := a.errStyle()
	a.notef("%s\n", a.broken("durasync:", style.red("durasync:"), f.Error()))
	if f.hint != "" {
		a.notef("%s\n", a.broken("hint:", style.dim("hint:"), f.hint))
	}
	return f.exit
}

// broken is a message after its prefix, here as it is and as it is painted; on a terminal it is broken into lines.
func (a *app) broken(prefix, painted, message string) string {
	if !a.opts.StderrTerminal {
		return painted + " " + message
	}
	text := wrap(prefix+" "+strings.ReplaceAll(message, "\n", " "), "  ", a.opts.Width)
	return painted + strings.TrimPrefix(text, "  "+prefix)
}

// errReported is wrapped by the errors about which everything has been written already.
var errReported = errors.New("reported")

// reported makes an error of which only the exit code is left to report.
func reported(f *failure) error {
	return &failure{exit: f.exit, code: f.code, err: fmt.Errorf("%w: %w", errReported, f.err)}
}

// writeJSON writes one JSON value to standard output.
func (a *app) writeJSON(v any) {
	enc := json.NewEncoder(a.opts.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		fmt.Fprintf(a.opts.Stderr, "durasync: standard output: %v\n", err)
	}
}
