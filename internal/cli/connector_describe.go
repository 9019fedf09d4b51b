package cli

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/plugin"
)

func (a *app) connectorDescribeCommand() *cobra.Command {
	var dir string
	cmd := a.reports(&cobra.Command{
		Use:   "describe NAME",
		Short: "Show what a connector needs and offers",
		Long: `Show what a connector needs and offers: the attributes of its connection blocks,
the streams of a source with their fields, and the objects of a destination with
their attributes. With --json, the description as the connector gives it.`,
		Args:              exactArgs(1, "the name of a connector"),
		ValidArgsFunction: a.completeConnectors(&dir),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			res, err := a.connectors(dir, log).Describe(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.json {
				a.writeJSON(res)
				return nil
			}
			a.showDescription(res)
			return nil
		},
	})
	cmd.Flags().StringVar(&dir, "dir", ".", "directory with the job files")
	return cmd
}

// completeConnectors gives the shell the names of the connectors of a directory.
func (a *app) completeConnectors(dir *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := a.connectors(*dir, hclog.NewNullLogger()).names()
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func (a *app) showDescription(d *plugin.DescribeResponse) {
	s := a.outStyle()
	title := func(text string) { a.printf("\n%s\n", s.bold(plainText(text))) }
	doc := func(text string) {
		if text != "" {
			a.printf("%s\n", wrap(plainText(text), "  ", a.opts.Width))
		}
	}
	a.printf("%s %s\n", s.bold(plainText(d.Name)), plainText(d.Version))
	doc(d.Doc)
	title("connection")
	a.showMembers("ATTRIBUTE", attributeMembers(d.Config))
	for _, stream := range d.Streams {
		title("stream " + stream.Name)
		doc(fmt.Sprintf("%s In expressions, a record is called %s.", stream.Doc, stream.Record))
		a.showMembers("FIELD", fieldMembers(stream.Record, stream.Fields))
	}
	for _, object := range d.Objects {
		title("object " + object.Name)
		doc(object.Doc)
		a.showMembers("ATTRIBUTE", attributeMembers(object.Attributes))
	}
}

// showMembers prints names with their types and meanings, side by side.
func (a *app) showMembers(what string, rows [][]string) {
	if len(rows) == 0 {
		a.printf("    none\n")
		return
	}
	const indent = "    "
	name, kind := columns(what), columns("TYPE")
	for _, r := range rows {
		name, kind = max(name, columns(r[0])), max(kind, columns(r[1]))
	}
	name, kind = min(name, 24), min(kind, 16)
	widths := []int{name, kind, a.opts.Width - len(indent) - name - kind - 4}
	a.sideBySide(indent, widths, []string{what, "TYPE", "MEANING"})
	for _, r := range rows {
		a.sideBySide(indent, widths, r)
	}
}

func attributeMembers(attributes []plugin.Attribute) [][]string {
	var rows [][]string
	for _, at := range attributes {
		var notes []string
		for _, n := range []struct {
			note string
			when bool
		}{
			{"required", at.Required}, {"secret", at.Sensitive}, {"locked", at.Locked}, {"by default " + string(at.Default), at.Default != nil},
			{"one of " + strings.Join(at.OneOf, ", "), len(at.OneOf) > 0}, {fmt.Sprintf("at most %d characters", at.MaxLength), at.MaxLength > 0},
			{"semantic " + at.Semantic, at.Semantic != ""},
		} {
			if n.when {
				notes = append(notes, n.note)
			}
		}
		rows = append(rows, []string{at.Name, at.Type.String(), strings.TrimSpace(at.Doc + "\n" + strings.Join(notes, "; "))})
	}
	return rows
}

// fieldMembers has the fields of structures after the structure.
func fieldMembers(path string, fields []plugin.Field) [][]string {
	var rows [][]string
	for _, f := range fields {
		at, doc := path+"."+f.Name, f.Doc
		if f.Semantic != "" {
			doc += "\nsemantic " + f.Semantic
		}
		rows = append(rows, []string{at, f.Type.String(), strings.TrimSpace(doc)})
		inner := f.Type
		if inner.Elem != nil {
			at, inner = at+"[*]", *inner.Elem
		}
		rows = append(rows, fieldMembers(at, inner.Fields)...)
	}
	return rows
}
