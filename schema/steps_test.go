package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
)

// TestLoopsInLoopsEnd evaluates loops that would take for ever, or all memory.
func TestLoopsInLoopsEnd(t *testing.T) {
	var values strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&values, ",%d", i)
	}
	data := json.RawMessage(`{"id":"7","values":{"list":[` + values.String()[1:] + `]}}`)
	const each = `[for x in row.values.list : x]`
	for name, expr := range map[string]string{
		"loops over the record's lists": `[for a in row.values.list : [for b in row.values.list : [for c in row.values.list : 1]]]`,
		"splats in loops":               `[for a in row.values.list : row.values.list[*]]`,
		"loops in a template":           `"%{ for a in row.values.list }%{ for b in row.values.list }x%{ endfor }%{ endfor }"`,
		"a loop in a condition":         `length([for a in row.values.list : a if length(` + each + `) > 5]) > 1 ? "a" : "b"`,
	} {
		t.Run(name, func(t *testing.T) {
			config, diags := loadSheet(t, expr)
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			_, err := renderer(t, config.Jobs[0]).Attributes(plugin.Record{ID: "7", Data: data})
			if err == nil || !strings.Contains(err.Error(), "Too many steps") {
				t.Errorf("got %v, want the steps to be too many", err)
			}
		})
	}
	config, diags := loadSheet(t, `[for a in row.values.list : [for b in range(20) : a] if a < 100]`)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := renderer(t, config.Jobs[0]).Attributes(plugin.Record{ID: "7", Data: data}); err != nil {
		t.Errorf("a loop in a loop of ordinary size: %v", err)
	}
	for _, expr := range []string{
		`[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]`,
		`[for a in range(1000) : [for b in range(1000) : "${a}${b}${row.id}"]]`,
	} {
		if _, diags := loadSheet(t, expr); !strings.Contains(text(t, diags), "Too many steps") {
			t.Errorf("%s is found to be\n%s", expr, text(t, diags))
		}
	}
}

func TestTemplatesInLoopsEnd(t *testing.T) {
	p := compile(t, "", `content = join("", flatten([for p in call.parties : [for a in range(90) : templatefile("t.tmpl", { call = call })]]))`, "%{ for p in call.parties }${p.name}%{ endfor }")
	if _, err := renderer(t, p).Attributes(record(fullCall)); err == nil || !strings.Contains(err.Error(), "Too many steps") {
		t.Errorf("got %v, want the steps to be too many", err)
	}
}
