package schema

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/tidwall/gjson"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// valuer appends the value that an attribute has for a record, as JSON, or returns nil if it is null.
type valuer func(b []byte, in *input) ([]byte, error)

// input is a record that is evaluated.
type input struct {
	fields []plan.Field
	values []gjson.Result   // of the fields; null for those that are not there
	shared *hcl.EvalContext // of expressions; nil before the first one
}

func newInput(record plugin.Record, fields []plan.Field) (*input, error) {
	data := parseJSON(record.Data)
	if !data.IsObject() {
		return nil, errors.New("the source's record is not a JSON object")
	}
	return &input{fields: fields, values: valuesOf(data, fields)}, nil
}

func (in *input) field(name string) gjson.Result {
	if i := slices.IndexFunc(in.fields, func(f plan.Field) bool { return f.Name == name }); i >= 0 {
		return in.values[i]
	}
	return gjson.Result{}
}

// value is a field in the form that expressions have it in.
func (in *input) value(f plan.Field) (cty.Value, error) {
	v, err := fromJSON(in.field(f.Name), f.Type)
	if err != nil {
		return cty.NilVal, fmt.Errorf("the source's record does not fit its description: field %s: %w", f.Name, err)
	}
	return v, nil
}

// contextOf gives expressions their variables and functions for a record.
type contextOf func(*input) (*hcl.EvalContext, error)

// contextWith has some fields of the record, all of which have to fit their description.
func (r *Renderer) contextWith(fields []plan.Field) contextOf {
	return func(in *input) (*hcl.EvalContext, error) {
		attrs := make(map[string]cty.Value, len(fields))
		for _, f := range fields {
			var err error
			if attrs[f.Name], err = in.value(f); err != nil {
				return nil, err
			}
		}
		return &hcl.EvalContext{Variables: map[string]cty.Value{r.record: cty.ObjectVal(attrs)}, Functions: r.functions}, nil
	}
}

// sharedContext has the fields of all mappings that are evaluated, and is made once for a record.
func (r *Renderer) sharedContext(in *input) (*hcl.EvalContext, error) {
	var err error
	if in.shared == nil {
		in.shared, err = r.contextWith(r.mapFields)(in)
	}
	return in.shared, err
}

// valuer returns what gives a mapping with an expression its value, and whether the expression is evaluated for each record. Making HCL's
// values of fields and evaluating expressions over them is most of what rendering takes. What most mappings do is simple, and comes to
// the same without that.
func (r *Renderer) valuer(p *plan.Plan, m *plan.Mapping, expr hclsyntax.Expression, fields []plan.Field) (value valuer, evaluates bool) {
	if field := fieldOf(expr, p); field != nil {
		return fieldValue(m, *field), false
	}
	if field, member := pluckedBy(p, m); field != "" {
		return plucked(m, field, member, evaluated(m, expr, r.contextWith(fields))), false
	}
	if len(expr.Variables()) == 0 {
		text, err := evaluated(m, expr, r.contextWith(nil))(nil, nil)
		if err == nil { // else it fails for each record, and says so
			return func(b []byte, _ *input) ([]byte, error) {
				if text == nil {
					return nil, nil
				}
				return append(b, text...), nil
			}, false
		}
	}
	return evaluated(m, expr, r.sharedContext), true
}

// evaluated evaluates an expression.
func evaluated(m *plan.Mapping, expr hclsyntax.Expression, ctx contextOf) valuer {
	return func(b []byte, in *input) ([]byte, error) {
		v, err := evaluateFor(in, expr, ctx)
		if err != nil {
			return nil, err
		}
		return appendValue(b, m, v)
	}
}

func evaluateFor(in *input, expr hclsyntax.Expression, ctx contextOf) (cty.Value, error) {
	vars, err := ctx(in)
	if err != nil {
		return cty.NilVal, err
	}
	v, diags := expr.Value(withSteps(vars, maxSteps))
	if diags.HasErrors() {
		return cty.NilVal, diagnosticError(diags)
	}
	return v, nil
}

