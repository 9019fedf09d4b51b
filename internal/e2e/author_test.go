//go:build unix

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// author is somebody who writes a connector: a directory, the program on the PATH, and a shell that remembers where it is.
type author struct {
	*system
	state string // a script that brings a new shell to where the last one ended

	// moved are addresses of the guide, and what they are here, where everything listens at free ports.
	moved map[string]string
}

// newAuthor makes an author without a network.
func newAuthor(t *testing.T) *author {
	t.Helper()
	s := newSimulators(t, &gongtest.Server{}, totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1}))
	bin, err := filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir()
	if err := os.Symlink(bin, filepath.Join(path, "durasync")); err != nil {
		t.Fatal(err)
	}
	caches, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache := strings.Fields(string(caches))
	s.env = append(s.env, "PATH="+path+string(os.PathListSeparator)+os.Getenv("PATH"), "GOCACHE="+cache[0], "GOMODCACHE="+cache[1],
		"GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off", "DURASYNC_SOURCE="+source)
	a := &author{system: s, state: filepath.Join(t.TempDir(), "state"), moved: map[string]string{}}
	if err := os.WriteFile(a.state, []byte("cd '"+s.dir+"'"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.types("go telemetry off", false) // which a process of its own would write into the home directory after the test
	return a
}

// here returns a text of the guide with the addresses of this run.
func (a *author) here(text string) string {
	return address.ReplaceAllStringFunc(text, func(usual string) string {
		if here := a.moved[usual]; here != "" {
			return here
		}
		return usual
	})
}

// shell returns a shell that runs a script where the last one ended, and its output.
func (a *author) shell(ctx context.Context, script string) (*exec.Cmd, *lockedBuffer) {
	cmd, out := exec.CommandContext(ctx, "sh", "-euc", ". '"+a.state+"'\n"+a.here(script)), &lockedBuffer{}
	cmd.Env, cmd.Stdout, cmd.Stderr = a.env, out, out
	return cmd, out
}

// types runs a script to its end, which must be a failure or not, and returns what it prints.
func (a *author) types(script string, fails bool) string {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	cmd, out := a.shell(ctx, strings.ReplaceAll(script, "go mod tidy\n", offline)+"\n{ export -p; echo \"cd '$PWD'\"; } >'"+a.state+"'")
	if err := cmd.Run(); (err != nil) != fails {
		a.t.Fatalf("%s\nends with %v, want a failure: %t\n%s", script, err, fails, out)
	}
	return out.String()
}

// otherTerminal starts a script that runs until the end of the test, waits for a line, and returns what was printed until then.
func (a *author) otherTerminal(script, ready string) string {
	a.t.Helper()
	cmd, out := a.shell(context.Background(), script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run starts another process
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may be gone already
		_ = cmd.Wait()
		if a.t.Failed() {
			a.t.Logf("%s\nhas printed:\n%s", script, out)
		}
	})
	a.until(script+" prints "+ready, func() bool { return lineLike(out.String(), ready) != "" })
	return out.String()
}

var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// lineLike returns the first line that is like the one given, in which … stands for anything and an address for that of any port; empty if
// there is none.
func lineLike(text, like string) string {
	parts := address.Split(strings.TrimSpace(like), -1)
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(regexp.QuoteMeta(part), "…", ".*")
	}
	return strings.TrimSpace(regexp.MustCompile(`(?m)^[ \t]*` + strings.Join(parts, address.String()) + `[ \t]*$`).FindString(text))
}

// reads looks for the lines that the guide shows, in their order, in what was printed.
func (a *author) reads(script, printed string, shown []string) {
	a.t.Helper()
	rest := printed
	for _, like := range shown {
		line := lineLike(rest, like)
		if line == "" {
			a.t.Errorf("%s\ndoes not print, or not at this place, the line\n%s\nbut this:\n%s", script, like, printed)
			continue
		}
		_, rest, _ = strings.Cut(rest, line)
		here := address.FindAllString(line, -1)
		for i, usual := range address.FindAllString(like, -1) {
			a.moved[usual] = here[i]
		}
	}
}

// block is a script of a guide, and the lines that are shown of what it prints.
type block struct {
	script string
	other  bool // runs in another terminal, until the end
	shown  []string
}

var fence = regexp.MustCompile("(?s)\n```(\\S*)( other-terminal)?\n(.*?\n)```\n")

