package cli

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// plainText replaces what could steer a terminal. Texts from other systems may hold anything.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// columns is how many columns of a terminal a text takes: characters of East Asian scripts take two, marks that combine none.
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
	}
	return 1
}

// clip is a text in one line of at most n columns.
func clip(s string, n int) string {
	s = oneLine(plainText(s))
	if columns(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		if used += columnsOf(r); used > n-1 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

// fitColumns narrows columns until they fit into limit with two spaces between them: the widest first, those that may be narrowed only.
func fitColumns(widths []int, narrow []bool, limit int) {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > limit; total-- {
		widest := -1
		for i, w := range widths {
			if narrow[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 || widths[widest] <= 4 {
			return
		}
		widths[widest]--
	}
}

// table prints rows of cells in columns, each cell in one line. Columns that may be narrowed are clipped.
func (a *app) table(head []string, narrow []bool, rows [][]string, paint func(row, column int, text string) string) {
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(clip(cell, a.opts.Width)))
		}
	}
	fitColumns(widths, narrow, a.opts.Width)
	a.tableRow(widths, head, func(_ int, text string) string { return a.outStyle().dim(text) })
	for n, row := range rows {
		a.tableRow(widths, row, func(column int, text string) string { return paint(n, column, text) })
	}
}

func (a *app) tableRow(widths []int, cells []string, paint func(column int, text string) string) {
	var line strings.Builder
	pad := 0
	for i, cell := range cells {
		text := clip(cell, widths[i])
		line.WriteString(strings.Repeat(" ", pad))
		line.WriteString(paint(i, text))
		pad = widths[i] - columns(text) + 2
	}
	a.printf("%s\n", line.String())
}

// wrapLines is wrap for a text of several lines: each is broken for itself and keeps the spaces that it begins with. What follows a
// hyphen at its start is indented alike.
func wrapLines(text, indent string, limit int) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.ReplaceAll(line, "\t", "  ")
		rest := strings.TrimLeft(line, " ")
		if rest == "" {
			out = append(out, "")
			continue
		}
		lead := indent + line[:len(line)-len(rest)]
		if item, ok := strings.CutPrefix(rest, "- "); ok {
			out = append(out, lead+"- "+strings.TrimLeft(wrap(item, lead+"  ", limit), " "))
			continue
		}
		out = append(out, wrap(rest, lead, limit))
	}
	return strings.Join(out, "\n")
}

// sideBySide prints cells that are broken into lines, each within its width.
func (a *app) sideBySide(indent string, widths []int, cells []string) {
	broken := make([][]string, len(cells))
	height := 0
	for i, cell := range cells {
		broken[i] = strings.Split(wrapLines(plainText(cell), "", widths[i]), "\n")
		height = max(height, len(broken[i]))
	}
	for n := range height {
		line := indent
		for i, lines := range broken {
			text := ""
			if n < len(lines) {
				text = lines[n]
			}
			line += text + strings.Repeat(" ", max(widths[i]-columns(text), 0)+2)
		}
		a.printf("%s\n", strings.TrimRight(line, " "))
	}
}
