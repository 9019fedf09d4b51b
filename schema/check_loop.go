package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// element is what a loop variable can be.
type element struct{ key, value operand }

// elements returns an element for each type that the loop variables of a walk over v can have, or false if v has none.
func elements(v operand) ([]element, bool) {
	t := v.Type()
	number, text := unknown(cty.Number), unknown(cty.String)
	switch {
	case t == cty.DynamicPseudoType:
		return []element{{dynamic(), dynamic()}}, true
	case t.IsListType():
		return []element{{number, unknown(t.ElementType())}}, true
	case t.IsSetType():
		return []element{{unknown(t.ElementType()), unknown(t.ElementType())}}, true
	case t.IsMapType():
		return []element{{text, unknown(t.ElementType())}}, true
	case t.IsTupleType():
		return distinct(number, t.TupleElementTypes()), true
	case t.IsObjectType():
		var types []cty.Type
		for _, a := range t.AttributeTypes() {
			types = append(types, a)
		}
		return distinct(text, types), true
	default:
		return nil, false
	}
}

func distinct(key operand, types []cty.Type) []element {
	var out []element
next:
	for _, t := range types {
		for _, e := range out {
			if e.value.Type().Equals(t) {
				continue next
			}
		}
		out = append(out, element{key, unknown(t)})
	}
	if out == nil {
		out = []element{{key, dynamic()}}
	}
	return out
}

// checkFor walks the body of a loop once for each type that its variables can have. The result is a list or map of the body's
// type: HCL makes tuples and objects, whose sizes are not known here.
func (c *checker) checkFor(e *hclsyntax.ForExpr) operand {
	coll := c.whole(c.check(e.CollExpr))
	if coll.IsNull() {
		c.value(e.CollExpr.Range(), CodeInvalidExpression, "Loop over null", "Null has no elements.")
		coll = dynamic()
	}
	elems, ok := elements(coll)
	if !ok {
		c.value(e.CollExpr.Range(), CodeWrongType, "Loop over a single value",
			"A loop needs a list or a map, and this is %s.", typeName(coll.Type()))
		elems = []element{{dynamic(), dynamic()}}
	}
	var types []cty.Type
	for _, elem := range elems {
		vars := map[string]operand{e.ValVar: elem.value}
		if e.KeyVar != "" {
			vars[e.KeyVar] = elem.key
		}
		c.scope = &scope{vars: vars, parent: c.scope}
		if e.CondExpr != nil {
			c.condition(e.CondExpr)
		}
		if e.KeyExpr != nil {
			key := c.whole(c.check(e.KeyExpr))
			if _, err := convertStrictly(key.Value, cty.String); err != nil || key.IsNull() {
				c.value(e.KeyExpr.Range(), CodeWrongType, "Invalid key", "The keys of an object are strings, and this is %s.",
					typeName(key.Type()))
			}
		}
		types = append(types, c.whole(c.check(e.ValExpr)).Type())
		c.scope = c.scope.parent
	}
	result := types[0]
	for _, t := range types {
		if !t.Equals(result) {
			return dynamic()
		}
	}
	switch {
	case result.HasDynamicTypes() || e.Group:
		return dynamic()
	case e.KeyExpr != nil:
		return unknown(cty.Map(result))
	default:
		return unknown(cty.List(result))
	}
}

func (c *checker) checkSplat(e *hclsyntax.SplatExpr) operand {
	source := c.check(e.Source)
	t := source.Type()
	elem, list := source, false
	switch {
	case t == cty.DynamicPseudoType:
		elem = dynamic()
	case t.IsListType() || t.IsSetType():
		elem, list = unknown(t.ElementType()), true
	case t.IsTupleType():
		elem, list = dynamic(), true
		if types := distinct(dynamic(), t.TupleElementTypes()); len(types) == 1 {
			elem = types[0].value
		}
	}
	if list {
		c.whole(source)
	}
	if c.symbols == nil {
		c.symbols = map[*hclsyntax.AnonSymbolExpr]operand{}
	}
	c.symbols[e.Item] = elem
	each := c.whole(c.check(e.Each))
	delete(c.symbols, e.Item)
	if t == cty.DynamicPseudoType || each.Type().HasDynamicTypes() {
		return dynamic()
	}
	return unknown(cty.List(each.Type()))
}

// condition checks an expression that decides something.
func (c *checker) condition(expr hclsyntax.Expression) operand {
	v := c.whole(c.check(expr))
	if v.IsNull() {
		c.value(expr.Range(), CodeInvalidExpression, "Null condition", "A condition is true or false, never null.")
		return unknown(cty.Bool)
	}
	b, err := convertStrictly(v.Value, cty.Bool)
	if err != nil {
		c.value(expr.Range(), CodeWrongType, "Not a condition", "A condition is true or false: %s.", err)
		return unknown(cty.Bool)
	}
	return operand{Value: b}
}

// checkConditional walks both branches, whatever the condition says.
func (c *checker) checkConditional(e *hclsyntax.ConditionalExpr) operand {
	c.condition(e.Condition)
	yes, no := c.whole(c.check(e.TrueResult)), c.whole(c.check(e.FalseResult))
	isNull := func(v operand) bool { return v.IsNull() && v.Type() == cty.DynamicPseudoType }
	switch {
	case isNull(yes):
		return unknown(no.Type())
	case isNull(no):
		return unknown(yes.Type())
	case yes.Type() == cty.DynamicPseudoType || no.Type() == cty.DynamicPseudoType:
		return dynamic()
	}
	t, _ := convert.UnifyUnsafe([]cty.Type{yes.Type(), no.Type()})
	if t == cty.NilType {
		c.value(hcl.RangeBetween(e.TrueResult.Range(), e.FalseResult.Range()), CodeWrongType, "Branches of different types",
			"The two results must be of one type: the first is %s, the second is %s.", typeName(yes.Type()), typeName(no.Type()))
		return dynamic()
	}
	return unknown(t)
}

func (c *checker) checkTemplate(e *hclsyntax.TemplateExpr) operand {
	constant := true
	for _, part := range e.Parts {
		v := c.whole(c.check(part))
		c.text(v, part.Range())
		constant = constant && v.IsWhollyKnown()
	}
	if constant {
		if v, diags := e.Value(nil); !diags.HasErrors() {
			return operand{Value: v}
		}
	}
	return operand{Value: cty.UnknownVal(cty.String).RefineNotNull()}
}

func (c *checker) checkTemplateJoin(e *hclsyntax.TemplateJoinExpr) operand {
	v := c.whole(c.check(e.Tuple))
	if t := v.Type(); t.IsListType() {
		c.text(unknown(t.ElementType()), e.Range())
	}
	return unknown(cty.String)
}

// text checks that a value can stand in a text.
func (c *checker) text(v operand, at hcl.Range) {
	if v.IsNull() {
		c.value(at, CodeInvalidExpression, "Null in a text", "This is null, which has no text.")
		return
	}
	if _, err := convertStrictly(v.Value, cty.String); err != nil {
		c.value(at, CodeWrongType, "Not a text", "Only strings, numbers and booleans can stand in a text: %s.", err)
	}
}
