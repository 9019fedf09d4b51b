package devserver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/temporal"
)

const (
	host             = "127.0.0.1"
	defaultNamespace = "default"

	// readyTimeout bounds the whole start: a server that takes this long on one machine never comes up.
	readyTimeout = 30 * time.Second
)

// Options configure a server. The zero value is a server in memory, on free ports, with the namespace "default".
type Options struct {
	// DBFile is the SQLite file that keeps the server's state; it is made if it does not exist, its directory is not. Empty keeps
	// the state in memory, until Stop.
	DBFile string

	// Port is where the Temporal frontend listens for gRPC. 0 takes a free port.
	Port int

	// UIPort is where the web UI listens. 0 takes a free port.
	UIPort int

	// Namespaces exist when Start returns; the first one is the server's own. Empty means "default".
	Namespaces []string

	// UICodecEndpoint is the URL at which the web UI, in the browser, has payloads decoded. Empty shows them as stored.
	UICodecEndpoint string

	// Logger gets the server's errors. Nil drops them.
	Logger hclog.Logger
}

// Server is a running Temporal server. Its fields do not change.
type Server struct {
	// Address is the frontend's "host:port".
	Address string

	// UIURL is the web UI's address, without a slash at the end.
	UIURL string

	// Namespace is the first one of Options.Namespaces.
	Namespace string

	temporal temporal.Server
	ui       *webUI
	log      *logger
	stop     sync.Once
}

// Start starts a server and returns when it and its web UI answer. The context bounds the start only; the server runs until Stop.
//
// A port that somebody listens on already is a *PortInUseError.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if len(opts.Namespaces) == 0 {
		opts.Namespaces = []string{defaultNamespace}
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()

	ports, err := reservePorts(opts.Port, opts.UIPort)
	if err != nil {
		return nil, err
	}
	store, err := openStore(opts.DBFile, opts.Namespaces)
	if err != nil {
		return nil, err
	}

	log := newLogger(opts.Logger)
	cfg := serverConfig(store, ports)
	srv, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(ports)),
		temporal.WithLogger(log),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamicConfig()),
	)
	if err != nil {
		return nil, fmt.Errorf("configure the embedded Temporal server: %w", err)
	}
	if err := srv.Start(); err != nil {
		log.close()
		return nil, errors.Join(fmt.Errorf("start the embedded Temporal server: %w", err), srv.Stop())
	}

	s := &Server{
		Address:   hostPort(ports.frontend),
		UIURL:     "http://" + hostPort(ports.ui),
		Namespace: opts.Namespaces[0],
		temporal:  srv,
		ui:        startUI(ports, opts),
		log:       log,
	}
	if err := s.awaitReady(ctx, opts.Namespaces); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Stop stops the web UI and the server and waits for both. Calls in flight are cut off; with a file, all that was acknowledged
// is kept. Nothing is logged any more. Stop may be called again and from several goroutines.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.log.close()
		s.ui.stop()
		// Stop returns the errors of the services' stop hooks, which tell of work cut off: what stopping means.
		_ = s.temporal.Stop()
	})
}

func hostPort(port int) string { return host + ":" + strconv.Itoa(port) }
