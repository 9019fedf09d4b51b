package notify

import (
	"fmt"
	"strings"
)

// The limits of Slack's blocks, in characters ("Block Kit reference").
const (
	maxSlackHeader  = 150
	maxSlackSection = 3000
)

// slackMessage is what Slack's incoming webhooks take.
type slackMessage struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Fields   []slackText `json:"fields,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func mrkdwn(s string) slackText { return slackText{"mrkdwn", s} }

// slackEscape are the three characters that Slack's markup gives a meaning that other text could take on: mentions, links and
// commands are all written in angle brackets ("Formatting text for app surfaces").
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackEscaped is text with what has a meaning escaped, cut to so many characters.
func slackEscaped(s string, limit int) string {
	escaped := slackEscape.Replace(s)
	for short := []rune(s); len([]rune(escaped)) > limit; escaped = slackEscape.Replace(string(short)) + "…" {
		short = short[:len(short)*9/10]
	}
	return escaped
}

// slackLink is a link with a text.
func slackLink(url, text string) string {
	text = slackEscape.Replace(text)
	if url == "" {
		return text
	}
	// A bar would end the address.
	return "<" + slackEscape.Replace(strings.ReplaceAll(url, "|", "%7C")) + "|" + text + ">"
}

func slackOf(m *message) *slackMessage {
	msg := &slackMessage{Blocks: []slackBlock{{Type: "header", Text: &slackText{"plain_text", line(m.title, maxSlackHeader)}}}}
	said := []string{"*" + slackEscape.Replace(m.title) + "*"}
	section := func(s string) {
		if s != "" {
			text := mrkdwn(s)
			msg.Blocks = append(msg.Blocks, slackBlock{Type: "section", Text: &text})
			said = append(said, s)
		}
	}
	section(slackEscaped(m.problem, maxSlackSection))
	section(slackEscaped(m.advice, maxSlackSection))

	fields := make([]slackText, len(m.facts))
	facts := make([]string, len(m.facts))
	for i, f := range m.facts {
		fields[i] = mrkdwn("*" + f.name + "*\n" + slackEscape.Replace(f.value))
		facts[i] = f.name + ": " + slackEscape.Replace(f.value)
	}
	if len(fields) > 0 { // Slack refuses an empty list
		msg.Blocks = append(msg.Blocks, slackBlock{Type: "section", Fields: fields})
		said = append(said, strings.Join(facts, "\n"))
	}

	section(slackRejects(m))
	var foot []string
	if m.summary != "" {
		foot = append(foot, slackEscape.Replace(m.summary))
	}
	if m.url != "" {
		foot = append(foot, slackLink(m.url, "Open the run"))
	}
	if len(foot) > 0 {
		text := strings.Join(foot, "  ·  ")
		msg.Blocks = append(msg.Blocks, slackBlock{Type: "context", Elements: []slackText{mrkdwn(text)}})
		said = append(said, text)
	}
	msg.Text = strings.Join(said, "\n\n")
	return msg
}

// slackRejects lists as many rejects as fit into a section.
func slackRejects(m *message) string {
	if len(m.rejects) == 0 {
		return ""
	}
	tail := "\nAll of them: `" + slackEscape.Replace(m.more) + "`"
	var b strings.Builder
	b.WriteString("*Not delivered*")
	length := len([]rune(b.String())) + len([]rune(tail))
	for _, r := range m.rejects {
		item := fmt.Sprintf("\n• %s (%s)\n%s", slackLink(r.url, r.title), r.when, slackEscape.Replace(r.why))
		if length += len([]rune(item)); length > maxSlackSection {
			break
		}
		b.WriteString(item)
	}
	return b.String() + tail
}
