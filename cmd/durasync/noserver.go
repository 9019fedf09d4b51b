//go:build noserver

package main

import (
	"context"

	"github.com/durasync/durasync/internal/cli"
)

// startServer is not there: the program runs beside a Temporal server, and is a quarter as large.
var startServer func(context.Context, cli.ServerOptions) (*cli.Server, error)
