package schema

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

// TestNumbersKeepTheirDigits writes numbers as they were read, with as many digits as they have.
func TestNumbersKeepTheirDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.StringMatching(`-?[1-9][0-9]{0,18}\.[0-9]{0,24}[1-9]`).Draw(t, "number")
		got, err := appendNumber([]byte("x"), cty.MustParseNumberVal(want))
		if err != nil || strings.TrimPrefix(string(got), "x") != want {
			t.Fatalf("%s is written as %s, %v", want, got, err)
		}
	})
}
