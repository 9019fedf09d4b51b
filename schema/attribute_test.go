package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
)

// TestSimpleMappingsComeToTheSame compares what mappings do without evaluating their expressions with what evaluating them gives.
func TestSimpleMappingsComeToTheSame(t *testing.T) {
	p := compile(t, "", `
    flow = "renewal"
    date = timeadd("2026-09-01T09:02:11Z", "1d")
`, "")
	r := renderer(t, p)
	tried := map[string]bool{}
	values := []string{
		`null`, `7`, `true`, `"text"`, `"caf\u0065\u0301 <b>"`, `"` + strings.Repeat("long 😀 ", 200) + `"`, `"2026-09-01T09:02:11Z"`, `{}`, `[]`, `[null]`,
		`[7]`, `[{}]`, `[{"email": null}, {"email": "ann@acme.example"}]`, `[{"email": "ann@acme.example", "email": "bob@acme.example"}]`,
		`[{"email": 7}]`, `[{"email": ["ann@acme.example"]}]`, `{"email": "ann@acme.example"}`, `"\ud83d"`,
	}
	for _, m := range p.Map {
		if m.Expr == nil {
			continue
		}
		var read fieldSet
		expr, err := parsePlanned(p, m.Expr, m.Attribute, &read)
		if err != nil {
			t.Fatal(err)
		}
		fields := read.of(p.Source.Types)
		simple, evaluates := r.valuer(p, &m, expr, fields)
		if evaluates {
			t.Errorf("%s = %s is evaluated for each record", m.Attribute, m.Expr.Source)
			continue
		}
		full := evaluated(&m, expr, r.contextWith(fields))
		for _, value := range append(values, "") {
			data := "{"
			for i, f := range fields {
				if value != "" {
					data += fmt.Sprintf("%s%q: %s", map[bool]string{true: ", "}[i > 0], f.Name, value)
				}
			}
			in, err := newInput(plugin.Record{Data: json.RawMessage(data + "}")}, p.Source.Types)
			if err != nil {
				t.Fatal(err)
			}
			got, gotErr := simple([]byte("before "), in)
			want, wantErr := full([]byte("before "), in)
			if string(got) != string(want) || (got == nil) != (want == nil) || message(gotErr) != message(wantErr) {
				t.Errorf("%s = %s for %.60s is %s (%v), and evaluated %s (%v)", m.Attribute, m.Expr.Source, data, got, gotErr, want, wantErr)
			}
			tried[message(wantErr)] = true
		}
	}
	if len(p.Map) < 5 || len(tried) < 4 {
		t.Errorf("only %d mappings, and %d kinds of errors, were compared", len(p.Map), len(tried))
	}
}
