package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
)

// secretBlock is a block that may hold secrets, a connection or a notifier, on its way to a configuration.
type secretBlock struct {
	file  *sourceFile
	block *hclsyntax.Block

	// what is the block in messages, such as "a connection to gong".
	what string

	// attrs are the attributes that the block can have besides its description.
	attrs []plugin.Attribute

	// invalid is set when the block cannot be used, which has been reported.
	invalid bool

	description string
	config      json.RawMessage // nil without an environment to read secrets from

	// trial is the configuration as far as it is known, with stand-ins for what is read elsewhere.
	trial    json.RawMessage
	standIns []string // the attributes that have one
}

// standIn takes the place of a text that is not known yet.
const standIn = "stand-in"

// decode reads the block's attributes and returns their values, unmarked, unknown where they are not read.
func (b *secretBlock) decode(ctx *hcl.EvalContext, evaluated bool) (cty.Value, hcl.Diagnostics) {
	b.hideSecrets()
	body := b.block.Body
	known := append(attributeNames(b.attrs), "description")
	diags := unknownItems(b.file, body, "in "+b.what, known, nil)
	if a := body.Attributes["description"]; a != nil {
		var more hcl.Diagnostics
		b.description, more = constantString(a)
		diags = append(diags, more...)
	}
	spec := hcldec.ObjectSpec{}
	for _, attr := range b.attrs {
		spec[attr.Name] = &hcldec.AttrSpec{Name: attr.Name, Type: ctyType(planType(attr.Type))}
	}
	// What is not in the description has been reported already: hcldec leaves it alone.
	val, _, more := hcldec.PartialDecode(body, spec, ctx)
	diags = append(diags, b.reword(more)...)

	out := []byte{'{'}
	for _, attr := range b.attrs {
		v, unset := val.GetAttr(attr.Name), body.Attributes[attr.Name] == nil
		diags = append(diags, b.checkAttribute(attr, v, known)...)
		if unset && attr.Default != nil {
			v, _ = defaultValue(attr) // newDescription has checked it
		}
		v, _ = v.UnmarkDeep()
		if v.IsNull() {
			continue
		}
		if !v.IsWhollyKnown() {
			if attr.Type.Kind != plugin.KindString {
				continue
			}
			v = cty.StringVal(standIn)
			b.standIns = append(b.standIns, attr.Name)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, fmt.Sprintf("%q:", attr.Name)...)
		text, err := appendJSON(out, v, planType(attr.Type), 0)
		if err != nil {
			diags = append(diags, problem(CodeInvalidValue, b.rangeOf(attr.Name), "Invalid value", "%s: %s.", attr.Name, err))
			break
		}
		out = text
	}
	if !diags.HasErrors() {
		if b.trial = json.RawMessage(append(out, '}')); evaluated {
			b.config = b.trial
		}
	}
	val, _ = val.UnmarkDeep()
	return val, diags
}

// hideSecrets keeps the secrets of the block out of diagnostics, and everything else that may be one.
func (b *secretBlock) hideSecrets() {
	for name, a := range b.block.Body.Attributes {
		i := slices.IndexFunc(b.attrs, func(attr plugin.Attribute) bool { return attr.Name == name })
		if name != "description" && (i < 0 || b.attrs[i].Sensitive) {
			b.file.hide(a.Expr)
		}
	}
}

// rangeOf is the place of an attribute's value, or of the block's header.
func (b *secretBlock) rangeOf(name string) hcl.Range {
	if a := b.block.Body.Attributes[name]; a != nil {
		return a.Expr.Range()
	}
	return b.block.DefRange()
}

// variable proposes a name for the environment variable of a secret.
func (b *secretBlock) variable(name string) string {
	return strings.ToUpper(b.block.Labels[0] + "_" + name)
}

