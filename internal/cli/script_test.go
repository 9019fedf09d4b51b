package cli

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/examples"
	"github.com/durasync/durasync/plugin"
)

// program is the command without the embedded server, which only cmd/durasync links.
var program = Program{
	Version: "1.2.3",
	Connectors: map[string]func() plugin.Connector{
		"gong":    func() plugin.Connector { return gong.New() },
		"totango": func() plugin.Connector { return totango.New() },
	},
	Demo: examples.Demo(),
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "connector" { // a test has this program serve a built-in connector
		os.Exit(Main(program))
	}
	testscript.Main(m, map[string]func(){
		"durasync": func() { os.Exit(Main(program)) },
		"crm":      func() { plugin.Serve(crm{version: os.Args[1]}, plugin.WithArgs(os.Args[2:])) },
	})
}

// TestScripts runs what needs no Temporal, as users run it: testdata/script, one file for each matter.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *updateGolden,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			return nil
		},
	})
}

// exits runs a command that must end with an exit code: exits CODE COMMAND [ARG]...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [arg]...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
