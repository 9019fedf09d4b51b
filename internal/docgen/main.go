// Docgen writes the pages of docs/ that describe the job language and the connectors, from the descriptions that the program itself
// works with: docs/language.md and docs/connectors/*.md. It is run by go generate in package schema.
//
// Called with protocol it is a plugin of the protocol compiler, and writes docs/connectors/protocol.md from the comments of
// connector.proto.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/durasync/durasync/connectors/file"
	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/connectors/webhook"
	"github.com/durasync/durasync/connectors/zoom"
	"github.com/durasync/durasync/plugin"
)

func main() {
	var err error
	if slices.Equal(os.Args[1:], []string{"protocol"}) {
		err = compilerPlugin(os.Stdin, os.Stdout)
	} else {
		err = run(context.Background(), os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

// run writes the pages into the directory that is its only argument.
func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: docgen DIRECTORY | docgen protocol")
	}
	pages, err := generate(ctx)
	if err != nil {
		return err
	}
	for name, content := range pages {
		path := filepath.Join(args[0], filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// connectors are those that have a page, by name.
func connectors() map[string]plugin.Connector {
	return map[string]plugin.Connector{
		"file": file.New(), "gong": gong.New(), "postgres": postgres.New(), "totango": totango.New(), "webhook": webhook.New(), "zoom": zoom.New(),
	}
}

// generate returns the pages by their paths below the directory of the documentation.
func generate(ctx context.Context) (map[string][]byte, error) {
	pages := map[string][]byte{"language.md": languagePage()}
	for name, c := range connectors() {
		d, err := c.Describe(ctx, &plugin.DescribeRequest{})
		if err != nil {
			return nil, fmt.Errorf("describe %s: %w", name, err)
		}
		pages["connectors/"+name+".md"] = connectorPage(d)
	}
	return pages, nil
}
