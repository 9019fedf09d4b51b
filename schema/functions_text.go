package schema

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var textFunctions = []Function{
	{"format", groupText, "format(format, value, ...)", "A text with values put in: `%s` for a text, `%d` for a whole number, `%.2f` for two decimals, " +
		"`%q` for a text in quotes, `%5d` and `%-5s` for a width, `%%` for a percent sign.", `format("%s: %.1f %%", "NPS", 41.26)`, `"NPS: 41.3 %"`,
		limitWidth(stdlib.FormatFunc)},
	{"formatlist", groupText, "formatlist(format, list, ...)", "A list of texts, made as by `format` of each element.",
		`formatlist("- %s", ["a", "b"])`, `["- a", "- b"]`, limitWidth(stdlib.FormatListFunc)},
	{"join", groupText, "join(separator, list)", "The texts of a list in one, with the separator between them.", `join(", ", ["a", "b"])`, `"a, b"`,
		stdlib.JoinFunc},
	{"split", groupText, "split(separator, text)", "The parts of a text between separators.",
		`split(",", "a,b")`, `["a", "b"]`, stdlib.SplitFunc},
	{"lower", groupText, "lower(text)", "The text in lower case.", `lower("Acme GmbH")`, `"acme gmbh"`, stdlib.LowerFunc},
	{"upper", groupText, "upper(text)", "The text in upper case.", `upper("eu")`, `"EU"`, stdlib.UpperFunc},
	{"title", groupText, "title(text)", "The text with the first letter of each word in upper case.", `title("weekly call")`, `"Weekly Call"`,
		stdlib.TitleFunc},
	{"trimspace", groupText, "trimspace(text)", "The text without white space at its ends.",
		`trimspace("  a b ")`, `"a b"`, stdlib.TrimSpaceFunc},
	{"trim", groupText, "trim(text, characters)", "The text without any of the characters at its ends.", `trim("[EXT]", "[]")`, `"EXT"`,
		stdlib.TrimFunc},
	{"trimprefix", groupText, "trimprefix(text, prefix)", "The text without the prefix, if it begins with it.", `trimprefix("Re: Plan", "Re: ")`,
		`"Plan"`, stdlib.TrimPrefixFunc},
	{"trimsuffix", groupText, "trimsuffix(text, suffix)", "The text without the suffix, if it ends in it.", `trimsuffix("a.mp4", ".mp4")`, `"a"`,
		stdlib.TrimSuffixFunc},
	{"chomp", groupText, "chomp(text)", "The text without line ends at its end.", `chomp("a\n")`, `"a"`, stdlib.ChompFunc},
	{"indent", groupText, "indent(spaces, text)", "The text with spaces before each line but the first.",
		`indent(2, "a\nb")`, `"a\n  b"`, indentFunc},
	{"replace", groupText, "replace(text, old, new)", "The text with each `old` replaced.",
		`replace("a-b-c", "-", "/")`, `"a/b/c"`, replaceFunc},
	{"regexreplace", groupText, "regexreplace(text, pattern, new)", "The text with each match of a regular expression replaced; `$1` in `new` is the first " +
		"group, `$$` a dollar sign.", `regexreplace("[EXT] Review", "^\\[\\w+\\] *", "")`, `"Review"`, regexReplaceFunc},
	{"regex", groupText, "regex(pattern, text)", "The first match of a regular expression: a text, or a list of its groups if it has any. Without a " +
		"match it fails; put it into `try`.", `regex("[0-9]+", "Q3 2026")`, `"3"`, stdlib.RegexFunc},
	{"regexall", groupText, "regexall(pattern, text)", "All matches, as a list.",
		`regexall("[0-9]+", "Q3 2026")`, `["3", "2026"]`, stdlib.RegexAllFunc},
	{"startswith", groupText, "startswith(text, prefix)", "Whether the text begins with the prefix.", `startswith("Re: Plan", "Re:")`, `true`,
		stringTest("prefix", strings.HasPrefix)},
	{"endswith", groupText, "endswith(text, suffix)", "Whether the text ends in the suffix.", `endswith("ann@acme.com", "@acme.com")`, `true`,
		stringTest("suffix", strings.HasSuffix)},
	{"strcontains", groupText, "strcontains(text, part)", "Whether the text has the part in it.", `strcontains("Weekly QBR", "QBR")`, `true`,
		stringTest("part", strings.Contains)},
	{"strlen", groupText, "strlen(text)", "How many characters the text has.", `strlen("Zoë")`, `3`, stdlib.StrlenFunc},
	{"substr", groupText, "substr(text, offset, length)", "A part of the text, by characters. The length -1 takes all the rest.",
		`substr("Quarterly", 0, 4)`, `"Quar"`, stdlib.SubstrFunc},
	{"truncate", groupText, "truncate(text, length)", "The text, at most so long; one that is cut ends in an ellipsis.", `truncate("Quarterly", 5)`,
		`"Quar…"`, truncateFunc},
	{"urlencode", groupText, "urlencode(text)", "The text as a part of a URL's query.",
		`urlencode("a b&c")`, `"a+b%26c"`, urlEncodeFunc},
}

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

// regexReplaceFunc replaces the matches of a regular expression. It stops when the result becomes too large.
var regexReplaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "string", Type: cty.String}, {Name: "pattern", Type: cty.String}, {Name: "new", Type: cty.String},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		if args[1].IsKnown() {
			if _, err := regexp.Compile(args[1].AsString()); err != nil {
				return cty.NilType, function.NewArgError(1, err)
			}
		}
		return cty.String, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, with := args[0].AsString(), args[2].AsString()
		pattern, err := regexp.Compile(args[1].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		var out []byte
		last := 0
		for _, match := range pattern.FindAllStringSubmatchIndex(text, -1) {
			out = pattern.ExpandString(append(out, text[last:match[0]]...), with, text, match)
			if last = match[1]; len(out) > maxResult {
				return cty.NilVal, errTooLarge
			}
		}
		return cty.StringVal(string(append(out, text[last:]...))), nil
	},
})

// indentFunc is the standard one with a bound.
var indentFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "spaces", Type: cty.Number}, {Name: "string", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, err := wholeNumber(args[0], 0, 100)
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		text := args[1].AsString()
		if len(text)+n*strings.Count(text, "\n") > maxResult {
			return cty.NilVal, errTooLarge
		}
		return cty.StringVal(strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", n))), nil
	},
})

var truncateFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "string", Type: cty.String}, {Name: "length", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, err := wholeNumber(args[1], 1, maxResult)
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		return cty.StringVal(cut(args[0].AsString(), n)), nil
	},
})

var urlEncodeFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "string", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return cty.StringVal(url.QueryEscape(args[0].AsString())), nil
	},
})
