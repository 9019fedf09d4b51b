package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

// authority issues certificates, and keeps them as files.
type authority struct {
	t    testing.TB
	dir  string
	root *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.root, a.key = a.issue("root", nil)
	return a
}

// path is the file of a certificate, or of its key.
func (a *authority) path(name, kind string) string { return filepath.Join(a.dir, name+"."+kind) }

// issue makes a certificate, for who serves on the loopback interface and for who calls; without a template, one that vouches for others.
func (a *authority) issue(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, signer := a.root, a.key
	if template == nil {
		template = &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
		parent, signer = template, key
	}
	template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for kind, block := range map[string]*pem.Block{"crt": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(a.path(name, kind), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key
}

func (a *authority) server(name string) tls.Certificate {
	_, key := a.issue(name, &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	certificate, err := tls.LoadX509KeyPair(a.path(name, "crt"), a.path(name, "key"))
	if err != nil {
		a.t.Fatal(err)
	}
	certificate.PrivateKey = key
	return certificate
}

func (a *authority) client(name string) {
	a.issue(name, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

// refusal is the error with which a gateway answers a call; the zero value lets it through.
type refusal struct {
	code    codes.Code
	message string
}

// gateway is what stands between a company and a Temporal: it speaks TLS, or not, and refuses calls.
func gateway(t testing.TB, target string, conf *tls.Config, refuse func(*http.Request) refusal) (address string) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
	proxy.ErrorLog = log.New(io.Discard, "", 0) // callers hang up
	var plain http.Protocols
	plain.SetUnencryptedHTTP2(true)
	proxy.Transport = &http.Transport{Protocols: &plain}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if no := refuse(r); no.code != codes.OK {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Grpc-Status", fmt.Sprint(int(no.code)))
			w.Header().Set("Grpc-Message", no.message)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = proxy.ErrorLog
	if conf == nil {
		server.Config.Protocols = &plain
		server.Start()
	} else {
		server.EnableHTTP2, server.TLS = true, conf
		server.StartTLS()
	}
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

func everybody(*http.Request) refusal { return refusal{} }

// useGateway makes everything go to Temporal through a gateway.
func (s *system) useGateway(conf *tls.Config, refuse func(*http.Request) refusal) {
	s.env = with(s.env, "TEMPORAL_ADDRESS", gateway(s.t, s.address, conf, refuse))
}

// useNamespace makes a namespace, which has none of our search attributes, and makes everything use it.
func (s *system) useNamespace(name string) {
	s.t.Helper()
	c := s.temporal()
	_, err := c.WorkflowService().RegisterNamespace(s.t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(7 * 24 * time.Hour),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.namespace = name
	s.env = with(s.env, "TEMPORAL_NAMESPACE", name)
	s.until("the namespace is known to the whole server", func() bool {
		_, err := c.WorkflowService().ListWorkflowExecutions(s.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: name})
		return err == nil
	})
}

// refused checks that nothing works with other settings, and that each command says so at once, in one sentence.
func (s *system) refused(env []string, words ...string) {
	s.t.Helper()
	for _, args := range [][]string{{"worker", s.dir}, {"apply", s.dir}, {"sync", "meetings"}} {
		r := run(s.t, env, args...)
		said := strings.TrimSpace(r.stderr)
		if r.code != 3 || strings.Contains(said, "\n") {
			s.t.Errorf("durasync %s: exit code %d, want 3 and one sentence:\n%s", args[0], r.code, said)
		}
		for _, w := range words {
			if !strings.Contains(said, w) {
				s.t.Errorf("durasync %s does not say %q: %s", args[0], w, said)
			}
		}
	}
}

// TestMutualTLS runs a job through a gateway that lets in who has a certificate, first with variables and then with a profile.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	ours, theirs := newAuthority(t), newAuthority(t)
	ours.client("worker")
	theirs.client("stranger")
	callers := x509.NewCertPool()
	callers.AddCert(ours.root)
	s.useGateway(&tls.Config{
		Certificates: []tls.Certificate{ours.server("temporal")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: callers,
	}, everybody)
	plain := s.env
	settings := func(roots, caller *authority, name string) []string {
		return slices.Concat(plain, []string{
			"TEMPORAL_TLS_SERVER_CA_CERT_PATH=" + roots.path("root", "crt"),
			"TEMPORAL_TLS_CLIENT_CERT_PATH=" + caller.path(name, "crt"), "TEMPORAL_TLS_CLIENT_KEY_PATH=" + caller.path(name, "key"),
		})
	}

	s.env = settings(ours, ours, "worker")
	first := s.meeting("acme", nil)
	worker := s.worker()
	s.ok("apply", s.dir)
	s.sync("meetings")
	s.once(first)
	if code := worker.interrupt(); code != 0 {
		t.Errorf("the worker ends with exit code %d", code)
	}

	profile := filepath.Join(t.TempDir(), "temporal.toml")
	text := fmt.Appendf(nil, "[profile.prod.tls]\nserver_ca_cert_path = %q\nclient_cert_path = %q\nclient_key_path = %q\n",
		ours.path("root", "crt"), ours.path("worker", "crt"), ours.path("worker", "key"))
	if err := os.WriteFile(profile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.env = slices.Concat(plain, []string{"TEMPORAL_CONFIG_FILE=" + profile, "TEMPORAL_PROFILE=prod"})
	second := s.meeting("bolt", nil)
	s.worker()
	s.sync("meetings")
	s.once(first, second)

	s.refused(settings(ours, theirs, "stranger"), "check the certificates")
	s.refused(settings(theirs, ours, "worker"), "certificate")
	s.refused(with(plain, "TEMPORAL_TLS_SERVER_CA_CERT_PATH", ours.path("root", "crt")), "check the certificates")
	s.refused(settings(ours, ours, "nobody"), "nobody.crt")
	s.refused(plain, "TLS")
}

// TestKeyOfTemporalCloud runs a job as Temporal Cloud wants it: with TLS, an API key, and a namespace whose name has a dot. The key may
// run workflows and nothing else: it may not look at the namespace, nor list or register search attributes, which are not there.
func TestKeyOfTemporalCloud(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.useNamespace("acme-prod.a1b2c")
	const key = "e2e-api-key"
	denied := refusal{codes.PermissionDenied, "Request unauthorized."} // as the server's own authorizer says it
	unknown := refusal{codes.Unauthenticated, "Invalid API key."}      // as a proxy before it may
	ours := newAuthority(t)
	s.useGateway(&tls.Config{Certificates: []tls.Certificate{ours.server("temporal")}}, func(r *http.Request) refusal {
		switch method := r.URL.Path; {
		case r.Header.Get("Authorization") != "Bearer "+key:
			return unknown
		case strings.Contains(method, "OperatorService/"), strings.HasSuffix(method, "/DescribeNamespace"):
			return denied
		}
		return refusal{}
	})
	s.env = append(s.env, "TEMPORAL_TLS_SERVER_CA_CERT_PATH="+ours.path("root", "crt"))
	plain := s.env
	s.env = with(plain, "TEMPORAL_API_KEY", key)
	id := s.meeting("acme", nil)
	worker := start(t, s.env, "worker", s.dir, "--log-level", "warn")
	worker.line("gong.acme")
	s.ok("apply", s.dir)
	s.sync("meetings")
	s.once(id)
	s.ok("doctor", s.dir)
	if n := strings.Count(worker.stderr.String(), "\n"); n != 1 || !strings.Contains(worker.stderr.String(), "search attributes") {
		t.Errorf("the worker logs %d lines, want one that says that search attributes cannot be registered:\n%s", n, &worker.stderr)
	}

	const wrong = "e2e-wrong-key"
	s.refused(with(plain, "TEMPORAL_API_KEY", wrong), "does not accept the credentials", "TEMPORAL_API_KEY")
	s.refused(plain, "does not accept the credentials", "TEMPORAL_API_KEY")
	if r := run(t, with(plain, "TEMPORAL_API_KEY", wrong), "sync", "meetings"); strings.Contains(r.stdout+r.stderr, wrong) {
		t.Errorf("the key is shown: %s%s", r.stdout, r.stderr)
	}
}
