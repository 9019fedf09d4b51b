package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/worker"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
)

var _ worker.Connectors = (*connectors)(nil)

// connectorPath is the variable with further directories in which connectors' programs are looked for.
const connectorPath = "DURASYNC_CONNECTOR_PATH"

// connectors finds the programs of connectors and asks them what they offer, each once. It is a [worker.Connectors].
//
// A program durasync-connector-NAME in the job directory's .durasync/connectors comes first, then one in a directory of
// DURASYNC_CONNECTOR_PATH, then the connector that is built in, then a program beside the running one.
type connectors struct {
	builtin []string
	before  []string // directories that are looked into before the built-in connectors
	after   []string
	log     hclog.Logger

	mu        sync.Mutex
	described map[string]*description
}

// description is a connector's description, asked for until there is one. The mutex is held while the connector is asked.
type description struct {
	mu  sync.Mutex
	res *plugin.DescribeResponse
}

// connectors returns the connectors that jobs in dir can use; dir is empty if there is none.
func (a *app) connectors(dir string, log hclog.Logger) *connectors {
	c := &connectors{builtin: slices.Sorted(maps.Keys(a.program.Connectors)), log: log, described: map[string]*description{}}
	if dir != "" {
		c.before = append(c.before, filepath.Join(dir, ".durasync", "connectors"))
	}
	for _, d := range filepath.SplitList(a.env.get(connectorPath)) {
		if d != "" {
			c.before = append(c.before, d)
		}
	}
	if self, err := host.Self(); err == nil {
		c.after = append(c.after, filepath.Dir(self.Path))
	}
	return c
}

// Command returns how to start the connector of the name.
func (c *connectors) Command(name string) (host.Command, error) {
	cmd, err := find(name, c.before)
	if !isMissing(err) {
		return cmd, err
	}
	if slices.Contains(c.builtin, name) {
		return host.Self("connector", "serve", name)
	}
	cmd, err = find(name, c.after)
	if isMissing(err) {
		_, err = host.Find(name, slices.Concat(c.before, c.after))
		return host.Command{}, fmt.Errorf("%w%s", err, didYouMean(name, c.builtin))
	}
	return cmd, err
}

func find(name string, dirs []string) (host.Command, error) {
	cmd, err := host.Find(name, dirs)
	if err != nil {
		return host.Command{}, err
	}
	// A relative path would be looked up from wherever the process is started.
	cmd.Path, err = filepath.Abs(cmd.Path)
	return cmd, err
}

func isMissing(err error) bool {
	launch, ok := errors.AsType[*host.LaunchError](err)
	return ok && launch.Reason == host.Missing
}

// Describe returns what the connector of the name offers.
func (c *connectors) Describe(ctx context.Context, name string) (*plugin.DescribeResponse, error) {
	c.mu.Lock()
	d := c.described[name]
	if d == nil {
		d = &description{}
		c.described[name] = d
	}
	c.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.res != nil {
		return d.res, nil
	}
	cmd, err := c.Command(name)
	if err != nil {
		return nil, err
	}
	res, err := host.Describe(ctx, cmd, c.log)
	if err != nil {
		return nil, err
	}
	if res.Name != name {
		return nil, fmt.Errorf("%s is the connector %q and not %q; rename the program or the connection", cmd.Path, res.Name, name)
	}
	d.res = res
	return res, nil
}

// connectorCommand is what this program starts itself with to serve a built-in connector.
func (a *app) connectorCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "connector", Short: "Built-in connectors", Hidden: true, Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error {
		return cmd.Help()
	}}
	cmd.AddCommand(&cobra.Command{
		Use:                "serve NAME",
		Short:              "Serve a built-in connector to the program that started this one",
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
	})
	return cmd
}
