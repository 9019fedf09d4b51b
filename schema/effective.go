package schema

import (
	"fmt"
	"slices"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// Row says what an attribute of a job's object gets, for people.
type Row struct {
	Attribute string `json:"attribute"`
	Type      string `json:"type"` // such as "string" or "list of string"

	// Value is the expression as the job has it, possibly of several lines, or words in its stead.
	Value string `json:"value"`

	// Origin is one of those of package plan, [OriginResolved] or [OriginNone].
	Origin plan.Origin `json:"origin"`

	// File, Line and Column are the place of the expression, relative to the job directory, if the job has one.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`

	Required bool `json:"required,omitempty"`
	Locked   bool `json:"locked,omitempty"`

	// Overridden says that the job sets a locked attribute.
	Overridden bool `json:"overridden,omitempty"`

	Doc string `json:"doc,omitempty"` // the attribute's, from the description
}

// The origins of rows without a mapping.
const (
	OriginResolved plan.Origin = "resolved" // found from the people of each record
	OriginNone     plan.Origin = "none"     // the attribute is not set
)

// Effective returns what each attribute of a compiled job's object gets: one row for each attribute of the object's description,
// in its order. What the plan maps besides, because it was compiled against another version of the connector, follows.
func Effective(p *plan.Plan, object plugin.Object) []Row {
	var rows []Row
	for _, attr := range object.Attributes {
		row := Row{
			Attribute: attr.Name, Type: kindName(planType(attr.Type)), Value: "not set", Origin: OriginNone,
			Required: attr.Required, Locked: attr.Locked, Doc: attr.Doc,
		}
		if attr.Name == p.Destination.ResolvedBy {
			row.Origin, row.Value = OriginResolved, resolvedText(p.Resolve)
		}
		if m := mappingOf(p, attr.Name); m != nil {
			row.set(m)
		}
		rows = append(rows, row)
	}
	for i := range p.Map {
		m := &p.Map[i]
		if !slices.ContainsFunc(object.Attributes, func(a plugin.Attribute) bool { return a.Name == m.Attribute }) {
			row := Row{Attribute: m.Attribute, Type: kindName(m.Type), Required: m.Required, Locked: m.Locked}
			row.set(m)
			rows = append(rows, row)
		}
	}
	return rows
}

func mappingOf(p *plan.Plan, attribute string) *plan.Mapping {
	i := slices.IndexFunc(p.Map, func(m plan.Mapping) bool { return m.Attribute == attribute })
	if i < 0 {
		return nil
	}
	return &p.Map[i]
}

func (r *Row) set(m *plan.Mapping) {
	r.Origin, r.Overridden = m.Origin, r.Locked && m.Origin == plan.OriginJob
	if m.Expr == nil {
		r.Value = "the meeting's standard text"
		return
	}
	r.Value, r.File, r.Line, r.Column = m.Expr.Source, m.Expr.File, m.Expr.Line, m.Expr.Column
}

func resolvedText(r plan.Resolve) string {
	who := "participants"
	if r.Participants == "" {
		who = "host"
	}
	return fmt.Sprintf("resolved from the %s (%s)", who, r.OnAmbiguous)
}

// kindName names a type as documentation does.
func kindName(t plan.Type) string {
	switch kind := plugin.Kind(t.Kind); {
	case (kind == plugin.KindList || kind == kindMap) && t.Elem != nil:
		return t.Kind + " of " + kindName(*t.Elem)
	case kind == plugin.KindStruct:
		return "object"
	default:
		return t.Kind
	}
}
