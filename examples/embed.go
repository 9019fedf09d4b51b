// Package examples holds job files: the demo's, and one to start from.
package examples

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed demo gong-to-totango
var files embed.FS

// Demo returns the directory that `durasync demo` applies. Its files take the address and the credentials of both systems from the
// environment.
func Demo() fs.FS { return dir("demo") }

// GongToTotango returns the directory that a customer of both systems starts from.
func GongToTotango() fs.FS { return dir("gong-to-totango") }

func dir(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(fmt.Sprintf("examples: %v", err)) // the names are embedded above
	}
	return sub
}
