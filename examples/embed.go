// Package examples holds job files: the demo's, and one to start from.
package examples

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed demo gong-to-file gong-to-postgres gong-to-totango gong-to-webhook zoom-to-totango
var files embed.FS

// Demo returns the directory that `durasync demo` applies. Its files take the address and the credentials of both systems from the
// environment.
func Demo() fs.FS { return dir("demo") }

// GongToTotango returns the directory that a customer of both systems starts from.
func GongToTotango() fs.FS { return dir("gong-to-totango") }

// GongToFile returns the directory of a company that keeps its meetings in a file.
func GongToFile() fs.FS { return dir("gong-to-file") }

// GongToPostgres returns the directory of a company that keeps its meetings in a table.
func GongToPostgres() fs.FS { return dir("gong-to-postgres") }

// GongToWebhook returns the directory of a company that tells a service of its own about its meetings.
func GongToWebhook() fs.FS { return dir("gong-to-webhook") }

// ZoomToTotango returns the directory of a customer who meets on Zoom.
func ZoomToTotango() fs.FS { return dir("zoom-to-totango") }

func dir(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(fmt.Sprintf("examples: %v", err)) // the names are embedded above
	}
	return sub
}
