// The webhook connector as a plugin binary.
package main

import (
	"github.com/durasync/durasync/connectors/webhook"
	"github.com/durasync/durasync/plugin"
)

func main() { plugin.Serve(webhook.New()) }
