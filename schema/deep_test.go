package schema

import (
	"strings"
	"testing"
)

func TestDeepNesting(t *testing.T) {
	n := 200 << 10
	for name, expr := range map[string]string{
		"paren": strings.Repeat("(", n), "not": strings.Repeat("!", n), "minus": strings.Repeat("-", n)+"1", "bracket": strings.Repeat("[", n),
		"brace": strings.Repeat("{a=", n/3), "interp": strings.Repeat(`"${`, n/3), "cond": strings.Repeat("true?1:", n/7)+"1", "plus": strings.Repeat("1+", n/2)+"1",
		"trav": "call"+strings.Repeat(".a", n/2), "splat": "call"+strings.Repeat("[*]", n/3), "call": strings.Repeat("upper(", n/6), "for": strings.Repeat("[for x in ", n/10),
		"index": "call"+strings.Repeat("[0]", n/3), "index2": strings.Repeat("call[", n/5), "dir": `"`+strings.Repeat("%{if true}", n/10)+`"`,
		"and": strings.Repeat("true && ", n/8)+"true",
	} {
		t.Run(name, func(t *testing.T) {
			job := strings.Replace(minimalJob, "  destination {", "  map {\n subject = "+expr+"\n  }\n  destination {", 1)
			_, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", job), options())
			t.Log(len(diags))
			if len(diags)>0 { t.Logf("%.200s", diags[0].Detail)}
		})
	}
}