// blocks reads the scripts of a page. The first fence without a language after a script is what it prints.
func blocks(t testing.TB, path string) []block {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, m := range fence.FindAllStringSubmatch(string(page), -1) {
		language, other, text := m[1], m[2], m[3]
		if language == "sh" {
			all = append(all, block{script: text, other: other != ""})
		} else if last := len(all) - 1; language == "" && last >= 0 && all[last].shown == nil {
			all[last].shown = strings.Split(strings.TrimSpace(text), "\n")
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no scripts", path)
	}
	return all
}

// atFreePorts changes what would listen at ports that may be in use here.
var atFreePorts = strings.NewReplacer(
	"durasync dev ", "durasync dev --port 0 --ui-port 0 ",
	"./cmd/simulator -listen 127.0.0.1:8091", "./cmd/simulator -listen 127.0.0.1:0",
	"./cmd/simulator\n", "./cmd/simulator -listen 127.0.0.1:0\n",
)

// offline has a module require what this one requires, which is on this machine, where go mod tidy would look at more versions.
const offline = `sed -n '/^require (/,/^)/p' "$DURASYNC_SOURCE/go.mod" >>go.mod
cp "$DURASYNC_SOURCE/go.sum" .
`

// follow does what a page says. A script whose output is shown to begin with an error must fail.
func (a *author) follow(path string) {
	a.t.Helper()
	for _, b := range blocks(a.t, path) {
		if !b.other {
			a.reads(b.script, a.types(b.script, len(b.shown) > 0 && strings.HasPrefix(b.shown[0], "Error")), b.shown)
			continue
		}
		if len(b.shown) == 0 {
			a.t.Fatalf("it is not shown how one sees that this runs: %s", b.script)
		}
		a.reads(b.script, a.otherTerminal(atFreePorts.Replace(b.script), b.shown[len(b.shown)-1]), b.shown)
		a.settle()
	}
}

// settle tells those who look at a usual address where it is now.
func (a *author) settle() {
	a.t.Helper()
	if temporal := a.moved["127.0.0.1:7233"]; temporal != "" && a.address == "" {
		a.address = temporal
		a.env = append(a.env, "TEMPORAL_ADDRESS="+temporal)
	}
	files, err := filepath.Glob(filepath.Join(a.dir, "durasync-connector-*", "simulator.json"))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			a.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(a.here(string(text))), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
}

// TestGuideToConnectors does what the guide for authors says, looks at what is then in the destinations, and takes the guide's connector to
// Totango, with a job without a map block.
func TestGuideToConnectors(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.follow("../../docs/connectors/guide.md")

	titles := []string{"Contract", "Kick-off", "Training", "Weekly"}
	var rows []string
	file, err := os.ReadFile(filepath.Join(a.dir, "meetings.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		row := decode[struct {
			Title, Brief string
			Guests       []string
		}](t, line)
		if row.Brief == "" || !slices.Equal(row.Guests, []string{"hana@vendor.example", "pat@acme.example"}) {
			t.Errorf("a row of the file is %+v", row)
		}
		rows = append(rows, row.Title)
	}
	slices.Sort(rows)
	if diff := cmp.Diff(titles, rows); diff != "" {
		t.Errorf("titles in the file (-want +got):\n%s", diff)
	}

	again := a.summary(a.types("durasync sync notes --json 2>/dev/null", false))
	if again.Counts.Known != len(titles) || again.Counts.Created != 0 {
		t.Errorf("the second run says %+v", again.Counts)
	}
	var notes []string
	for _, n := range a.notes("http://" + a.moved["127.0.0.1:8091"]) {
		if n.Author != "hana@vendor.example" || !strings.Contains(n.Text, "They agreed on the scope.") {
			t.Errorf("a note is %+v", n)
		}
		notes = append(notes, n.Title)
	}
	slices.Sort(notes)
	if diff := cmp.Diff(titles, notes); diff != "" {
		t.Errorf("titles of the notes (-want +got):\n%s", diff)
	}

	a.customer("acme")
	a.write("jobs/totango.hcl", `
connection "totango" "success" {
  app_token           = env("TOTANGO_APP_TOKEN")
  base_url            = env("TOTANGO_BASE_URL")
  requests_per_minute = 0
}
job "touchpoints" {
  source {
    connection = connection.huddle.acme
    stream     = "meetings"
  }
  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }
}
`)
	a.ok("apply", filepath.Join(a.dir, "jobs"))
	a.sync("touchpoints")
	var subjects []string
	for _, p := range a.totango.Touchpoints() {
		subjects = append(subjects, p.Subject)
		if p.AccountID != "acme" || p.CreatedBy != "hana@vendor.example" || !strings.Contains(p.Content, "- Pat: send the contract") {
			t.Errorf("a touchpoint is %+v", p)
		}
	}
	slices.Sort(subjects)
	if diff := cmp.Diff(titles, subjects); diff != "" {
		t.Errorf("subjects of the touchpoints (-want +got):\n%s", diff)
	}
}

type writtenNote struct{ Reference, Title, Text, Author string }

// notes asks the guide's second simulator what was written.
func (a *author) notes(url string) []writtenNote {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, url+"/notes", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer simulator-token")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var all struct{ Notes []writtenNote }
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		a.t.Fatal(err)
	}
	return all.Notes
}

// TestConnectorThatReadsAndWrites begins one, and checks that nothing that it is built from is of Temporal's or of our own beyond the SDK.
func TestConnectorThatReadsAndWrites(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	a.types("durasync connector new help_desk --source --destination --module github.com/acme/help_desk", false)
	tested := a.types("cd durasync-connector-help_desk\ngo mod tidy\nmake test build", false)
	if lineLike(tested, "ok…github.com/acme/help_desk…") == "" {
		t.Errorf("make test says\n%s", tested)
	}
	for path := range strings.Lines(a.types("go list -deps -test ./...", false)) {
		ours, isOurs := strings.CutPrefix(strings.TrimSpace(path), "github.com/durasync/durasync/")
		if strings.HasPrefix(path, "go.temporal.io/") || isOurs && !strings.HasPrefix(ours, "plugin") {
			t.Errorf("the module is built from %s", path)
		}
	}
}
