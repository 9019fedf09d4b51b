package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// where compiles the condition on records.
func (j *jobCompiler) where(b *hclsyntax.Block) {
	if b == nil || b.Body.Attributes["where"] == nil {
		return
	}
	a := b.Body.Attributes["where"]
	c := j.checker()
	countSteps(a.Expr)
	c.condition(a.Expr)
	j.plan.Source.Where = j.compiled(a, c)
}

// expression compiles an attribute of the map block, checked against attr unless that is nil.
func (j *jobCompiler) expression(a *hclsyntax.Attribute, attr *plugin.Attribute) *plan.Expression {
	c := j.checker()
	leaves := constants(a.Expr, nil)
	countSteps(a.Expr)
	v := c.whole(c.check(a.Expr))
	if attr == nil {
		return j.compiled(a, c)
	}
	want := ctyType(planType(attr.Type))
	if v.IsNull() && attr.Required {
		c.value(a.Expr.Range(), CodeInvalidValue, "Null for a required attribute", "A %s needs the attribute %q.", j.object.Name, attr.Name)
	}
	if _, err := convertStrictly(v.Value, want); err != nil {
		c.value(a.Expr.Range(), CodeWrongType, "Wrong type", "%s: %s.", attr.Name, err)
	}
	for _, leaf := range leaves {
		j.checkConstant(c, leaf, attr)
	}
	return j.compiled(a, c)
}

// constants returns the constant expressions that expr can come to, of all the branches of conditionals.
func constants(expr hclsyntax.Expression, out []hclsyntax.Expression) []hclsyntax.Expression {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		return constants(e.Expression, out)
	case *hclsyntax.ConditionalExpr:
		return constants(e.FalseResult, constants(e.TrueResult, out))
	}
	if len(expr.Variables()) > 0 {
		return out
	}
	return append(out, expr)
}

// checkConstant checks a constant result against what the attribute allows beyond its type.
func (j *jobCompiler) checkConstant(c *checker, expr hclsyntax.Expression, attr *plugin.Attribute) {
	v, diags := expr.Value(withSteps(&hcl.EvalContext{Functions: pureFunctions}, maxSteps))
	if diags.HasErrors() || !v.IsWhollyKnown() || v.IsNull() {
		return
	}
	v, err := convertStrictly(v, ctyType(planType(attr.Type)))
	if err != nil || v.IsNull() {
		return // reported with the type
	}
	at := expr.Range()
	if _, err := appendJSON(nil, v, planType(attr.Type), 0); err != nil {
		c.value(at, CodeInvalidValue, "Invalid value", "%s: %s.", attr.Name, err)
		return
	}
	if v.Type() != cty.String {
		return
	}
	s := v.AsString()
	if len(attr.OneOf) > 0 && !slices.Contains(attr.OneOf, s) {
		c.diags = append(c.diags, notOneOf(at, attr.Name, s, attr.OneOf)...)
	}
	if n := unitsOf(s); attr.MaxLength > 0 && n > attr.MaxLength {
		c.value(at, CodeInvalidValue, "Text too long", "%s holds %d characters, and this text has %d.", attr.Name, attr.MaxLength, n)
	}
}

// checker returns a checker for an expression over records of the job.
func (j *jobCompiler) checker() *checker {
	c := &checker{scope: &scope{vars: map[string]operand{}}, record: j.recordName(), used: &j.used, templates: j}
	if j.stream == nil {
		c.open = true
		return c
	}
	c.scope.vars[j.stream.Record] = operand{Value: cty.UnknownVal(j.stream.record), record: true}
	return c
}

// template finds a template and notes it in the plan.
func (j *jobCompiler) template(path string, at hcl.Range) (*template, *hcl.Diagnostic) {
	t, d := j.loader.templates.template(path, at)
	if t == nil {
		return nil, d
	}
	for _, have := range j.plan.Templates {
		if have.Path == path {
			return t, nil
		}
	}
	j.plan.Templates = append(j.plan.Templates, plan.Template{Path: path, Text: t.text})
	return t, nil
}

// compiled returns an expression as plans hold it, and reports what its check has found. If that is nothing, the expression
// is also evaluated with unknown values: a second net under the first.
func (j *jobCompiler) compiled(a *hclsyntax.Attribute, c *checker) *plan.Expression {
	at := a.Expr.Range()
	out := &plan.Expression{Source: string(at.SliceBytes(j.file.src)), File: j.file.name, Line: at.Start.Line, Column: at.Start.Column}
	j.report(c.diags...)
	if c.diags.HasErrors() || j.stream == nil {
		return out
	}
	if _, diags := parseExpression(out); diags.HasErrors() { // a plan never holds what a renderer could not read
		j.report(classify(CodeSyntax, diags)...)
		return out
	}
	templates := map[string]hclsyntax.Expression{}
	for _, t := range j.plan.Templates {
		if known, _ := j.loader.templates.template(t.Path, at); known != nil && known.expr != nil {
			templates[t.Path] = known.expr
		}
	}
	_, diags := a.Expr.Value(withSteps(&hcl.EvalContext{
		Variables: map[string]cty.Value{j.stream.Record: cty.UnknownVal(j.stream.record)}, Functions: withTemplates(templates),
	}, maxSteps))
	j.report(classify(CodeInvalidExpression, strip(diags))...)
	return out
}

// parseExpression parses an expression of a plan, at its place in the job file.
func parseExpression(e *plan.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	start := hcl.Pos{Line: max(1, e.Line), Column: max(1, e.Column)}
	// The newline ends a heredoc, whose own last line is without one in the source.
	return hclsyntax.ParseExpression([]byte(e.Source+"\n"), e.File, start)
}
