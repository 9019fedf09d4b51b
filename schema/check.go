package schema

import (
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// checker checks an expression by walking its syntax tree with the types of its variables. Evaluation with unknown values
// would not do: HCL skips the body of a loop over an unknown list, drops what it finds in a branch that is not taken, and
// swallows everything inside try.
//
// Every method reports what it finds and returns a value to go on with, so that one walk finds all the mistakes.
type checker struct {
	scope *scope

	// record is what a record is called in messages, such as "call".
	record string

	// open is set when the type of the record could not be found out: variables that are not in scope are then not reported.
	open bool

	// templates is nil inside a template, which cannot render further ones.
	templates templateSource

	// used are the record's fields that the expressions read.
	used *fieldSet

	// symbols are the values of the elements that splat expressions are walking.
	symbols map[*hclsyntax.AnonSymbolExpr]operand

	// tolerant is positive inside try and can, where a value of the wrong type is no mistake. A wrong name still is.
	tolerant int

	diags hcl.Diagnostics
}

// templateSource finds the templates that templatefile names.
type templateSource interface {
	// template returns the template at a path relative to the job directory, or a diagnostic at the given range.
	template(path string, at hcl.Range) (*template, *hcl.Diagnostic)
}

// operand is a value of the walk: a constant, or an unknown value that has the type alone.
type operand struct {
	cty.Value

	// record says that the value is the record itself, so that the fields taken from it can be noted.
	record bool

	// members are the operands that an object was made of.
	members map[string]operand
}

// scope holds the variables that an expression can name.
type scope struct {
	vars   map[string]operand
	parent *scope
}

func (s *scope) lookup(name string) (operand, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return operand{}, false
}

func (s *scope) names() []string {
	var all []string
	for ; s != nil; s = s.parent {
		all = append(all, slices.Collect(maps.Keys(s.vars))...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fieldSet is the set of a record's fields that are read.
type fieldSet struct {
	all   bool
	names map[string]bool
}

// addAll adds another set.
func (f *fieldSet) addAll(others fieldSet) {
	f.all = f.all || others.all
	for name := range others.names {
		f.add(name)
	}
}

func (f *fieldSet) add(name string) {
	if name == "" {
		return
	}
	if f.names == nil {
		f.names = map[string]bool{}
	}
	f.names[name] = true
}

func dynamic() operand { return operand{Value: cty.DynamicVal} }

func unknown(t cty.Type) operand { return operand{Value: cty.UnknownVal(t)} }

// name reports a mistake that is one whatever the values are.
func (c *checker) name(d *hcl.Diagnostic) { c.diags = append(c.diags, d) }

// value reports a mistake that try and can may be there for.
func (c *checker) value(at hcl.Range, code Code, summary, detail string, args ...any) {
	if c.tolerant == 0 {
		c.diags = append(c.diags, problem(code, at, summary, detail, args...))
	}
}

// hcl reports what an operation of HCL itself has to say.
func (c *checker) hcl(at hcl.Range, diags hcl.Diagnostics) {
	for _, d := range diags {
		c.value(at, CodeInvalidExpression, d.Summary, "%s", d.Detail)
	}
}

// whole notes that v is used as a whole: if it holds the record, all the record's fields may be read.
func (c *checker) whole(v operand) operand {
	if v.record {
		c.used.all = true
	}
	for _, m := range v.members {
		c.whole(m)
	}
	return operand{Value: v.Value}
}

// check walks an expression.
func (c *checker) check(expr hclsyntax.Expression) operand {
	switch e := expr.(type) {
	case counted:
		return c.check(e.Expression)
	case *hclsyntax.LiteralValueExpr:
		return operand{Value: e.Val}
	case *hclsyntax.ParenthesesExpr:
		return c.check(e.Expression)
	case *hclsyntax.TemplateExpr:
		return c.checkTemplate(e)
	case *hclsyntax.TemplateWrapExpr:
		return c.check(e.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		return c.checkTemplateJoin(e)
	case *hclsyntax.ScopeTraversalExpr:
		return c.checkVariable(e)
	case *hclsyntax.RelativeTraversalExpr:
		return c.traverse(c.check(e.Source), e.Traversal)
	case *hclsyntax.IndexExpr:
		return c.index(c.check(e.Collection), c.check(e.Key), e.BracketRange)
	case *hclsyntax.SplatExpr:
		return c.checkSplat(e)
	case *hclsyntax.AnonSymbolExpr:
		if v, ok := c.symbols[e]; ok {
			return v
		}
		return dynamic()
	case *hclsyntax.ForExpr:
		return c.checkFor(e)
	case *hclsyntax.ConditionalExpr:
		return c.checkConditional(e)
	case *hclsyntax.BinaryOpExpr:
		return c.checkBinary(e)
	case *hclsyntax.UnaryOpExpr:
		return c.checkUnary(e)
	case *hclsyntax.FunctionCallExpr:
		return c.checkCall(e)
	case *hclsyntax.TupleConsExpr:
		vals := make([]cty.Value, len(e.Exprs))
		for i, x := range e.Exprs {
			vals[i] = c.whole(c.check(x)).Value
		}
		return operand{Value: cty.TupleVal(vals)}
	case *hclsyntax.ObjectConsExpr:
		return c.checkObject(e)
	case *hclsyntax.ObjectConsKeyExpr:
		return c.checkKey(e)
	default: // a part with a syntax error, which has been reported
		return dynamic()
	}
}

func (c *checker) checkVariable(e *hclsyntax.ScopeTraversalExpr) operand {
	root := e.Traversal.RootName()
	v, ok := c.scope.lookup(root)
	if !ok {
		if !c.open {
			known := c.scope.names()
			c.name(misnamed(CodeUnknownVariable, e.Traversal[0].SourceRange(), root, known, "Unknown variable",
				"There is no variable %q here.", root))
		}
		return dynamic()
	}
	return c.traverse(v, e.Traversal[1:])
}

func (c *checker) traverse(v operand, steps hcl.Traversal) operand {
	for _, step := range steps {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			v = c.attr(v, s.Name, nameRange(s.SrcRange, s.Name))
		case hcl.TraverseIndex:
			v = c.index(v, operand{Value: s.Key}, s.SrcRange)
		default:
			return dynamic()
		}
	}
	return v
}

// nameRange cuts the dot off the range of an attribute step.
func nameRange(r hcl.Range, name string) hcl.Range {
	r.Start = hcl.Pos{Line: r.End.Line, Column: r.End.Column - utf8.RuneCountInString(name), Byte: r.End.Byte - len(name)}
	return r
}

func (c *checker) attr(v operand, name string, at hcl.Range) operand {
	t := v.Type()
	switch {
	case t == cty.DynamicPseudoType && !v.IsNull():
		return dynamic()
	case t.IsObjectType() && !t.HasAttribute(name):
		c.unknownField(v, name, at)
		return dynamic()
	case t.IsObjectType():
		if v.record {
			c.used.add(name)
		}
		if m, ok := v.members[name]; ok {
			return m
		}
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		c.name(problem(CodeUnknownField, at, "A list has no fields",
			"This is %s. Take its elements one by one with a for expression, or all at once with [*].%s.", typeName(t), name))
		return dynamic()
	case t.IsPrimitiveType():
		c.name(problem(CodeUnknownField, at, "This value has no fields", "This is %s: it has no field %q.", typeName(t), name))
		return dynamic()
	}
	out, diags := hcl.GetAttr(v.Value, name, &at)
	c.hcl(at, diags)
	return operand{Value: out}
}

func (c *checker) unknownField(v operand, name string, at hcl.Range) {
	known := slices.Sorted(maps.Keys(v.Type().AttributeTypes()))
	what := "This object"
	if v.record {
		what = "The " + c.record
	}
	c.name(misnamed(CodeUnknownField, at, name, known, "Unknown field", "%s has no attribute %q.", what, name))
}

func (c *checker) index(v, key operand, at hcl.Range) operand {
	key = c.whole(key)
	t := v.Type()
	if t.IsObjectType() && key.IsKnown() && !key.IsNull() {
		if k, err := convert.Convert(key.Value, cty.String); err == nil {
			return c.attr(v, k.AsString(), at)
		}
	}
	v = c.whole(v)
	if t.IsPrimitiveType() {
		c.value(at, CodeWrongType, "Invalid index", "This is %s: it has no elements.", typeName(t))
		return dynamic()
	}
	out, diags := hcl.Index(v.Value, key.Value, &at)
	c.hcl(at, diags)
	return operand{Value: out}
}

func (c *checker) checkObject(e *hclsyntax.ObjectConsExpr) operand {
	members := make(map[string]operand, len(e.Items))
	vals := make(map[string]cty.Value, len(e.Items))
	closed := true
	for _, item := range e.Items {
		key := c.whole(c.check(item.KeyExpr))
		v := c.check(item.ValueExpr)
		k, err := convert.Convert(key.Value, cty.String)
		if err != nil || k.IsNull() {
			c.value(item.KeyExpr.Range(), CodeWrongType, "Invalid key", "The keys of an object are strings, and this is %s.",
				typeName(key.Type()))
		}
		if err != nil || k.IsNull() || !k.IsKnown() {
			closed = false
			c.whole(v)
			continue
		}
		members[k.AsString()], vals[k.AsString()] = v, v.Value
	}
	if !closed {
		for _, m := range members {
			c.whole(m)
		}
		return dynamic()
	}
	return operand{Value: cty.ObjectVal(vals), members: members}
}

func (c *checker) checkKey(e *hclsyntax.ObjectConsKeyExpr) operand {
	if !e.ForceNonLiteral {
		if t, ok := e.Wrapped.(*hclsyntax.ScopeTraversalExpr); ok && len(t.Traversal) > 1 {
			c.name(problem(CodeInvalidExpression, e.Range(), "Ambiguous key",
				"Put the key in quotes if it is a name, or in parentheses if it is an expression."))
			return dynamic()
		}
		if k := hcl.ExprAsKeyword(e.Wrapped); k != "" {
			return operand{Value: cty.StringVal(k)}
		}
	}
	return c.check(e.Wrapped)
}
