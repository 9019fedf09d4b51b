package cli

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/codec"
)

// The variables that hold the token with which a codec server may be called.
const (
	envCodecToken     = "DURASYNC_CODEC_TOKEN"
	envCodecTokenFile = "DURASYNC_CODEC_TOKEN_FILE"
)

// codecFlags are the flags of durasync codec-server.
type codecFlags struct {
	listen           string
	origins          []string
	cert, key        string
	issuer, audience string
	anyone           bool
}

func (a *app) codecServerCommand() *cobra.Command {
	var flags codecFlags
	cmd := &cobra.Command{
		Use:   "codec-server",
		Short: "Decode payloads for Temporal's web UI and command-line tools",
		Long: `Decode payloads for Temporal's web UI and command-line tools, with the keys that
a worker has (DURASYNC_ENCRYPTION_KEYS, DURASYNC_ENCRYPTION_KEYS_FILE or
DURASYNC_ENCRYPTION_KEYS_COMMAND), until interrupted.

Whoever may call it can read every payload. On an address that other machines
reach, callers therefore have to send "Authorization: Bearer TOKEN", where TOKEN
is the content of the variable DURASYNC_CODEC_TOKEN, or of the file that
DURASYNC_CODEC_TOKEN_FILE names, or an ID token or access token of the OpenID
Connect issuer. Browsers may call from pages of the origins alone.

/healthz answers while the server runs.

In the web UI, set the codec endpoint to this server's URL, and let it pass the
user's access token. On the command line:

  temporal workflow show --codec-endpoint URL --codec-auth "Bearer TOKEN" ...`,
		Args: maxArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveCodec(cmd, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.listen, "listen", "127.0.0.1:8234", "address to listen on")
	f.StringArrayVar(&flags.origins, "origin", nil, "origin of a web UI whose pages may call, such as\nhttps://temporal.example.com; can be repeated")
	f.StringVar(&flags.cert, "tls-cert", "", "file with the certificate, for https; read again\nwhen it changes")
	f.StringVar(&flags.key, "tls-key", "", "file with the certificate's key")
	f.BoolVar(&flags.anyone, "allow-anyone", false, "let in whoever reaches the address, for a web UI\nwithout a login")
	f.StringVar(&flags.issuer, "oidc-issuer", "", "URL of an OpenID Connect issuer whose tokens are\naccepted")
	f.StringVar(&flags.audience, "oidc-audience", "", "audience that those tokens must be for")
	return cmd
}

func (a *app) serveCodec(cmd *cobra.Command, flags codecFlags) error {
	ctx := cmd.Context()
	log, err := a.logger(cmd, hclog.Info)
	if err != nil {
		return err
	}
	switch {
	case (flags.cert == "") != (flags.key == ""):
		return usageError(cmd, "--tls-cert and --tls-key belong together")
	case (flags.issuer == "") != (flags.audience == ""):
		return usageError(cmd, "--oidc-issuer and --oidc-audience belong together")
	}
	payloads, err := a.codec(ctx, log)
	if err != nil {
		return err
	}
	authorize, err := a.codecAuthorization(ctx, flags)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", flags.listen)
	if err != nil {
		return environmentError("the codec server cannot listen: %w", err)
	}
	defer func() { _ = listener.Close() }() // the server has closed it by then
	if flags.anyone && authorize != nil {
		return usageError(cmd, "--allow-anyone makes %s and --oidc-issuer useless; leave one of them", envCodecToken)
	}
	if authorize == nil && !flags.anyone && !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return usageError(cmd, "on %s everybody who reaches this machine could read all payloads; set %s, or --oidc-issuer and "+
			"--oidc-audience, or --allow-anyone if that is meant",
			flags.listen, envCodecToken)
	}
	server := &http.Server{
		Handler:           codecHandler(payloads.Handler(codec.ServerOptions{Origins: flags.origins, Authorize: authorize})),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		ErrorLog: log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	scheme := "http"
	if flags.cert != "" {
		pair := &certificate{cert: flags.cert, key: flags.key}
		if _, err := pair.get(nil); err != nil {
			return environmentError("the certificate cannot be used: %w", err)
		}
		server.TLSConfig = &tls.Config{GetCertificate: pair.get, MinVersion: tls.VersionTLS12}
		scheme = "https"
	}
	a.printf("decoding at %s://%s\n", scheme, listener.Addr())
	ended := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			ended <- server.ServeTLS(listener, "", "")
			return
		}
		ended <- server.Serve(listener)
	}()
	select {
	case err := <-ended:
		return environmentError("the codec server has ended: %w", err)
	case <-ctx.Done():
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(stopping); err != nil {
			return server.Close()
		}
		return nil
	}
}

// codecHandler adds /healthz, for orchestrators.
func codecHandler(payloads http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.Handle("/", payloads)
	return mux
}

// codecAuthorization returns what decides whether a request is let through; nil if all are.
func (a *app) codecAuthorization(ctx context.Context, flags codecFlags) (func(*http.Request) error, error) {
	token, err := a.codecToken()
	if err != nil {
		return nil, err
	}
	var verifier *oidc.IDTokenVerifier
	if flags.issuer != "" {
		// The provider reads the issuer's keys again with this context for as long as the server runs.
		provider, err := oidc.NewProvider(ctx, flags.issuer)
		if err != nil {
			return nil, environmentError("the OpenID Connect issuer cannot be used: %w", err)
		}
		verifier = provider.Verifier(&oidc.Config{ClientID: flags.audience})
	}
	if token == "" && verifier == nil {
		return nil, nil
	}
	want := sha256.Sum256([]byte(token))
	return func(r *http.Request) error {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		given = strings.TrimSpace(given)
		if !strings.EqualFold(scheme, "Bearer") || given == "" {
			return errors.New("this codec server wants a header Authorization with a bearer token")
		}
		got := sha256.Sum256([]byte(given))
		if token != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return nil
		}
		if verifier != nil {
			if _, err := verifier.Verify(r.Context(), given); err == nil {
				return nil
			}
		}
		return errors.New("this codec server does not accept the token")
	}, nil
}

// codecToken returns the token with which the server may be called; empty if there is none.
func (a *app) codecToken() (string, error) {
	token, path := a.env.get(envCodecToken), a.env.get(envCodecTokenFile)
	switch {
	case token != "" && path != "":
		return "", environmentError("%s and %s are both set; leave one of them", envCodecToken, envCodecTokenFile)
	case path != "":
		b, err := os.ReadFile(path)
		if err != nil {
			return "", environmentError("the token of %s cannot be read: %w", envCodecTokenFile, err)
		}
		token = strings.TrimSpace(string(b))
	}
	const least = 16
	if token != "" && len(token) < least || token == "" && path != "" {
		return "", environmentError("the token of the codec server has %d characters and should have at least %d; make one with: openssl rand -hex 32",
			len(token), least)
	}
	return token, nil
}

// certificate reads a certificate from files, again whenever they have changed.
type certificate struct {
	cert, key string

	mu     sync.Mutex
	pair   *tls.Certificate
	change string // when the files were changed last, as far as pair knows
}

// get implements [tls.Config.GetCertificate]. While a new pair cannot be read the old one serves on.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change := ""
	for _, path := range []string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil {
			change += fmt.Sprint(info.ModTime().UnixNano(), "/", info.Size(), " ")
		}
	}
	if c.pair != nil && change == c.change {
		return c.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		if c.pair != nil {
			return c.pair, nil
		}
		return nil, err
	}
	c.pair, c.change = &pair, change
	return c.pair, nil
}
