package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/lock"
	"github.com/durasync/durasync/plugin/host"
)

func (a *app) connectorInstallCommand() *cobra.Command {
	var dir, platform string
	cmd := a.reports(&cobra.Command{
		Use:   "install PATH",
		Short: "Install the program of a connector and lock it",
		Long: `Install the program of a connector in a job directory and lock it: start it to
see which connector it is, copy it to DIR/.durasync/connectors, and write its
version and checksum to DIR/durasync.lock.json. A worker that serves the
directory takes it up by itself. This is also how a newer version is taken.

With --platform, the program is one for another platform, of the version that is
locked already: its checksum is added to the lock file, and that is all. So one
lock file serves the machines of all who use the directory.`,
		Args: exactArgs(1, "the path of a connector's program"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return invalidError("%s is no directory; give that of the job files", dir)
			}
			var done *installed
			switch {
			case platform == "" || platform == lock.Platform():
				done, err = install(cmd, dir, args[0], log)
			case !platformName.MatchString(platform):
				return usageError(cmd, "--platform %q is not of the form %s", platform, lock.Platform())
			default:
				done, err = lockOther(dir, args[0], platform)
			}
			if err != nil {
				return err
			}
			if a.json {
				a.writeJSON(done)
				return nil
			}
			done.show(a)
			return nil
		},
	})
	cmd.Flags().StringVar(&dir, "dir", ".", "directory with the job files")
	cmd.Flags().StringVar(&platform, "platform", "", "only lock a program for another `platform`,\nsuch as linux_amd64")
	return cmd
}

var platformName = regexp.MustCompile(`^[a-z0-9]+_[a-z0-9]+$`)

// installed is what is printed with --json.
type installed struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Protocol int    `json:"protocol"`       // the version of the connector protocol
	Path     string `json:"path,omitempty"` // where it is now; left out if it is only locked
	Platform string `json:"platform"`       // such as linux_amd64
	SHA256   string `json:"sha256"`

	// Dropped are the platforms whose checksums were of another version.
	Dropped []string `json:"dropped,omitempty"`
}

func (i *installed) show(a *app) {
	if i.Path != "" {
		a.printf("%s %s is installed as %s\n", a.outStyle().bold(i.Name), i.Version, i.Path)
	}
	a.printf("%s %s is locked for %s: SHA-256 %s\n", a.outStyle().bold(i.Name), i.Version, i.Platform, i.SHA256)
	if len(i.Dropped) > 0 {
		a.notef("hint: what was locked for %s was another version; add this one with --platform\n", strings.Join(i.Dropped, ", "))
	}
}

// install starts a program to see what it is, copies it into the directory and locks it. What is started, copied and locked are
// the same bytes, or it fails.
func install(cmd *cobra.Command, dir, path string, log hclog.Logger) (*installed, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	sum, err := copyHashed(io.Discard, path)
	if err != nil {
		return nil, environmentError("%w", err)
	}
	res, err := host.Describe(cmd.Context(), host.Command{Path: path, SHA256: sum}, log)
	if err != nil {
		return nil, err
	}
	to := filepath.Join(installDir(dir), host.FileName(res.Name))
	if err := copyProgram(to, path, sum); err != nil {
		return nil, environmentError("connector %s: it cannot be installed: %w", path, err)
	}
	done := &installed{
		Name: res.Name, Version: res.Version, Protocol: host.ProtocolVersion, Path: to, Platform: lock.Platform(), SHA256: sum,
	}
	return done.lock(dir)
}

// lockOther locks a program that cannot be started here. Its file must have the connector's name.
func lockOther(dir, path, platform string) (*installed, error) {
	name, ok := host.NameOf(filepath.Base(path))
	if !ok {
		return nil, invalidError("%s: a program for another platform must be called %s", path, host.FileName("NAME"))
	}
	entries, err := lock.Read(dir)
	if err != nil {
		return nil, environmentError("%w", err)
	}
	entry, ok := entries[name]
	if !ok {
		return nil, environmentError("the connector %s is not in %s; first install the program for this platform",
			name, filepath.Join(dir, lock.FileName))
	}
	sum, err := copyHashed(io.Discard, path)
	if err != nil {
		return nil, environmentError("%w", err)
	}
	done := &installed{Name: name, Version: entry.Version, Protocol: entry.Protocol, Platform: platform, SHA256: sum}
	return done.lock(dir)
}

// lock writes it to the lock file.
func (i *installed) lock(dir string) (*installed, error) {
	var err error
	i.Dropped, err = lock.Add(dir, i.Name, lock.Connector{
		Version: i.Version, Protocol: i.Protocol, SHA256: map[string]string{i.Platform: i.SHA256},
	})
	if err != nil {
		return nil, environmentError("%w", err)
	}
	return i, nil
}

// copyHashed copies a file and returns the checksum of what it has written.
func copyHashed(to io.Writer, path string) (sum string, err error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, hash), in)
	return hex.EncodeToString(hash.Sum(nil)), err
}

// copyProgram replaces the program at a path in one step, by one with the checksum.
func copyProgram(to, from, sum string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // a worker may be another user
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".installing-")
	if err != nil {
		return err
	}
	copied, err := copyHashed(f, from)
	if err == nil && copied != sum {
		err = errors.New("it changed at the same time; try again")
	}
	err = errors.Join(err, f.Chmod(0o755), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
