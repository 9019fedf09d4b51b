package host

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// binaryPrefix begins the file name of every connector's program.
const binaryPrefix = "durasync-connector-"

// Command says how to start a connector's program.
//
// The process's environment is what go-plugin and package plugin themselves need, and of the host's own:
//
//   - PATH, for programs that are scripts or start others,
//   - TMPDIR (TMP, TEMP), where temporary files go,
//   - TZ, for log lines and for connectors to systems with local times,
//   - SSL_CERT_FILE and SSL_CERT_DIR, whom to trust,
//   - HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, also in lower case, how to get out,
//   - SYSTEMROOT, without which Windows programs have no network.
//
// Nothing else of the host's environment can be seen by a connector: neither secrets, which come with Configure, nor HOME, where
// other programs keep theirs, nor GOMEMLIMIT and the like, which measure the host.
type Command struct {
	// Path is the program's file. It is not looked up in PATH; see [Find].
	Path string

	// Args are the program's arguments. Programs of package plugin serve when there are none.
	Args []string

	// SHA256 is the checksum that the program's file must have, in hex; empty for any. With a checksum a private copy of the file
	// is started, in the directory for temporary files, so the program must not look for other files next to its own.
	SHA256 string

	// Env holds further variables of the form NAME=value, such as GOMEMLIMIT=200MiB. They come after the others and replace
	// them.
	Env []string
}

func (c Command) equal(o Command) bool {
	return c.Path == o.Path && c.SHA256 == o.SHA256 && slices.Equal(c.Args, o.Args) && slices.Equal(c.Env, o.Env)
}

func (c Command) String() string { return strings.Join(append([]string{c.Path}, c.Args...), " ") }

// Self is the command that starts the running program once more, with the given arguments. A program with built-in connectors
// gives them a sub-command, of which [plugin.Serve] is the whole body.
func Self(args ...string) (Command, error) {
	path, err := os.Executable()
	if err != nil {
		return Command{}, fmt.Errorf("the running program's own file cannot be found: %w", err)
	}
	return Command{Path: path, Args: args}, nil
}

var connectorName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// FileName returns the name of the file of a connector's program: durasync-connector-<name>, on Windows with .exe after it.
func FileName(name string) string {
	if runtime.GOOS == "windows" {
		return binaryPrefix + name + ".exe"
	}
	return binaryPrefix + name
}

// NameOf returns the name of the connector whose program is called like the file, for any system; false if none is.
func NameOf(file string) (name string, ok bool) {
	name, ok = strings.CutPrefix(strings.TrimSuffix(file, ".exe"), binaryPrefix)
	return name, ok && connectorName.MatchString(name)
}

// Find looks for the program durasync-connector-<name> in the directories, in their order; the first one counts. The error is a
// [*LaunchError] if there is none or if it cannot be run.
func Find(name string, dirs []string) (Command, error) {
	if !connectorName.MatchString(name) {
		return Command{}, fmt.Errorf("%q is no connector's name: a name has lower-case letters, digits and underscores", name)
	}
	file := FileName(name)
	for _, dir := range dirs {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		return Command{Path: path}, checkFile(path)
	}
	if len(dirs) == 0 {
		return Command{}, &LaunchError{Reason: Missing, Path: file, problem: "no directory is given to look for it"}
	}
	return Command{}, &LaunchError{
		Reason: Missing, Path: file,
		problem: fmt.Sprintf("no such file in %s; put the connector's program there", strings.Join(dirs, ", ")),
	}
}

// checkFile says why the file at the path cannot be run, as far as that can be told without running it.
func checkFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return &LaunchError{Reason: Missing, Path: path, problem: "there is no such file; install the connector or correct the path", err: err}
	case err != nil:
		return &LaunchError{Reason: NotExecutable, Path: path, problem: fmt.Sprintf("it cannot be read: %v", err), err: err}
	case info.IsDir():
		return &LaunchError{Reason: NotExecutable, Path: path, problem: "it is a directory; give the path of the program in it"}
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0:
		return &LaunchError{Reason: NotExecutable, Path: path, problem: "it is not executable; run chmod +x on it"}
	}
	return nil
}
