// The Gong connector as a plugin binary.
package main

import (
	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/plugin"
)

func main() { plugin.Serve(gong.New()) }
