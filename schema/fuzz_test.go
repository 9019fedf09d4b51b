package schema

import (
	"encoding/json"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/durasync/durasync/plugin"
)

// FuzzLoad checks that any text is either compiled or refused with a diagnostic that has a place, and that what is compiled can
// be rendered or fails with an error.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var job, template string
		for _, file := range archive.Files {
			switch {
			case file.Name == "job.hcl":
				job = string(file.Data)
			case strings.HasSuffix(file.Name, ".tmpl"):
				template = string(file.Data)
			}
		}
		f.Add(job, template)
	}
	const secret = "planted-secret"
	f.Fuzz(func(t *testing.T, job, template string) {
		defer bounded(t)()
		opts := options()
		if !strings.Contains(job, fnFile) { // which reads the machine's own files
			opts.Env = func(string) (string, bool) { return secret, true }
		}
		config, diags := LoadFS(t.Context(), dir("connections.hcl", connectionsHCL+notifiersHCL, "job.hcl", job, "notes.tmpl", template), opts)
		for _, d := range diags {
			if d.Range == nil || d.Summary == "" || d.Detail == "" || d.Snippet == nil && d.Code != CodeFile {
				t.Errorf("incomplete diagnostic: %+v", d)
			}
		}
		plans, err := json.Marshal(config.Jobs)
		if err != nil {
			t.Errorf("a plan cannot be stored: %v", err)
		}
		if !strings.Contains(job+template, secret) && strings.Contains(text(t, diags)+string(plans), secret) {
			t.Error("a secret is shown")
		}
		for _, p := range config.Jobs {
			if _, err := NextRuns(p.Schedule, time.Unix(1_800_000_000, 0), 3); err != nil {
				t.Errorf("a compiled schedule has no times: %v", err)
			}
			r, err := NewRenderer(p)
			if err != nil {
				t.Fatalf("a compiled job cannot be used: %v", err)
			}
			for _, data := range []string{fullCall, `{}`} {
				if b, err := r.Attributes(record(data)); err == nil && !json.Valid(b) {
					t.Errorf("invalid JSON: %s", b)
				}
				if _, err := r.Matches(record(data)); err != nil && err.Error() == "" {
					t.Error("an error without words")
				}
			}
		}
		once := Format([]byte(job))
		if twice := Format(once); len(diags) == 0 && string(once) != string(twice) {
			t.Errorf("Format is not idempotent:\n%q\n%q", once, twice)
		}
	})
}

// bounded begins to watch what an input costs, and the function that it returns ends that: within a minute, or the process ends with a
// panic, and with at most a gigabyte allocated in all.
func bounded(t *testing.T) (end func()) {
	t.Helper()
	watch := time.AfterFunc(time.Minute, func() { panic("it hangs") })
	allocated := func() uint64 {
		s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before := allocated()
	return func() {
		watch.Stop()
		if spent := allocated() - before; spent > 1<<30 {
			t.Errorf("it costs %d MiB of memory", spent>>20)
		}
	}
}

// FuzzRenderer checks that no data makes rendering panic, and no record makes it give invalid JSON.
func FuzzRenderer(f *testing.F) {
	f.Add([]byte(fullCall))
	f.Add([]byte(`{"id":"1","title":null,"started":"","duration":1e400,"parties":[null,{}],"topics":[{"duration":-1}],"crm":[]}`))
	f.Add([]byte(`[]`))
	p := compile(f, `where = call.duration > 60 && call.scope != "x"`, `content = templatefile("t.tmpl", { call = call })
tags    = [for p in call.parties : upper(p.email) if p.email != null]
minutes = call.duration
subject = coalesce(call.title, "x")`, "%{ for t in call.topics }${coalesce(t.name, \"?\")} ${format_duration(coalesce(t.duration, 0))}%{ endfor }")
	custom, standard := renderer(f, p), renderer(f, compile(f, "", "", ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		defer bounded(t)()
		for _, r := range []*Renderer{custom, standard} {
			rec := plugin.Record{ID: "1", Data: data}
			if b, err := r.Attributes(rec); err == nil && json.Valid(data) && !json.Valid(b) {
				t.Errorf("invalid JSON: %s", b)
			}
			if ok, err := r.Matches(rec); ok && err != nil {
				t.Errorf("a match with an error: %v", err)
			}
		}
	})
}
