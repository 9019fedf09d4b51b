package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/internal/codec"
)

const (
	defaultPort   = 7233
	defaultUIPort = 8233
)

// serverFlags are the flags of the commands that run an embedded server.
type serverFlags struct {
	port, uiPort int
	db           string
}

func (f *serverFlags) register(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.port, "port", defaultPort, "port of Temporal; 0 takes a free one")
	cmd.Flags().IntVar(&f.uiPort, "ui-port", defaultUIPort, "port of the web UI; 0 takes a free one")
}

// registerDB adds the flag for where the server keeps its data.
func (f *serverFlags) registerDB(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&f.db, "db", "", usage)
}

func (a *app) serverCommand() *cobra.Command {
	var flags serverFlags
	cmd := a.reports(&cobra.Command{
		Use:   "server",
		Short: "Run an embedded Temporal server, for development and tests",
		Long: `Run an embedded Temporal server with its web UI until it is interrupted. It is
for development and tests: one machine, no authentication.

With --json, prints one line when the server is ready.`,
		Args: maxArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			s, err := a.startServer(cmd.Context(), flags, log)
			if err != nil {
				return err
			}
			defer s.stop()
			if a.json {
				ready, err := json.Marshal(map[string]string{"address": s.Address, "namespace": s.Namespace, "ui": s.UIURL})
				if err != nil {
					return err
				}
				a.printf("%s\n", ready)
			} else {
				a.printf("Temporal    %s, namespace %s\nWeb UI      %s\n\nPress Ctrl-C to stop.\n", s.Address, s.Namespace, s.UIURL)
			}
			<-cmd.Context().Done()
			return nil
		},
	})
	flags.register(cmd)
	flags.registerDB(cmd, "SQLite file that keeps the data; in memory by default")
	return cmd
}

// embedded is a running server with the codec server for its web UI.
type embedded struct {
	*Server
	payloads *codec.Codec
	decoder  *http.Server
}

// startServer starts an embedded server.
func (a *app) startServer(ctx context.Context, f serverFlags, log hclog.Logger) (*embedded, error) {
	if a.program.StartServer == nil {
		return nil, environmentError("this program was built without the embedded Temporal server; start one with temporal server start-dev")
	}
	payloads, err := a.codec(ctx, log)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, environmentError("listen for the web UI's requests to decode payloads: %w", err)
	}
	// Pages of which origin may call is known only when the server runs.
	var handler atomic.Pointer[http.Handler]
	e := &embedded{payloads: payloads, decoder: &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := handler.Load(); h != nil {
			(*h).ServeHTTP(w, r)
			return
		}
		http.Error(w, "starting", http.StatusServiceUnavailable)
	})}}
	go func() { _ = e.decoder.Serve(listener) }() // ends with Close
	e.Server, err = a.program.StartServer(ctx, ServerOptions{
		DBFile: f.db, Port: f.port, UIPort: f.uiPort, CodecEndpoint: "http://" + listener.Addr().String(), Logger: log.Named("server"),
	})
	if err != nil {
		_ = e.decoder.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, environmentError("%w", err)
	}
	h := payloads.Handler(codec.ServerOptions{Origins: []string{e.UIURL, strings.Replace(e.UIURL, "127.0.0.1", "localhost", 1)}})
	handler.Store(&h)
	return e, nil
}

// stop ends the server.
func (e *embedded) stop() {
	_ = e.decoder.Close() // whoever still decodes is cut off
	e.Stop()
}

// dial connects to the server.
func (e *embedded) dial(ctx context.Context, log hclog.Logger) (*temporalClient, error) {
	t, err := dialTemporal(ctx, client.Options{HostPort: e.Address, Namespace: e.Namespace}, e.payloads, nil, log)
	if err != nil {
		return nil, err
	}
	t.ui = e.UIURL
	return t, nil
}

// stateFile is a file in the user's state directory, which is made if need be (freedesktop.org, XDG Base Directory Specification).
func (a *app) stateFile(name string) (string, error) {
	base := a.env.get("XDG_STATE_HOME")
	if !filepath.IsAbs(base) { // the specification says to ignore relative ones
		home := a.env.get("HOME")
		if home == "" {
			return "", environmentError("neither XDG_STATE_HOME nor HOME is set; say with --db where to keep Temporal's data")
		}
		base = filepath.Join(home, ".local", "state")
	}
	dir := filepath.Join(base, "durasync")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", environmentError("the directory for Temporal's data cannot be made: %w", err)
	}
	return filepath.Join(dir, name), nil
}

// portFree reports whether nothing listens on a port of 127.0.0.1.
func portFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
