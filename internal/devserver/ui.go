package devserver

import (
	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is the running web UI server.
type webUI struct {
	server *uiserver.Server
	done   chan struct{}
}

func startUI(p ports, opts Options) *webUI {
	ui := &webUI{
		server: uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
			Host:                host,
			Port:                p.ui,
			TemporalGRPCAddress: hostPort(p.frontend),
			EnableUI:            true,
			DefaultNamespace:    opts.Namespaces[0],
			Codec:               uiconfig.Codec{Endpoint: opts.UICodecEndpoint},
			CORS:                uiconfig.CORS{CookieInsecure: true}, // the page is served over plain HTTP
			HideLogs:            true,
			DisableNewsFetch:    true,
		})),
		done: make(chan struct{}),
	}
	go func() {
		defer close(ui.done)
		// Start ends the process itself when it cannot serve; what it returns is that it was stopped.
		_ = ui.server.Start()
	}()
	return ui
}

func (ui *webUI) stop() {
	ui.server.Stop()
	<-ui.done
}
