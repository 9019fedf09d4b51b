package e2e

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/codec"
)

// keyLine is a key of payloads, as the environment has it.
func keyLine(id, letter string) string {
	return id + ":" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

// newStoredSystem is newSystem with a Temporal server that keeps its data in a file. The function stops it and returns all that it
// has stored.
func newStoredSystem(t *testing.T, env ...string) (s *system, stored func() []byte) {
	t.Helper()
	s = newSimulators(t, &gongtest.Server{}, totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1}))
	s.env = append(s.env, env...)
	dir := t.TempDir()
	server := s.serveTemporal("--port", "0", "--ui-port", "0", "--db", filepath.Join(dir, "temporal.db"))
	s.env = append(s.env, "TEMPORAL_ADDRESS="+s.address)
	return s, func() []byte {
		server.interrupt()
		var all []byte
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("the server has stored nothing: %v", err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
}

// TestNothingReadableIsStored plants texts wherever a run meets some, and looks for them in the raw files of Temporal's database. The
// same run without keys shows that they would be found.
func TestNothingReadableIsStored(t *testing.T) {
	t.Parallel()
	const reply = "upstream-canary lost pat@acme.example"
	planted := map[string]string{
		"a customer's address":                   "pat@acme.example",
		"the address of a stranger":              "quentin@stranger.example",
		"the title of a meeting":                 "Zebra pricing",
		"what an API said in an error":           "upstream-canary",
		"a part of the job":                      "[Okapi]",
		"a reason given for pausing":             "Quokka is on holiday",
		"the access key of Gong":                 gongtest.AccessKeySecret,
		"the token of Totango":                   token,
		"the key of the payloads":                strings.TrimPrefix(keyLine("k1", "K"), "k1:"),
		"the name of an account of a touchpoint": "Account acme",
	}
	// What stands in the database without keys. The other texts are compressed, or are never there.
	plain := []string{"a customer's address", "the title of a meeting", "what an API said in an error"}
	for name, env := range map[string][]string{
		"with a key":  {"DURASYNC_ENCRYPTION_KEYS=" + keyLine("k1", "K")},
		"without one": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, stored := newStoredSystem(t, env...)
			var failed atomic.Int32
			s.env = append(s.env, "GONG_BASE_URL="+serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/calls/extensive") && failed.Add(1) <= 6 {
					http.Error(w, reply, http.StatusInternalServerError)
					return
				}
				s.gong.ServeHTTP(w, r)
			})))
			s.write("jobs.hcl", strings.Replace(jobFiles, "  destination {", "  map {\n    subject  = \"[Okapi] ${call.title}\"\n    override = true\n  }\n  destination {", 1))
			id := s.meeting("acme", func(c *gongtest.Call) { c.Title = "Zebra pricing" })
			s.gong.AddCall(gongtest.Call{
				Title: "First talk", Started: time.Now().Add(-2 * time.Hour), Duration: time.Hour, Brief: "Hello.", PrimaryUserID: "1",
				Parties: []gongtest.Party{{Name: "Quentin", Email: "quentin@stranger.example", Affiliation: "External"}},
			})
			worker := s.worker()
			s.ok("apply", s.dir)
			sum := s.sync("meetings")
			s.once(id)
			if sum.Counts.Rejected != 1 {
				t.Errorf("the run says %+v, want one record rejected", sum.Counts)
			}
			if out := s.ok("rejects", "meetings"); !strings.Contains(out, "quentin@stranger.example") {
				t.Errorf("rejects does not show whom nobody knows:\n%s", out)
			}
			if out := s.ok("run", "show", "meetings"); !strings.Contains(out, "upstream-canary") {
				t.Errorf("run show does not say what Gong said:\n%s", out)
			}
			if out := s.ok("plan", s.dir); !strings.Contains(out, "No changes") {
				t.Errorf("plan right after apply says:\n%s", out)
			}
			worker.interrupt()
			raw := stored()
			for what, text := range planted {
				switch found := bytes.Contains(raw, []byte(text)); {
				case found && env != nil:
					t.Errorf("%s is in the database", what)
				case !found && env == nil && slices.Contains(plain, what):
					t.Errorf("%s is not in the database, so this test cannot fail", what)
				}
			}
		})
	}
}

