package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/internal/lock"
	"github.com/durasync/durasync/internal/worker"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
)

var _ worker.Connectors = (*connectors)(nil)

const (
	// connectorPath is the variable with the directories of connectors that are being developed.
	connectorPath = "DURASYNC_CONNECTOR_PATH"

	// connectorMemory is the variable with the memory that each process of a connector should make do with, in the words of Go's
	// GOMEMLIMIT.
	connectorMemory        = "DURASYNC_CONNECTOR_MEMORY"
	defaultConnectorMemory = "512MiB"
)

// origin says where a connector's program comes from.
type origin string

// The origins, in the order in which they are looked into.
const (
	fromPath    origin = "development" // a directory of DURASYNC_CONNECTOR_PATH: it is not checked
	fromJobs    origin = "installed"   // the job directory's .durasync/connectors: it must be in the lock file
	fromProgram origin = "built-in"    // this program itself
	fromBeside  origin = "beside"      // the directory of this program: it is checked if it is in the lock file
)

// connectors finds the programs of connectors, checks them against the lock file of the job directory, and asks them what they offer,
// each once. It is a [worker.Connectors].
type connectors struct {
	dir     string // the job directory; empty if there is none
	builtin []string
	places  map[origin][]string // the directories of each
	memory  string
	log     hclog.Logger

	mu        sync.Mutex
	described map[string]*description
}

// description is the description of the connector that a command starts, asked for until there is one. The mutex is held while the
// connector is asked.
type description struct {
	mu  sync.Mutex
	of  string // the command
	res *plugin.DescribeResponse
}

// connectors returns the connectors that jobs in dir can use; dir is empty if there is none.
func (a *app) connectors(dir string, log hclog.Logger) *connectors {
	c := &connectors{
		dir: dir, builtin: slices.Sorted(maps.Keys(a.program.Connectors)), log: log, places: map[origin][]string{},
		memory: cmp.Or(a.env.get(connectorMemory), defaultConnectorMemory), described: map[string]*description{},
	}
	for _, d := range filepath.SplitList(a.env.get(connectorPath)) {
		if d != "" {
			c.places[fromPath] = append(c.places[fromPath], d)
		}
	}
	if dir != "" {
		c.places[fromJobs] = []string{installDir(dir)}
	}
	if self, err := host.Self(); err == nil {
		c.places[fromBeside] = []string{filepath.Dir(self.Path)}
	}
	return c
}

// installDir is where the connectors of a job directory are installed.
func installDir(dir string) string { return filepath.Join(dir, ".durasync", "connectors") }

// Command returns how to start the connector of the name.
func (c *connectors) Command(name string) (host.Command, error) {
	found, err := c.find(name)
	return found.cmd, err
}

// foundConnector is the program of a connector.
type foundConnector struct {
	cmd    host.Command
	from   origin
	locked *lock.Connector // what the lock file says of it; nil if that is nothing
}

// find finds the program of a connector. Where it is found is said even if it must not be run.
func (c *connectors) find(name string) (foundConnector, error) {
	entries, err := c.lock()
	if err != nil {
		return foundConnector{}, err
	}
	var f foundConnector
	if entry, ok := entries[name]; ok {
		f.locked = &entry
	}
	for _, f.from = range []origin{fromPath, fromJobs, fromProgram, fromBeside} {
		if f.from == fromProgram {
			if f.locked != nil || !slices.Contains(c.builtin, name) {
				continue // the lock file wants another program than this one
			}
			f.cmd, err = host.Self("connector", "serve", name)
		} else {
			f.cmd, err = host.Find(name, c.places[f.from])
		}
		if isMissing(err) {
			continue
		}
		if err == nil {
			err = c.check(&f)
		}
		return f, err
	}
	return foundConnector{locked: f.locked}, c.missing(name, f.locked != nil)
}

// lock reads the lock file of the job directory.
func (c *connectors) lock() (lock.Connectors, error) {
	if c.dir == "" {
		return nil, nil
	}
	entries, err := lock.Read(c.dir)
	if err != nil {
		return nil, environmentError("%w", err)
	}
	return entries, nil
}

// check completes the command with the checksum that the program must have, or says why it must not be run.
func (c *connectors) check(f *foundConnector) (err error) {
	// A relative path would be looked up from wherever the process is started.
	if f.cmd.Path, err = filepath.Abs(f.cmd.Path); err != nil {
		return err
	}
	if !memoryLimit.MatchString(c.memory) {
		return environmentError("%s is %q; give a number of bytes with KiB, MiB or GiB after it, or off", connectorMemory, c.memory)
	}
	f.cmd.Env = []string{"GOMEMLIMIT=" + c.memory}
	switch {
	case f.from == fromPath:
	case f.locked != nil:
		if f.cmd.SHA256, err = f.locked.Checksum(); err != nil {
			return environmentError("connector %s: %w", f.cmd.Path, err)
		}
	case f.from == fromJobs:
		return environmentError("connector %s: it is not in %s, so it is not run; lock it with durasync connector install %[1]s",
			f.cmd.Path, filepath.Join(c.dir, lock.FileName))
	}
	return nil
}

var memoryLimit = regexp.MustCompile(`^([0-9]+(([KMGT]i)?B)?|off)$`)

// missing says that a connector's program is in none of the places.
func (c *connectors) missing(name string, locked bool) error {
	_, err := host.Find(name, slices.Concat(c.places[fromPath], c.places[fromJobs], c.places[fromBeside]))
	if locked {
		return fmt.Errorf("%w, with durasync connector install: %s names it", err, filepath.Join(c.dir, lock.FileName))
	}
	return fmt.Errorf("%w%s", err, didYouMean(name, c.builtin))
}

func isMissing(err error) bool {
	launch, ok := errors.AsType[*host.LaunchError](err)
	return ok && launch.Reason == host.Missing
}

// Describe returns what the connector of the name offers.
func (c *connectors) Describe(ctx context.Context, name string) (*plugin.DescribeResponse, error) {
	found, err := c.find(name)
	if err != nil {
		return nil, err
	}
	cmd := found.cmd
	c.mu.Lock()
	d := c.described[name]
	if d == nil {
		d = &description{}
		c.described[name] = d
	}
	c.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if of := cmd.String() + cmd.SHA256; d.of != of {
		d.of, d.res = of, nil
	}
	if d.res != nil {
		return d.res, nil
	}
	if found.from == fromPath {
		c.log.Warn("the connector is not checked against the lock file, because "+connectorPath+" names its directory", "path", cmd.Path)
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
