package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// previewIndent is what stands before the values of a record's lines.
const previewIndent = "                  "

// show prints the preview for people: a table, then each record in full.
func (p *preview) show(a *app) {
	s := a.outStyle()
	a.printf("%s: %s\n", s.bold(p.Job), p.title())
	if len(p.Records) == 0 {
		a.printf("%s\n", wrap(p.emptiness(), "  ", a.opts.Width))
		return
	}
	a.printf("  %s\n\n", p.tally())
	rows := make([][]string, len(p.Records))
	for i, r := range p.Records {
		rows[i] = []string{r.Time.UTC().Format("2006-01-02 15:04"), r.Title, localPart(r.Host), targetText(&r), resultWord(&r)}
	}
	a.table([]string{"DATE (UTC)", "TITLE", "HOST", p.targetHead(), "RESULT"}, []bool{false, true, true, true, false}, rows,
		func(row, column int, text string) string {
			if column < 4 {
				return text
			}
			return paintResult(s, &p.Records[row], text)
		})
	for i := range p.Records {
		a.printf("\n")
		p.showRecord(a, i)
	}
	a.printf("\nNothing was written.\n")
}

func (p *preview) title() string {
	return fmt.Sprintf("the newest of %s, as %s", p.Source, p.Destination)
}

// emptiness says that there is nothing to show, and what that may mean.
func (p *preview) emptiness() string {
	return fmt.Sprintf("There are no records at all in the last 31 days or more of %s. If there should be some, the credentials may lack the "+
		"permission to see them: some systems answer then as if there were none.", p.Source)
}

// tally counts what would become of the records.
func (p *preview) tally() string {
	n := map[activities.State]int{}
	for _, r := range p.Records {
		n[r.State]++
	}
	var parts []string
	for _, t := range []struct {
		state activities.State
		text  string
	}{
		{activities.Claimed, "would be written"}, {activities.Delivered, "there already"}, {activities.Rejected, "rejected"},
		{activities.Deferred, "deferred"}, {activities.InDoubt, "in doubt"},
	} {
		if n[t.state] > 0 {
			parts = append(parts, number(n[t.state])+" "+t.text)
		}
	}
	return plural(len(p.Records), "record") + ": " + strings.Join(parts, ", ")
}

// targetHead is what records belong to, such as "ACCOUNT".
func (p *preview) targetHead() string {
	return strings.ToUpper(strings.ReplaceAll(p.targetNoun(), "_", " "))
}

// targetNoun is the attribute that resolution fills without its "_id", such as "account".
func (p *preview) targetNoun() string {
	if p.plan == nil || p.plan.Destination.ResolvedBy == "" {
		return "target"
	}
	return strings.TrimSuffix(p.plan.Destination.ResolvedBy, "_id")
}

// localPart is an address without its domain, which hosts mostly share.
func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return local
}

func targetText(r *activities.PreviewRecord) string {
	if r.TargetName != "" {
		return r.TargetName
	}
	return r.Target
}

// resultWord is what would become of a record, in a word or two.
func resultWord(r *activities.PreviewRecord) string {
	switch r.State {
	case activities.Claimed:
		return "create"
	case activities.Delivered:
		return "known"
	}
	switch r.Reason {
	case activities.ReasonUnresolved:
		return "unresolved"
	case activities.ReasonAmbiguous:
		return "ambiguous"
	case activities.ReasonInternalOnly:
		return "internal"
	case activities.ReasonRender:
		return "error"
	case "":
		return strings.ReplaceAll(string(r.State), "_", " ")
	}
	return strings.ReplaceAll(string(r.Reason), "_", " ")
}

func paintResult(s style, r *activities.PreviewRecord, text string) string {
	switch r.State {
	case activities.Claimed:
		return s.green(text)
	case activities.Delivered:
		return s.dim(text)
	case activities.Rejected:
		return s.red(text)
	}
	return s.yellow(text)
}

