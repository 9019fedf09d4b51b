package schema

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var listFunctions = []Function{
	{"length", groupLists, "length(value)", "How many elements a list or object has, or how many characters a text.",
		`length(["a", "b"])`, `2`, lengthFunc},
	{"contains", groupLists, "contains(list, value)", "Whether the list has the value.",
		`contains(["a", "b"], "b")`, `true`, stdlib.ContainsFunc},
	{"element", groupLists, "element(list, index)", "An element of the list, counted from 0 and, past the end, around.", `element(["a", "b"], 3)`, `"b"`,
		stdlib.ElementFunc},
	{"one", groupLists, "one(list)", "The only element of the list, or null if it is empty. It fails for longer ones.",
		`one(["a"])`, `"a"`, oneFunc},
	{"slice", groupLists, "slice(list, start, end)", "A part of the list, without the element at `end`. Both must be in the list.",
		`slice(["a", "b", "c"], 0, 2)`, `["a", "b"]`, stdlib.SliceFunc},
	{"concat", groupLists, "concat(list, ...)", "The elements of several lists in one.",
		`concat(["a"], ["b", "c"])`, `["a", "b", "c"]`, stdlib.ConcatFunc},
	{"compact", groupLists, "compact(list)", "The list without null and empty texts.",
		`compact(["a", "", null])`, `["a"]`, stdlib.CompactFunc},
	{"distinct", groupLists, "distinct(list)", "The list with each value once.",
		`distinct(["a", "b", "a"])`, `["a", "b"]`, stdlib.DistinctFunc},
	{"flatten", groupLists, "flatten(list)", "The elements of lists in lists, in one list.", `flatten([["a"], ["b", ["c"]]])`, `["a", "b", "c"]`,
		stdlib.FlattenFunc},
	{"reverse", groupLists, "reverse(list)", "The list backwards.", `reverse(["a", "b"])`, `["b", "a"]`, stdlib.ReverseListFunc},
	{"sort", groupLists, "sort(list)", "A list of texts in order.", `sort(["b", "a"])`, `["a", "b"]`, stdlib.SortFunc},
	{"range", groupLists, "range([start,] end[, step])", "A list of numbers, without `end`.",
		`range(3)`, `[0, 1, 2]`, stdlib.RangeFunc},
	{"coalesce", groupLists, "coalesce(value, ...)", "The first value that is neither null nor an empty text. It fails if there is none.",
		`coalesce(null, "", "b")`, `"b"`, coalesceFunc},
	{"coalescelist", groupLists, "coalescelist(list, ...)", "The first list that is not empty. It fails if there is none.", `coalescelist([], ["b"])`, `["b"]`,
		stdlib.CoalesceListFunc},
	{"alltrue", groupLists, "alltrue(list)", "Whether all the values are true; so it is for an empty list.",
		`alltrue([true, false])`, `false`, boolFold(true)},
	{"anytrue", groupLists, "anytrue(list)", "Whether one of the values is true.", `anytrue([true, false])`, `true`, boolFold(false)},
	{"keys", groupLists, "keys(object)", "The names of an object's members, in order.",
		`keys({ b = 1, a = 2 })`, `["a", "b"]`, stdlib.KeysFunc},
	{"values", groupLists, "values(object)", "The members of an object, in the order of their names.",
		`values({ b = 1, a = 2 })`, `[2, 1]`, stdlib.ValuesFunc},
	{"lookup", groupLists, "lookup(object, name, default)", "A member of an object, or the default if it has none of that name.",
		`lookup({ Zoom = "Video" }, "Teams", "Other")`, `"Other"`, stdlib.LookupFunc},
	{"merge", groupLists, "merge(object, ...)", "An object with the members of all; later ones win.", `merge({ a = 1, b = 1 }, { b = 2 })`,
		`{ a = 1, b = 2 }`, stdlib.MergeFunc},
	{"zipmap", groupLists, "zipmap(names, values)", "An object of a list of names and a list of values.", `zipmap(["a", "b"], [1, 2])`, `{ a = 1, b = 2 }`,
		stdlib.ZipmapFunc},
}

// lengthFunc counts elements, or the characters of a string.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		t := args[0].Type()
		if t == cty.String || t == cty.DynamicPseudoType || t.IsCollectionType() || t.IsTupleType() || t.IsObjectType() {
			return cty.Number, nil
		}
		return cty.NilType, function.NewArgErrorf(0, "a list, a map or a string is needed, and this is %s", typeName(t))
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v := args[0]
		switch t := v.Type(); {
		case t == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number), nil
		case t == cty.String:
			return stdlib.Strlen(v)
		case t.IsTupleType():
			return cty.NumberIntVal(int64(t.Length())), nil
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		default:
			return v.Length(), nil
		}
	},
})

// coalesceFunc returns the first argument that is neither null nor an empty string.
var coalesceFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{
		Name: "values", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowNull: true, AllowUnknown: true,
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		if len(args) == 0 {
			return cty.NilType, errors.New("at least one value is needed")
		}
		types := make([]cty.Type, 0, len(args))
		for _, a := range args {
			types = append(types, a.Type())
		}
		t, _ := convert.UnifyUnsafe(types)
		if t == cty.NilType {
			return cty.NilType, errors.New("the values have types that do not go together")
		}
		return t, nil
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		for _, a := range args {
			if !a.IsKnown() {
				return cty.UnknownVal(t), nil
			}
			if !a.IsNull() && (a.Type() != cty.String || a.AsString() != "") {
				return convert.Convert(a, t)
			}
		}
		return cty.NilVal, errors.New("all the values are null or empty")
	},
})

// oneFunc returns the only element of a list, or null if the list is empty.
var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch t := args[0].Type(); {
		case t.IsListType() || t.IsSetType():
			return t.ElementType(), nil
		case t.IsTupleType() && t.Length() == 1:
			return t.TupleElementType(0), nil
		case t.IsTupleType() && t.Length() == 0:
			return cty.DynamicPseudoType, nil
		case t.IsTupleType():
			return cty.NilType, function.NewArgErrorf(0, "the list has %d elements", t.Length())
		default:
			return cty.NilType, function.NewArgErrorf(0, "a list is needed, and this is %s", typeName(t))
		}
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		switch n := args[0].LengthInt(); n {
		case 0:
			return cty.NullVal(t), nil
		case 1:
			it := args[0].ElementIterator()
			it.Next()
			_, v := it.Element()
			return v, nil
		default:
			return cty.NilVal, function.NewArgErrorf(0, "the list has %d elements", n)
		}
	},
})

// boolFold makes alltrue and anytrue. Null counts as false.
func boolFold(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if !v.IsKnown() {
					return cty.UnknownVal(cty.Bool), nil
				}
				if (!v.IsNull() && v.True()) != all {
					return cty.BoolVal(!all), nil
				}
			}
			return cty.BoolVal(all), nil
		},
	})
}
