package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func (c *checker) checkBinary(e *hclsyntax.BinaryOpExpr) operand {
	lhs, rhs := c.whole(c.check(e.LHS)), c.whole(c.check(e.RHS))
	if e.Op == hclsyntax.OpEqual || e.Op == hclsyntax.OpNotEqual {
		c.comparable(lhs, rhs, e.SrcRange)
		return unknown(cty.Bool)
	}
	params := e.Op.Impl.Params()
	l, ok := c.operandOf(lhs, params[0].Type, e.LHS.Range())
	r, ok2 := c.operandOf(rhs, params[1].Type, e.RHS.Range())
	return c.apply(e.Op, e.SrcRange, ok && ok2, l, r)
}

func (c *checker) checkUnary(e *hclsyntax.UnaryOpExpr) operand {
	v, ok := c.operandOf(c.whole(c.check(e.Val)), e.Op.Impl.Params()[0].Type, e.Val.Range())
	return c.apply(e.Op, e.SrcRange, ok, v)
}

func (c *checker) operandOf(v operand, want cty.Type, at hcl.Range) (cty.Value, bool) {
	if v.IsNull() {
		c.value(at, CodeInvalidExpression, "Null operand", "Operators other than == and != do not take null.")
		return cty.UnknownVal(want), false
	}
	out, err := convertStrictly(v.Value, want)
	if err != nil {
		c.value(at, CodeWrongType, "Wrong type of operand", "%s.", sentence(err.Error()))
	}
	return out, err == nil
}

func (c *checker) apply(op *hclsyntax.Operation, at hcl.Range, ok bool, args ...cty.Value) operand {
	if !ok {
		return unknown(op.Type)
	}
	v, err := op.Impl.Call(args)
	if err != nil {
		c.value(at, CodeInvalidExpression, "Operation that fails", "%s.", sentence(err.Error()))
		return unknown(op.Type)
	}
	return operand{Value: v}
}

// comparable reports comparisons whose outcome does not depend on the record: values of different types are never equal.
func (c *checker) comparable(l, r operand, at hcl.Range) {
	lt, rt := l.Type(), r.Type()
	if l.IsNull() || r.IsNull() || lt.HasDynamicTypes() || rt.HasDynamicTypes() || lt.Equals(rt) {
		return
	}
	if lt.IsPrimitiveType() || rt.IsPrimitiveType() {
		c.value(at, CodeWrongType, "Comparison of different types",
			"The left side is %s and the right side is %s: they are never equal.", typeName(lt), typeName(rt))
	}
}

func (c *checker) checkCall(e *hclsyntax.FunctionCallExpr) operand {
	switch e.Name {
	case fnTry, fnCan:
		return c.checkTry(e)
	case fnTemplateFile:
		return c.checkTemplateFile(e)
	}
	args := make([]operand, len(e.Args))
	for i, a := range e.Args {
		args[i] = c.whole(c.check(a))
	}
	f, ok := pureFunctions[e.Name]
	if !ok {
		c.unknownFunction(e)
		return dynamic()
	}
	if !c.arity(e, len(f.Params()), f.VarParam() != nil) {
		return dynamic()
	}
	vals := make([]cty.Value, len(args))
	for i, a := range args {
		var good bool
		if vals[i], good = c.argument(e, f, i, a); !good {
			ok = false
		}
	}
	switch {
	case !ok:
		t, err := f.ReturnType(typesOf(vals))
		if err != nil {
			return dynamic()
		}
		return unknown(t)
	case e.ExpandFinal:
		return dynamic()
	}
	v, err := f.Call(vals)
	if err != nil {
		at := e.Range()
		if arg, ok := errors.AsType[function.ArgError](err); ok && arg.Index < len(e.Args) {
			at = e.Args[arg.Index].Range()
		}
		c.value(at, CodeInvalidExpression, "Call that fails", "%s: %s.", e.Name, err)
		return dynamic()
	}
	return operand{Value: v}
}

func (c *checker) argument(e *hclsyntax.FunctionCallExpr, f function.Function, i int, a operand) (cty.Value, bool) {
	param := f.VarParam()
	if i < len(f.Params()) {
		param = &f.Params()[i]
	}
	at := e.Args[i].Range()
	if e.ExpandFinal && i == len(e.Args)-1 {
		if t := a.Type(); t != cty.DynamicPseudoType && !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
			c.value(at, CodeWrongType, "Wrong type of argument", "Only a list can be followed by ..., and this is %s.", typeName(t))
			return a.Value, false
		}
		return a.Value, true
	}
	if a.IsNull() && !param.AllowNull {
		c.value(at, CodeInvalidExpression, "Null argument", "Argument %q of %s must not be null.", param.Name, e.Name)
		return cty.UnknownVal(param.Type), false
	}
	v, err := convertStrictly(a.Value, param.Type)
	if err != nil {
		c.value(at, CodeWrongType, "Wrong type of argument", "Argument %q of %s: %s.", param.Name, e.Name, err)
		return cty.UnknownVal(param.Type), false
	}
	return v, true
}

