package main

import (
	"github.com/durasync/durasync/connectors/file"
	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/connectors/webhook"
	"github.com/durasync/durasync/connectors/zoom"
	"github.com/durasync/durasync/examples"
	"github.com/durasync/durasync/internal/cli"
	"github.com/durasync/durasync/plugin"
)

// version is set by the release build.
var version string

// program is what the command is linked with.
var program = cli.Program{
	Version:     version,
	StartServer: startServer,
	Connectors: map[string]func() plugin.Connector{
		"file":     func() plugin.Connector { return file.New() },
		"gong":     func() plugin.Connector { return gong.New() },
		"postgres": func() plugin.Connector { return postgres.New() },
		"totango":  func() plugin.Connector { return totango.New() },
		"webhook":  func() plugin.Connector { return webhook.New() },
		"zoom":     func() plugin.Connector { return zoom.New() },
	},
	Demo: examples.Demo(),
}
