// Durasync runs durable sync jobs; see durasync --help.
package main

import (
	"os"

	"github.com/durasync/durasync/internal/cli"
)

func main() { os.Exit(cli.Main(program)) }
