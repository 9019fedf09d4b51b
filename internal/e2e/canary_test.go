package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// The test binary is the program of a connector that panics, as well, and of one that tells its secret.
func init() {
	if len(os.Args) == 2 && os.Args[1] == "panicking" {
		plugin.Serve(&panicking{}, plugin.WithArgs(nil))
	}
	if len(os.Args) == 2 && os.Args[1] == "telling" {
		plugin.Serve(&telling{}, plugin.WithArgs(nil))
	}
}

// panicking is a connector that has a secret, and panics when it lists: within the call, and beside it the second time.
type panicking struct {
	config struct{ Key string }
	lists  atomic.Int32
}

func (p *panicking) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name: "panicking", Version: "1.0.0",
		Config:  []plugin.Attribute{{Name: "key", Type: plugin.String, Required: true, Sensitive: true}},
		Streams: []plugin.Stream{{Name: "things", Record: "thing", MaxRead: 25, Fields: []plugin.Field{{Name: "id", Type: plugin.String}}}},
	}, nil
}

func (p *panicking) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	return &plugin.ConfigureResponse{}, json.Unmarshal(req.Config, &p.config)
}

func (p *panicking) List(context.Context, *plugin.ListRequest) (*plugin.ListResponse, error) {
	if p.lists.Add(1) > 1 {
		go panic(errors.New("it ends"))
		select {}
	}
	panic(fmt.Errorf("no list for a key of %d bytes", len(p.config.Key)))
}

func (p *panicking) Read(context.Context, *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	return &plugin.ReadResponse{}, nil
}

// telling is a connector whose author takes no care: its secret is in its log, in the paths of its requests, in its errors and in its panics.
type telling struct {
	panicking
	client *httpkit.Client
	key    string
	checks atomic.Int32
}

func (c *telling) Describe(ctx context.Context, req *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	d, err := c.panicking.Describe(ctx, req)
	d.Name = "telling"
	d.Config = append(d.Config, plugin.Attribute{Name: "base_url", Type: plugin.String, Required: true})
	return d, err
}

func (c *telling) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	var config struct {
		Key     string
		BaseURL string `json:"base_url"`
	}
	if err := json.Unmarshal(req.Config, &config); err != nil {
		return nil, err
	}
	fmt.Println("configured with the key " + config.Key)
	c.key = config.Key
	var err error
	if c.client, err = httpkit.New(httpkit.Options{System: "the API", BaseURL: config.BaseURL}); err != nil {
		return nil, fmt.Errorf("no use for the key %s: %w", c.key, err)
	}
	return &plugin.ConfigureResponse{}, nil
}

// Check fails the first time: a run that cannot connect lists nothing.
func (c *telling) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	if c.checks.Add(1) > 1 {
		return &plugin.CheckResponse{Summary: "the key " + c.key}, nil
	}
	_, err := c.client.Do(ctx, &httpkit.Request{Method: http.MethodGet, Path: "/" + c.key + "/things"})
	hclog.FromContext(ctx).Error("no answer for the key "+c.key, "key", c.key, "error", err)
	fmt.Fprintf(os.Stderr, "no answer for the key %q\n", c.key)
	return nil, fmt.Errorf("for the key %s: %w", c.key, err)
}

func (c *telling) List(context.Context, *plugin.ListRequest) (*plugin.ListResponse, error) {
	if c.lists.Add(1) > 1 {
		go panic(errors.New("the end for the key " + c.key))
		select {}
	}
	panic("no list for the key " + c.key)
}

// echo answers with a status and all that it was sent, as a proxy does that means to help, while it is switched on. With 400 it refuses
// touchpoints alone.
type echo struct {
	http.Handler
	status atomic.Int32
	echoed atomic.Int32
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := int(e.status.Load())
	if status == 0 || status == http.StatusBadRequest && r.URL.Path != "/api/v3/touchpoints/" {
		e.Handler.ServeHTTP(w, r)
		return
	}
	e.echoed.Add(1)
	body, _ := io.ReadAll(r.Body)
	user, password, _ := r.BasicAuth()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []string{fmt.Sprintf("echo: %s %s %v %s:%s %s", r.Method, r.URL, r.Header, user, password, body)},
	})
}

// canaries are secrets by what they are, and where they turned up.
type canaries struct {
	t       *testing.T
	secrets map[string]string
}

// plant makes a secret.
func (c *canaries) plant(what string) string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return c.add(what, fmt.Sprintf("canary%x", b))
}