// TestMissingKeysEndNothing starts a worker without the key. Runs and what is known about the job wait for one that has it, and go on
// with a new key afterwards.
func TestMissingKeysEndNothing(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	write := func(lines ...string) {
		if err := os.WriteFile(keys, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(keyLine("k1", "K"))
	ring, err := codec.NewKeyring(t.Context(), func(context.Context) (string, error) { return keyLine("k1", "K"), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newSystem(t)
	bare := s.env
	s.env = append(s.env, "DURASYNC_ENCRYPTION_KEYS_FILE="+keys)
	first := s.meeting("acme", nil)
	worker := s.worker()
	s.ok("apply", s.dir)
	s.sync("meetings")
	// Without keys, commands say what is missing.
	r := run(t, bare, "status", "--json")
	if r.code != 3 || !strings.Contains(r.stdout+r.stderr, `encrypted with the key \"k1\", and this process was given no keys`) {
		t.Errorf("status without keys: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	worker.interrupt()

	keyless := start(t, bare, "worker", s.dir)
	keyless.line("gong.acme")
	second := s.meeting("bolt", nil)
	c := s.temporalWith(codec.New(ring))
	trigger := client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE}
	schedule := c.ScheduleClient().GetHandle(t.Context(), "meetings")
	if err := schedule.Trigger(t.Context(), trigger); err != nil {
		t.Fatal(err)
	}
	// running describes the run that the trigger starts.
	running := func() *workflowservice.DescribeWorkflowExecutionResponse {
		of, err := schedule.Describe(t.Context())
		if err != nil || len(of.Info.RunningWorkflows) == 0 {
			return nil
		}
		res, err := c.DescribeWorkflowExecution(t.Context(), of.Info.RunningWorkflows[0].WorkflowID, "")
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	s.until("the run is tried more than once for want of a key", func() bool { return running().GetPendingWorkflowTask().GetAttempt() > 1 })
	if got := running().GetWorkflowExecutionInfo().GetStatus(); got != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("without a key the run is %v", got)
	}
	keyless.interrupt()

	s.worker()
	s.until("the run that had to wait writes its touchpoint", func() bool { return s.touchpoints()[second] == 1 })

	// A new key: everybody can read it first, then it encrypts. No process is started again.
	write(keyLine("k2", "N"), keyLine("k1", "K"))
	third := s.meeting("crux", nil)
	s.sync("meetings")
	s.once(first, second, third)
}

// TestCodecServer asks the codec server as the web UI and the command-line tools do.
func TestCodecServer(t *testing.T) {
	t.Parallel()
	s := newSimulators(t, &gongtest.Server{}, totangotest.New(totangotest.Options{}))
	s.env = append(s.env, "DURASYNC_ENCRYPTION_KEYS="+keyLine("k1", "K"))
	const secret = "a-token-of-the-codec-server"
	issuer := newIssuer(t)
	const page = "https://temporal.example.com"
	p := start(t, append(s.env, "DURASYNC_CODEC_TOKEN="+secret), "codec-server", "--listen", "127.0.0.1:0", "--origin", page,
		"--oidc-issuer", issuer.URL, "--oidc-audience", "temporal")
	_, url, _ := strings.Cut(p.line("decoding at"), "decoding at ")
	payload := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"Zebra pricing"`)}
	ask := func(path, origin, bearer string, in *commonpb.Payloads) (status int, out *commonpb.Payloads) {
		t.Helper()
		body, err := protojson.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", origin)
		if bearer != "" {
			req.Header.Set("Authorization", "Bearer "+bearer)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		out = &commonpb.Payloads{}
		if res.StatusCode == http.StatusOK {
			if err := protojson.Unmarshal(b, out); err != nil {
				t.Fatal(err)
			}
		}
		return res.StatusCode, out
	}
	status, encoded := ask("/encode", page, secret, &commonpb.Payloads{Payloads: []*commonpb.Payload{payload}})
	if status != http.StatusOK || bytes.Contains(encoded.GetPayloads()[0].GetData(), []byte("Zebra")) {
		t.Fatalf("encoding: status %d, %v", status, encoded)
	}
	for name, tc := range map[string]struct {
		origin, bearer string
		want           int
	}{
		"the token":              {page, secret, http.StatusOK},
		"a user's token":         {page, issuer.token(t, issuer.URL, "temporal", time.Minute), http.StatusOK},
		"no token":               {page, "", http.StatusUnauthorized},
		"another token":          {page, secret + "x", http.StatusUnauthorized},
		"a token of the past":    {page, issuer.token(t, issuer.URL, "temporal", -time.Hour), http.StatusUnauthorized},
		"a token for others":     {page, issuer.token(t, issuer.URL, "payroll", time.Minute), http.StatusUnauthorized},
		"another issuer's token": {page, newIssuer(t).token(t, issuer.URL, "temporal", time.Minute), http.StatusUnauthorized},
		"another page":           {"https://evil.example", secret, http.StatusForbidden},
	} {
		status, decoded := ask("/decode", tc.origin, tc.bearer, encoded)
		if status != tc.want {
			t.Errorf("%s: status %d, want %d", name, status, tc.want)
		}
		if tc.want == http.StatusOK && string(decoded.GetPayloads()[0].GetData()) != `"Zebra pricing"` {
			t.Errorf("%s: decoded %v", name, decoded)
		}
	}
	if code := p.interrupt(); code != 0 {
		t.Errorf("interrupted, it ended with exit code %d: %s", code, &p.stderr)
	}

	if res, err := http.Get(url + "/healthz"); err == nil {
		_ = res.Body.Close()
		t.Errorf("an interrupted server still answers %d", res.StatusCode)
	}

	anyone := start(t, s.env, "codec-server", "--listen", "0.0.0.0:0", "--allow-anyone")
	_, at, _ := strings.Cut(anyone.line("decoding at"), "decoding at ")
	_, port, _ := strings.Cut(strings.TrimPrefix(at, "http://[::]"), ":")
	if status, body := get(t, "http://127.0.0.1:"+port+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz answers %d: %s", status, body)
	}
	open := run(t, s.env, "codec-server", "--listen", "0.0.0.0:0")
	if open.code != 2 || !strings.Contains(open.stderr, "everybody who reaches this machine could read all payloads") {
		t.Errorf("open to the network without a token: exit code %d, %s", open.code, open.stderr)
	}
}

// issuer is an OpenID Connect issuer.
type issuer struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		url := "http://" + r.Host
		_, _ = fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q, "id_token_signing_alg_values_supported": ["RS256"]}`, url, url+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": %q, "e": "AQAB"}]}`,
			base64.RawURLEncoding.EncodeToString(key.N.Bytes()))
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

// token signs a token (RFC 7519).
func (i *issuer) token(t *testing.T, issuer, audience string, life time.Duration) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"iss": issuer, "aud": audience, "sub": "pat", "exp": time.Now().Add(life).Unix(), "iat": time.Now().Unix()})
	if err != nil {
		t.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}
