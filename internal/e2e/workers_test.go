package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// without returns an environment less some variables.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(names, name)
	})
}

// TestWorkersServeChosenConnections runs a job with two workers, each of which has the secrets of one side only. Before the second one
// is there, everybody is told what is missing.
func TestWorkersServeChosenConnections(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	id := s.meeting("acme", nil)
	gong := start(t, without(s.env, "TOTANGO_APP_TOKEN"), "worker", s.dir, "--connections", "gong.*")
	if line := gong.line("serving"); strings.Contains(line, "totango") {
		t.Errorf("the worker of Gong says: %s", line)
	}
	s.ok("apply", s.dir)
	if out := s.ok("status"); !strings.Contains(out, "none serves totango.success") || strings.Contains(out, "none serves gong.acme") {
		t.Errorf("status says:\n%s", out)
	}
	if r := s.run("doctor", s.dir); r.code != 3 || !strings.Contains(r.stdout, "none serves totango.success") {
		t.Errorf("doctor: exit code %d\n%s", r.code, r.stdout)
	}
	totango := start(t, without(s.env, "GONG_ACCESS_KEY", "GONG_ACCESS_KEY_SECRET"), "worker", s.dir, "--connections", "totango.success")
	totango.line("totango.success")
	s.sync("meetings")
	s.once(id)
	if out := s.ok("status"); strings.Contains(out, "none serves") {
		t.Errorf("with both workers, status says:\n%s", out)
	}

	for _, tc := range []struct{ pattern, want string }{
		{"gong.acne", "no connection of the job directory is called gong.acne"},
		{"[", "is not a pattern that can be matched"},
	} {
		if r := s.run("worker", s.dir, "--connections", tc.pattern); r.code == 0 || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("--connections %s: exit code %d, %s", tc.pattern, r.code, r.stderr)
		}
	}
}

// TestBatchesNeedOneWorkerForBothConnections runs a job that copies with workers that do not serve both of its sides, and then with one
// that does.
func TestBatchesNeedOneWorkerForBothConnections(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl")
	s.env = append(s.env, "IN="+in, "OUT="+out)
	s.write("jobs.hcl", `
connection "file" "in" {
  path = env("IN")
}
connection "file" "out" {
  path = env("OUT")
}
job "copy" {
  source {
    connection = connection.file.in
    stream     = "rows"
    initial    = "400d"
  }
  destination {
    connection = connection.file.out
    object     = "row"
  }
  map {
    values = row.values
  }
}
`)
	if err := os.WriteFile(in, []byte(`{"id":"1","time":"2026-11-01T09:00:00Z","note":"hello"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, s.env, "worker", s.dir, "--connections", "file.in").line("file.in")
	start(t, s.env, "worker", s.dir, "--connections", "file.out").line("file.out")
	s.ok("apply", s.dir)
	if text := s.ok("status"); !strings.Contains(text, "none serves file.in and file.out together") {
		t.Errorf("status says:\n%s", text)
	}
	if r := s.run("doctor", s.dir); r.code != 3 || !strings.Contains(r.stdout, "none serves file.in and file.out together") {
		t.Errorf("doctor: exit code %d\n%s", r.code, r.stdout)
	}
	start(t, s.env, "worker", s.dir, "--connections", "file.*").line("file.in, file.out")
	s.ok("sync", "copy")
	if b, err := os.ReadFile(out); err != nil || !strings.Contains(string(b), `"note":"hello"`) {
		t.Errorf("the file has %q, %v", b, err)
	}
}

// TestSecretsAreReadAgain rotates a secret that a command prints and one that stands in a file. No process is started again.
func TestSecretsAreReadAgain(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	dir := t.TempDir()
	secret := filepath.Join(dir, "token")
	write := func(text string) {
		if err := os.WriteFile(secret, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.env = append(s.env, "SECRET="+secret)
	write(token)
	s.write("jobs.hcl", strings.Replace(jobFiles, `env("TOTANGO_APP_TOKEN")`, `exec("cat", "`+secret+`")`, 1))
	s.worker()
	s.ok("apply", s.dir)
	first := s.meeting("acme", nil)
	s.sync("meetings")

	const fresh = "e2e-fresh-token"
	s.totango.SetTokens(fresh)
	write(fresh)
	second := s.meeting("bolt", nil)
	s.until("the worker uses the new token", func() bool { return s.run("sync", "meetings").code == 0 })
	s.once(first, second)

	// A vault that fails leaves the connection as it was.
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	s.write("more.hcl", "# a change, so that the worker looks at once\n")
	third := s.meeting("crux", nil)
	s.sync("meetings")
	s.once(first, second, third)

	// And a worker that is started then says what is wrong, and where.
	r := s.run("worker", s.dir)
	if r.code != 3 || !strings.Contains(r.stdout+r.stderr, "jobs.hcl:11") || !strings.Contains(r.stdout+r.stderr, "No secret from cat: exit status 1") {
		t.Errorf("a worker without the secret: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