func (c *canaries) add(what, secret string) string {
	c.secrets[what] = secret
	return secret
}

// look fails the test for each secret in what somebody could read, as it is or as Base64.
func (c *canaries) look(where string, text []byte) {
	c.t.Helper()
	for what, secret := range c.secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))} {
			if i := bytes.Index(text, []byte(form)); i >= 0 {
				c.t.Errorf("%s is in %s:\n…%q…", what, where, text[max(0, i-200):min(len(text), i+80)])
				break
			}
		}
	}
}

// lookThrough looks through all files of a directory.
func (c *canaries) lookThrough(what, dir string) {
	c.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		c.look(what+", file "+d.Name(), text)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// certificate makes a certificate for this machine, and plants its key.
func (c *canaries) certificate() (certFile, keyFile string) {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		c.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		c.t.Fatal(err)
	}
	dir := c.t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	c.add("the codec server's TLS key", strings.Split(text, "\n")[1])
	c.keep(certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	c.keep(keyFile, text)
	return certFile, keyFile
}

func (c *canaries) keep(path, text string) string {
	c.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // some of them are programs
		c.t.Fatal(err)
	}
	return path
}

// canaryFiles has a secret in each place that takes one: from the environment, from files and from commands.
const canaryFiles = `
connection "gong" "acme" {
  access_key          = env("CANARY_GONG_KEY")
  access_key_secret   = file("%[1]s/gong_secret")
  base_url            = env("GONG_BASE_URL")
  requests_per_second = 0
}
connection "totango" "success" {
  app_token           = exec("%[1]s/totango_token")
  base_url            = env("TOTANGO_BASE_URL")
  requests_per_minute = 0
  write_timeout       = "2s"
  search_lag          = "1s"
}
connection "zoom" "acme" {
  account_id    = "acme"
  client_id     = "app"
  client_secret = env("CANARY_ZOOM_SECRET")
  base_url      = env("ECHO_URL")
  token_url     = "${env("ECHO_URL")}/token"
}
connection "webhook" "hook" {
  url    = "${env("ECHO_URL")}/${env("CANARY_WEBHOOK_PATH")}?key=${env("CANARY_WEBHOOK_QUERY")}"
  secret = env("CANARY_WEBHOOK_SECRET")
}
connection "postgres" "db" {
  table = "calls"
  url   = "postgres://app:${env("CANARY_POSTGRES_PASSWORD")}@127.0.0.1:9/crm?sslmode=disable"
}
connection "telling" "it" {
  key      = env("CANARY_TELLING_KEY")
  base_url = env("ECHO_URL")
}
notifier "webhook" "ops" {
  url     = "${env("ECHO_URL")}/hooks/${env("CANARY_NOTIFIER_PATH")}"
  headers = { Authorization = "Bearer ${env("CANARY_NOTIFIER_TOKEN")}" }
}
notifier "email" "ops" {
  host     = "127.0.0.1"
  port     = 9
  username = "durasync"
  password = env("CANARY_SMTP_PASSWORD")
  from     = "durasync@acme.example"
  to       = ["ops@acme.example"]
}
`

// canaryJob is a job between two connections; the %s are its name, the source's connection and stream, the destination's and the map.
const canaryJob = `
job %q {
  source {
    connection = connection.%s
    stream     = %q
  }
  destination {
    connection = connection.%s
    object     = %q
  }
  %s
  notify {
    to = notifier.webhook.ops
    on = ["failed", "rejected"]
  }
}
`

// canaryMail tells by mail, too: a server that cannot be reached is tried for most of a minute.
const canaryMail = `
  notify {
    to = notifier.email.ops
    on = ["failed"]
  }
`

