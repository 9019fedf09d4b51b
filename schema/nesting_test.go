package schema

import (
	"strings"
	"testing"
)

// TestDeepNesting would end the test process, were the depth not bounded: a stack that overflows cannot be recovered from.
func TestDeepNesting(t *testing.T) {
	const n = 200 << 10
	load := func(t *testing.T, expr, template string) Diagnostics {
		t.Helper()
		job := strings.Replace(minimalJob, "  destination {", "  map {\n    subject = "+expr+"\n  }\n  destination {", 1)
		_, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", job, "t.tmpl", template), options())
		return diags
	}
	for _, level := range []string{"(", "[", "{ a = ", `"${`, "upper(", "[for x in ", "call["} {
		diags := load(t, strings.Repeat(level, n/len(level)), "")
		if len(diags) != 1 || diags[0].Code != CodeSyntax || diags[0].Summary != "Nested too deeply" {
			t.Errorf("%s: %.300v", level, diags)
		}
	}
	diags := load(t, `templatefile("t.tmpl", {})`, strings.Repeat(`${"`, n/3))
	if len(diags) != 1 || diags[0].Range.Filename != "t.tmpl" {
		t.Errorf("template: %.300v", diags)
	}
	for _, fine := range []string{
		strings.Repeat("(", 200) + "call.title" + strings.Repeat(")", 200),
		`"` + strings.Repeat("((", 300) + `"`, // brackets in a text do not nest
		strings.Repeat("1 + ", 10<<10) + "1",
		strings.Repeat("true ? call.title : ", 2<<10) + "call.title",
	} {
		if diags := load(t, fine, ""); len(diags) != 0 && diags[0].Summary != "Text too long" {
			t.Errorf("%.20s: %.300v", fine, diags)
		}
	}
}
