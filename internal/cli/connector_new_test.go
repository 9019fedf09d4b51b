package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durasync/durasync/internal/scaffold"
)

// newConnector runs connector new in a directory of its own and returns the exit code and what it prints.
func newConnector(t *testing.T, args ...string) (int, string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var out strings.Builder
	exit := Run(t.Context(), program, Options{Args: append([]string{"connector", "new"}, args...), Stdout: &out, Stderr: &out})
	return exit, out.String()
}

func TestConnectorNewScreens(t *testing.T) {
	for name, args := range map[string][]string{
		"connector_new.txt":             {"helpdesk"},
		"connector_new_destination.txt": {"help_desk", "--destination"},
		"connector_new_both.txt":        {"help_desk", "--destination", "--source"},
	} {
		var out string
		t.Run(name, func(t *testing.T) { // at whose end this directory is the current one again
			var exit int
			if exit, out = newConnector(t, args...); exit != ExitDone {
				t.Errorf("exit code %d", exit)
			}
		})
		golden(t, name, out)
		narrowEnough(t, out)
	}
}

// A release requires itself; --replace builds from source, wherever the module is.
func TestConnectorNewRequiresItsOwnVersion(t *testing.T) {
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod := func(args ...string) string {
		if exit, out := newConnector(t, append([]string{"helpdesk"}, args...)...); exit != ExitDone {
			t.Fatalf("exit code %d: %s", exit, out)
		}
		text, err := os.ReadFile("durasync-connector-helpdesk/go.mod")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const require = "\nrequire github.com/durasync/durasync v1.2.3\n"
	if got := mod(); !strings.HasPrefix(got, "module example.com/durasync-connector-helpdesk\n") || !strings.HasSuffix(got, require) {
		t.Errorf("go.mod of a release is\n%s", got)
	}
	got := mod("--replace", source, "--module", "github.com/acme/helpdesk")
	if !strings.HasPrefix(got, "module github.com/acme/helpdesk\n") || !strings.Contains(got, require) ||
		!strings.Contains(got, "\nreplace github.com/durasync/durasync => \""+source+"\"\n") {
		t.Errorf("go.mod with --replace is\n%s", got)
	}
}

// A build that is no release, whatever it calls itself, is built from the source that it was built from.
func TestConnectorNewOfABuildThatIsNoRelease(t *testing.T) {
	for version, want := range map[string]string{"": "", "dev": "", "v1.3.0-5-g4a664ec": "", "v1.3.0": "v1.3.0", "1.3.0-rc.1": "v1.3.0-rc.1"} {
		a, _ := screen(Options{})
		a.program.Version = version
		o := scaffold.Options{Name: "helpdesk"}
		if err := a.completeScaffold(a.root(), &o); err != nil {
			t.Fatal(err)
		}
		if isSource := scaffold.IsSource(o.Replace); isSource != (want == "") || want != "" && o.Version != want {
			t.Errorf("version %q: requires %s, from source: %t", version, o.Version, isSource)
		}
	}
}

func TestConnectorNewMistakes(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		exit int
		says string
	}{
		"no name":               {nil, ExitInvalid, "new takes the name of the connector, but got 0 arguments"},
		"upper case":            {[]string{"HelpDesk"}, ExitInvalid, `"HelpDesk" is no name: a lower-case letter, then lower-case letters, digits and`},
		"a path":                {[]string{"../helpdesk"}, ExitInvalid, `"../helpdesk" is no name`},
		"a built-in":            {[]string{"gong"}, ExitInvalid, "gong is built into this program; choose another name"},
		"no module":             {[]string{"helpdesk", "--module", "a b"}, ExitInvalid, `--module "a b" is no path of a Go module`},
		"no source of Durasync": {[]string{"helpdesk", "--replace", "."}, ExitInvalid, "--replace . is not the directory of Durasync's source"},
	} {
		exit, out := newConnector(t, tc.args...)
		if exit != tc.exit || !strings.Contains(out, tc.says) {
			t.Errorf("%s: exit code %d, want %d, saying %q:\n%s", name, exit, tc.exit, tc.says, out)
		}
		wantFiles(t, name)
	}
}

// A directory that people have put something into stays as it is.
func TestConnectorNewOverwritesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	const dir = "durasync-connector-helpdesk"
	try := func(what string, want int, says string) {
		t.Helper()
		var out strings.Builder
		exit := Run(t.Context(), program, Options{Args: []string{"connector", "new", "helpdesk"}, Stdout: &out, Stderr: &out})
		if exit != want || !strings.Contains(out.String(), says) {
			t.Errorf("%s: exit code %d, want %d, saying %q:\n%s", what, exit, want, says, &out)
		}
	}
	if err := os.WriteFile(dir, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	try("a file in the way", ExitEnvironment, dir+" cannot be made: not a directory")
	wantFiles(t, "a file in the way", dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}

	if err := os.MkdirAll(filepath.Join(dir, "mine"), 0o700); err != nil {
		t.Fatal(err)
	}
	try("a directory in the way", ExitEnvironment, dir+" is there already and is not empty")
	wantFiles(t, "a directory in the way", dir, dir+"/mine")
	if err := os.Remove(filepath.Join(dir, "mine")); err != nil {
		t.Fatal(err)
	}
	try("an empty directory", ExitDone, "reads from a simulated Helpdesk")
}

// wantFiles checks what is in the current directory, two levels deep.
func wantFiles(t *testing.T, what string, want ...string) {
	t.Helper()
	var got []string
	for _, pattern := range []string{"*", ".*", "*/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, found...)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s: there are the files %q, want %q", what, got, want)
	}
}
