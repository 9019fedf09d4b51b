package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// Renderer evaluates the expressions of a compiled job for its records, whose data has to be valid JSON. It is safe for concurrent use,
// and has no effects: the same record always gives the same result.
type Renderer struct {
	record    string
	functions map[string]function.Function

	where        hclsyntax.Expression // nil if every record is wanted
	whereContext contextOf            // with the fields that it reads
	whereAt      *plan.Expression

	mappings  []mapping
	mapFields []plan.Field // the fields that the evaluated expressions of the mappings read

	fields []plan.Field // of a record
}

// mapping is a mapping with what gives it its value.
type mapping struct {
	plan.Mapping
	value valuer
}

// EvalError says that an expression of a job cannot be evaluated for a record. It is about the record: the job was checked
// before. Evaluating again gives the same error.
type EvalError struct {
	// Attribute is the attribute of the destination's object; empty for the job's condition on records, and for a record that cannot
	// be read at all.
	Attribute string

	// File, Line and Column are the place in the job's files; File is empty for what the job does not write itself.
	File         string
	Line, Column int

	Message string
}

// Error says what failed, where, and why.
func (e *EvalError) Error() string {
	var b strings.Builder
	switch {
	case e.Attribute != "":
		fmt.Fprintf(&b, "attribute %q: ", e.Attribute)
	case e.File != "":
		b.WriteString("where: ")
	}
	if e.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Column)
	}
	b.WriteString(e.Message)
	return b.String()
}

// NewRenderer parses the expressions and templates of a plan. It fails for a plan that [Load] did not make.
func NewRenderer(p *plan.Plan) (*Renderer, error) {
	if p.Version > plan.Version {
		return nil, fmt.Errorf("job %s: the plan has version %d and this program knows %d at most: upgrade it", p.Job, p.Version, plan.Version)
	}
	templates := map[string]hclsyntax.Expression{}
	for _, t := range p.Templates {
		parsed := parseTemplate(t.Path, t.Text)
		if parsed.expr == nil {
			return nil, fmt.Errorf("job %s: template %s: %w", p.Job, t.Path, parsed.diags)
		}
		templates[t.Path] = parsed.expr
	}
	r := &Renderer{record: p.Source.Record, functions: withTemplates(templates), fields: p.Source.Types}
	var read fieldSet
	if p.Source.Where != nil {
		expr, err := parsePlanned(p, p.Source.Where, "where", &read)
		if err != nil {
			return nil, err
		}
		r.where, r.whereAt, r.whereContext = expr, p.Source.Where, r.contextWith(read.of(p.Source.Types))
	}
	read = fieldSet{}
	for _, m := range p.Map {
		out := mapping{Mapping: m}
		switch {
		case m.Expr != nil:
			var own fieldSet
			expr, err := parsePlanned(p, m.Expr, m.Attribute, &own)
			if err != nil {
				return nil, err
			}
			var evaluates bool
			if out.value, evaluates = r.valuer(p, &m, expr, own.of(p.Source.Types)); evaluates {
				read.addAll(own)
			}
		case m.Notes != nil:
			out.value = func(b []byte, in *input) ([]byte, error) {
				return appendString(b, cut(notesText(m.Notes, in.field), m.MaxLength))
			}
		default:
			return nil, fmt.Errorf("job %s: attribute %s has no expression", p.Job, m.Attribute)
		}
		r.mappings = append(r.mappings, out)
	}
	r.mapFields = read.of(p.Source.Types)
	return r, nil
}

func parsePlanned(p *plan.Plan, e *plan.Expression, what string, read *fieldSet) (hclsyntax.Expression, error) {
	expr, diags := parseExpression(e)
	if diags.HasErrors() {
		return nil, fmt.Errorf("job %s: %s: %w", p.Job, what, diags)
	}
	for _, t := range expr.Variables() {
		if t.RootName() != p.Source.Record {
			continue
		}
		attr, ok := hcl.TraverseAttr{}, false
		if len(t) > 1 {
			attr, ok = t[1].(hcl.TraverseAttr)
		}
		read.add(attr.Name)
		read.all = read.all || !ok // the record as a whole, for a template perhaps
	}
	countSteps(expr)
	return expr, nil
}

// of returns the fields of the set.
func (f *fieldSet) of(fields []plan.Field) []plan.Field {
	if f.all {
		return fields
	}
	return slices.DeleteFunc(slices.Clone(fields), func(x plan.Field) bool { return !f.names[x.Name] })
}

// Matches reports whether the job wants a record: whether its condition is true. An error is an [*EvalError].
func (r *Renderer) Matches(record plugin.Record) (bool, error) {
	if r.where == nil {
		return true, nil
	}
	fail := func(err error) error { return evalError("", r.whereAt, err) }
	in, err := newInput(record, r.fields)
	if err != nil {
		return false, fail(err)
	}
	v, err := evaluateFor(in, r.where, r.whereContext)
	if err != nil {
		return false, fail(err)
	}
	v, err = convert.Convert(v, cty.Bool)
	switch {
	case err != nil:
		return false, fail(fmt.Errorf("the condition must be true or false: %w", err))
	case v.IsNull():
		return false, fail(errors.New("the condition is null; say what that means with coalesce(..., false)"))
	}
	return v.True(), nil
}

// Attributes returns the attributes of the object that the job writes for a record, as a JSON object in the order of the plan.
// Attributes that are null are left out; a required one must not be null. An error is an [*EvalError].
func (r *Renderer) Attributes(record plugin.Record) (json.RawMessage, error) {
	in, err := newInput(record, r.fields)
	if err != nil {
		return nil, evalError("", nil, err)
	}
	out := []byte{'{'}
	for _, m := range r.mappings {
		mark := len(out)
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, m.Attribute), ':')
		b, err := m.value(out, in)
		if err != nil {
			return nil, evalError(m.Attribute, m.Expr, err)
		}
		if b == nil {
			out = out[:mark]
			continue
		}
		if out = b; len(out) > maxResult {
			return nil, evalError(m.Attribute, m.Expr, errTooLarge)
		}
	}
	return append(out, '}'), nil
}

// placedError is an error with a place of its own inside an expression or template.
type placedError struct {
	at      hcl.Range
	message string
}

func (e *placedError) Error() string { return e.message }

// diagnosticError makes an error of the first mistake, of which there is one. Its place is in the template, if that is where the
// mistake is.
func diagnosticError(diags hcl.Diagnostics) error {
	d := diags[slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity == hcl.DiagError })]
	if call, ok := d.Extra.(hclsyntax.FunctionCallDiagExtra); ok {
		if inner, ok := errors.AsType[*templateError](call.FunctionCallError()); ok {
			return diagnosticError(inner.diags)
		}
	}
	e := &placedError{message: d.Summary + ": " + strings.TrimSuffix(d.Detail, ".")}
	if d.Subject != nil {
		e.at = *d.Subject
	}
	return e
}

func evalError(attribute string, e *plan.Expression, err error) *EvalError {
	out := &EvalError{Attribute: attribute, Message: err.Error()}
	if e != nil {
		out.File, out.Line, out.Column = e.File, e.Line, e.Column
	}
	if placed, ok := errors.AsType[*placedError](err); ok && placed.at.Filename != "" {
		out.File, out.Line, out.Column = placed.at.Filename, placed.at.Start.Line, placed.at.Start.Column
	}
	return out
}
