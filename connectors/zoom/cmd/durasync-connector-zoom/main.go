// The Zoom connector as a plugin binary.
package main

import (
	"github.com/durasync/durasync/connectors/zoom"
	"github.com/durasync/durasync/plugin"
)

func main() { plugin.Serve(zoom.New()) }