// TestNoSecretShowsAnywhere plants a secret wherever there is one, has systems fail that send back all they got, and looks at everything
// that is printed, logged, measured, stored and left behind.
func TestNoSecretShowsAnywhere(t *testing.T) {
	t.Parallel()
	c := &canaries{t: t, secrets: map[string]string{}}
	gongKey, gongSecret, totangoToken := c.plant("Gong's key"), c.plant("Gong's secret, from a file"), c.plant("Totango's token, from a command")
	s := newSimulators(t, gongtest.New(gongtest.Options{Keys: []gongtest.Key{{AccessKey: gongKey, Secret: gongSecret}}}),
		totangotest.New(totangotest.Options{Tokens: []string{totangoToken}, RequestsPerMinute: -1}))
	secrets, tmp, data := t.TempDir(), t.TempDir(), t.TempDir()
	c.keep(filepath.Join(secrets, "gong_secret"), gongSecret+"\n")
	c.keep(filepath.Join(secrets, "totango_token"), "#!/bin/sh\necho "+totangoToken+"\n")
	broken := c.plant("what a failing command printed")
	c.keep(filepath.Join(secrets, "broken"), "#!/bin/sh\necho "+broken+"\nexit 1\n")

	gong, totango, other := &echo{Handler: s.gong}, &echo{Handler: s.totango}, &echo{}
	other.status.Store(http.StatusUnauthorized)
	keyText := keyLine("k1", "K")
	c.add("a key of payloads", strings.TrimPrefix(keyText, "k1:"))
	s.env = append(s.env,
		"GONG_BASE_URL="+serve(t, gong), "TOTANGO_BASE_URL="+serve(t, totango), "ECHO_URL="+serve(t, other), "TMPDIR="+tmp,
		"CANARY_GONG_KEY="+gongKey, "CANARY_ZOOM_SECRET="+c.plant("Zoom's secret"),
		"CANARY_WEBHOOK_PATH="+c.plant("the webhook's path"), "CANARY_WEBHOOK_QUERY="+c.plant("the webhook's query"),
		"CANARY_WEBHOOK_SECRET="+c.plant("the webhook's secret"), "CANARY_POSTGRES_PASSWORD="+c.plant("the database's password"),
		"CANARY_TELLING_KEY="+c.plant("the telling connector's key"), "CANARY_NOTIFIER_PATH="+c.plant("the notifier's path"),
		"CANARY_NOTIFIER_TOKEN="+c.plant("the notifier's token"), "CANARY_SMTP_PASSWORD="+c.plant("the mail server's password"),
		"DURASYNC_ENCRYPTION_KEYS="+keyText,
	)
	s.connector("panicking")
	s.connector("telling")
	spans, endpoint := startCollector(t)
	s.env = append(s.env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+endpoint)
	server := s.serveTemporal("--port", "0", "--ui-port", "0", "--db", filepath.Join(data, "temporal.db"))
	s.env = append(s.env, "TEMPORAL_ADDRESS="+s.address)

	// try runs a command, whatever comes of it, and returns what it printed.
	try := func(args ...string) string {
		t.Helper()
		r := s.run(args...)
		c.look("what durasync "+strings.Join(args, " ")+" prints", []byte(r.stdout+r.stderr))
		return r.stdout + r.stderr
	}

	// Files with mistakes in and around secrets: those that show when they are written, and those that show when a secret is read.
	for name, text := range map[string]string{
		"written": `
connection "gong" "sum" { access_key = file("%[1]s/gong_secret") + 1 }
connection "gong" "index" { access_key = env("CANARY_GONG_KEY")[3] }
connection "gong" "file" { access_key = file(env("CANARY_GONG_KEY")) }
job "j" { description = env("CANARY_GONG_KEY") }
`,
		"read": `
connection "gong" "exec" { access_key = exec("%[1]s/broken") }
connection "gong" "number" { requests_per_second = env("CANARY_GONG_KEY") }
connection "gong" "address" { base_url = env("CANARY_GONG_KEY") }
connection "postgres" "port" { port = file("%[1]s/gong_secret") }
connection "webhook" "address" { url = env("CANARY_WEBHOOK_SECRET") }
notifier "webhook" "address" { url = env("CANARY_NOTIFIER_TOKEN") }
`,
	} {
		dir := t.TempDir()
		c.keep(filepath.Join(dir, "jobs.hcl"), strings.ReplaceAll(text, "%[1]s", secrets))
		for _, args := range [][]string{{"validate", dir}, {"validate", "--connect", dir}, {"plan", "--json", dir}, {"doctor", dir}} {
			try(args...)
		}
		p := start(t, s.env, "worker", dir, "--log-level", "trace")
		s.until("the worker says what it makes of the files", func() bool {
			select {
			case <-p.ended:
				return true
			default:
				return strings.Contains(p.stderr.String(), "jobs.hcl")
			}
		})
		p.kill()
		c.look("what a worker says of files with mistakes ("+name+")", []byte(p.rest()+p.stderr.String()))
	}

	refused := t.TempDir()
	c.keep(filepath.Join(refused, "jobs.hcl"),
		fmt.Sprintf("connection \"telling\" \"refused\" {\n  key = %q\n  base_url = \"nowhere\"\n}\n", c.plant("a key that stands in a file")))
	if said := try("validate", "--json", refused); !strings.Contains(said, "no use for the key (hidden)") {
		t.Errorf("the configuration that the telling connector refuses is not to be seen: %s", said)
	}

	const toRow = `map { values = { id = call.id } }`
	files := fmt.Sprintf(canaryFiles, secrets) +
		fmt.Sprintf(canaryJob, "meetings", "gong.acme", "calls", "totango.success", "touchpoint", "") +
		fmt.Sprintf(canaryJob, "zoom", "zoom.acme", "meetings", "totango.success", "touchpoint", canaryMail) +
		fmt.Sprintf(canaryJob, "hook", "gong.acme", "calls", "webhook.hook", "request", `map { body = { id = call.id } }`) +
		fmt.Sprintf(canaryJob, "db", "gong.acme", "calls", "postgres.db", "row", toRow)
	s.write("jobs.hcl", files)
	stranger := func(call *gongtest.Call) { call.Parties[1].Email = "quentin@stranger.example" }
	s.meeting("acme", nil)
	s.meeting("acme", stranger)
	worker, url := s.reportingWorker("--log-level", "trace")
	s.ok("apply", s.dir)
	try("plan", s.dir)
	try("show", "meetings", "--dir", s.dir)
	for _, status := range []int32{http.StatusUnauthorized, http.StatusForbidden} {
		gong.status.Store(status)
		try("sync", "meetings", "--json")
		gong.status.Store(0)
		totango.status.Store(status)
		try("sync", "meetings", "--json")
		totango.status.Store(0)
	}
	totango.status.Store(http.StatusBadRequest)
	try("sync", "meetings", "--json")
	totango.status.Store(0)
	try("sync", "meetings", "--json")
	var syncs []*process
	for _, job := range []string{"zoom", "hook", "db"} {
		syncs = append(syncs, start(t, s.env, "sync", job, "--json"))
	}
	for _, p := range syncs {
		c.look("what "+p.cmd.String()+" prints", []byte(p.rest()+p.stderr.String()))
	}
	gong.status.Store(http.StatusUnauthorized)
	for _, args := range [][]string{
		{"doctor", s.dir}, {"validate", "--connect", s.dir}, {"validate", "--connect", "--json", s.dir}, {"preview", "meetings", "--dir", s.dir},
	} {
		try(args...)
	}
	gong.status.Store(0)
	try("preview", "meetings", "--dir", s.dir, "--html", filepath.Join(data, "preview.html"))
	config := c.keep(filepath.Join(s.dir, "panicking.json"), fmt.Sprintf(`{"key": %q}`, c.plant("the panicking connector's key")))
	now := time.Now()
	try("connector", "test", filepath.Join(s.dir, "development", "durasync-connector-panicking"), "--config", config, "--stream", "things",
		"--from", now.AddDate(0, 0, -2).UTC().Format(time.DateOnly), "--log-level", "trace")
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	// The telling connector comes last: whatever asks for its job waits for it when it panics.
	s.write("jobs.hcl", files+fmt.Sprintf(canaryJob, "tells", "telling.it", "things", "webhook.hook", "request", `map { body = { id = thing.id } }`))
	s.ok("apply", s.dir)
	if said := try("sync", "tells", "--json"); !strings.Contains(said, "for the key (hidden): ") {
		t.Errorf("the error of the telling connector is not to be seen: %s", said)
	}
	for range 2 {
		try("sync", "tells", "--detach") // the first one may fail at once
	}
	s.until("the telling connector has ended", func() bool { return strings.Contains(worker.stderr.String(), "connector process ended") })
	try("cancel", "tells")
	for _, job := range []string{"meetings", "zoom", "hook", "db", "tells"} {
		for _, args := range [][]string{{"runs", job}, {"run", "show", job, "--json"}, {"run", "show", job}, {"rejects", job}, {"status", job}} {
			try(args...)
		}
	}
	try("status", "--json")
	_, metrics := get(t, url+"/metrics")
	c.look("the metrics", []byte(metrics))

	// Commands that are refused, with secrets of their own.
	env := s.env
	s.env = slices.Concat(env, []string{"TEMPORAL_API_KEY=" + c.plant("the key of Temporal's API")})
	try("status", "--log-level", "trace")
	s.env = slices.Concat(env, []string{"DURASYNC_ENCRYPTION_KEYS=k9:" + c.plant("a key of payloads that is none")})
	try("status", "--log-level", "trace")
	s.env = slices.Concat(env, []string{"DURASYNC_CODEC_TOKEN=" + c.plant("the codec server's token")})
	certFile, tlsKey := c.certificate()
	codecs := start(t, s.env, "codec-server", "--listen", "127.0.0.1:0", "--tls-cert", certFile, "--tls-key", tlsKey, "--log-level", "trace")
	_, at, _ := strings.Cut(codecs.line("decoding at"), "decoding at ")
	if res, err := http.Post(strings.Replace(at, "https", "http", 1)+"/decode", "application/json", strings.NewReader("{}")); err == nil {
		_ = res.Body.Close()
	}
	codecs.interrupt()
	c.look("what the codec server says", []byte(codecs.rest()+codecs.stderr.String()))
	swapped := s.run("codec-server", "--listen", "127.0.0.1:0", "--tls-cert", tlsKey, "--tls-key", certFile)
	c.look("what the codec server says of files that are swapped", []byte(swapped.stdout+swapped.stderr))
	s.env = env

	if n := gong.echoed.Load(); n < 3 {
		t.Errorf("only %d requests were answered with what Gong was sent", n)
	}
	if n := totango.echoed.Load(); n < 3 {
		t.Errorf("only %d requests were answered with what Totango was sent", n)
	}
	if n := other.echoed.Load(); n < 3 {
		t.Errorf("only %d requests were answered with what others were sent", n)
	}
	c.lookThroughHistories(s, keyText)
	worker.interrupt()
	log := worker.rest() + worker.stderr.String()
	c.look("the worker's log", []byte(log))
	if !strings.Contains(log, "run ended") {
		t.Error("the worker's log does not tell of the runs, so this test cannot fail")
	}
	for _, said := range []string{
		"configured with the key (hidden)", "no answer for the key (hidden)", `no answer for the key "(hidden)"`,
		"no list for the key (hidden)", "the end for the key (hidden)",
	} {
		if !strings.Contains(log, said) {
			t.Errorf("the worker's log does not tell what the telling connector says: %s", said)
		}
	}
	spans.mu.Lock()
	defer spans.mu.Unlock()
	traced := false
	for _, span := range spans.spans {
		c.look("a span", []byte(span.String()))
		traced = traced || attribute(span, "url.path") == "/(hidden)/things"
	}
	if !traced {
		t.Error("no span tells of a request of the telling connector")
	}
	server.interrupt()
	c.look("what the Temporal server says", []byte(server.rest()+server.stderr.String()))
	c.lookThrough("Temporal's database", data)
	c.lookThrough("TMPDIR", tmp)
	c.lookThrough("the home directory", home(s.env))
	c.lookThrough("the job directory", s.dir)
}

