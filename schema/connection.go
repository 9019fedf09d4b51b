package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/durasync/durasync/plugin"
)

// connection is a connection's block on its way to a [Connection].
type connection struct {
	Connection
	file    *sourceFile
	block   *hclsyntax.Block
	invalid bool
}

// sensitive marks values that must not be shown.
type sensitive struct{}

func (l *loader) decodeConnections() {
	ctx := &hcl.EvalContext{Functions: l.secretFunctions()}
	for _, c := range l.connections {
		diags := l.decodeConnection(c, ctx)
		if diags.HasErrors() || c.file.broken {
			c.invalid = true
		}
		l.diags = append(l.diags, diags...)
	}
}

func (l *loader) decodeConnection(c *connection, ctx *hcl.EvalContext) hcl.Diagnostics {
	body := c.block.Body
	d := l.descriptions[c.Type]
	if d == nil {
		c.file.hideBody(body) // any attribute may be a secret
		return nil
	}
	c.hideSecrets(d)
	known := append(attributeNames(d.Config), "description")
	diags := unknownItems(c.file, body, "in a connection to "+c.Type, known, nil)
	if a := body.Attributes["description"]; a != nil {
		var more hcl.Diagnostics
		c.Description, more = constantString(a)
		diags = append(diags, more...)
	}
	spec := hcldec.ObjectSpec{}
	for _, attr := range d.Config {
		spec[attr.Name] = &hcldec.AttrSpec{Name: attr.Name, Type: ctyType(planType(attr.Type))}
	}
	// What is not in the description has been reported already: hcldec leaves it alone.
	val, _, more := hcldec.PartialDecode(body, spec, ctx)
	diags = append(diags, c.reword(more, d)...)

	out := []byte{'{'}
	for _, attr := range d.Config {
		v, unset := val.GetAttr(attr.Name), body.Attributes[attr.Name] == nil
		diags = append(diags, c.checkAttribute(attr, v, known)...)
		if unset && attr.Default != nil {
			v, _ = defaultValue(attr) // newDescription has checked it
		}
		v, _ = v.UnmarkDeep()
		if l.opts.Env == nil || v.IsNull() || !v.IsWhollyKnown() {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, fmt.Sprintf("%q:", attr.Name)...)
		b, err := appendJSON(out, v, planType(attr.Type), 0)
		if err != nil {
			diags = append(diags, problem(CodeInvalidValue, c.rangeOf(attr.Name), "Invalid value", "%s: %s.", attr.Name, err))
			break
		}
		out = b
	}
	if l.opts.Env != nil && !diags.HasErrors() {
		c.Config = json.RawMessage(append(out, '}'))
	}
	return diags
}

// hideSecrets keeps the secrets of the block out of diagnostics, and everything else that may be one.
func (c *connection) hideSecrets(d *description) {
	for name, a := range c.block.Body.Attributes {
		i := slices.IndexFunc(d.Config, func(attr plugin.Attribute) bool { return attr.Name == name })
		if name != "description" && (i < 0 || d.Config[i].Sensitive) {
			c.file.hide(a.Expr)
		}
	}
}

func (c *connection) rangeOf(name string) hcl.Range {
	if a := c.block.Body.Attributes[name]; a != nil {
		return a.Expr.Range()
	}
	return c.block.DefRange()
}

