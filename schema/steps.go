package schema

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Loops inside loops over long lists take for ever and all memory, and HCL has no way to stop an evaluation. So the elements that
// loops take up are counted, all in all, before each loop begins.
const (
	// maxSteps is how many elements the loops of one evaluation take up at most.
	maxSteps = 50_000

	// maxTemplateSteps is likewise for one rendering of a template, which counts as templateSteps of whatever asks for it.
	maxTemplateSteps = 10_000
	templateSteps    = 500
)

// stepsLeft is the variable with the steps that are left. It is no identifier, so no expression can name it.
const stepsLeft = "steps left"

var stepsType = cty.Capsule("steps", reflect.TypeFor[int]())

// withSteps returns the context of an evaluation that may take so many steps.
func withSteps(ctx *hcl.EvalContext, steps int) *hcl.EvalContext {
	ctx = ctx.NewChild()
	ctx.Variables = map[string]cty.Value{stepsLeft: cty.CapsuleVal(stepsType, &steps)}
	return ctx
}

// countSteps makes the loops and templates of an expression count their steps, if it is evaluated in a context of [withSteps]. HCL no
// longer finds all of its variables afterwards.
func countSteps(expr hclsyntax.Expression) {
	_ = hclsyntax.VisitAll(expr, func(node hclsyntax.Node) hcl.Diagnostics { // the function has nothing to report
		switch n := node.(type) {
		case *hclsyntax.ForExpr:
			n.CollExpr = counted{Expression: n.CollExpr}
		case *hclsyntax.SplatExpr:
			n.Source = counted{Expression: n.Source}
		case *hclsyntax.FunctionCallExpr:
			if n.Name == fnTemplateFile && len(n.Args) > 0 {
				n.Args[0] = counted{n.Args[0], templateSteps}
			}
		}
		return nil
	})
}

// counted is an expression that takes steps to evaluate: as many as its value has elements, or a fixed number.
type counted struct {
	hclsyntax.Expression
	steps int
}

func (c counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	left := findSteps(ctx)
	if left == nil {
		return c.Expression.Value(ctx)
	}
	if *left < 0 { // has been reported: loops go on after an error, and this one ends
		return cty.DynamicVal, nil
	}
	v, diags := c.Expression.Value(ctx)
	steps := c.steps
	if steps == 0 && v.IsKnown() && !v.IsNull() && v.CanIterateElements() {
		steps = v.LengthInt()
	}
	if *left -= steps; *left < 0 {
		return cty.DynamicVal, hcl.Diagnostics{problem(CodeInvalidExpression, c.Range(), "Too many steps",
			"The loops take up more than %d elements in all; loop over less, or not in a loop.", maxSteps)}
	}
	return v, diags
}

func findSteps(ctx *hcl.EvalContext) *int {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[stepsLeft]; ok {
			return v.EncapsulatedValue().(*int)
		}
	}
	return nil
}
