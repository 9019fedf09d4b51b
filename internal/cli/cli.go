package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/worker"
	"golang.org/x/term"
)

// Options are the surroundings of one call of the command.
type Options struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer

	// Env is the environment, as of os.Environ.
	Env []string

	// StdoutTerminal and StderrTerminal say that a person watches the stream: colours and live progress are for those.
	StdoutTerminal, StderrTerminal bool

	// Width is the terminal's width in columns; 0, and anything above 80, means 80.
	Width int

	// Started is when the process began, from which the demo measures; zero means now.
	Started time.Time
}

// maxWidth is the widest that text gets.
const maxWidth = 80

// Main runs the command over the process's own arguments, streams, environment and signals, and returns the exit code. The first
// interrupt ends what is going on in an orderly way, the second one ends the process.
func Main(p Program) int {
	started := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	// Temporal's SDK would take the MD5 of this program, a third of a second before the first task.
	v := newApp(p, Options{}).version()
	worker.SetBinaryChecksum(strings.TrimSpace("durasync " + v.Version + " " + v.Commit))
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil {
		width = 0
	}
	return Run(ctx, p, Options{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Environ(),
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())), StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Width: width, Started: started,
	})
}

// Run runs the command and returns the exit code; see the Exit constants. When the context ends, so does the command, as on an
// interrupt.
func Run(ctx context.Context, p Program, o Options) int {
	a := newApp(p, o)
	root := a.root()
	root.SetArgs(o.Args)
	err := root.ExecuteContext(ctx)
	return a.report(err)
}

// app is one call of the command.
type app struct {
	program Program
	opts    Options
	env     environment

	json      bool
	logLevel  string
	logFormat string
}

func newApp(p Program, o Options) *app {
	if o.Width <= 0 || o.Width > maxWidth {
		o.Width = maxWidth
	}
	if o.Started.IsZero() {
		o.Started = time.Now()
	}
	return &app{program: p, opts: o, env: environment(o.Env), json: slices.Contains(o.Args, "--json")}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "durasync",
		Short: "Durable sync jobs: from one system to another, declared in HCL, run by Temporal",
		Long: `Durable sync jobs: you declare in HCL from which system to which system,
Temporal runs it as a durable, scheduled workflow.

To see it work on this machine, with simulated systems: durasync demo

Temporal is where the standard TEMPORAL_ variables or profile say, by default at
127.0.0.1:7233 in the namespace default.

Exit codes: 0 done, 1 a run did not complete, 2 invalid files or command line,
3 something is missing around (Temporal, credentials, a port, a connector),
4 plan --exit-code: there are changes, 130 interrupted.`,
		Args:              noCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.SetIn(a.opts.Stdin)
	root.SetOut(a.opts.Stdout)
	root.SetErr(a.opts.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, "%v", err) })
	root.PersistentFlags().StringVar(&a.logLevel, "log-level", "",
		"what to log: trace, debug, info, warn, error, off")
	root.PersistentFlags().StringVar(&a.logFormat, "log-format", "", "how to log: text (default), or json")

	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "To begin with:"},
		&cobra.Group{ID: groupJobs, Title: "Jobs:"},
		&cobra.Group{ID: groupRuns, Title: "Runs and records:"},
		&cobra.Group{ID: groupRun, Title: "What runs them:"},
	)
	for _, group := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{groupStart, []*cobra.Command{a.demoCommand(), a.devCommand()}},
		{groupJobs, []*cobra.Command{
			a.validateCommand(), a.showCommand(), a.previewCommand(), a.planCommand(), a.applyCommand(), a.syncCommand(), a.statusCommand(),
			a.fmtCommand(),
		}},
		{groupRuns, []*cobra.Command{
			a.runsCommand(), a.runCommand(), a.cancelCommand(), a.rejectsCommand(), a.retryCommand(), a.backfillCommand(), a.adoptCommand(),
			a.pauseCommand(), a.resumeCommand(),
		}},
		{groupRun, []*cobra.Command{a.workerCommand(), a.connectorCommand(), a.doctorCommand(), a.serverCommand(), a.codecServerCommand(), a.sandboxCommand()}},
		{"", []*cobra.Command{a.versionCommand()}},
	} {
		for _, c := range group.commands {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	return root
}

const (
	groupStart = "start"
	groupJobs  = "jobs"
	groupRuns  = "runs"
	groupRun   = "run"
)

// reports gives a command the flag --json.
func (a *app) reports(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&a.json, "json", false, "print JSON")
	return cmd
}

// noCommand is for the root, whose arguments are commands that do not exist.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usageError(cmd, "there is no command %q%s", args[0], didYouMean(args[0], names))
}

// maxArgs refuses more than n arguments; what names them for the message.
func maxArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError(cmd, "%s takes %s, but got %d arguments", cmd.Name(), what, len(args))
		}
		return nil
	}
}

// exactArgs wants n arguments.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError(cmd, "%s takes %s, but got %d arguments", cmd.Name(), what, len(args))
		}
		return nil
	}
}

// environment is a list of NAME=value, of which the last one of a name counts. It implements envconfig.EnvLookup.
type environment []string

// Environ returns the list.
func (e environment) Environ() []string { return e }

// LookupEnv returns the value of a variable and whether it is set.
func (e environment) LookupEnv(name string) (string, bool) {
	for _, entry := range slices.Backward(e) {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			return v, true
		}
	}
	return "", false
}

func (e environment) get(name string) string {
	v, _ := e.LookupEnv(name)
	return v
}

// with returns the environment with variables added.
func (e environment) with(vars map[string]string) environment {
	out := slices.Clone(e)
	for name, value := range vars {
		out = append(out, name+"="+value)
	}
	return out
}
