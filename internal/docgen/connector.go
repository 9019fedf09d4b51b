package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durasync/durasync/plugin"
)

func connectorPage(d *plugin.DescribeResponse) []byte {
	p := &page{}
	fmt.Fprintf(p, "# Connector `%s`\n\n%s", d.Name, notice)
	p.paragraph(d.Doc)
	p.heading(2, "Connection")
	p.code(block(fmt.Sprintf("connection %q %q", d.Name, "acme"), required(d)))
	p.table([]string{"Attribute", "Type", "Default", "Meaning"}, attributeRows(withChoices(d.Config)))
	for _, s := range d.Streams {
		p.stream(s)
	}
	for _, o := range d.Objects {
		p.object(o)
	}
	return p.Bytes()
}

// required is a connection with what it needs and nothing else.
func required(d *plugin.DescribeResponse) string {
	width := 0
	for _, a := range d.Config {
		if a.Required {
			width = max(width, len(a.Name))
		}
	}
	var lines []string
	for _, a := range d.Config {
		switch {
		case a.Required && a.Sensitive:
			lines = append(lines, fmt.Sprintf("%-*s = env(%q)", width, a.Name, strings.ToUpper(d.Name+"_"+a.Name)))
		case a.Required:
			lines = append(lines, fmt.Sprintf("%-*s = ...", width, a.Name))
		}
	}
	return strings.Join(lines, "\n")
}

// withChoices adds the allowed values to what attributes say of themselves, if they leave them out.
func withChoices(attrs []plugin.Attribute) []plugin.Attribute {
	out := slices.Clone(attrs)
	for i := range out {
		a := &out[i]
		if len(a.OneOf) == 0 || !slices.ContainsFunc(a.OneOf, func(v string) bool { return !strings.Contains(a.Doc, `"`+v+`"`) }) {
			continue
		}
		a.Doc += fmt.Sprintf(" One of `%s`.", strings.Join(a.OneOf, "`, `"))
	}
	return out
}

func (p *page) stream(s plugin.Stream) {
	p.heading(2, "Stream "+quoted(s.Name))
	p.paragraph(fmt.Sprintf("%s In expressions, a record is called `%s`.", s.Doc, s.Record))
	p.table([]string{"Field", "Type", "Meaning"}, fieldRows(s.Record, s.Fields))
}

// fieldRows has a row for each field, with those of structures after the structure.
func fieldRows(path string, fields []plugin.Field) [][]string {
	var rows [][]string
	for _, f := range fields {
		at := path + "." + f.Name
		doc := f.Doc
		if f.Semantic != "" {
			doc = strings.TrimSpace(doc + " Semantic: `" + f.Semantic + "`.")
		}
		rows = append(rows, []string{quoted(at), f.Type.String(), doc})
		inner := f.Type
		if inner.Elem != nil {
			at, inner = at+"[*]", *inner.Elem
		}
		rows = append(rows, fieldRows(at, inner.Fields)...)
	}
	return rows
}

func (p *page) object(o plugin.Object) {
	p.heading(2, "Object "+quoted(o.Name))
	p.paragraph(o.Doc)
	p.paragraph("*Filled by itself* names what an attribute takes from the source if the job's `map` block does not set it: the field of the same " +
		"semantic, or a default. *Locked* attributes can be set only beside `override = true`.")
	var rows [][]string
	for _, a := range withChoices(o.Attributes) {
		var marks []string
		if a.Required {
			marks = append(marks, "required")
		}
		if a.Locked {
			marks = append(marks, "locked")
		}
		rows = append(rows, []string{quoted(a.Name), a.Type.String(), strings.Join(marks, ", "), source(o, a), a.Doc})
	}
	p.table([]string{"Attribute", "Type", "", "Filled by itself", "Meaning"}, rows)
}

// source says where an attribute's value comes from without a mapping.
func source(o plugin.Object, a plugin.Attribute) string {
	byDefault := ""
	if a.Default != nil {
		byDefault = quoted(string(a.Default))
	}
	switch {
	case a.Name == o.ResolvedBy:
		return "the people of the record"
	case a.Semantic == plugin.MeetingNotes:
		return "the standard text of a meeting"
	case a.Semantic != "" && byDefault != "":
		return quoted(a.Semantic) + ", or " + byDefault
	case a.Semantic != "":
		return quoted(a.Semantic)
	default:
		return byDefault
	}
}

// connectorList links the pages of the connectors.
func (p *page) connectorList() {
	var links []string
	for _, name := range slices.Sorted(maps.Keys(connectors())) {
		links = append(links, fmt.Sprintf("[`%s`](connectors/%s.md)", name, name))
	}
	last := len(links) - 1
	p.paragraph("The connectors that come with Durasync are " + strings.Join(links[:last], ", ") + " and " + links[last] + ".")
}