// verdict says in a sentence what would become of a record.
func (p *preview) verdict(r *activities.PreviewRecord) string {
	switch r.State {
	case activities.Claimed:
		if r.Target == "" {
			return "would be written"
		}
		return fmt.Sprintf("would be written to %s %s", p.targetNoun(), named(r.TargetName, r.Target))
	case activities.Delivered:
		return "is in the destination already, and is not written again"
	}
	text := hint(r.Reason, r.Detail)
	if r.Detail != "" && text != r.Detail && (r.Reason == activities.ReasonAmbiguous || r.Reason == activities.ReasonNotReady) {
		text += " (" + r.Detail + ")"
	}
	return fmt.Sprintf("%s (%s): %s", strings.ReplaceAll(string(r.State), "_", " "), r.Reason, text)
}

func (p *preview) showRecord(a *app, i int) {
	s, r := a.outStyle(), &p.Records[i]
	a.printf("%s\n", s.bold(wrap(fmt.Sprintf("%d. %s", i+1, plainText(titleOf(r))), "", a.opts.Width)))
	a.previewField("record", r.ID)
	a.previewField("date", moment(r.Time))
	a.previewField("host", r.Host)
	a.previewField("link", r.URL)
	a.previewField("result", p.verdict(r))
	if len(r.Participants) > 0 {
		a.previewField("looked up", strings.Join(r.Participants, ", "))
	}
	for n, loser := range r.Losers {
		name := ""
		if n == 0 {
			name = "also possible"
		}
		a.previewLine(name, loserText(&loser))
	}
	if attributes := orderedAttributes(p.plan, r.Attributes); len(attributes) > 0 {
		a.printf("\n")
		for _, attr := range attributes {
			a.previewLine(attr.name, attr.value)
		}
	}
}

func titleOf(r *activities.PreviewRecord) string {
	if r.Title != "" {
		return r.Title
	}
	return r.ID
}

// loserText is a candidate that was not chosen, with what it had.
func loserText(c *activities.Candidate) string {
	text := fmt.Sprintf("%s: %s", named(c.Name, c.ID), plural(c.Matched, "participant"))
	if c.KeyContacts > 0 {
		text += ", " + plural(c.KeyContacts, "key contact")
	}
	if c.Contacts > 0 {
		text += ", " + plural(c.Contacts, "contact")
	}
	if c.Host {
		text += ", looked after by the host"
	}
	return text
}

func (a *app) previewField(name, value string) {
	if value != "" {
		a.previewLine(name, value)
	}
}

func (a *app) previewLine(name, value string) {
	text := strings.TrimPrefix(wrapLines(plainText(value), previewIndent, a.opts.Width), previewIndent)
	a.printf("   %s %s\n", a.outStyle().dim(fmt.Sprintf("%-14s", name)), text)
}

type shownAttribute struct{ name, value string }

// orderedAttributes are a record's attributes in the order of the plan, others behind. Lists are joined, and what is null is left out.
func orderedAttributes(p *plan.Plan, raw json.RawMessage) []shownAttribute {
	var values map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &values) != nil {
		return nil
	}
	var names, out = make([]string, 0, len(values)), []shownAttribute(nil)
	for name := range values {
		names = append(names, name)
	}
	place := func(name string) int {
		if p == nil {
			return 0
		}
		i := slices.IndexFunc(p.Map, func(m plan.Mapping) bool { return m.Attribute == name })
		if i < 0 {
			return len(p.Map)
		}
		return i
	}
	slices.SortFunc(names, func(x, y string) int {
		if px, py := place(x), place(y); px != py {
			return px - py
		}
		return strings.Compare(x, y)
	})
	for _, name := range names {
		if value := attributeText(values[name]); value != "" {
			out = append(out, shownAttribute{name, value})
		}
	}
	return out
}

// attributeText is a value for people: a string as it is, a list joined by commas, anything else as JSON.
func attributeText(raw json.RawMessage) string {
	if bytes.Equal(raw, []byte("null")) {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, ", ")
	}
	return string(raw)
}
