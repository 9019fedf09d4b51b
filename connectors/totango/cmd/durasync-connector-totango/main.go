// Command durasync-connector-totango is the Totango connector as a plugin process.
package main

import (
	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/plugin"
)

func main() { plugin.Serve(totango.New()) }
