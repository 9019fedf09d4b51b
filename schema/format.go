package schema

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format returns a job file in the canonical layout: spacing and indentation change, nothing else. Formatting what has been
// formatted changes nothing. Files with syntax errors are laid out as far as they can be understood.
func Format(src []byte) []byte {
	out := hclwrite.Format(src)
	for range 3 { // one pass can make the next one see more, as when a line that it joined gets a comment to align
		next := hclwrite.Format(out)
		if bytes.Equal(next, out) {
			break
		}
		out = next
	}
	return out
}
