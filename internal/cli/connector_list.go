package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
)

func (a *app) connectorListCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "list [DIR]",
		Short: "List the connectors that jobs of a directory can use",
		Long: `List the connectors that jobs of a directory, the current one by default, can
use: where the program is from, whether the lock file has it, and what it
offers. One that cannot be used is listed with the reason.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := a.usableConnectors(cmd, dirArg(args))
			if err != nil {
				return err
			}
			if a.json {
				a.writeJSON(list)
				return nil
			}
			list.show(a)
			return nil
		},
	})
}

func (a *app) connectorVerifyCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "verify [DIR]",
		Short: "Check the connectors of a directory against its lock file",
		Long: `Check the connectors that jobs of a directory, the current one by default, can
use: that each that is installed is in the lock file and has the checksum that
stands there, that each in the lock file is installed, and that they start, with
the version that is locked. Checksums are also checked whenever one is started.

Exits 0 if all are well, 3 if not.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := a.usableConnectors(cmd, dirArg(args))
			if err != nil {
				return err
			}
			d := list.checks(a)
			if a.json {
				a.writeJSON(list)
				return quietly(d.worst())
			}
			d.show()
			return d.worst()
		},
	})
}

// locking says what the lock file has to do with a connector.
type locking string

// How a connector can be locked.
const (
	isLocked  locking = "locked"
	notLocked locking = "not locked"
	noLock    locking = "none needed"
)

// usableConnector is a connector that jobs can use, or could if it were not for the error.
type usableConnector struct {
	Name    string   `json:"name"`
	Version string   `json:"version,omitempty"`
	From    origin   `json:"from,omitempty"` // left out if there is no program
	Path    string   `json:"path,omitempty"` // the program's
	Lock    locking  `json:"lock"`
	Streams []string `json:"streams,omitempty"`
	Objects []string `json:"objects,omitempty"`

	// Error says why the connector cannot be used; empty if it can.
	Error string `json:"error,omitempty"`
}

// connectorList is what is printed with --json.
type connectorList struct {
	Valid      bool              `json:"valid"` // all can be used
	Connectors []usableConnector `json:"connectors"`
}

// usableConnectors starts the connectors that jobs in dir can use, all at once.
func (a *app) usableConnectors(cmd *cobra.Command, dir string) (*connectorList, error) {
	log, err := a.logger(cmd, hclog.Off)
	if err != nil {
		return nil, err
	}
	c := a.connectors(dir, log)
	names, err := c.names()
	if err != nil {
		return nil, err
	}
	list := &connectorList{Valid: true, Connectors: make([]usableConnector, len(names))}
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { list.Connectors[i] = c.examine(cmd.Context(), name) })
	}
	wg.Wait()
	for i := range list.Connectors {
		list.Valid = list.Valid && list.Connectors[i].Error == ""
	}
	return list, cmd.Context().Err()
}

// names are the names of all connectors that there are or should be, sorted.
func (c *connectors) names() ([]string, error) {
	entries, err := c.lock()
	if err != nil {
		return nil, err
	}
	names := slices.Concat(c.builtin, slices.Collect(maps.Keys(entries)))
	for _, dirs := range c.places {
		for _, dir := range dirs {
			files, err := os.ReadDir(dir)
			if err != nil && !os.IsNotExist(err) {
				return nil, environmentError("%w", err)
			}
			for _, f := range files {
				if name, ok := host.NameOf(f.Name()); ok {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// examine says what there is of a connector.
func (c *connectors) examine(ctx context.Context, name string) usableConnector {
	found, err := c.find(name)
	u := usableConnector{Name: name, From: found.from, Path: found.cmd.Path, Lock: noLock}
	switch {
	case found.from == fromPath:
	case found.locked != nil:
		u.Lock, u.Version = isLocked, found.locked.Version
	case found.from == fromJobs:
		u.Lock = notLocked
	}
	var res *plugin.DescribeResponse
	if err == nil {
		res, err = c.Describe(ctx, name)
	}
	if err == nil && u.Lock == isLocked && res.Version != u.Version {
		err = fmt.Errorf("the program says that it has version %s, the lock file says %s; run durasync connector install %s",
			res.Version, u.Version, u.Path)
	}
	if err != nil {
		u.Error = err.Error()
		return u
	}
	u.Version = res.Version
	for _, s := range res.Streams {
		u.Streams = append(u.Streams, s.Name)
	}
	for _, o := range res.Objects {
		u.Objects = append(u.Objects, o.Name)
	}
	return u
}

// show prints a table, and below it why some cannot be used.
func (l *connectorList) show(a *app) {
	s := a.outStyle()
	rows := make([][]string, len(l.Connectors))
	for i, c := range l.Connectors {
		offers := strings.Join(slices.Concat(c.Streams, c.Objects), ", ")
		if c.Error != "" {
			offers = "cannot be used, see below"
		}
		rows[i] = []string{c.Name, dash(c.Version), dash(string(c.From)), string(c.Lock), offers}
	}
	head, narrow := []string{"NAME", "VERSION", "FROM", "LOCK", "OFFERS"}, []bool{true, true, false, false, true}
	a.table(head, narrow, rows, func(row, column int, text string) string {
		switch {
		case column == 0:
			return s.bold(text)
		case column == 4 && l.Connectors[row].Error != "":
			return s.red(text)
		}
		return text
	})
	for _, c := range l.Connectors {
		if c.Error != "" {
			a.printf("\n%s\n%s\n", s.bold(plainText(c.Name)), wrap(plainText(c.Error), "    ", a.opts.Width))
		}
	}
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// checks are the connectors as the doctor reports them.
func (l *connectorList) checks(a *app) *doctor {
	d := &doctor{app: a}
	for _, c := range l.Connectors {
		name := "connector " + c.Name
		switch {
		case c.Error != "":
			d.problem(name, ExitEnvironment, c.Error, "")
		case c.From == fromPath:
			d.warn(name, c.Path+" is for development and not checked", "unset "+connectorPath+" where jobs run")
		case c.Lock == isLocked:
			d.ok(name, "version %s, %s, as locked", c.Version, c.From)
		default:
			d.ok(name, "version %s, %s", c.Version, c.From)
		}
	}
	return d
}
