package main

import (
	"fmt"
	"strings"

	"github.com/durasync/durasync/schema"
)

// expressions are the kinds of expressions, each with what it is for. All of them are valid for a call of Gong.
var expressions = []struct{ source, doc string }{
	{`call.title`, "A field of the record."},
	{`"[Gong] ${call.title}"`, "A text with a value put in. `$${` is a literal `${`."},
	{`call.parties[0].name`, "An element of a list, counted from 0, and its member. It fails if there is none; put it into `try`."},
	{`call.duration > 3600 && call.scope == "External"`, "Comparisons with `==`, `!=`, `<`, `<=`, `>`, `>=`, joined by `&&` and `||`, " +
		"turned around by `!`. A value may be compared with `null`."},
	{`ceil(call.duration / 60)`, "Arithmetic with `+`, `-`, `*`, `/`, `%`, and calls of functions."},
	{`call.duration > 3600 ? "long" : "short"`, "One of two values."},
	{`[for p in call.parties : lower(p.email) if p.email != null]`, "A list made of another one."},
	{`{ for p in call.parties : p.id => p.name }`, "An object made of a list."},
	{`call.parties[*].name`, "A member of all elements, as a list."},
	{`[call.scope, "gong"]`, "A list."},
	{`"%{ if call.brief != null }${call.brief}%{ else }No brief%{ endif }"`, "A text with a condition; `%{ for x in list }...%{ endfor }` " +
		"repeats. A tilde inside the braces removes the white space on its side."},
}

func languagePage() []byte {
	p := &page{}
	p.WriteString("# The job language\n\n" + notice)
	p.paragraph("Job files are written in [HCL](https://github.com/hashicorp/hcl). All files of a directory whose names end in `.hcl` form one " +
		"configuration; it does not matter which block stands in which file. `durasync validate` checks them without touching any other " +
		"system, `durasync fmt` lays them out, `durasync show JOB` prints what a job comes to, and `durasync preview JOB` what it would write.")
	p.paragraph("Comments begin with `#` or `//`, or stand between `/*` and `*/`. A *duration* is a text of whole numbers with the units `w`, `d`, `h`, " +
		"`m` and `s`, such as `\"7d\"` or `\"1h30m\"`; a day has 24 hours. A *time of day* is written `\"23:00\"`. A *reference* names another block, " +
		"without quotes. An *expression* is evaluated for each record: see [expressions](#expressions).")
	for _, b := range schema.Language() {
		p.block(2, &b, "")
		switch b.Name {
		case "notifier":
			p.notifierTypes()
		case "connection":
			p.connectorList()
		}
	}
	p.expressions()
	p.functions()
	return p.Bytes()
}

// block describes a block, its arguments and the blocks in it.
func (p *page) block(level int, b *schema.Block, parent string) {
	header := b.Name
	for _, l := range b.Labels {
		header += fmt.Sprintf(" %q", l)
	}
	p.heading(level, quoted(header))
	p.paragraph(b.Doc)
	if parent != "" {
		p.paragraph(presence(b, parent))
	}
	p.code(block(example(b), b.Example))
	for _, a := range b.Arguments {
		p.heading(level+1, quoted(b.Name+"."+a.Name))
		p.paragraph(describe(&a) + " " + a.Doc)
		p.code(a.Example)
	}
	for _, inner := range b.Blocks {
		p.block(level+1, &inner, b.Name)
	}
}

// example is the header of a block in an example.
func example(b *schema.Block) string {
	labels := map[string]string{"connection": ` "gong" "acme"`, "notifier": ` "webhook" "ops"`, "job": ` "gong_meetings"`}
	return b.Name + labels[b.Name]
}

func presence(b *schema.Block, parent string) string {
	switch {
	case b.Required:
		return fmt.Sprintf("Every %s has one.", parent)
	case b.Repeatable:
		return fmt.Sprintf("A %s can have any number of them.", parent)
	default:
		return fmt.Sprintf("Optional; a %s has at most one.", parent)
	}
}

func describe(a *schema.Argument) string {
	text := "*" + strings.ToUpper(a.Type[:1]) + a.Type[1:]
	switch {
	case a.Required:
		text += ", required"
	case a.Default != "":
		text += ", by default " + quoted(a.Default)
	}
	return text + ".*"
}

func (p *page) notifierTypes() {
	for _, t := range schema.NotifierTypes() {
		p.heading(3, quoted(fmt.Sprintf("notifier %q", t.Name)))
		p.paragraph(t.Doc)
		p.code(block(fmt.Sprintf("notifier %q %q", t.Name, "ops"), t.Example))
		p.table([]string{"Attribute", "Type", "Default", "Meaning"}, attributeRows(t.Attributes))
	}
}

func (p *page) expressions() {
	p.heading(2, "Expressions")
	p.paragraph("The record is the only variable; its name is the stream's, such as `call`. A field that the source leaves out is `null`, and a list " +
		"that it leaves out is empty. Times are texts in RFC 3339 with their own offset. Expressions are pure: there is no clock, no " +
		"randomness and nothing else to read, so that a record always gives the same result. Every expression is checked against the types " +
		"of the stream's fields before anything runs. An expression that fails for a record rejects that record, with the reason.")
	var rows [][]string
	for _, e := range expressions {
		rows = append(rows, []string{quoted(e.source), e.doc})
	}
	p.table([]string{"Expression", "Meaning"}, rows)
	p.paragraph("Texts of several lines stand between `<<-EOT` and `EOT`, each on a line of its own; the indentation that all lines share is removed. " +
		"Longer ones are better kept in a file of their own: see [`templatefile`](#files-and-secrets).")
}

func (p *page) functions() {
	p.heading(2, "Functions")
	group := ""
	var rows [][]string
	flush := func() {
		if rows != nil {
			p.heading(3, group)
			p.table([]string{"Function", "Meaning", "Example"}, rows)
		}
		rows = nil
	}
	for _, f := range schema.Functions() {
		if f.Group != group {
			flush()
			group = f.Group
		}
		sample := quoted(f.Example)
		if f.Result != "" {
			sample += " is " + quoted(f.Result)
		}
		rows = append(rows, []string{quoted(f.Signature), f.Doc, sample})
	}
	flush()
}
