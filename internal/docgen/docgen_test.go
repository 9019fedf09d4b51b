package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema"
)

const docs = "../../docs"

func TestPagesAreUpToDate(t *testing.T) {
	pages, err := generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/%s is out of date; run go generate ./schema (-want +got):\n%s", name, diff)
		}
	}
	files, err := filepath.Glob(filepath.Join(docs, "connectors", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		if pages["connectors/"+name] == nil && !slices.Contains([]string{"README.md", "guide.md", "protocol.md"}, name) {
			t.Errorf("%s describes a connector that does not exist", f)
		}
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := run(t.Context(), []string{dir}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "language.md"))
	if err != nil || !bytes.Equal(got, languagePage()) {
		t.Errorf("language.md is not what was generated (%v)", err)
	}
	if err := run(t.Context(), nil); err == nil {
		t.Error("no error without a directory")
	}
}

// job is a job with everything that its blocks need, where some blocks have other contents.
func job(blocks map[string]string) string {
	var body []string
	for _, b := range blockNamed("job").Blocks {
		content, ok := blocks[b.Name]
		if !ok && !b.Required {
			continue
		}
		body = append(body, block(b.Name, withRequired(b, content)))
	}
	return block(`job "example"`, strings.Join(body, "\n"))
}

// withRequired adds the required arguments of a block that its content lacks.
func withRequired(b schema.Block, content string) string {
	for _, a := range b.Arguments {
		if a.Required && !strings.Contains("\n"+content, "\n"+a.Name+" ") {
			content = a.Example + "\n" + content
		}
	}
	return content
}

func blockNamed(name string) schema.Block {
	for _, b := range schema.Language() {
		if b.Name == name {
			return b
		}
	}
	panic("no block " + name)
}

// TestExamplesAreValid compiles every example of the language's pages.
func TestExamplesAreValid(t *testing.T) {
	systems := "connection \"totango\" \"success\" {\n  app_token = env(\"TOTANGO_APP_TOKEN\")\n}\n"
	gong := block(`connection "gong" "acme"`, blockNamed("connection").Example) + "\n"
	webhook := block(`notifier "webhook" "ops"`, blockNamed("notifier").Example) + "\n"
	all := systems + gong + webhook

	cases := map[string]string{"everything": all + job(map[string]string{
		"map": "", "resolve": "", "settings": "", "schedule": "", "notify": "",
	})}
	for _, b := range schema.Language() {
		for _, a := range b.Arguments {
			switch b.Name {
			case "connection":
				cases["connection."+a.Name] = systems + block(`connection "gong" "acme"`, a.Example+"\n"+b.Example)
			case "notifier":
				cases["notifier."+a.Name] = block(`notifier "webhook" "ops"`, a.Example+"\n"+b.Example)
			case "job":
				cases["job."+a.Name] = all + block(`job "example"`, a.Example+"\n"+b.Example)
			}
		}
		for _, inner := range b.Blocks {
			cases[inner.Name] = all + job(map[string]string{inner.Name: inner.Example})
			for _, a := range inner.Arguments {
				cases[inner.Name+"."+a.Name] = all + job(map[string]string{inner.Name: a.Example})
			}
		}
	}
	for _, n := range schema.NotifierTypes() {
		cases["notifier "+n.Name] = block(fmt.Sprintf("notifier %q %q", n.Name, "ops"), n.Example)
	}
	for _, e := range expressions {
		cases[e.source] = all + job(map[string]string{"map": "content = jsonencode(" + e.source + ")"})
	}
	for name, source := range cases {
		t.Run(name, func(t *testing.T) {
			_, diags := schema.LoadFS(t.Context(), fstest.MapFS{
				"jobs.hcl": {Data: []byte(source + "\n")}, "notes.tmpl": {Data: []byte("${call.title}")},
			}, schema.Options{Describe: func(ctx context.Context, name string) (*plugin.DescribeResponse, error) {
				return connectors()[name].Describe(ctx, &plugin.DescribeRequest{})
			}})
			if len(diags) > 0 {
				t.Errorf("%v\n%s", diags, source)
			}
		})
	}
	if len(cases) < 50 {
		t.Errorf("only %d examples", len(cases))
	}
}

func TestTables(t *testing.T) {
	p := &page{}
	p.table([]string{"a"}, [][]string{{"x | y"}})
	if diff := cmp.Diff("\n| a |\n|---|\n| x \\| y |\n", p.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	rows := fieldRows("call", []plugin.Field{
		{Name: "parties", Type: plugin.ListOf(plugin.StructOf(plugin.Field{Name: "email", Type: plugin.String, Semantic: "participant.email"}))},
		{Name: "crm", Type: plugin.StructOf(plugin.Field{Name: "tags", Type: plugin.ListOf(plugin.String), Doc: "Tags."})},
	})
	want := [][]string{
		{"`call.parties`", "list of objects", ""}, {"`call.parties[*].email`", "string", "Semantic: `participant.email`."},
		{"`call.crm`", "object", ""}, {"`call.crm.tags`", "list of strings", "Tags."},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
