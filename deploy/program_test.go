package deploy

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// TestImageBuildsFromItsContext copies what the build of the image gets to see, and lists what the program is made of there: nothing
// may be missing, and nothing of the embedded server be in it.
func TestImageBuildsFromItsContext(t *testing.T) {
	t.Parallel()
	ignored, err := os.Open("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	defer ignored.Close()
	patterns, err := ignorefile.ReadAll(ignored)
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	context := t.TempDir()
	err = filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel("..", path)
		if err != nil || name == "." {
			return err
		}
		if e.IsDir() && name == ".git" {
			return fs.SkipDir
		}
		out, err := matcher.MatchesOrParentMatches(name)
		if err != nil || out || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(context, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	tags := regexp.MustCompile(`go build .*-tags (\S+) .*(\./\S+)`).FindStringSubmatch(read(t, "../Dockerfile"))
	if tags == nil {
		t.Fatal("the Dockerfile builds nothing with tags")
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags[1], tags[2])
	list.Dir = context
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("the program cannot be built from what .dockerignore leaves: %v\n%s", err, out)
	}
	for name := range strings.Lines(string(out)) {
		if strings.HasPrefix(name, "go.temporal.io/server/") || strings.HasPrefix(name, "github.com/temporalio/ui-server/") {
			t.Errorf("the image's program contains %s", name)
		}
	}
	for _, name := range []string{".git", "deploy", "docs", "tools"} {
		if _, err := os.Stat(filepath.Join(context, name)); err == nil {
			t.Errorf("the build of the image gets %s, which is not in the program", name)
		}
	}
}

// TestProgramTakesTheCommands: each command line of durasync's in the unit and the guide has flags that there are.
func TestProgramTakesTheCommands(t *testing.T) {
	t.Parallel()
	find := map[string]*regexp.Regexp{
		"systemd/durasync-worker.service": regexp.MustCompile(`(?m)^ExecStart=\S*/durasync (.*)$`),
		"../docs/deploy.md":               regexp.MustCompile(`(?m)(?:^|run --rm |-- )durasync ([a-z][^|#\n]*)`),
	}
	h := &host{t: t}
	for file, commands := range find {
		lines := commands.FindAllStringSubmatch(read(t, file), -1)
		if len(lines) == 0 {
			t.Errorf("%s has no command of durasync's", file)
		}
		for _, line := range lines {
			c := container{name: file, args: append(strings.Fields(strings.TrimRight(line[1], "\\ ")), "--help")}
			if code, _, stderr := h.run(c, nil); code != 0 {
				t.Errorf("%s has durasync %s, which the program does not take:\n%s", file, line[1], stderr)
			}
		}
	}
}
