package cli

import (
	"context"
	"fmt"

	"github.com/durasync/durasync/schema"
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
	config, diags := schema.Load(ctx, dir, schema.Options{Describe: c.Describe, Env: env})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return config, a.show(diags)
}

// loadJobs is load for the commands that need a job.
func (a *app) loadJobs(ctx context.Context, dir string, c *connectors) (*schema.Config, error) {
	config, err := a.load(ctx, dir, c, nil)
	if err == nil && len(config.Jobs) == 0 {
		err = noJobs(dir)
	}
	return config, err
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
