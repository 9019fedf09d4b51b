package cli

import (
	"context"
	"io/fs"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

// Program is what the command is linked with. It keeps heavy and replaceable parts out of this package.
type Program struct {
	// Version is the program's version, such as "1.2.0"; empty takes what the Go toolchain recorded.
	Version string

	// StartServer starts an embedded Temporal server and returns when it answers. The context bounds the start only.
	StartServer func(context.Context, ServerOptions) (*Server, error)

	// Connectors makes the built-in connectors, by name. Each is served by a process of its own: this program, started again.
	Connectors map[string]func() plugin.Connector

	// Demo holds the job files that the demo applies.
	Demo fs.FS
}

// ServerOptions say how an embedded Temporal server runs. Ports are on 127.0.0.1; 0 takes a free one.
type ServerOptions struct {
	DBFile        string // SQLite file; empty keeps everything in memory
	Port, UIPort  int
	CodecEndpoint string // URL at which the web UI has payloads decoded
	Logger        hclog.Logger
}

// Server is a running embedded Temporal server.
type Server struct {
	Address   string // of the frontend, host:port
	UIURL     string
	Namespace string
	Stop      func() // ends it and waits for that
}
