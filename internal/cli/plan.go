package cli

import (
	"errors"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
)

func (a *app) planCommand() *cobra.Command {
	var prune, exitCode bool
	cmd := a.reports(&cobra.Command{
		Use:   "plan [DIR]",
		Short: "Show what apply would change",
		Long: `Show how the jobs of a directory, the current one by default, differ from what
Temporal has, and when they run next. Changes nothing, and needs no secrets. A
worker has to run if Temporal has jobs.

The hash at the end stands for the whole difference: durasync apply --plan-hash
HASH does what was shown or nothing, so that a change can be reviewed first.

Exits 0 with and without changes, 2 if a file has a mistake or a job cannot be
applied (the other jobs are shown all the same), 3 without Temporal; with
--exit-code, 4 if there are changes.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			dir := dirArg(args)
			files, err := a.loadValid(ctx, dir, a.connectors(dir, log))
			if err != nil {
				return err
			}
			t, err := a.dial(ctx, log)
			if err != nil {
				return err
			}
			defer t.Close()
			set, err := t.changes(ctx, files.jobs, changeOptions{prune: prune, partial: files.err != nil})
			if err != nil {
				return err
			}
			err = joined(set.err(), files.err)
			if err == nil && exitCode && set.Changed {
				err = errChanges
			}
			return a.reportPlan(set, dir, prune, err)
		},
	})
	cmd.Flags().BoolVar(&prune, "prune", false, "also show the jobs that apply --prune would end")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 4 if there are changes")
	return cmd
}

// errChanges is the exit code of plan --exit-code.
var errChanges = reported(&failure{exit: ExitChanges, code: codeChanges, err: errors.New("there are changes")})

func (a *app) reportPlan(set *changeSet, dir string, prune bool, err error) error {
	if !a.json {
		a.showPlan(set, dir, prune)
		return err
	}
	set.fail(err)
	a.writeJSON(set)
	return quietly(err)
}
