package schema

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// kindMap is the kind of maps, whose elements are of type Elem. Notifiers alone have them: a connector's description cannot.
const kindMap plugin.Kind = "map"

// planType returns a connector's type as plans hold it.
func planType(t plugin.Type) plan.Type {
	out := plan.Type{Kind: string(t.Kind)}
	if t.Elem != nil {
		elem := planType(*t.Elem)
		out.Elem = &elem
	}
	for _, f := range t.Fields {
		out.Fields = append(out.Fields, plan.Field{Name: f.Name, Type: planType(f.Type)})
	}
	return out
}

// ctyType returns the type that values of t have in expressions.
func ctyType(t plan.Type) cty.Type {
	switch plugin.Kind(t.Kind) {
	case plugin.KindString, plugin.KindTime:
		return cty.String
	case plugin.KindInt, plugin.KindNumber:
		return cty.Number
	case plugin.KindBool:
		return cty.Bool
	case plugin.KindList:
		if t.Elem == nil {
			return cty.List(cty.DynamicPseudoType)
		}
		return cty.List(ctyType(*t.Elem))
	case plugin.KindStruct:
		return objectType(t.Fields)
	case kindMap:
		return cty.Map(ctyType(*t.Elem))
	default:
		return cty.DynamicPseudoType
	}
}

func objectType(fields []plan.Field) cty.Type {
	attrs := make(map[string]cty.Type, len(fields))
	for _, f := range fields {
		attrs[f.Name] = ctyType(f.Type)
	}
	return cty.Object(attrs)
}

// convertStrictly converts v to the type want, unless that depends on what a value that is not known yet will be: HCL itself
// lets a string become a number, which then fails at run time.
func convertStrictly(v cty.Value, want cty.Type) (cty.Value, error) {
	have := v.Type()
	if v.IsWhollyKnown() || have.HasDynamicTypes() || convert.GetConversion(have, want) != nil || have.Equals(want) {
		out, err := convert.Convert(v, want)
		if err != nil {
			return cty.UnknownVal(want), fmt.Errorf("%s is needed, and this is %s", typeName(want), typeName(have))
		}
		return out, nil
	}
	return cty.UnknownVal(want), fmt.Errorf("%s is needed, and this is %s%s", typeName(want), typeName(have), advice(have, want))
}

// advice says how a value of one type is made one of another.
func advice(have, want cty.Type) string {
	switch {
	case want == cty.Number && have == cty.String:
		return "; convert it with tonumber()"
	case want == cty.Bool && have == cty.String:
		return "; compare it with a text, or convert it with tobool()"
	case want == cty.String && have.IsListType() && have.ElementType().IsPrimitiveType():
		return `; join it with join(", ", ...)`
	case want == cty.String && (have.IsListType() || have.IsTupleType()):
		return `; make texts of its elements with [for x in ... : ...] and join them with join(", ", ...)`
	case want.IsListType() && have == want.ElementType():
		return "; put it in brackets to make a list of it"
	default:
		return ""
	}
}

// typeName names a type for people, with its article.
func typeName(t cty.Type) string {
	switch {
	case t == cty.DynamicPseudoType:
		return "any value"
	case t.IsPrimitiveType():
		return "a " + t.FriendlyName()
	case t.IsListType(), t.IsSetType(), t.IsTupleType():
		elem := cty.DynamicPseudoType
		if t.IsTupleType() {
			if types := t.TupleElementTypes(); len(types) > 0 {
				elem, _ = convert.Unify(types)
			}
		} else {
			elem = t.ElementType()
		}
		return "a list" + ofMany(elem)
	case t.IsMapType():
		return "a map" + ofMany(t.ElementType())
	default:
		return "an object"
	}
}

func ofMany(t cty.Type) string {
	switch {
	case t == cty.NilType || t == cty.DynamicPseudoType:
		return ""
	case t.IsPrimitiveType():
		return " of " + t.FriendlyName() + "s"
	case t.IsObjectType(), t.IsMapType():
		return " of objects"
	default:
		return " of lists"
	}
}
