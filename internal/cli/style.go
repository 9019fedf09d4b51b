package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// style writes colours, or none.
type style struct{ color bool }

func (s style) paint(code, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string   { return s.paint("1", text) }
func (s style) dim(text string) string    { return s.paint("2", text) }
func (s style) red(text string) string    { return s.paint("31", text) }
func (s style) green(text string) string  { return s.paint("32", text) }
func (s style) yellow(text string) string { return s.paint("33", text) }

// outStyle and errStyle are for the two streams. NO_COLOR (no-color.org) and TERM=dumb turn colours off.
func (a *app) outStyle() style { return style{a.opts.StdoutTerminal && a.colors()} }
func (a *app) errStyle() style { return style{a.opts.StderrTerminal && a.colors()} }

func (a *app) colors() bool { return a.env.get("NO_COLOR") == "" && a.env.get("TERM") != "dumb" }

// printf writes to standard output, notef to standard error. What cannot be written there has nowhere to be reported.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.opts.Stdout, format, args...) }
func (a *app) notef(format string, args ...any)  { fmt.Fprintf(a.opts.Stderr, format, args...) }

// wrap breaks text at spaces so that no line, each after the indent, is wider than limit where that can be.
func wrap(text, indent string, limit int) string {
	var b strings.Builder
	width := 0
	for word := range strings.FieldsSeq(text) {
		size := utf8.RuneCountInString(word)
		switch {
		case width == 0:
			b.WriteString(indent)
			width = utf8.RuneCountInString(indent)
		case width+1+size > limit:
			b.WriteString("\n" + indent)
			width = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += size
	}
	return b.String()
}

// plural is "1 job", "2 jobs".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%s %ss", number(n), noun)
}

// number is n with its thousands apart, as in 12,345.
func number(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// span is a duration for people, in at most two units.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return plural(int(d/(24*time.Hour)), "day")
	}
}

// moment is a time for people, in UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
