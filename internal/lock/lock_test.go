package lock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var sums = []string{strings.Repeat("0a", 32), strings.Repeat("1b", 32), strings.Repeat("2c", 32)}

func add(t *testing.T, dir, version, platform, sum string) (dropped []string) {
	t.Helper()
	dropped, err := Add(dir, "crm", Connector{Version: version, Protocol: 1, SHA256: map[string]string{platform: sum}})
	if err != nil {
		t.Fatal(err)
	}
	return dropped
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	if got, err := Read(dir); err != nil || len(got) != 0 {
		t.Errorf("a directory without a lock file locks %v, %v; want nothing", got, err)
	}
	add(t, dir, "1.4.0", "linux_amd64", sums[0])
	add(t, dir, "1.4.0", "darwin_arm64", sums[1])
	text, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "version": 1,
  "connectors": {
    "crm": {
      "version": "1.4.0",
      "protocol": 1,
      "sha256": {
        "darwin_arm64": "` + sums[1] + `",
        "linux_amd64": "` + sums[0] + `"
      }
    }
  }
}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("beside the lock file there is more: %v, %v", files, err)
	}
}

func TestAnotherVersionDropsOtherPlatforms(t *testing.T) {
	dir := t.TempDir()
	add(t, dir, "1.4.0", "linux_amd64", sums[0])
	add(t, dir, "1.4.0", "darwin_arm64", sums[1])
	dropped := add(t, dir, "1.5.0", "linux_amd64", sums[2])
	if diff := cmp.Diff([]string{"darwin_arm64"}, dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Connectors{"crm": {Version: "1.5.0", Protocol: 1, SHA256: map[string]string{"linux_amd64": sums[2]}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("locked (-want +got):\n%s", diff)
	}
}

func TestChecksumIsOfThisPlatform(t *testing.T) {
	c := Connector{SHA256: map[string]string{Platform(): sums[0], "plan9_mips": sums[1]}}
	if got, err := c.Checksum(); err != nil || got != sums[0] {
		t.Errorf("Checksum = %s, %v; want %s", got, err, sums[0])
	}
	delete(c.SHA256, Platform())
	if _, err := c.Checksum(); err == nil || !strings.Contains(err.Error(), "plan9_mips and not for "+Platform()) {
		t.Errorf("error %v, want the platforms that are locked and this one", err)
	}
}

// A lock file that is not understood to the last word locks nothing wrongly: it is refused.
func TestMistakes(t *testing.T) {
	entry := func(text string) string { return `{"version": 1, "connectors": {"crm": {` + text + `}}}` }
	for name, tt := range map[string]struct{ text, say string }{
		"not JSON":         {`connector "crm" {}`, "not valid JSON"},
		"conflict":         {"<<<<<<< HEAD\n" + entry(``), "not valid JSON"},
		"empty":            {``, "not valid JSON"},
		"another form":     {`{"version": 2, "providers": []}`, "its form has version 2, this program knows version 1"},
		"unknown member":   {entry(`"sha265": {}`), `unknown field "sha265"`},
		"short checksum":   {entry(`"sha256": {"linux_amd64": "0a0b"}`), `"0a0b" is no SHA-256 checksum, for the connector crm on linux_amd64`},
		"other characters": {entry(`"sha256": {"linux_amd64": "` + strings.Repeat("xy", 32) + `"}`), "is no SHA-256 checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(dir)
			if err == nil || !strings.Contains(err.Error(), tt.say) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want the path and %q", err, tt.say)
			}
			if _, err := Add(dir, "crm", Connector{}); err == nil {
				t.Error("Add replaces a file that it does not understand")
			}
		})
	}
}
