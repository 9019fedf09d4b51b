// The postgres connector as a plugin binary.
package main

import (
	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/plugin"
)

func main() { plugin.Serve(postgres.New()) }
