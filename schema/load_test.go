package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/durasync/durasync/plugin"
)

const minimalJob = `
job "meetings" {
  source {
    connection = connection.gong.acme
    stream     = "calls"
  }
  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }
}
`

func environment(name string) (string, bool) {
	v, ok := map[string]string{
		"GONG_ACCESS_KEY": "key-s3cret", "GONG_ACCESS_KEY_SECRET": "secret-s3cret", "TOTANGO_APP_TOKEN": "token-s3cret", "EMPTY": "",
		"NUMBER": "7",
	}[name]
	return v, ok
}

func TestLoadConnectionsWithSecrets(t *testing.T) {
	fsys := dir("c.hcl", `
connection "gong" "acme" {
  description         = "Acme's Gong"
  access_key          = env("GONG_ACCESS_KEY")
  access_key_secret   = file("key.txt")
  requests_per_second = env("NUMBER")
  workspaces          = [12345678901234567890, 2]
}

connection "totango" "success" {
  app_token = "${env("TOTANGO_APP_TOKEN")}!"
}
`, "key.txt", "from-file\n")
	config, diags := LoadFS(t.Context(), fsys, Options{Describe: describeTest, Env: environment})
	if diags.HasErrors() {
		t.Fatal(text(t, diags))
	}
	var got []string
	for _, c := range config.Connections {
		got = append(got, c.ID()+" "+string(c.Config))
	}
	want := []string{
		`gong.acme {"access_key":"key-s3cret","access_key_secret":"from-file","base_url":"https://api.gong.io",` +
			`"requests_per_second":7,"workspaces":[12345678901234567890,2]}`,
		`totango.success {"region":"us","app_token":"token-s3cret!"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
	if got := config.Connections[0].Description; got != "Acme's Gong" {
		t.Errorf("description %q", got)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, config.Connections); strings.Contains(s, "s3cret") {
			t.Errorf("%s shows a secret: %s", verb, s)
		}
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("loaded", "connection", config.Connections[0])
	if s := logged.String(); strings.Contains(s, "s3cret") || !strings.Contains(s, "gong.acme") {
		t.Errorf("the log has %s", s)
	}
	if b, err := json.Marshal(config); err != nil || bytes.Contains(b, []byte("s3cret")) {
		t.Errorf("JSON shows a secret (error %v): %s", err, b)
	}
}

func TestLoadWithoutEnvironmentHasNoConfig(t *testing.T) {
	config, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL+minimalJob), options())
	if len(diags) != 0 {
		t.Fatal(text(t, diags))
	}
	if len(config.Connections) != 2 || len(config.Jobs) != 1 {
		t.Fatalf("got %v", config)
	}
	for _, c := range config.Connections {
		if c.Config != nil {
			t.Errorf("%s has a config", c)
		}
	}
}

func TestMissingSecrets(t *testing.T) {
	fsys := dir("c.hcl", `connection "gong" "acme" {
  access_key        = env("NO_SUCH_VARIABLE")
  access_key_secret = env("EMPTY")
  base_url          = file("missing.txt")
}

connection "totango" "success" {
  app_token = file("/no/such/file")
}

connection "totango" "other" {
  app_token = env("TOTANGO_APP_TOKEN")
}
`)
	config, diags := LoadFS(t.Context(), fsys, Options{Describe: describeTest, Env: environment})
	var got []string
	for _, d := range diags {
		got = append(got, fmt.Sprintf("%d:%d %s", d.Range.Start.Line, d.Range.Start.Column, d.Code))
	}
	want := []string{"2:23 environment", "3:23 environment", "4:23 environment", "8:15 environment"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	if s := text(t, diags); !strings.Contains(s, "NO_SUCH_VARIABLE is not set") {
		t.Errorf("the variable is not named:\n%s", s)
	}
	if len(config.Connections) != 1 || config.Connections[0].Name != "other" {
		t.Errorf("valid connections: %v", config.Connections)
	}
}

// TestSecretsStayHidden damages a file with secrets in every place and looks for pieces of them in all that is rendered.
func TestSecretsStayHidden(t *testing.T) {
	const secret = "XqZ7-wKv9-TpL3"
	connections := `connection "gong" "acme" {
  access_key = "` + secret + `"
  access_key_secret = <<EOT
` + secret + `
EOT
  description = "x"
}
job "j" {
}
connection "totango" "b" { app_token = "` + secret + `" }
connection "nosuch" "c" { token = ["` + secret + `", 5] }
`
	notifiers := `notifier "webhook" "ops" {
  url     = "https://hooks.example.com/` + secret + `"
  headers = {
    Authorization = "Bearer ` + secret + `"
    X-Token       = "${env("TOTANGO_APP_TOKEN")}` + secret + `"
  }
}
job "j" {
  notify { to = notifier.webhook.ops }
}
notifier "email" "b" { password = "` + secret + `" }
notifier "nosuch" "c" { token = ["` + secret + `", 5] }
`
	check := func(src string) {
		t.Helper()
		_, diags := LoadFS(t.Context(), dir("c.hcl", src), Options{Describe: describeTest, Env: environment})
		var b bytes.Buffer
		if err := diags.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		rendered := text(t, diags) + b.String() + diags.Error()
		for i := range len(secret) - 4 {
			if piece := secret[i : i+5]; strings.Contains(rendered, piece) {
				t.Fatalf("%q of the secret is shown for:\n%s\n%s", piece, src, text(t, diags))
			}
		}
	}
	for _, base := range []string{connections, notifiers} {
		check(base)
		for i := range len(base) {
			check(base[:i])
			check(base[:i] + base[i+1:])
			check(base[:i] + `"` + base[i:])
			check(base[:i] + "}" + base[i:])
			check(base[:i] + "\n" + base[i:])
		}
	}
}