func typesOf(vals []cty.Value) []cty.Type {
	types := make([]cty.Type, len(vals))
	for i, v := range vals {
		types[i] = v.Type()
	}
	return types
}

// arity checks the number of arguments.
func (c *checker) arity(e *hclsyntax.FunctionCallExpr, want int, more bool) bool {
	have := len(e.Args)
	if e.ExpandFinal {
		have--
	}
	switch {
	case have < want && !e.ExpandFinal:
		least := ""
		if more {
			least = "at least "
		}
		c.name(problem(CodeInvalidExpression, e.Range(), "Too few arguments", "%s takes %s%s, and this call has %d.",
			e.Name, least, plural(want, "argument"), have))
	case have > want && !more:
		c.name(problem(CodeInvalidExpression, e.Args[want].Range(), "Too many arguments", "%s takes %s, and this call has %d.",
			e.Name, plural(want, "argument"), len(e.Args)))
	default:
		return true
	}
	return false
}

func (c *checker) unknownFunction(e *hclsyntax.FunctionCallExpr) {
	if reason := onlyInConnections(e.Name); reason != "" {
		c.name(problem(CodeUnknownFunction, e.NameRange, "Function not allowed here", "%s", reason))
		return
	}
	known := pureFunctionNames
	if c.templates != nil {
		known = append(slices.Clone(known), fnTemplateFile)
	}
	c.name(misnamed(CodeUnknownFunction, e.NameRange, e.Name, known, "Unknown function", "There is no function %q.", e.Name))
}

// checkTry walks what try and can guard: values may be of the wrong type there, but names must still be right.
func (c *checker) checkTry(e *hclsyntax.FunctionCallExpr) operand {
	c.tolerant++
	args := make([]operand, len(e.Args))
	for i, a := range e.Args {
		args[i] = c.whole(c.check(a))
	}
	c.tolerant--
	if !c.arity(e, 1, e.Name == fnTry) || e.ExpandFinal {
		return dynamic()
	}
	if e.Name == fnCan {
		return unknown(cty.Bool)
	}
	for _, a := range args {
		if !a.Type().Equals(args[0].Type()) || a.IsNull() {
			return dynamic()
		}
	}
	return unknown(args[0].Type())
}

// checkTemplateFile walks the template with the variables that the call hands to it, so that mistakes have their place in the
// template and the fields that it reads are known.
func (c *checker) checkTemplateFile(e *hclsyntax.FunctionCallExpr) operand {
	if c.templates == nil {
		c.name(problem(CodeUnknownFunction, e.NameRange, "Template in a template",
			"A template cannot render another one: call templatefile in the job and hand the result over as a variable."))
		return dynamic()
	}
	args := make([]operand, len(e.Args))
	for i, a := range e.Args {
		args[i] = c.check(a)
	}
	if !c.arity(e, 2, false) || e.ExpandFinal {
		for _, a := range args {
			c.whole(a)
		}
		return unknown(cty.String)
	}
	path, vars := args[0], args[1]
	if path.Type() != cty.String || !path.IsKnown() || path.IsNull() {
		c.name(problem(CodeInvalidExpression, e.Args[0].Range(), "Path that is not constant",
			"The path of a template is written out in quotes, because its text becomes a part of the job."))
		c.whole(vars)
		return unknown(cty.String)
	}
	t, d := c.templates.template(path.AsString(), e.Args[0].Range())
	if d != nil {
		c.name(d)
	}
	if t == nil {
		c.whole(vars)
		return unknown(cty.String)
	}
	c.checkInTemplate(t, vars, e.Args[1].Range())
	return unknown(cty.String)
}

func (c *checker) checkInTemplate(t *template, vars operand, at hcl.Range) {
	inner := &checker{scope: &scope{vars: map[string]operand{}}, record: c.record, used: c.used, tolerant: c.tolerant}
	vt := vars.Type()
	switch {
	case vars.members != nil:
		inner.scope.vars = maps.Clone(vars.members)
	case vt.IsObjectType():
		c.whole(vars)
		for name, at := range vt.AttributeTypes() {
			inner.scope.vars[name] = unknown(at)
		}
	case vt == cty.DynamicPseudoType || vt.IsMapType():
		inner.open = true
	default:
		c.name(problem(CodeWrongType, at, "Wrong type of argument",
			"The variables of a template are an object, such as { %s = %s }, and this is %s.", c.record, c.record, typeName(vt)))
		inner.open = true
	}
	c.diags = append(c.diags, t.diags...)
	if t.expr != nil {
		v := inner.whole(inner.check(t.expr))
		inner.text(v, t.expr.Range())
		c.diags = append(c.diags, inner.diags...)
	}
}

// sentence starts s with a capital letter.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return fmt.Sprintf("%c%s", upperFirst(s[0]), s[1:])
}

func upperFirst(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}
