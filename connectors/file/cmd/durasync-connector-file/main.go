// The file connector as a plugin binary.
package main

import (
	"github.com/durasync/durasync/connectors/file"
	"github.com/durasync/durasync/plugin"
)

func main() { plugin.Serve(file.New()) }
