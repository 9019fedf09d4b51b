package schema

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// WriteText writes the diagnostics for people: summary, place, source line with the mistake marked, detail. It uses ANSI
// colours if color is set, and wraps details at limit columns; zero means no wrapping.
func (d Diagnostics) WriteText(w io.Writer, color bool, limit int) error {
	out := bufio.NewWriter(w)
	for i, x := range d {
		if i > 0 {
			fmt.Fprintln(out)
		}
		x.writeText(out, color, limit)
	}
	return out.Flush()
}

func (d Diagnostic) writeText(out *bufio.Writer, color bool, limit int) {
	paint := func(code, s string) string {
		if !color || s == "" {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	hue, word := "31", "Error"
	if d.Severity == SeverityWarning {
		hue, word = "33", "Warning"
	}
	fmt.Fprintf(out, "%s %s\n", paint("1;"+hue, word+":"), paint("1", printable(d.Summary)))
	if d.Range != nil {
		fmt.Fprintf(out, "\n  on %s:%d:%d", d.Range.Filename, d.Range.Start.Line, d.Range.Start.Column)
		if d.Snippet != nil && d.Snippet.Context != nil {
			fmt.Fprintf(out, ", in %s", printable(*d.Snippet.Context))
		}
		fmt.Fprintln(out, ":")
	}
	if s := d.Snippet; s != nil && strings.TrimSpace(s.Code) != "" {
		number := fmt.Sprint(s.StartLine)
		before, marked := s.Code[:s.HighlightStartOffset], s.Code[s.HighlightStartOffset:s.HighlightEndOffset]
		fmt.Fprintf(out, "  %s | %s%s%s\n", number, printable(before), paint("4", printable(marked)),
			printable(s.Code[s.HighlightEndOffset:]))
		fmt.Fprintf(out, "  %s | %s%s\n", strings.Repeat(" ", len(number)), blank(before),
			paint(hue, strings.Repeat("^", max(1, columns(marked)))))
	}
	if d.Detail != "" {
		fmt.Fprintf(out, "\n%s", wrap(printable(d.Detail), limit))
	}
}

// printable replaces what could steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// blank returns white space of the width of s.
func blank(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteString("  "[:columnsOf(r)])
		}
	}
	return b.String()
}

// columns returns how many columns of a terminal s takes, a tab counted as one.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// wrap breaks the lines of s at spaces so that they are no wider than limit, where that is possible, and ends with a newline.
func wrap(s string, limit int) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(s, "\n")) {
		n := 0
		for word := range strings.FieldsSeq(line) {
			size := columns(word)
			switch {
			case n == 0:
			case limit > 0 && n+1+size > limit:
				b.WriteByte('\n')
				n = 0
			default:
				b.WriteByte(' ')
				n++
			}
			b.WriteString(word)
			n += size
		}
		b.WriteByte('\n')
	}
	return b.String()
}
