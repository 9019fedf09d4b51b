package schema

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// directory makes n job files of about 1 KB each that use every part of the language.
func directory(n int) fs.FS {
	const job = `job "job_%d" {
  description = "Gong meetings become Totango touchpoints"

  source {
    connection = connection.gong.acme
    stream     = "calls"
    initial    = "14d"
    overlap    = "7d"
    where      = call.scope == "External" && anytrue([for p in call.parties : p.affiliation == "External"])
  }

  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }

  map {
    subject = "[Gong] ${call.title}"
    flow    = call.duration > 3600 ? "renewal" : "adoption"
    tags    = compact(concat(["gong", call.crm.stage], [for t in call.topics : lower(t.name) if t.duration > 60]))
    minutes = ceil(call.duration / 60)
    content = templatefile("notes.tmpl", { call = call, zone = "America/New_York" })
  }

  resolve {
    on_ambiguous     = "first"
    internal_domains = ["acme.com", "acme.io"]
  }

  schedule {
    daily         = "06:30"
    timezone      = "America/New_York"
    sync_on_apply = true
  }
}
`
	files := fstest.MapFS{
		"connections.hcl": {Data: []byte(connectionsHCL)},
		"notes.tmpl": {Data: []byte("${call.title}, ${format_time(\"YYYY-MM-DD hh:mm\", call.started, zone)}\n" +
			"%{ for p in call.parties ~}\n- ${coalesce(p.name, p.email, \"somebody\")}\n%{ endfor ~}\n")},
	}
	for i := range n {
		files[fmt.Sprintf("job_%04d.hcl", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, job, i)}
	}
	return files
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("jobs=%d", n), func(b *testing.B) {
			fsys := directory(n)
			b.ReportAllocs()
			for b.Loop() {
				config, diags := LoadFS(b.Context(), fsys, options())
				if len(config.Jobs) != n || len(diags) != 0 {
					b.Fatal(diags)
				}
			}
		})
	}
}

func benchmarkAttributes(b *testing.B, mapping, template string) {
	r := renderer(b, compile(b, "", mapping, template))
	rec := record(strings.Replace(fullCall, "At length.", strings.Repeat("At considerable length. ", 60), 1))
	b.SetBytes(int64(len(rec.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Attributes(rec); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandard renders the touchpoint that a job without a map block writes: all attributes, the notes among them.
func BenchmarkStandard(b *testing.B) { benchmarkAttributes(b, "", "") }

// BenchmarkTemplate renders a touchpoint with a template for the body.
func BenchmarkTemplate(b *testing.B) {
	benchmarkAttributes(b, `content = templatefile("t.tmpl", { call = call })`,
		"${call.title}\n${call.brief}\n%{ for t in call.topics }- ${t.name}\n%{ endfor }%{ for k in call.key_points }- ${k}\n%{ endfor }")
}

// BenchmarkNotes composes the standard text alone.
func BenchmarkNotes(b *testing.B) {
	n := compile(b, "", "", "").Map[2].Notes
	data, err := members(record(fullCall))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		notesText(n, data)
	}
}