// home is the home directory of an environment.
func home(env []string) string {
	for _, v := range env {
		if dir, ok := strings.CutPrefix(v, "HOME="); ok {
			return dir
		}
	}
	return ""
}

// lookThroughHistories looks at all that is in the histories, decrypted.
func (c *canaries) lookThroughHistories(s *system, keys string) {
	c.t.Helper()
	ring, err := codec.NewKeyring(c.t.Context(), func(context.Context) (string, error) { return keys, nil }, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	payloads := codec.New(ring)
	temporal := s.temporalWith(payloads)
	var all bytes.Buffer
	collect := proxy.VisitPayloadsOptions{Visitor: func(_ *proxy.VisitPayloadsContext, list []*commonpb.Payload) ([]*commonpb.Payload, error) {
		for _, p := range list {
			var text json.RawMessage
			if payloads.Decode(p, &text) {
				all.Write(text)
			}
		}
		return list, nil
	}}
	res, err := temporal.ListWorkflow(c.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, info := range res.GetExecutions() {
		e := execution{info.GetType().GetName(), info.GetExecution().GetWorkflowId(), info.GetExecution().GetRunId()}
		h := history(c.t, temporal, e)
		if err := proxy.VisitPayloads(c.t.Context(), h, collect); err != nil {
			c.t.Fatal(err)
		}
		all.WriteString(h.String())
	}
	c.look("the histories", all.Bytes())
	if !bytes.Contains(all.Bytes(), []byte("quentin@stranger.example")) || !bytes.Contains(all.Bytes(), []byte("echo: ")) {
		c.t.Error("the histories hold neither an address of a record nor what an API answered, so this test cannot fail")
	}
}
