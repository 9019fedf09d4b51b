package totango

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxURL is the longest address of a record that is put into a text that had to be cut.
const maxURL = 2_000

// How many bytes are given up to end a text that is cut with a line or a word.
const (
	nearLine = 200
	nearWord = 100
)

// markerOpen and markerClose enclose the key in the line that names the record.
const (
	markerOpen  = "[durasync "
	markerClose = "]"
)

// reference returns the line by which a touchpoint is found again. Keys differ if and only if their lines differ, and no line
// contains another: what could end the line early, or that a display of HTML would change, is escaped.
func reference(key string) string {
	const plain = "-._~/:@+=,"
	var b strings.Builder
	b.WriteString(markerOpen)
	for i := range len(key) {
		ch := key[i]
		switch {
		case ch < utf8.RuneSelf && (unicode.IsLetter(rune(ch)) || unicode.IsDigit(rune(ch))), strings.IndexByte(plain, ch) >= 0:
			b.WriteByte(ch)
		default:
			const hex = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(hex[ch>>4])
			b.WriteByte(hex[ch&15])
		}
	}
	b.WriteString(markerClose)
	return b.String()
}

// compose returns a touchpoint's text: the body and, as the last line, the reference to the record. It is at most maxContent UTF-16
// code units long: a longer body is cut at the end of a line or word and a mark says so.
func compose(format, body, url, key string) string {
	body = strings.ToValidUTF8(body, "\uFFFD")
	body = strings.ReplaceAll(body, "\r\n", "\n")
	// A quoted reference must not be taken for that of this touchpoint.
	body = strings.ReplaceAll(body, markerOpen, "(durasync ")
	body = strings.TrimRightFunc(body, unicode.IsSpace)
	render := func(body, mark string) string {
		var parts []string
		if body != "" {
			parts = append(parts, body)
		}
		if mark != "" {
			parts = append(parts, mark)
		}
		if len(parts) > 0 {
			parts = append(parts, "")
		}
		lines := strings.Join(append(parts, reference(key)), "\n")
		if format == formatHTML {
			return toHTML(lines)
		}
		return lines
	}
	if whole := render(body, ""); units(whole) <= maxContent {
		return whole
	}
	mark := "… [cut at 12,000 characters]"
	if usable(url) {
		mark = "… [cut at 12,000 characters; the full meeting: " + url + "]"
	}
	return render(cut(body, func(b string) bool { return units(render(b, mark)) <= maxContent }), mark)
}

// usable reports whether a record's address can be put into a text.
func usable(url string) bool {
	return url != "" && len(url) <= maxURL && utf8.ValidString(url) &&
		!strings.ContainsFunc(url, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// cut returns the longest beginning of body that fits, and backs up to the end of a line or word if there is one nearby. It does
// not split a character.
func cut(body string, fits func(string) bool) string {
	var ends []int // of the characters, as offsets
	for i := range body {
		if i > 0 {
			ends = append(ends, i)
		}
		if len(ends) > maxContent {
			break
		}
	}
	n, _ := slices.BinarySearchFunc(ends, true, func(end int, _ bool) int {
		if fits(body[:end]) {
			return -1
		}
		return 1
	})
	if n == 0 {
		return ""
	}
	whole := body[:ends[n-1]]
	next, _ := utf8.DecodeRuneInString(body[len(whole):])
	end := len(whole)
	switch line := strings.LastIndexByte(whole, '\n'); {
	case next == '\n':
	case line > 0 && end-line < nearLine:
		end = line
	case unicode.IsSpace(next):
	default:
		if word := strings.LastIndexFunc(whole, unicode.IsSpace); word > 0 && end-word < nearWord {
			end = word
		}
	}
	return strings.TrimRightFunc(whole[:end], unicode.IsSpace)
}

// toHTML puts each line into an element of its own, in the container that makes Totango show the elements as lines.
func toHTML(lines string) string {
	var b strings.Builder
	b.WriteString(`<div class="html-parser-container">`)
	for l := range strings.SplitSeq(lines, "\n") {
		if strings.TrimSpace(l) == "" {
			b.WriteString("<br />")
			continue
		}
		b.WriteString("<div>" + html.EscapeString(l) + "</div>")
	}
	b.WriteString("</div>")
	return b.String()
}

// units counts UTF-16 code units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
