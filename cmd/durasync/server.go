//go:build !noserver

package main

import (
	"context"

	"github.com/durasync/durasync/internal/cli"
	"github.com/durasync/durasync/internal/devserver"
)

// startServer is the embedded server as package cli asks for it. Only this command links it, and not with the build tag noserver.
func startServer(ctx context.Context, o cli.ServerOptions) (*cli.Server, error) {
	s, err := devserver.Start(ctx, devserver.Options{
		DBFile:          o.DBFile,
		Port:            o.Port,
		UIPort:          o.UIPort,
		UICodecEndpoint: o.CodecEndpoint,
		Logger:          o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &cli.Server{Address: s.Address, UIURL: s.UIURL, Namespace: s.Namespace, Stop: s.Stop}, nil
}
