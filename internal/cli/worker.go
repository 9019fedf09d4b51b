package cli

import (
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/worker"
	"github.com/durasync/durasync/schema"
)

func (a *app) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "worker [DIR]",
		Short: "Run jobs: serve the connections of a directory",
		Long: `Run jobs: serve the connections of a directory, the current one by default,
until interrupted. The worker reads the environment variables that the
connections name, and follows the directory when it changes. Any number of
workers can run.

Connections whose connector does not start, such as one whose program is not the
one that is locked, are left out and tried again from time to time; the others
are served. Where programs of connectors are: durasync connector --help.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			log, err := a.logger(cmd, hclog.Info)
			if err != nil {
				return err
			}
			dir := dirArg(args)
			found := a.connectors(dir, log)
			config, diags := schema.Load(ctx, dir, schema.Options{Describe: found.Describe, Env: a.env.LookupEnv})
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := a.show(diags); err != nil && !worker.Usable(config, diags) {
				return err
			}
			t, err := a.dial(ctx, log)
			if err != nil {
				return err
			}
			defer t.Close()
			w, err := worker.Start(ctx, worker.Options{Client: t.Client, Namespace: t.namespace, Files: os.DirFS(dir), Env: a.env.LookupEnv, Connectors: found, Logger: log})
			if err != nil {
				return err
			}
			a.printf("serving %s (Temporal %s, namespace %s)\n", connectionsOf(w), t.address, t.namespace)
			<-ctx.Done()
			a.notef("stopping: steps in flight may end, for up to 30 seconds; interrupt again to stop at once\n")
			w.Stop()
			return nil
		},
	}
}

// connectionsOf names what a worker serves.
func connectionsOf(w *worker.Worker) string {
	if names := w.Connections(); len(names) > 0 {
		return strings.Join(names, ", ")
	}
	return "no connections"
}
