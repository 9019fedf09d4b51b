package schema

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var numberFunctions = []Function{
	{"format_number", groupNumber, "format_number(number, decimals)", "A number for people, with thousands apart and so many decimals, 0 to 20.",
		`format_number(1234567.891, 2)`, `"1,234,567.89"`, formatNumberFunc},
	{"abs", groupNumber, "abs(number)", "The number without its sign.", `abs(-3)`, `3`, stdlib.AbsoluteFunc},
	{"ceil", groupNumber, "ceil(number)", "The number rounded up.", `ceil(61 / 60)`, `2`, stdlib.CeilFunc},
	{"floor", groupNumber, "floor(number)", "The number rounded down.", `floor(119 / 60)`, `1`, stdlib.FloorFunc},
	{"max", groupNumber, "max(number, ...)", "The largest.", `max(3, 12, 9)`, `12`, stdlib.MaxFunc},
	{"min", groupNumber, "min(number, ...)", "The smallest.", `min(3, 12, 9)`, `3`, stdlib.MinFunc},
	{"sum", groupNumber, "sum(list)", "The sum of a list of numbers; 0 for an empty one. Null counts as 0.",
		`sum([60, 90.5])`, `150.5`, sumFunc},
	{"parseint", groupNumber, "parseint(text, base)", "The whole number that a text of digits of a base stands for.", `parseint("ff", 16)`, `255`,
		stdlib.ParseIntFunc},
}

// wholeNumber returns a number that must be whole and from least to most.
func wholeNumber(v cty.Value, least, most int) (int, error) {
	f := v.AsBigFloat()
	n, _ := f.Int64()
	if !f.IsInt() || n < int64(least) || n > int64(most) {
		return 0, fmt.Errorf("a whole number from %d to %d is needed", least, most)
	}
	return int(n), nil
}

// formatNumberFunc rounds half away from zero, as people do: 0.125 with two decimals is 0.13.
var formatNumberFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "number", Type: cty.Number}, {Name: "decimals", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if err := checkMagnitude(args[0]); err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		decimals, err := wholeNumber(args[1], 0, 20)
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		exact, _ := args[0].AsBigFloat().Rat(nil)
		sign, digits := "", exact.FloatString(decimals)
		if strings.HasPrefix(digits, "-") {
			sign, digits = "-", digits[1:]
		}
		if strings.Trim(digits, "0.") == "" {
			sign = "" // what is rounded to zero is neither more nor less
		}
		whole, fraction, _ := strings.Cut(digits, ".")
		var b strings.Builder
		b.WriteString(sign)
		for i, d := range whole {
			if i > 0 && (len(whole)-i)%3 == 0 {
				b.WriteByte(',')
			}
			b.WriteRune(d)
		}
		if decimals > 0 {
			b.WriteByte('.')
			b.WriteString(fraction)
		}
		return cty.StringVal(b.String()), nil
	},
})

var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			if !v.IsKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			if !v.IsNull() {
				total = total.Add(v)
			}
		}
		return total, nil
	},
})
