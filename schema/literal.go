package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// constant evaluates an attribute that takes no expression over records.
func constant(a *hclsyntax.Attribute, want cty.Type) (cty.Value, hcl.Diagnostics) {
	at := a.Expr.Range()
	if vars := a.Expr.Variables(); len(vars) > 0 {
		return cty.NilVal, hcl.Diagnostics{problem(CodeInvalidExpression, vars[0].SourceRange(), "Not a constant",
			"%s is read before there is any record: write a constant.", a.Name)}
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, classify(CodeInvalidExpression, strip(diags))
	}
	out, err := convert.Convert(v, want)
	switch {
	case err != nil:
		return cty.NilVal, hcl.Diagnostics{problem(CodeWrongType, at, "Wrong type", "%s takes %s, and this is %s.",
			a.Name, typeName(want), typeName(v.Type()))}
	case !out.IsWhollyKnown() || out.IsNull():
		return cty.NilVal, hcl.Diagnostics{problem(CodeInvalidValue, at, "Invalid value",
			"%s must not be null; leave the line out to get the default.", a.Name)}
	}
	return out, nil
}

// strip removes from HCL's diagnostics what could make a renderer show values.
func strip(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		d.Expression, d.EvalContext, d.Extra = nil, nil, nil
	}
	return diags
}

func constantString(a *hclsyntax.Attribute) (string, hcl.Diagnostics) {
	v, diags := constant(a, cty.String)
	if diags != nil {
		return "", diags
	}
	return v.AsString(), nil
}

// settings reads the constant attributes of a block, and collects what is wrong with them.
type settings struct {
	body  *hclsyntax.Body // nil if the block is not there
	known []string        // the attributes that it can have
	diags hcl.Diagnostics
}

// attr returns the attribute of a name, or nil.
func (s *settings) attr(name string) *hclsyntax.Attribute {
	if s.body == nil {
		return nil
	}
	return s.body.Attributes[name]
}

// text returns a string attribute, and whether it is there and good.
func (s *settings) text(name string) (string, bool) {
	a := s.attr(name)
	if a == nil {
		return "", false
	}
	v, diags := constantString(a)
	s.diags = append(s.diags, diags...)
	return v, diags == nil
}

// choice returns a string attribute that takes one of a few values.
func (s *settings) choice(name, fallback string, allowed ...string) string {
	v, ok := s.text(name)
	if !ok {
		return fallback
	}
	if slices.Contains(allowed, v) {
		return v
	}
	s.diags = append(s.diags, notOneOf(s.attr(name).Expr.Range(), name, v, allowed)...)
	return fallback
}

// notOneOf reports a value that is none of those that an attribute takes. The value is not shown.
func notOneOf(at hcl.Range, name, value string, allowed []string) hcl.Diagnostics {
	d := problem(CodeInvalidValue, at, "Invalid value", "%s can be %s.", name, oneOf(allowed))
	if s := suggest(value, allowed); s != "" {
		d.Detail += fmt.Sprintf(" Did you mean %q?", s)
		d.Extra = note{code: CodeInvalidValue, suggestion: s}
	}
	return hcl.Diagnostics{d}
}

func (s *settings) flag(name string, fallback bool) bool {
	a := s.attr(name)
	if a == nil {
		return fallback
	}
	v, diags := constant(a, cty.Bool)
	s.diags = append(s.diags, diags...)
	if diags != nil {
		return fallback
	}
	return v.True()
}

func (s *settings) list(name string) ([]string, bool) {
	a := s.attr(name)
	if a == nil {
		return nil, false
	}
	v, diags := constant(a, cty.List(cty.String))
	s.diags = append(s.diags, diags...)
	if diags != nil {
		return nil, false
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		if !e.IsNull() {
			out = append(out, e.AsString())
		}
	}
	return out, true
}

// duration returns a duration attribute; least is the shortest allowed.
func (s *settings) duration(name string, fallback, least time.Duration) time.Duration {
	text, ok := s.text(name)
	if !ok {
		return fallback
	}
	d, err := ParseDuration(strings.TrimSpace(text))
	at := s.attr(name).Expr.Range()
	switch {
	case err != nil:
		s.diags = append(s.diags, problem(CodeInvalidDuration, at, "Invalid duration", "%s: %s.", name, err))
	case d < least:
		s.diags = append(s.diags, problem(CodeInvalidDuration, at, "Duration too short", "%s is at least %s.", name,
			formatDuration(least)))
	default:
		return d
	}
	return fallback
}
