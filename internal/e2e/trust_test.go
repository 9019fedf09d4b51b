package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// notes is a job from the hostile connector, which is harmless here, into Totango.
const notes = `
connection "hostile" "good" {
  mode = ""
}
job "notes" {
  source {
    connection = connection.hostile.good
    stream     = "things"
    initial    = "1d"
  }
  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }
}
`

// A worker whose directory has a program that is not the one that is locked does not run it, serves everything else, and takes it up
// again when it is as it should be.
func TestChangedConnectorCostsItsOwnJobsOnly(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.write("jobs.hcl", jobFiles+notes)
	path := s.script(filepath.Join(s.dir, ".durasync", "connectors"), "hostile")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.ok("connector", "install", path, "--dir", s.dir)
	w := s.worker()
	s.ok("apply", s.dir)
	if sum := s.sync("notes"); sum.Counts.Listed != len(things) {
		t.Fatalf("the run listed %d things, want %d", sum.Counts.Listed, len(things))
	}
	if code := w.interrupt(); code != 0 {
		t.Fatalf("the worker ended with %d:\n%s", code, &w.stderr)
	}

	ran := filepath.Join(t.TempDir(), "ran")
	changed := strings.Replace(string(good), "\n", "\n>'"+ran+"'\n", 1)
	if err := os.WriteFile(path, []byte(changed), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	id := s.meeting("acme", nil)
	w = start(t, s.env, "worker", s.dir)
	if serving := w.line("serving "); !strings.Contains(serving, "gong.acme, totango.success") || strings.Contains(serving, "hostile") {
		t.Errorf("the worker says %q, want the connections without hostile.good", serving)
	}
	if !strings.Contains(w.stderr.String(), "its SHA-256") || !strings.Contains(w.stderr.String(), "hostile") {
		t.Errorf("the worker does not say what is wrong:\n%s", &w.stderr)
	}
	s.sync("meetings")
	s.once(id)
	if _, err := os.Stat(ran); err == nil {
		t.Error("the changed program was run")
	}

	s.ok("connector", "install", path, "--dir", s.dir) // it was changed on purpose
	s.until("the worker takes the connector up again", func() bool { return strings.Contains(w.stderr.String(), "the connections have changed") })
	if sum := s.sync("notes"); sum.Counts.Listed != len(things) {
		t.Errorf("the run listed %d things, want %d", sum.Counts.Listed, len(things))
	}
	if _, err := os.Stat(ran); err != nil {
		t.Errorf("the program that was installed was not run: %v", err)
	}
}
