package totangotest

import (
	"html"
	"regexp"
	"strings"
)

// container begins content that was sent as HTML.
const container = `<div class="html-parser-container">`

var (
	lineEnd = regexp.MustCompile(`(?i)<br\s*/?>|</(?:div|p|li|h[1-6])>`)
	markup  = regexp.MustCompile(`<[^>]*>`)
)

// plainText removes markup and keeps the lines that it makes.
func plainText(s string) string {
	s = lineEnd.ReplaceAllString(s, "\n")
	return strings.TrimSpace(html.UnescapeString(markup.ReplaceAllString(s, "")))
}

// readable returns content as a person sees it.
func readable(content string) string {
	if strings.HasPrefix(content, container) {
		return plainText(content)
	}
	return content
}

// block is a piece of a touchpoint's text on the page: a paragraph, or the items of a list.
type block struct {
	Lines []line
	Items []line
	Small bool // the machine-readable line at the end
}

// line is a line of text, with a label in front if it has one.
type line struct {
	Label string
	Parts []part
}

// part is text, or a link if URL is set.
type part struct {
	Text string
	URL  string
}

var (
	link   = regexp.MustCompile(`https?://[^\s<>"\]]+`)
	label  = regexp.MustCompile(`^([A-Z][A-Za-z ]{2,30}\*?:)(?:\s+|$)`)
	bullet = regexp.MustCompile(`^\s*(?:[-*•]|\d+[.)])\s+`)
	marker = regexp.MustCompile(`^\[durasync [^\]]+\]$`)
)

// blocks splits text at empty lines and lists.
func blocks(text string) []block {
	var out []block
	var cur block
	flush := func() {
		if len(cur.Lines)+len(cur.Items) > 0 {
			out = append(out, cur)
		}
		cur = block{}
	}
	for l := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		l = strings.TrimRight(l, "\n ")
		switch {
		case strings.TrimSpace(l) == "":
			flush()
		case marker.MatchString(l):
			flush()
			cur = block{Lines: []line{{Parts: []part{{Text: l}}}}, Small: true}
			flush()
		case bullet.MatchString(l):
			if len(cur.Lines) > 0 {
				flush()
			}
			cur.Items = append(cur.Items, toLine(bullet.ReplaceAllString(l, "")))
		default:
			if len(cur.Items) > 0 {
				flush()
			}
			cur.Lines = append(cur.Lines, toLine(l))
		}
	}
	flush()
	return out
}

// teaser returns the beginning of the first line of prose: one that is longer than a date, and neither a label nor a link.
func teaser(text string) string {
	const shortest, longest = 40, 160 // bytes, so that fewer characters of a denser script do; characters
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if len(l) < shortest || label.MatchString(l) || bullet.MatchString(l) || marker.MatchString(l) || link.FindString(l) == l {
			continue
		}
		if r := []rune(l); len(r) > longest {
			return string(r[:longest]) + "…"
		}
		return l
	}
	return ""
}

func toLine(s string) line {
	var l line
	if m := label.FindStringSubmatch(s); m != nil {
		l.Label = m[1]
		s = s[len(m[0]):]
	}
	at := 0
	for _, m := range link.FindAllStringIndex(s, -1) {
		url := strings.TrimRight(s[m[0]:m[1]], ".,;:)")
		if m[0] > at {
			l.Parts = append(l.Parts, part{Text: s[at:m[0]]})
		}
		l.Parts = append(l.Parts, part{Text: url, URL: url})
		at = m[0] + len(url)
	}
	if at < len(s) {
		l.Parts = append(l.Parts, part{Text: s[at:]})
	}
	return l
}
