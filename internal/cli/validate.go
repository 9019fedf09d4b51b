package cli

import (
	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/schema"
)

func (a *app) validateCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check the job files of a directory",
		Long: `Check the job files of a directory, the current one by default: everything that
can be known before a run. Needs no Temporal and no secrets.

With --json, prints diagnostics in the form of Terraform's validate -json.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			dir := dirArg(args)
			config, diags := schema.Load(cmd.Context(), dir, schema.Options{Describe: a.connectors(dir, log).Describe})
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if a.json {
				if err := diags.WriteJSON(a.opts.Stdout); err != nil {
					return err
				}
				if err := diags.Err(); err != nil {
					return reported(classify(err))
				}
				return nil
			}
			if err := a.show(diags); err != nil {
				return err
			}
			if len(config.Jobs) == 0 {
				return noJobs(dir)
			}
			a.printf("%s is valid: %s, %s\n", dir, plural(len(config.Jobs), "job"), plural(len(config.Connections), "connection"))
			return nil
		},
	})
}
