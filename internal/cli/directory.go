package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/command"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
)

// dirArg is the directory that a command's optional argument names.
func dirArg(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// load reads a job directory and shows what is wrong or doubtful in it. Secrets are read only if env is given.
func (a *app) load(ctx context.Context, dir string, c *connectors, env func(string) (string, bool)) (*schema.Config, error) {
	config, diags := schema.Load(ctx, dir, schema.Options{Describe: c.Describe, Env: env, Exec: command.Output})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return config, a.show(diags)
}

// jobFiles are the jobs of a directory that are valid, with an error if others are not.
type jobFiles struct {
	jobs []*plan.Plan
	err  error
}

// loadValid reads a job directory, shows what is wrong in it, and returns what is right. Without any valid job that is an error.
func (a *app) loadValid(ctx context.Context, dir string, c *connectors) (*jobFiles, error) {
	config, diags := schema.Load(ctx, dir, schema.Options{Describe: c.Describe, Configure: c.Configure})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(config.Jobs) == 0 || diags.Err() == nil {
		if err := a.show(diags); err != nil {
			return nil, err
		}
		if len(config.Jobs) == 0 {
			return nil, noJobs(dir)
		}
		return &jobFiles{jobs: config.Jobs}, nil
	}
	f := classify(diags.Err())
	if !a.json {
		_ = a.show(diags) // the error is made below
	}
	return &jobFiles{jobs: config.Jobs, err: &failure{exit: f.exit, code: f.code, err: partialError{diags}}}, nil
}

// partialError says that some of the jobs were left out.
type partialError struct{ diags schema.Diagnostics }

// Error implements error.
func (e partialError) Error() string {
	return counted(e.diags) + ": what has an error is left as it is, the other jobs are not held up"
}

func noJobs(dir string) error {
	return invalidError("the files in %s declare no job; write a job block, as in examples/gong-to-totango", dir)
}

// show writes diagnostics for people and returns an error if there is an error among them. With --json, warnings go unseen and
// errors are written as the command's result.
func (a *app) show(diags schema.Diagnostics) error {
	err := diags.Err()
	if a.json {
		if err == nil {
			return nil
		}
		f := classify(err)
		a.writeJSON(map[string]any{
			"error":       map[string]string{"message": f.Error(), "code": f.code},
			"diagnostics": diags,
		})
		return reported(f)
	}
	if len(diags) > 0 {
		if werr := diags.WriteText(a.opts.Stderr, a.errStyle().color, a.opts.Width); werr != nil {
			return fmt.Errorf("standard error: %w", werr)
		}
		a.notef("\n")
	}
	if err == nil {
		return nil
	}
	f := classify(err)
	f.err = fmt.Errorf("%s", counted(diags))
	return f
}

// counted says how many errors and warnings there are.
func counted(diags schema.Diagnostics) string {
	errs, warnings := 0, 0
	for _, d := range diags {
		if d.Severity == schema.SeverityError {
			errs++
		} else {
			warnings++
		}
	}
	if warnings == 0 {
		return plural(errs, "error") + ", see above"
	}
	return fmt.Sprintf("%s and %s, see above", plural(errs, "error"), plural(warnings, "warning"))
}

// loadJob returns a job of a directory. Mistakes in other jobs are shown and do not matter.
func (a *app) loadJob(ctx context.Context, dir, name string, c *connectors) (*plan.Plan, error) {
	files, err := a.loadValid(ctx, dir, c)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(files.jobs))
	for i, p := range files.jobs {
		if p.Job == name {
			return p, nil
		}
		names[i] = p.Job
	}
	if files.err != nil {
		return nil, files.err // it may be the one with the mistake
	}
	f := &failure{exit: ExitInvalid, code: codeUnknownJob}
	suggestion := didYouMean(name, names)
	if suggestion == "" {
		suggestion = ", only " + strings.Join(names, ", ")
	}
	f.err = fmt.Errorf("the files in %s declare no job %q%s", dir, name, suggestion)
	return nil, f
}

// completeFileJobs gives the shell the names of the jobs of a directory.
func (a *app) completeFileJobs(dir *string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		config, _ := schema.Load(cmd.Context(), *dir, schema.Options{Describe: a.connectors(*dir, hclog.NewNullLogger()).Describe})
		names := make([]string, len(config.Jobs))
		for i, p := range config.Jobs {
			names[i] = p.Job
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
