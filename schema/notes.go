package schema

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/durasync/durasync/schema/plan"
)

// notSet stands for what the source has no value for.
const notSet = "not set"

// notesText composes the standard text of a meeting: nine items, each introduced by its name on a line of its own.
func notesText(n *plan.Notes, field func(name string) gjson.Result) string {
	t := &notesWriter{field: field}
	t.b.Grow(2048)
	t.item("Meeting start time", startText(t.text(n.Started)))
	t.item("Meeting duration", secondsText(field(n.Duration)))
	t.item("Meeting purpose", t.text(n.Purpose))
	t.item("Recording URL", t.text(n.URL))
	t.item("Meeting brief", t.text(n.Brief))
	t.list("Key points", n.KeyPoints)
	t.list("Agenda items", n.Agenda)
	t.list("Topics discussed", n.Topics)
	t.list("Action items", n.ActionItems)
	return t.b.String()
}

type notesWriter struct {
	b     strings.Builder
	field func(name string) gjson.Result
}

func (t *notesWriter) label(name string) {
	if t.b.Len() > 0 {
		t.b.WriteString("\n\n")
	}
	t.b.WriteString(name)
	t.b.WriteByte(':')
}

func (t *notesWriter) item(name, value string) {
	t.label(name)
	t.b.WriteByte('\n')
	if value == "" {
		value = notSet
	}
	t.b.WriteString(value)
}

// text returns a field's text without the space around it, and with the line ends of this text.
func (t *notesWriter) text(field string) string {
	s := t.field(field).Str
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	return strings.TrimSpace(s)
}

// list writes each element with text on a line of its own.
func (t *notesWriter) list(name string, l plan.List) {
	t.label(name)
	var elems []gjson.Result
	if v := t.field(l.Field); v.IsArray() {
		elems = v.Array()
	}
	some := false
	for _, e := range elems {
		text, duration := elementText(e, l)
		if text = oneLine(text); text == "" {
			continue
		}
		some = true
		t.b.WriteString("\n- ")
		t.b.WriteString(text)
		if duration != "" {
			t.b.WriteString(" (")
			t.b.WriteString(duration)
			t.b.WriteByte(')')
		}
	}
	if !some {
		t.b.WriteByte('\n')
		t.b.WriteString(notSet)
	}
}

func elementText(e gjson.Result, l plan.List) (text, duration string) {
	if l.Item == "" {
		return e.Str, ""
	}
	for name, v := range members(e) {
		if name == l.Item {
			text = v.Str
		}
		if name == l.Duration && l.Duration != "" {
			duration = secondsText(v)
		}
	}
	return text, duration
}

// oneLine joins the lines of a text.
func oneLine(s string) string {
	s = strings.TrimSpace(s)
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// startText writes a time in its own offset, such as "2026-09-01 09:02 (UTC-07:00)".
func startText(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s // what the source says is better than nothing
	}
	if _, offset := t.Zone(); offset == 0 {
		return t.Format("2006-01-02 15:04") + " (UTC)"
	}
	return t.Format("2006-01-02 15:04 (UTC-07:00)")
}

// secondsText writes a number of seconds as people say it, or "" if there is none.
func secondsText(v gjson.Result) string {
	if v.Type != gjson.Number && v.Type != gjson.String {
		return ""
	}
	seconds, err := strconv.ParseFloat(v.String(), 64)
	if err != nil || seconds < 0 || seconds > 1e12 {
		return ""
	}
	return durationText(int64(seconds))
}
