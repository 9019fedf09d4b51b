package schema

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
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

// benchCall is a meeting with something for every part of the standard text.
var benchCall = record(strings.NewReplacer(
	`They talked.\r\nAt length.`, strings.TrimSpace(strings.Repeat("At considerable length. ", 60)),
	`"purpose": null`, `"purpose": "Renewal"`, `Price is\nan issue`, "Price is an issue", `" ", `, "",
	`"agenda": []`, `"agenda": [{"name": "Welcome", "duration": 120}], "action_items": ["Ann sends the contract", "Bob asks Finance"]`,
).Replace(fullCall))

// standardTemplate makes the standard text of benchCall.
const standardTemplate = `Meeting start time:
${format_time("YYYY-MM-DD hh:mm", call.started)} (UTC${format_time("ZZZZZ", call.started)})

Meeting duration:
${format_duration(call.duration)}

Meeting purpose:
${coalesce(call.purpose, "not set")}

Recording URL:
${call.url}

Meeting brief:
${trimspace(call.brief)}

Key points:%{ for point in call.key_points }
- ${point}%{ endfor }

Agenda items:%{ for item in call.agenda }
- ${item.name} (${format_duration(item.duration)})%{ endfor }

Topics discussed:%{ for topic in call.topics }
- ${topic.name}%{ if topic.duration != null } (${format_duration(topic.duration)})%{ endif }%{ endfor }

Action items:%{ for item in call.action_items }
- ${item}%{ endfor }`

// bodies are jobs that write the same text, by default and by a template.
func bodies(t testing.TB) map[string]*Renderer {
	return map[string]*Renderer{
		"default":  renderer(t, compile(t, "", "", "")),
		"template": renderer(t, compile(t, "", `content = templatefile("t.tmpl", { call = call })`, standardTemplate)),
	}
}

// TestBenchmarkedBodiesAreTheSame keeps the two sides of BenchmarkBody comparable.
func TestBenchmarkedBodiesAreTheSame(t *testing.T) {
	got := map[string]string{}
	for name, r := range bodies(t) {
		attrs, err := r.Attributes(benchCall)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(attrs)
	}
	if diff := cmp.Diff(got["default"], got["template"]); diff != "" {
		t.Errorf("the bodies differ (-default +template):\n%s", diff)
	}
}

// BenchmarkBody renders a touchpoint with all its attributes, the body made by default and by a template.
func BenchmarkBody(b *testing.B) {
	for name, r := range bodies(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(benchCall.Data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Attributes(benchCall); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bodies/s")
		})
	}
}

// BenchmarkNotes composes the standard text alone.
func BenchmarkNotes(b *testing.B) {
	p := compile(b, "", "", "")
	in, err := newInput(record(fullCall), p.Source.Types)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		notesText(p.Map[2].Notes, in.field)
	}
}
