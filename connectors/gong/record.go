package gong

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// minSpoken is the length in seconds below which Gong writes no brief and no key points.
const minSpoken = 30

// projection is a choice of fields.
type projection struct {
	fields   []*field
	selector selector
	host     bool
	parties  bool
	written  bool
}

// newProjection prepares a read of the named fields.
func newProjection(names []string) (*projection, error) {
	p := &projection{}
	for _, name := range names {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.Name == name }) {
			return nil, plugin.Errorf(plugin.CodeInvalidRequest, "calls have no field %q", name)
		}
	}
	for i := range fields {
		f := &fields[i]
		if !slices.Contains(names, f.Name) {
			continue
		}
		p.fields = append(p.fields, f)
		if f.needs != nil {
			f.needs(&p.selector)
		}
		p.host = p.host || f.host
		p.parties = p.parties || f.parties
		p.written = p.written || f.written
	}
	if p.written { // whether they are there tells whether Gong has finished
		needBrief(&p.selector)
		needKeyPoints(&p.selector)
	}
	return p, nil
}

// record makes the record of a call. Absent values are left out.
func (p *projection) record(c *call, started time.Time, h host) (plugin.Record, error) {
	r := plugin.Record{ID: string(c.MetaData.ID), Time: started, URL: string(c.MetaData.URL), Pending: p.pending(c)}
	from := &projected{call: c, started: started, host: h, text: budget{left: maxText}}
	data := make(map[string]any, len(p.fields))
	for _, f := range p.fields {
		if v := f.value(from); v != nil {
			data[f.Name] = v
		}
	}
	var err error
	if r.Data, err = json.Marshal(data); err != nil {
		return r, plugin.Errorf(plugin.CodeInternal, "encoding call %s: %v", r.ID, err)
	}
	return r, nil
}

// pending says that a call's texts are still to come: it has neither brief nor key points, though it is long enough and in a
// language that Gong can read. It matters only to those who read such a text. Gong writes them minutes to hours after the call
// has appeared, and never for a call in which less than about a hundred words were said; that cannot be told from waiting.
func (p *projection) pending(c *call) string {
	switch {
	case !p.written,
		c.Content.Brief != "",
		slices.ContainsFunc(c.Content.KeyPoints, func(i item) bool { return i.Text != "" }),
		c.MetaData.Duration.set && c.MetaData.Duration.value < minSpoken,
		c.MetaData.Language == "und", c.MetaData.Language == "zxx":
		return ""
	}
	return "no brief yet"
}

// parties are the participants. An affiliation that is not clearly one or the other is Unknown.
func (p *projected) parties() any {
	out := []any{}
	for _, q := range p.Parties {
		affiliation := q.Affiliation
		if affiliation != affiliationInternal && affiliation != affiliationExternal {
			affiliation = "Unknown"
		}
		one := members{}
		one.add("id", optional(q.ID))
		one.add("email", optional(q.Email))
		one.add("name", optional(q.Name))
		one.add("title", optional(q.Title))
		one.add("user_id", optional(q.UserID))
		one.add("affiliation", string(affiliation))
		one.add("phone_number", optional(q.PhoneNumber))
		methods := []string{}
		for _, m := range q.Methods {
			if m != "" {
				methods = append(methods, string(m))
			}
		}
		one.add("methods", methods)
		out = append(out, one)
	}
	return out
}

// items are the texts of items that have one.
func (p *projected) items(in []item) []string {
	out := []string{}
	for _, i := range in {
		if s := p.text.take(string(i.Text)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// actionItems are the highlights under the titles that Gong gives to what is to be done. The literal titles are not documented.
func (p *projected) actionItems() any {
	out := []string{}
	for _, h := range p.Content.Highlights {
		switch strings.ToLower(string(h.Title)) {
		case "next steps", "next step", "action items", "action item":
			out = append(out, p.items(h.Items)...)
		}
	}
	return out
}

func (p *projected) agenda() any {
	out := p.spans(p.Content.Structure, func(span) bool { return true })
	if len(out) > 0 {
		return out
	}
	var sections []span
	for _, s := range p.Content.Outline {
		if s.Duration.value <= 0 { // Gong sends 0 where it does not know
			s.Duration = number{}
		}
		sections = append(sections, span{s.Section, s.Duration})
	}
	return p.spans(sections, func(span) bool { return true })
}

func (p *projected) topics() any {
	return p.spans(p.Content.Topics, func(s span) bool { return s.Duration.value > 0 })
}

func (p *projected) spans(in []span, keep func(span) bool) []any {
	out := []any{}
	for _, s := range in {
		if !keep(s) {
			continue
		}
		if name := p.text.take(string(s.Name)); name != "" {
			one := members{"name": name}
			one.add("duration", s.Duration.int())
			out = append(out, one)
		}
	}
	return out
}

func (p *projected) outline() any {
	out := []any{}
	for _, s := range p.Content.Outline {
		title := p.text.take(string(s.Section))
		items := p.items(s.Items)
		if title == "" && len(items) == 0 {
			continue
		}
		one := members{"items": items}
		one.add("section", optional(text(title)))
		out = append(out, one)
	}
	return out
}

func (p *projected) interaction() any {
	names := map[text]string{
		"talk ratio": "talk_ratio", "longest monologue": "longest_monologue", "longest customer story": "longest_customer_story",
		"interactivity": "interactivity", "patience": "patience",
	}
	out := members{}
	for _, s := range p.Interaction.Stats {
		if name := names[text(strings.ToLower(string(s.Name)))]; name != "" {
			out.add(name, s.Value.float())
		}
	}
	out.add("company_questions", p.Interaction.Questions.Company.int())
	out.add("customer_questions", p.Interaction.Questions.Customer.int())
	if len(out) == 0 {
		return nil
	}
	return out
}

func (p *projected) crmAccounts() any {
	out := []any{}
	for _, c := range p.Context {
		for _, o := range c.Objects {
			if o.Type != "Account" {
				continue
			}
			one := members{}
			one.add("system", optional(c.System))
			one.add("id", optional(o.ID))
			for _, f := range o.Fields {
				var name string
				if strings.EqualFold(string(f.Name), "name") && json.Unmarshal(f.Value, &name) == nil {
					one.add("name", optional(text(name)))
				}
			}
			out = append(out, one)
		}
	}
	return out
}

// members is a JSON object under construction.
type members map[string]any

// add adds a member unless it has no value.
func (m members) add(name string, value any) {
	if value != nil {
		m[name] = value
	}
}
