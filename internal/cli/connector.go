package cli

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/durasync/durasync/plugin"
)

func (a *app) connectorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "connector",
		Short: "Begin, check, install and see connectors",
		Long: `Begin, check, install and see connectors. The program of the connector NAME is
the first of these:

  1. durasync-connector-NAME in a directory of $DURASYNC_CONNECTOR_PATH; that is
     for development, and not checked
  2. durasync-connector-NAME in DIR/.durasync/connectors, where install puts it;
     it must be in the lock file
  3. this program, if the connector is built in and not in the lock file
  4. durasync-connector-NAME beside this program; it is checked if it is in the
     lock file

The lock file, DIR/durasync.lock.json, has the version and the checksums of the
connectors of a job directory, and is meant to be committed with the job files.
A program is checked at every start: a private copy of it is made, and run if
its checksum is the one in the lock file.

Each process of a connector gets GOMEMLIMIT=512MiB, or what
$DURASYNC_CONNECTOR_MEMORY says.`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.connectorNewCommand(), a.connectorListCommand(), a.connectorDescribeCommand(), a.connectorInstallCommand(),
		a.connectorVerifyCommand(), a.connectorTestCommand(), a.connectorServeCommand())
	return cmd
}

// connectorServeCommand is what this program starts itself with to serve a built-in connector.
func (a *app) connectorServeCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "serve NAME",
		Short:              "Serve a built-in connector to the program that started this one",
		Hidden:             true,
		DisableFlagParsing: true, // what follows the name is the connector's
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, "connector serve needs the name of a built-in connector")
			}
			make := a.program.Connectors[args[0]]
			if make == nil {
				return usageError(cmd, "there is no built-in connector %q%s", args[0],
					didYouMean(args[0], slices.Sorted(maps.Keys(a.program.Connectors))))
			}
			plugin.Serve(make(), plugin.WithArgs(args[1:])) // does not return
			return nil
		},
	}
}