// checkAttribute checks what types do not say. Its words never hold a value: it may be a secret.
func (b *secretBlock) checkAttribute(attr plugin.Attribute, v cty.Value, known []string) hcl.Diagnostics {
	a := b.block.Body.Attributes[attr.Name]
	if a == nil {
		if attr.Required && attr.Default == nil && !b.file.broken && !misspelled(b.block.Body, attr.Name, known) {
			hint := ""
			if attr.Sensitive {
				hint = fmt.Sprintf(" Write %s = env(%q) and set that variable where the job runs.", attr.Name, b.variable(attr.Name))
			}
			return hcl.Diagnostics{problem(CodeMissingAttribute, b.block.DefRange(), "Missing attribute",
				"%s needs the attribute %q%s.%s", sentence(b.what), attr.Name, meaning(attr.Doc), hint)}
		}
		return nil
	}
	at := a.Expr.Range()
	v, marks := v.UnmarkDeep()
	if v.IsNull() {
		if attr.Required {
			return hcl.Diagnostics{problem(CodeMissingAttribute, at, "Missing attribute",
				"%s needs the attribute %q; it must not be null.", sentence(b.what), attr.Name)}
		}
		return nil
	}
	var diags hcl.Diagnostics
	if attr.Sensitive {
		diags = b.exposed(attr.Name, a.Expr)
	}
	if !v.IsWhollyKnown() {
		return diags
	}
	if len(attr.OneOf) > 0 && v.Type() == cty.String && !slices.Contains(attr.OneOf, v.AsString()) {
		given := ""
		if !attr.Sensitive && len(marks) == 0 {
			given = v.AsString()
		}
		return append(diags, notOneOf(at, attr.Name, given, attr.OneOf)...)
	}
	if _, err := appendJSON(nil, v, planType(attr.Type), 0); err != nil {
		diags = append(diags, problem(CodeInvalidValue, at, "Invalid value", "%s: %s.", attr.Name, err))
	}
	return diags
}

// secretMember finds the members of a sensitive map that are secrets by their names, such as HTTP headers.
var secretMember = regexp.MustCompile(`(?i)auth|key|token|secret|password|cookie|signature`)

// exposed warns of a secret that is written down in the file.
func (b *secretBlock) exposed(name string, expr hclsyntax.Expression) hcl.Diagnostics {
	warn := func(at hcl.Range, name, variable string) *hcl.Diagnostic {
		return doubt(CodeExposedSecret, at, "Secret in a file",
			"%s is a secret. Put it into the environment and write env(%q), so that the file can be shared.", name, variable)
	}
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		if fromElsewhere(expr) {
			return nil
		}
		return hcl.Diagnostics{warn(expr.Range(), name, b.variable(name))}
	}
	var diags hcl.Diagnostics
	for _, item := range object.Items {
		key := strings.Trim(string(item.KeyExpr.Range().SliceBytes(b.file.src)), `"`)
		if secretMember.MatchString(key) && variableName.MatchString(strings.ReplaceAll(key, "-", "_")) && !fromElsewhere(item.ValueExpr) {
			diags = append(diags, warn(item.ValueExpr.Range(), key, b.variable(strings.ReplaceAll(key, "-", "_"))))
		}
	}
	return diags
}

func meaning(doc string) string {
	if doc = strings.TrimSuffix(strings.TrimSpace(doc), "."); doc == "" {
		return ""
	}
	return " (" + doc + ")"
}

// readsSecret reports whether an expression takes its value from elsewhere and shows no part of it.
func readsSecret(expr hclsyntax.Expression) bool {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	return ok && slices.Contains(secretFunctionNames, call.Name)
}

// fromElsewhere reports whether a part of an expression is read from elsewhere.
func fromElsewhere(expr hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if e, ok := n.(hclsyntax.Expression); ok && readsSecret(e) {
			found = true
		}
		return nil
	})
	return found
}

// reword gives the diagnostics of decoding the codes and words of this package, which hold no values.
func (b *secretBlock) reword(diags hcl.Diagnostics) hcl.Diagnostics {
	for i, d := range diags {
		at := *d.Subject
		if call, ok := d.Extra.(hclsyntax.FunctionCallDiagExtra); ok {
			if e, ok := errors.AsType[*secretError](call.FunctionCallError()); ok {
				diags[i] = problem(CodeEnvironment, at, e.summary, "%s", e.detail)
				continue
			}
		}
		if call, ok := d.Extra.(hclsyntax.FunctionCallUnknownDiagExtra); ok {
			diags[i] = misnamed(CodeUnknownFunction, at, call.CalledFunctionName(), secretFunctionNames, "Unknown function",
				"There is no function %q in %s blocks.", call.CalledFunctionName(), b.block.Type)
			continue
		}
		diags[i] = problem(CodeInvalidExpression, at, d.Summary, "%s", d.Detail)
		switch d.Summary { // HCL's own words: they have no codes
		case "Incorrect attribute value type":
			for _, attr := range b.attrs {
				if a := b.block.Body.Attributes[attr.Name]; a != nil && a.Expr.Range() == at {
					diags[i] = problem(CodeWrongType, a.Expr.Range(), "Wrong type", "%s takes %s.",
						attr.Name, typeName(ctyType(planType(attr.Type))))
				}
			}
		case "Variables not allowed":
			diags[i] = problem(CodeUnknownVariable, at, fmt.Sprintf("No variables in %ss", b.block.Type),
				"A %s reads nothing but env(), file() and exec(). A text stands in quotes.", b.block.Type)
		}
	}
	return diags
}