// checkAttribute checks what types do not say. Its words never hold a value: it may be a secret.
func (c *connection) checkAttribute(attr plugin.Attribute, v cty.Value, known []string) hcl.Diagnostics {
	a := c.block.Body.Attributes[attr.Name]
	if a == nil {
		if attr.Required && attr.Default == nil && !c.file.broken && !misspelled(c.block.Body, attr.Name, known) {
			hint := ""
			if attr.Sensitive {
				hint = fmt.Sprintf(" Write %s = env(%q) and set that variable where the job runs.",
					attr.Name, strings.ToUpper(c.Type+"_"+attr.Name))
			}
			return hcl.Diagnostics{problem(CodeMissingAttribute, c.block.DefRange(), "Missing attribute",
				"A connection to %s needs the attribute %q%s.%s", c.Type, attr.Name, meaning(attr.Doc), hint)}
		}
		return nil
	}
	at := a.Expr.Range()
	v, marks := v.UnmarkDeep()
	if v.IsNull() {
		if attr.Required {
			return hcl.Diagnostics{problem(CodeMissingAttribute, at, "Missing attribute",
				"A connection to %s needs the attribute %q; it must not be null.", c.Type, attr.Name)}
		}
		return nil
	}
	var diags hcl.Diagnostics
	if attr.Sensitive && !readsSecret(a.Expr) {
		d := doubt(CodeExposedSecret, at, "Secret in a file",
			"%s is a secret. Put it into the environment and write env(%q), so that the file can be shared.",
			attr.Name, strings.ToUpper(c.Type+"_"+attr.Name))
		diags = append(diags, d)
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

func meaning(doc string) string {
	if doc = strings.TrimSuffix(strings.TrimSpace(doc), "."); doc == "" {
		return ""
	}
	return " (" + doc + ")"
}

// readsSecret reports whether an expression takes its value from elsewhere and shows no part of it.
func readsSecret(expr hclsyntax.Expression) bool {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	return ok && (call.Name == fnEnv || call.Name == fnFile)
}

// secretError is a secret that is not to be found.
type secretError struct{ summary, detail string }

func (e *secretError) Error() string { return e.detail }

// reword gives the diagnostics of decoding the codes and words of this package, which hold no values.
func (c *connection) reword(diags hcl.Diagnostics, desc *description) hcl.Diagnostics {
	for i, d := range diags {
		at := *d.Subject
		if call, ok := d.Extra.(hclsyntax.FunctionCallDiagExtra); ok {
			if e, ok := errors.AsType[*secretError](call.FunctionCallError()); ok {
				diags[i] = problem(CodeEnvironment, at, e.summary, "%s", e.detail)
				continue
			}
		}
		if call, ok := d.Extra.(hclsyntax.FunctionCallUnknownDiagExtra); ok {
			diags[i] = misnamed(CodeUnknownFunction, at, call.CalledFunctionName(), []string{fnEnv, fnFile}, "Unknown function",
				"There is no function %q in connection blocks.", call.CalledFunctionName())
			continue
		}
		diags[i] = problem(CodeInvalidExpression, at, d.Summary, "%s", d.Detail)
		switch d.Summary { // HCL's own words: they have no codes
		case "Incorrect attribute value type":
			for _, attr := range desc.Config {
				if c.rangeOf(attr.Name) == at {
					diags[i] = problem(CodeWrongType, at, "Wrong type", "%s takes %s.", attr.Name, typeName(ctyType(planType(attr.Type))))
				}
			}
		case "Variables not allowed":
			diags[i] = problem(CodeUnknownVariable, at, "No variables in connections",
				"A connection reads nothing but env() and file(). A text stands in quotes.")
		}
	}
	return diags
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secretFunctions are env and file. Without an environment, both give an unknown value.
func (l *loader) secretFunctions() map[string]function.Function {
	fn := func(param string, read func(string) (string, error)) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: param, Type: cty.String}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				s, err := read(args[0].AsString())
				if err != nil {
					return cty.NilVal, err
				}
				if l.opts.Env == nil {
					return cty.UnknownVal(cty.String).Mark(sensitive{}), nil
				}
				return cty.StringVal(s).Mark(sensitive{}), nil
			},
		})
	}
	return map[string]function.Function{fnEnv: fn("name", l.readEnv), fnFile: fn("path", l.readSecretFile)}
}

func (l *loader) readEnv(name string) (string, error) {
	if !variableName.MatchString(name) {
		return "", &secretError{"Invalid name of a variable",
			"The name of an environment variable has letters, digits and _ only, such as GONG_ACCESS_KEY."}
	}
	if l.opts.Env == nil {
		return "", nil
	}
	v, ok := l.opts.Env(name)
	if !ok || v == "" {
		return "", &secretError{"Missing environment variable",
			fmt.Sprintf("%s is not set, or empty. Set it in the environment of the process that runs the jobs, and start it again.", name)}
	}
	return v, nil
}

// readSecretFile reads a file of the directory, or one that an absolute path names, such as a mounted secret. The newline that
// most of them end with is no part of the secret.
func (l *loader) readSecretFile(name string) (string, error) {
	if l.opts.Env == nil {
		return "", nil
	}
	var b []byte
	var err error
	if filepath.IsAbs(name) {
		b, err = os.ReadFile(name)
	} else {
		b, err = fs.ReadFile(l.fsys, path.Clean(filepath.ToSlash(name)))
	}
	switch {
	case err != nil:
		return "", &secretError{"File cannot be read", fmt.Sprintf("%s: %s.", name, reason(err))}
	case len(b) > maxFile:
		return "", &secretError{"File too large", fmt.Sprintf("%s has %d bytes; at most %d are read.", name, len(b), maxFile)}
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}
