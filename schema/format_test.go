package schema

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

func TestFormat(t *testing.T) {
	in := "job  \"x\"{\nsource {\nconnection=connection.gong.acme\n  stream   =\"calls\" # all\n}\n}\n"
	want := "job \"x\" {\n  source {\n    connection = connection.gong.acme\n    stream     = \"calls\" # all\n  }\n}\n"
	if diff := cmp.Diff(want, string(Format([]byte(in)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormatIsIdempotent(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if !strings.HasSuffix(f.Name, ".hcl") {
				continue
			}
			once := Format(f.Data)
			if diff := cmp.Diff(string(once), string(Format(once))); diff != "" {
				t.Errorf("%s %s (-once +twice):\n%s", path, f.Name, diff)
			}
		}
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"7d": 168 * time.Hour, "36h": 36 * time.Hour, "90m": 90 * time.Minute, "1d12h": 36 * time.Hour, "2w": 336 * time.Hour,
		"0s": 0, "1h30m15s": time.Hour + 30*time.Minute + 15*time.Second, "3650d": 3650 * 24 * time.Hour,
	} {
		got, err := ParseDuration(in)
		if err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", in, got, err, want)
		}
		if back, err := ParseDuration(formatDuration(got)); err != nil || back != got {
			t.Errorf("%q is written %q, which reads as %v, %v", in, formatDuration(got), back, err)
		}
	}
	for _, in := range []string{"", "7", "d", "1.5h", "-1d", "1d 12h", "1D", "1y", "3651d", "999999999w", "1d1d"} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v", in, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"title", "email", "started", "host_email", "id", "upper"}
	for in, want := range map[string]string{
		"titel": "title", "emial": "email", "Started": "started", "hostEmail": "host_email", "uppercase": "upper",
		"duration": "", "x": "", "ids": "id", "title": "",
	} {
		if got := suggest(in, known); got != want {
			t.Errorf("suggest(%q) = %q, want %q", in, got, want)
		}
	}
}