func TestDiagnosticsAreStable(t *testing.T) {
	paths, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{} // all the mistakes at once
	for i, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name != golden {
				all[strings.Replace(f.Name, ".", fmt.Sprintf("%03d.", i), 1)] = &fstest.MapFile{Data: f.Data}
			}
		}
	}
	_, first := LoadFS(t.Context(), all, options())
	if len(first) < 200 {
		t.Errorf("only %d diagnostics", len(first))
	}
	for i := range len(first) - 1 {
		if first[i].place().compare(first[i+1].place()) > 0 {
			t.Errorf("%v comes before %v", first[i].place(), first[i+1].place())
		}
	}
	for range 50 {
		_, again := LoadFS(t.Context(), all, options())
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatalf("another order (-first +again):\n%s", diff)
		}
	}
}

func TestWriteJSON(t *testing.T) {
	_, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", strings.Replace(minimalJob, `"calls"`, `"callss"`, 1)), options())
	var b bytes.Buffer
	if err := diags.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	want := `{
  "format_version": "1.0",
  "valid": false,
  "error_count": 1,
  "warning_count": 0,
  "diagnostics": [
    {
      "severity": "error",
      "code": "invalid_value",
      "summary": "Unknown stream",
      "detail": "The connector gong has no stream \"callss\". Did you mean \"calls\"?",
      "suggestion": "calls",
      "range": {
        "filename": "j.hcl",
        "start": {
          "line": 5,
          "column": 18,
          "byte": 84
        },
        "end": {
          "line": 5,
          "column": 26,
          "byte": 92
        }
      },
      "snippet": {
        "context": "job \"meetings\", source",
        "code": "    stream     = \"callss\"",
        "start_line": 5,
        "highlight_start_offset": 17,
        "highlight_end_offset": 25,
        "values": []
      }
    }
  ]
}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	b.Reset()
	if err := (Diagnostics)(nil).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, `"valid": true`) || !strings.Contains(got, `"diagnostics": []`) {
		t.Errorf("no diagnostics: %s", got)
	}
}

func TestLoadFromDirectory(t *testing.T) {
	d := filepath.Join(t.TempDir(), "jobs")
	_, diags := Load(t.Context(), d, options())
	if !diags.HasErrors() || diags[0].Code != CodeFile {
		t.Errorf("missing directory: %v", diags)
	}
	if err := os.Mkdir(d, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"a.hcl": connectionsHCL, "b.hcl": minimalJob + "\nx = 1\n"} {
		if err := os.WriteFile(filepath.Join(d, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config, diags := Load(t.Context(), d, options())
	if len(config.Jobs) != 1 || len(diags) != 1 {
		t.Fatalf("got %v, %v", config.Jobs, diags)
	}
	if got, want := diags[0].Range.Filename, filepath.ToSlash(d)+"/b.hcl"; got != want {
		t.Errorf("file name %q, want %q", got, want)
	}
	if got, want := diags.Err().Error(), want(d); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func want(d string) string {
	return filepath.ToSlash(d) + `/b.hcl:13:1: Unknown attribute: There is no attribute "x" at the top of a file.`
}

func TestDescribeIsAskedOncePerConnector(t *testing.T) {
	asked := make(chan string, 100)
	_, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL+strings.ReplaceAll(connectionsHCL, `" {`, `2" {`)), Options{
		Describe: func(ctx context.Context, connector string) (*plugin.DescribeResponse, error) {
			asked <- connector
			return describeTest(ctx, connector)
		},
	})
	if len(diags) != 0 || len(asked) != 2 {
		t.Errorf("asked %d times; %v", len(asked), diags)
	}
}

func TestInvalidDescriptions(t *testing.T) {
	base := plugin.DescribeResponse{Name: "gong"}
	tests := map[string]func(d *plugin.DescribeResponse){
		"reserved attribute": func(d *plugin.DescribeResponse) {
			d.Config = []plugin.Attribute{{Name: "description", Type: plugin.String}}
		},
		"attribute twice": func(d *plugin.DescribeResponse) {
			d.Config = []plugin.Attribute{{Name: "a", Type: plugin.String}, {Name: "a", Type: plugin.String}}
		},
		"list of nothing": func(d *plugin.DescribeResponse) {
			d.Config = []plugin.Attribute{{Name: "a", Type: plugin.Type{Kind: plugin.KindList}}}
		},
		"unknown kind": func(d *plugin.DescribeResponse) {
			d.Streams = []plugin.Stream{{Name: "s", Record: "r", Fields: []plugin.Field{{Name: "f", Type: plugin.Type{Kind: "blob"}}}}}
		},
		"record name": func(d *plugin.DescribeResponse) { d.Streams = []plugin.Stream{{Name: "s", Record: "a b"}} },
		"default's type": func(d *plugin.DescribeResponse) {
			d.Config = []plugin.Attribute{{Name: "a", Type: plugin.Int, Default: json.RawMessage(`"x"`)}}
		},
		"reserved attribute of an object": func(d *plugin.DescribeResponse) {
			d.Objects = []plugin.Object{{Name: "o", Attributes: []plugin.Attribute{{Name: "override", Type: plugin.Bool}}}}
		},
		"map": func(d *plugin.DescribeResponse) {
			d.Config = []plugin.Attribute{{Name: "a", Type: plugin.Type{Kind: "map", Elem: &plugin.String}}}
		},
		"broken default": func(d *plugin.DescribeResponse) {
			d.Config = []plugin.Attribute{{Name: "a", Type: plugin.Int, Default: json.RawMessage(`{`)}}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			d := base
			change(&d)
			_, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL), Options{
				Describe: func(_ context.Context, connector string) (*plugin.DescribeResponse, error) {
					if connector == "gong" {
						return &d, nil
					}
					return touchpoints, nil
				},
			})
			if len(diags) != 1 || diags[0].Code != CodeConnector {
				t.Errorf("got %v", text(t, diags))
			}
		})
	}
}

// brokenFS fails to open one file.
type brokenFS struct {
	fstest.MapFS
	name string
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("input/output error")}
	}
	return b.MapFS.Open(name)
}

func (b brokenFS) ReadFile(name string) ([]byte, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("input/output error")}
	}
	return b.MapFS.ReadFile(name)
}

func TestFilesThatCannotBeRead(t *testing.T) {
	job := strings.Replace(minimalJob, "  destination", "  map {\n    content = templatefile(\"t.tmpl\", { call = call })\n  }\n  destination", 1)
	files := dir("c.hcl", connectionsHCL, "j.hcl", job, "t.tmpl", "x", "big.hcl", strings.Repeat("#\n", maxFile)).(fstest.MapFS)
	for _, name := range []string{"t.tmpl", "j.hcl"} {
		_, diags := LoadFS(t.Context(), brokenFS{files, name}, options())
		got := text(t, diags)
		if !strings.Contains(got, name+": input/output error.") || !strings.Contains(got, "File too large") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestTextIsSafeAndAligned(t *testing.T) {
	src := strings.Replace(minimalJob, `"calls"`, "\"\x1b[31m\" # x", 1) + "job \"other\" {\n\tx = \"日本\" + call\n}\n"
	_, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", src), options())
	got := text(t, diags)
	if strings.Contains(got, "\x1b") {
		t.Errorf("a control character is shown:\n%q", got)
	}
	var colored bytes.Buffer
	if err := diags.WriteText(&colored, true, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(colored.String(), "\x1b[1;31mError:\x1b[0m") {
		t.Errorf("no colour:\n%q", colored.String())
	}
}

func TestCaret(t *testing.T) {
	d := Diagnostics{{
		Severity: SeverityError, Summary: "s", Range: &Range{Filename: "f.hcl", Start: Pos{Line: 1, Column: 7}},
		Snippet: &Snippet{Code: "\ta = \"日本é\u0301\" + xy", StartLine: 12, HighlightStartOffset: 21, HighlightEndOffset: 23},
	}}
	d[0].Snippet.HighlightStartOffset = strings.Index(d[0].Snippet.Code, "xy")
	d[0].Snippet.HighlightEndOffset = len(d[0].Snippet.Code)
	// A tab is a tab in both lines, a wide character takes two columns, a combining one none.
	want := "Error: s\n\n  on f.hcl:1:7:\n  12 | \ta = \"日本é\u0301\" + xy\n     | \t              ^^\n"
	if diff := cmp.Diff(want, text(t, d)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}
