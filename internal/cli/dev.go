package cli

import (
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/command"
	"github.com/durasync/durasync/internal/worker"
)

func (a *app) devCommand() *cobra.Command {
	var flags serverFlags
	cmd := a.reports(&cobra.Command{
		Use:   "dev [DIR]",
		Short: "Run the jobs of a directory on this machine",
		Long: `Run the jobs of a directory, the current one by default, on this machine: an
embedded Temporal server with its web UI, a worker, and the jobs applied. Runs
until interrupted; what was done is kept in a file and goes on at the next
start.

With --json, prints one JSON value when everything is ready.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.dev(cmd, dirArg(args), flags) },
	})
	flags.register(cmd)
	flags.registerDB(cmd, "SQLite file that keeps Temporal's data; by default in\nthe state directory ($XDG_STATE_HOME/durasync)")
	return cmd
}

func (a *app) dev(cmd *cobra.Command, dir string, flags serverFlags) error {
	ctx := cmd.Context()
	log, err := a.logger(cmd, hclog.Warn)
	if err != nil {
		return err
	}
	found := a.connectors(dir, log)
	config, err := a.load(ctx, dir, found, a.env.LookupEnv)
	if err != nil {
		return err
	}
	if len(config.Jobs) == 0 {
		return noJobs(dir)
	}
	if flags.db == "" {
		if flags.db, err = a.stateFile("dev.db"); err != nil {
			return err
		}
	}
	server, err := a.startServer(ctx, flags, log)
	if err != nil {
		return err
	}
	defer server.stop()
	t, err := server.dial(ctx, log)
	if err != nil {
		return err
	}
	defer t.Close()
	w, err := worker.Start(ctx, worker.Options{Client: t.Client, Namespace: t.namespace, Files: os.DirFS(dir), Env: a.env.LookupEnv, Exec: command.Output, Connectors: found, Logger: log})
	if err != nil {
		return err
	}
	defer w.Stop()
	applied, err := t.apply(ctx, config.Jobs)
	if err != nil {
		return err
	}
	if a.json {
		a.writeJSON(map[string]any{
			"address": server.Address, "namespace": server.Namespace, "ui": server.UIURL, "db": flags.db,
			"jobs": applied.Jobs, "others": applied.Others, "connections": w.Connections(),
		})
	} else {
		a.printf("Temporal      %s, data in %s\nWeb UI        %s\nConnections   %s\n\n", server.Address, flags.db, server.UIURL, connectionsOf(w))
		a.showApplied(applied)
		command := "durasync sync JOB"
		if server.Address != defaultAddress {
			command = "TEMPORAL_ADDRESS=" + server.Address + " " + command
		}
		a.printf("\nTo run a job now: %s\nPress Ctrl-C to stop.\n", command)
	}
	<-ctx.Done()
	if !a.json {
		a.notef("stopping: steps in flight may end; interrupt again to stop at once\n")
	}
	return nil
}
