package schema

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

const (
	fnTry          = "try"
	fnCan          = "can"
	fnTemplateFile = "templatefile"
	fnEnv          = "env"
	fnFile         = "file"
)

// pureFunctions are the functions of expressions and templates, except templatefile. The map is never changed.
var pureFunctions = map[string]function.Function{
	fnTry: tryfunc.TryFunc,
	fnCan: tryfunc.CanFunc,

	"format":          limitWidth(stdlib.FormatFunc),
	"formatlist":      limitWidth(stdlib.FormatListFunc),
	"format_time":     formatTimeFunc,
	"format_duration": formatDurationFunc,

	"endswith":   stringTest("suffix", strings.HasSuffix),
	"join":       stdlib.JoinFunc,
	"lower":      stdlib.LowerFunc,
	"regex":      stdlib.RegexFunc,
	"regexall":   stdlib.RegexAllFunc,
	"replace":    replaceFunc,
	"split":      stdlib.SplitFunc,
	"startswith": stringTest("prefix", strings.HasPrefix),
	"strlen":     stdlib.StrlenFunc,
	"substr":     stdlib.SubstrFunc,
	"title":      stdlib.TitleFunc,
	"trim":       stdlib.TrimFunc,
	"trimprefix": stdlib.TrimPrefixFunc,
	"trimspace":  stdlib.TrimSpaceFunc,
	"trimsuffix": stdlib.TrimSuffixFunc,
	"upper":      stdlib.UpperFunc,

	"alltrue":      boolFold(true),
	"anytrue":      boolFold(false),
	"coalesce":     coalesceFunc,
	"coalescelist": stdlib.CoalesceListFunc,
	"compact":      stdlib.CompactFunc,
	"concat":       stdlib.ConcatFunc,
	"contains":     stdlib.ContainsFunc,
	"distinct":     stdlib.DistinctFunc,
	"element":      stdlib.ElementFunc,
	"flatten":      stdlib.FlattenFunc,
	"keys":         stdlib.KeysFunc,
	"length":       lengthFunc,
	"lookup":       stdlib.LookupFunc,
	"merge":        stdlib.MergeFunc,
	"one":          oneFunc,
	"range":        stdlib.RangeFunc,
	"reverse":      stdlib.ReverseListFunc,
	"slice":        stdlib.SliceFunc,
	"sort":         stdlib.SortFunc,
	"values":       stdlib.ValuesFunc,
	"zipmap":       stdlib.ZipmapFunc,

	"abs":      stdlib.AbsoluteFunc,
	"ceil":     stdlib.CeilFunc,
	"floor":    stdlib.FloorFunc,
	"max":      stdlib.MaxFunc,
	"min":      stdlib.MinFunc,
	"parseint": stdlib.ParseIntFunc,

	"jsonencode": stdlib.JSONEncodeFunc,
	"tobool":     stdlib.MakeToFunc(cty.Bool),
	"tolist":     stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tonumber":   stdlib.MakeToFunc(cty.Number),
	"tostring":   stdlib.MakeToFunc(cty.String),
}

// pureFunctionNames are the names of pureFunctions, sorted.
var pureFunctionNames = slices.Sorted(maps.Keys(pureFunctions))

// limitWidth refuses formats that pad to absurd widths, before memory is spent on them.
func limitWidth(f function.Function) function.Function {
	wide := regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if v := args[0]; v.IsKnown() && !v.IsNull() && wide.MatchString(v.AsString()) {
				return cty.NilType, function.NewArgErrorf(0, "a width or precision has more than three digits")
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

func stringTest(name string, test func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "string", Type: cty.String}, {Name: name, Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// replaceFunc replaces text by text. The size of the result is known beforehand, so it can be refused before it is made.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "string", Type: cty.String}, {Name: "old", Type: cty.String}, {Name: "new", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		s, from, to := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if from == "" {
			return cty.NilVal, function.NewArgErrorf(1, "the text to replace is empty")
		}
		if len(s)+strings.Count(s, from)*(len(to)-len(from)) > maxResult {
			return cty.NilVal, errTooLarge
		}
		return cty.StringVal(strings.ReplaceAll(s, from, to)), nil
	},
})

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

// onlyInConnections says why env and file cannot be called in a job; empty for other functions.
func onlyInConnections(name string) string {
	if name != fnEnv && name != fnFile {
		return ""
	}
	return fmt.Sprintf("%s() can be called in connection blocks only: jobs are stored as text and must not hold secrets.", name)
}
