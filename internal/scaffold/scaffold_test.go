package scaffold_test

import (
	"bytes"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/durasync/durasync/internal/scaffold"
)

// kinds are the kinds of connectors, with a long name that is of several words.
func kinds() map[string]scaffold.Options {
	o := scaffold.Options{Name: "issues_of_acme", Module: "example.com/connector", Version: "v1.2.3"}
	source, destination, both := o, o, o
	source.Source, destination.Destination = true, true
	both.Source, both.Destination = true, true
	return map[string]scaffold.Options{"a source": source, "a destination": destination, "both": both}
}

// TestFilesAreAsAuthorsWantThem checks what a compiler does not: form, width, and that no more of Durasync is imported than an author
// should. That they compile and pass is checked from the outside, in package e2e.
func TestFilesAreAsAuthorsWantThem(t *testing.T) {
	allowed := []string{"plugin", "plugin/plugintest", "plugin/httpkit"}
	for kind, o := range kinds() {
		files, err := scaffold.Files(o)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if bytes.Contains(text, []byte("\n\n\n")) || !bytes.HasSuffix(text, []byte("\n")) {
				t.Errorf("%s: %s has empty lines in a row, or no end of line at its end", kind, name)
			}
			if filepath.Ext(name) != ".go" {
				continue
			}
			for line := range strings.Lines(string(text)) {
				if len(line) > 142 {
					t.Errorf("%s: %s has a line of %d bytes: %s", kind, name, len(line), line)
				}
			}
			if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
				t.Errorf("%s: %s is not as gofmt has it (%v)", kind, name, err)
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range file.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if ours, ok := strings.CutPrefix(path, "github.com/durasync/durasync/"); ok && !slices.Contains(allowed, ours) {
					t.Errorf("%s: %s imports %s", kind, name, path)
				}
			}
		}
	}
}

// TestModuleWantsTheGoOfThisOne compares the go lines of both go.mod files: a module cannot require one that is for a newer Go.
func TestModuleWantsTheGoOfThisOne(t *testing.T) {
	line := regexp.MustCompile(`(?m)^go .*$`)
	own, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	files, err := scaffold.Files(kinds()["a source"])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := line.Find(files["go.mod"]), line.Find(own); !bytes.Equal(got, want) {
		t.Errorf("the module's go.mod says %q, ours %q", got, want)
	}
}

// TestNothingIsLeftHalfWritten has the directory's place be a file, as it is where nobody may write.
func TestNothingIsLeftHalfWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{file, filepath.Join(dir, "missing")} {
		if err := scaffold.Write(filepath.Join(in, "connector"), kinds()["both"]); err == nil || !strings.Contains(err.Error(), "cannot be made") {
			t.Errorf("a connector in %s: error %v", in, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("there are %d files, want one (%v)", len(entries), err)
	}
}

func TestSourceIsThatOfThisProgram(t *testing.T) {
	want, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if got := scaffold.Source(); got != want {
		t.Errorf("Source() is %q, want %q", got, want)
	}
}
