package deptest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDependenciesAreRecorded: a dependency is there for a reason, which is in docs/adr together with what it was weighed against.
func TestDependenciesAreRecorded(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("../../docs/adr/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no records: %v", err)
	}
	var records strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		records.Write(b)
	}
	version := regexp.MustCompile(`/v[0-9]+$`)
	direct := 0
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		direct++
		// Parts of OpenTelemetry are recorded together. Records leave out the host of most names.
		name := strings.TrimPrefix(version.ReplaceAllString(r.Path, ""), "github.com/")
		if strings.HasPrefix(name, "go.opentelemetry.io/") {
			name = "go.opentelemetry.io/otel"
		}
		if !recorded(records.String(), name) {
			t.Errorf("%s is in go.mod and in no record of docs/adr; write down what it is for and what it was weighed against", r.Path)
		}
	}
	if direct == 0 {
		t.Error("go.mod has no direct dependencies, as this test reads it")
	}
}

// recorded reports whether a module's name stands in the text as code.
func recorded(text, name string) bool {
	return regexp.MustCompile("`(?:github\\.com/)?" + regexp.QuoteMeta(name) + "(?:/v[0-9]+)?`").MatchString(text)
}
