package gong

import (
	"strings"
	"unicode/utf8"
)

// maxText is how much text one record holds, in bytes of UTF-8. A usual call has a few thousand; the longest outline seen by
// users of the API had 23,000.
const maxText = 64 << 10

// cutMark is the end of a text that was cut.
const cutMark = "… [cut]"

// budget hands out the text of one record until it is used up. The text that does not fit any more is cut, with the mark at its
// end, and what comes after it is left out.
type budget struct {
	left int
	cut  bool
}

func (b *budget) take(s string) string {
	switch {
	case b.cut || s == "":
		return ""
	case len(s) <= b.left:
		b.left -= len(s)
		return s
	}
	b.cut = true
	end := b.left
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimSpace(s[:end]) + cutMark
}
