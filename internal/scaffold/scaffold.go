// Package scaffold writes the beginning of a connector: a Go module that builds, passes the conformance kit against a simulator of its
// own, and imports no more of Durasync than package plugin and those below it.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

// Options say what to write.
type Options struct {
	// Name is the connector's name, as package plugin wants it.
	Name string

	// Source and Destination say what the connector is; at least one is set.
	Source, Destination bool

	// Module is the path of the module.
	Module string

	// Version is the version of Durasync that the module requires, such as v1.2.3.
	Version string

	// Replace is the directory of Durasync's source, to build from instead of the version; empty for none.
	Replace string
}

// Title is the connector's name as a person writes it.
func (o Options) Title() string {
	words := strings.ReplaceAll(o.Name, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// Host is the connector's name as a part of a host's name.
func (o Options) Host() string { return strings.Trim(strings.ReplaceAll(o.Name, "_", "-"), "-") }

// Port is where the simulator listens.
func (o Options) Port() int { return 8090 }

//go:embed templates
var templates embed.FS

// names are those of files that cannot be called so in this module.
var names = map[string]string{"gitignore": ".gitignore"}

// Files returns the module's files, by their slash-separated paths.
func Files(o Options) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(templates, "templates", func(from string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		to := strings.TrimSuffix(strings.TrimPrefix(from, "templates/"), ".tmpl")
		if name, ok := names[to]; ok {
			to = name
		}
		if !o.has(to) {
			return nil
		}
		t, err := template.ParseFS(templates, from)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, o); err != nil {
			return err
		}
		files[to] = text.Bytes()
		if path.Ext(to) == ".go" {
			// The name decides where columns are.
			files[to], err = format.Source(files[to])
		}
		return err
	})
	return files, err
}

// has reports whether a file is for a connector of this kind.
func (o Options) has(file string) bool {
	switch file {
	case "source.go", "simulator/meetings.go":
		return o.Source
	case "destination.go", "simulator/notes.go":
		return o.Destination
	default:
		return true
	}
}

// Write makes the directory with the module's files: all of them, or nothing. A directory that is there already must be empty.
func Write(dir string, o Options) (err error) {
	files, err := Files(o)
	if err != nil {
		return err
	}
	if err := vacant(dir); err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), ".unfinished-")
	if err != nil {
		return fmt.Errorf("%s cannot be made: %w", dir, errors.Unwrap(err))
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(unfinished) // the error that is there says more
		}
	}()
	for name, text := range files {
		to := filepath.Join(unfinished, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // source code
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil { //nolint:gosec // source code
			return err
		}
	}
	if err := os.Chmod(unfinished, 0o755); err != nil { //nolint:gosec // source code
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(unfinished, dir)
}

// vacant reports what is in the way of a directory.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s cannot be made: %w", dir, errors.Unwrap(err))
	case len(entries) > 0:
		return fmt.Errorf("%s is there already and is not empty; choose another name or directory", dir)
	}
	return nil
}