// appendValue appends an attribute's value, or returns nil if it is null.
func appendValue(b []byte, m *plan.Mapping, v cty.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, null(m)
	}
	return appendJSON(b, v, m.Type, m.MaxLength)
}

// null is what is wrong with a value that is null.
func null(m *plan.Mapping) error {
	if m.Required {
		return errors.New("the attribute is required, and its value is null")
	}
	return nil
}

// fieldOf returns the field that an expression names, or nil if it is more than the name of one.
func fieldOf(expr hclsyntax.Expression, p *plan.Plan) *plan.Field {
	t, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(t.Traversal) != 2 || t.Traversal.RootName() != p.Source.Record {
		return nil
	}
	name, ok := t.Traversal[1].(hcl.TraverseAttr)
	i := slices.IndexFunc(p.Source.Types, func(f plan.Field) bool { return f.Name == name.Name })
	if !ok || i < 0 {
		return nil
	}
	return &p.Source.Types[i]
}

// fieldValue is a field's value. Where field and attribute may be anything, it is copied as it is, down to the digits.
func fieldValue(m *plan.Mapping, f plan.Field) valuer {
	if isAny(f.Type) && isAny(m.Type) {
		return func(b []byte, in *input) ([]byte, error) {
			v := in.field(f.Name)
			if v.Type == gjson.Null {
				return nil, null(m)
			}
			return append(b, v.Raw...), nil
		}
	}
	return func(b []byte, in *input) ([]byte, error) {
		v, err := in.value(f)
		if err != nil {
			return nil, err
		}
		return appendValue(b, m, v)
	}
}

func isAny(t plan.Type) bool { return plugin.Kind(t.Kind) == plugin.KindAny }

// pluck is the expression for a text of each element of a list, such as the addresses of participants.
func pluck(list, member string) string {
	return fmt.Sprintf("[for x in %s : x.%s if x.%s != null]", list, member, member)
}

// pluckedBy returns the field and member that a mapping plucks; empty if it does something else.
func pluckedBy(p *plan.Plan, m *plan.Mapping) (field, member string) {
	if plugin.Kind(m.Type.Kind) != plugin.KindList || plugin.Kind(m.Type.Elem.Kind) != plugin.KindString {
		return "", ""
	}
	for _, f := range p.Source.Types {
		if plugin.Kind(f.Type.Kind) != plugin.KindList || plugin.Kind(f.Type.Elem.Kind) != plugin.KindStruct {
			continue
		}
		for _, x := range f.Type.Elem.Fields {
			if plugin.Kind(x.Type.Kind) == plugin.KindString && m.Expr.Source == pluck(p.Source.Record+"."+f.Name, x.Name) {
				return f.Name, x.Name
			}
		}
	}
	return "", ""
}

// plucked is the texts of a member in a list. What is not as it should be is left to the evaluation, which knows what to say.
func plucked(m *plan.Mapping, field, member string, evaluate valuer) valuer {
	return func(b []byte, in *input) ([]byte, error) {
		list := in.field(field)
		if list.Type != gjson.Null && !list.IsArray() {
			return evaluate(b, in)
		}
		before := len(b)
		b = append(b, '[')
		first, odd := true, false
		var failed error
		list.ForEach(func(_, elem gjson.Result) bool {
			text := gjson.Result{}
			for name, v := range members(elem) {
				if name == member {
					text = v
				}
			}
			if odd = !elem.IsObject() || text.Type != gjson.String && text.Type != gjson.Null; odd || text.Type == gjson.Null {
				return !odd
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b, failed = appendString(b, cut(cty.NormalizeString(text.Str), m.MaxLength))
			return failed == nil
		})
		switch {
		case odd:
			return evaluate(b[:before], in)
		case failed != nil:
			return nil, failed
		}
		return append(b, ']'), nil
	}
}
