package schema

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

func evaluate(t *testing.T, source string) (cty.Value, error) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(source), "f", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", source, diags)
	}
	v, diags := expr.Value(&hcl.EvalContext{Functions: pureFunctions})
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	return v, nil
}

// TestFunctionExamples: every function is documented with an example, and gives what its documentation says.
func TestFunctionExamples(t *testing.T) {
	for _, f := range Functions() {
		if f.Doc == "" || f.Group == "" || !strings.HasPrefix(f.Signature, f.Name+"(") || !strings.Contains(f.Example, f.Name+"(") {
			t.Errorf("%s is not documented: %+v", f.Name, f)
		}
		if _, pure := pureFunctions[f.Name]; !pure {
			continue
		}
		got, err := evaluate(t, f.Example)
		if err != nil {
			t.Errorf("%s: %v", f.Example, err)
			continue
		}
		want, err := evaluate(t, f.Result)
		if err != nil {
			t.Fatal(err)
		}
		// A list and a tuple of the same elements look the same to people.
		if want, err = convert.Convert(want, got.Type()); err != nil || !want.RawEquals(got) {
			t.Errorf("%s is %#v, and its documentation says %s (%v)", f.Example, got, f.Result, err)
		}
	}
}

func TestFunctionValues(t *testing.T) {
	for source, want := range map[string]string{
		`format_number(0, 0)`:                               "0",
		`format_number(999, 0)`:                             "999",
		`format_number(1000, 0)`:                            "1,000",
		`format_number(-1234567, 0)`:                        "-1,234,567",
		`format_number(0.125, 2)`:                           "0.13",
		`format_number(-0.001, 2)`:                          "0.00",
		`format_number(999999.999, 2)`:                      "1,000,000.00",
		`format_number(12345678901234567890, 1)`:            "12,345,678,901,234,567,890.0",
		`regexreplace("abc", "", "-")`:                      "-a-b-c-",
		`regexreplace("2026-09", "(\\d+)-(\\d+)", "$2/$1")`: "09/2026",
		`regexreplace("abc", "x", "y")`:                     "abc",
		`truncate("Quarterly", 9)`:                          "Quarterly",
		`truncate("日本語", 2)`:                                "日…",
		`indent(4, "a")`:                                    "a",
		`timeadd("2026-03-08T01:30:00-05:00", "1h")`:        "2026-03-08T02:30:00-05:00",
		`timeadd("2026-12-31T23:00:00+05:30", "1w1d")`:      "2027-01-08T23:00:00+05:30",
		`tostring(sum([]))`:                                 "0",
		`tostring(sum([1, null, 0.5]))`:                     "1.5",
	} {
		got, err := evaluate(t, source)
		if err != nil || got.AsString() != want {
			t.Errorf("%s is %#v, want %q (%v)", source, got, want, err)
		}
	}
}

func TestFunctionsRefuse(t *testing.T) {
	for source, want := range map[string]string{
		`format_number(1, 21)`:                      "a whole number from 0 to 20 is needed",
		`format_number(1, 0.5)`:                     "a whole number from 0 to 20 is needed",
		`format_number(1e9999, 0)`:                  "a number beyond all measure",
		`indent(101, "a")`:                          "a whole number from 0 to 100 is needed",
		`truncate("a", 0)`:                          "a whole number from 1 to",
		`timeadd("today", "1h")`:                    "a time in RFC 3339 is needed",
		`regexreplace("a", "(", "")`:                "missing closing",
		`timeadd("2026-09-01T00:00:00Z", "1 hour")`: "is no duration",
		// What would be too large is refused before memory is spent on it.
		`regexreplace(join("", [for i in range(1000) : "aaaaaaaaaa"]), "a", join("", [for i in range(1000) : "bbbbbbbbbb"]))`: "more than 1 MiB",
		`indent(100, join("", [for i in range(1000) : "\n\n\n\n\n\n\n\n\n\n\n"]))`:                                            "more than 1 MiB",
	} {
		if v, err := evaluate(t, source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %#v (%v), want an error with %q", source, v, err, want)
		}
	}
}
