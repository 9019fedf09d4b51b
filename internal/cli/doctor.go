package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/schema"
)

func (a *app) doctorCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "doctor [DIR]",
		Short: "Check everything that jobs need to run",
		Long: `Check everything that the jobs of a directory, the current one by default, need
to run: the files, the connectors, Temporal, its namespace and search
attributes, a worker on each task queue, the credentials (the worker tries
them), and the clocks. One line each, with what to do.

Exits 0 if nothing is wrong (warnings do not count), 2 if the files are, 3 if
something around them is.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			d := &doctor{app: a}
			if err := d.examine(cmd.Context(), dirArg(args), log); err != nil {
				return err
			}
			return d.report()
		},
	})
}

// health is the result of a check.
type health string

// The results of checks.
const (
	healthy   health = "ok"
	doubtful  health = "warning"
	broken    health = "problem"
	unchecked health = "skipped"
)

// check is one line of the doctor's.
type check struct {
	Name   string `json:"name"`
	Health health `json:"health"`
	Text   string `json:"text"`

	// Todo says what to do about it; empty if there is nothing to do.
	Todo string `json:"todo,omitempty"`

	exit int
}

// doctorReport is what is printed with --json.
type doctorReport struct {
	Healthy bool    `json:"healthy"` // there may be warnings
	Checks  []check `json:"checks"`
}

// doctor checks one thing after the other. What depends on something that is broken is skipped and says so.
type doctor struct {
	app    *app
	checks []check
}

func (d *doctor) ok(name, format string, args ...any) {
	d.checks = append(d.checks, check{Name: name, Health: healthy, Text: fmt.Sprintf(format, args...)})
}

func (d *doctor) skip(name, format string, args ...any) {
	d.checks = append(d.checks, check{Name: name, Health: unchecked, Text: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(name, text, todo string) {
	d.checks = append(d.checks, check{Name: name, Health: doubtful, Text: text, Todo: todo})
}

func (d *doctor) problem(name string, exit int, text, todo string) {
	d.checks = append(d.checks, check{Name: name, Health: broken, Text: text, Todo: todo, exit: exit})
}

// failed is a problem that an error tells, which says what to do itself.
func (d *doctor) failed(name string, err error) {
	f := classify(err)
	exit := f.exit
	if exit != ExitInvalid {
		exit = ExitEnvironment
	}
	d.problem(name, exit, f.Error(), "")
}

// examine makes all the checks. An error says that it was interrupted.
func (d *doctor) examine(ctx context.Context, dir string, log hclog.Logger) error {
	config := d.files(ctx, dir, log)
	t, err := d.app.dial(ctx, log)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		d.failed("temporal", err)
		for _, name := range []string{"namespace", "search attributes", "workers", "credentials", "clocks"} {
			d.skip(name, "not checked without Temporal")
		}
		return nil
	}
	defer t.Close()
	d.temporal(ctx, t)
	d.namespace(ctx, t)
	d.searchAttributes(ctx, t)
	served := d.workers(ctx, t, config)
	d.credentials(ctx, t, config, served)
	return ctx.Err()
}

// files checks the job directory and the connectors that it names.
func (d *doctor) files(ctx context.Context, dir string, log hclog.Logger) *schema.Config {
	found := d.app.connectors(dir, log)
	config, diags := schema.Load(ctx, dir, schema.Options{Describe: found.Describe})
	errs := slices.DeleteFunc(slices.Clone(diags), func(x schema.Diagnostic) bool { return x.Severity != schema.SeverityError })
	switch {
	case len(errs) > 0:
		f := classify(errs.Err())
		d.problem("files", f.exit, errs.Error(), "see all of it with durasync validate "+dir)
	case len(config.Jobs) == 0:
		d.problem("files", ExitInvalid, fmt.Sprintf("the files in %s declare no job", dir), "write a job block, as in examples/gong-to-totango")
	default:
		d.ok("files", "%s: %s, %s", dir, plural(len(config.Jobs), "job"), plural(len(config.Connections), "connection"))
	}
	var kinds []string
	for _, c := range config.Connections {
		kinds = append(kinds, c.Type)
	}
	slices.Sort(kinds)
	for _, kind := range slices.Compact(kinds) {
		res, err := found.Describe(ctx, kind)
		if err != nil {
			d.failed("connector "+kind, err)
			continue
		}
		d.ok("connector "+kind, "starts, version %s", res.Version)
	}
	return config
}

// report prints the checks, and returns the worst of them as an error.
func (d *doctor) report() error {
	a := d.app
	worst := d.worst()
	if a.json {
		a.writeJSON(doctorReport{worst == nil, d.checks})
		return quietly(worst)
	}
	d.show()
	return worst
}

// show prints the checks, a line each.
func (d *doctor) show() {
	a := d.app
	s := a.outStyle()
	names := 0
	for _, c := range d.checks {
		names = max(names, min(len(c.Name), 26))
	}
	indent := strings.Repeat(" ", 9+names+2)
	for _, c := range d.checks {
		paint := map[health]func(string) string{healthy: s.green, doubtful: s.yellow, broken: s.red, unchecked: s.dim}[c.Health]
		text := c.Text
		if c.Todo != "" {
			text += "; " + c.Todo
		}
		a.printf("%s %-*s%s\n", paint(fmt.Sprintf("%-8s", c.Health)), names+2, clip(c.Name, names), strings.TrimPrefix(wrap(plainText(text), indent, a.opts.Width), indent))
	}
}

// worst is an error if there is a problem: one of the files, if there is one of those.
func (d *doctor) worst() error {
	n, exit := 0, ExitEnvironment
	for _, c := range d.checks {
		if c.Health == broken {
			n++
			if c.exit == ExitInvalid {
				exit = ExitInvalid
			}
		}
	}
	if n == 0 {
		return nil
	}
	code := codeEnvironment
	if exit == ExitInvalid {
		code = codeInvalid
	}
	return &failure{exit: exit, code: code, err: errors.New(plural(n, "problem") + ", see above")}
}
