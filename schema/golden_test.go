package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata")

// golden is the name of the part of a case that holds what is expected; all other parts are the directory's files.
const golden = "want"

// runCases loads each case of a folder and compares what produce makes of it with the case's golden part.
func runCases(t *testing.T, folder string, produce func(t *testing.T, files fstest.MapFS) []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in testdata/%s: %v", folder, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := fstest.MapFS{}
			var want []byte
			for _, f := range archive.Files {
				if f.Name == golden {
					want = f.Data
					continue
				}
				files[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			got := produce(t, files)
			if *update {
				archive.Files = append(archive.Files[:len(files):len(files)], txtar.File{Name: golden, Data: got})
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

func text(t *testing.T, d Diagnostics) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.WriteText(&b, false, 100); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestInvalid has one case for each kind of mistake. None of them may let a mistaken job through.
func TestInvalid(t *testing.T) {
	runCases(t, "invalid", func(t *testing.T, files fstest.MapFS) []byte {
		config, diags := LoadFS(t.Context(), files, options())
		if !diags.HasErrors() {
			t.Error("no errors")
		}
		got := text(t, diags)
		for _, j := range config.Jobs {
			got += "\nStill valid: job " + j.Job + "\n"
		}
		return []byte(got)
	})
}

// TestValid compares whole plans.
func TestValid(t *testing.T) {
	runCases(t, "valid", func(t *testing.T, files fstest.MapFS) []byte {
		config, diags := LoadFS(t.Context(), files, options())
		if diags.HasErrors() {
			t.Errorf("unexpected errors:\n%s", text(t, diags))
		}
		var b bytes.Buffer
		b.WriteString(text(t, diags))
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		for _, j := range config.Jobs {
			if err := enc.Encode(j); err != nil {
				t.Fatal(err)
			}
			if _, err := NewRenderer(j); err != nil {
				t.Errorf("NewRenderer: %v", err)
			}
		}
		return b.Bytes()
	})
}
