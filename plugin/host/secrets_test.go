//go:build unix

package host

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/calllog"
)

// toldSecret looks different in each way in which a program can write it down.
const toldSecret = `s3cr&t/"päss wörd"`

// telling is a connector that tells its secret wherever it can.
type telling struct {
	*scenario
	region, token string
}

// words are the secret in all its forms.
func (c *telling) words() string {
	inJSON, _ := json.Marshal(c.token)
	return strings.Join([]string{
		c.token, fmt.Sprintf("%q", c.token), fmt.Sprintf("%+q", c.token), string(inJSON),
		url.QueryEscape(c.token), url.PathEscape(c.token), (&url.URL{Path: "/" + c.token + "/x"}).String(),
		base64.StdEncoding.EncodeToString([]byte(c.region + ":" + c.token)),
	}, " ")
}

// hiddenWords are words as everybody may read them.
const hiddenWords = `(hidden) "(hidden)" "(hidden)" "(hidden)" (hidden) (hidden) /(hidden)/x (hidden)`

func (c *telling) fault() *plugin.Error {
	e := plugin.Errorf(plugin.CodeInvalidRecord, "no: %s: %s", c.words(), c.token[:9]+"…")
	e.Attribute = "headers." + c.token
	return e
}

func (c *telling) Configure(ctx context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	var config struct{ Region, Token string }
	if err := json.Unmarshal(req.Config, &config); err != nil {
		return nil, err
	}
	c.region, c.token = config.Region, config.Token
	switch config.Region {
	case "refused":
		return nil, fmt.Errorf("at start: %w", c.fault())
	case "panicking":
		go panic(errors.New("at start: " + c.words()))
		select {}
	}
	return c.scenario.Configure(ctx, req)
}

func (c *telling) Check(context.Context, *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	return &plugin.CheckResponse{Summary: "the workspace of " + c.token}, nil
}

func (c *telling) List(ctx context.Context, _ *plugin.ListRequest) (*plugin.ListResponse, error) {
	calllog.Add(ctx, calllog.Request{Method: "GET", Host: c.token + "@api.example", Path: "/v1/" + url.PathEscape(c.token), Began: time.Now()})
	calllog.Add(ctx, calllog.Request{Method: "GET", Host: "api.example", Path: "/" + strings.Repeat("x", 190) + c.token, Began: time.Now()})
	return nil, c.fault()
}

func (c *telling) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	switch req.IDs[0] {
	case "log":
		log := hclog.FromContext(ctx)
		log.Error("as JSON: "+c.words(), "token", c.token, "error", errors.New(c.words()))
		fmt.Println("on stdout: " + c.words())
		fmt.Fprintln(os.Stderr, "on stderr: "+c.words())
		fd2 := os.NewFile(2, "what go-plugin does not put through gRPC")
		_, err := fmt.Fprintln(fd2, "as it is: "+c.words())
		return &plugin.ReadResponse{}, err
	case "panic":
		panic(errors.New("in a call: " + c.words()))
	case "die":
		go panic(errors.New("beside a call: " + c.words()))
		select {}
	case "data":
		data, err := json.Marshal(c.token)
		return &plugin.ReadResponse{Records: []plugin.Record{{ID: "data", URL: c.token, Data: data, Pending: c.token}}}, err
	}
	return nil, c.fault()
}

func (c *telling) Create(_ context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	if req.Items[0].Key == "all" {
		return nil, c.fault()
	}
	return &plugin.CreateResponse{Results: []plugin.Result{{Key: "bad", Err: c.fault()}}}, nil
}

func (c *telling) Resolve(context.Context, *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	return nil, c.fault()
}

func (c *telling) Find(_ context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	if req.Items[0].Key == "bad" {
		return &plugin.FindResponse{Results: []plugin.Result{{Key: "bad", Err: c.fault()}}}, nil
	}
	return nil, c.fault()
}

func (c *telling) Preview(_ context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	if req.Items[0].Key == "bad" {
		return &plugin.PreviewResponse{Previews: []plugin.Preview{{Key: "bad", Err: c.fault()}}}, nil
	}
	return nil, c.fault()
}

// witness keeps what an observer is told.
type witness struct {
	mu    sync.Mutex
	calls []*Call
}

func (w *witness) Called(_ context.Context, call *Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call)
}

func (*witness) Exited(string) {}

// journal is a log that is read while it is written: what a connector prints comes when it comes.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.wrote <- struct{}{}:
	default:
	}
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// await waits for a text.
func (j *journal) await(t *testing.T, text string) {
	t.Helper()
	for patience := time.After(30 * time.Second); !strings.Contains(j.String(), text); {
		select {
		case <-j.wrote:
		case <-patience:
			t.Fatalf("the log does not say %q:\n%s", text, j)
		}
	}
}

// tellingPool returns a pool with the connector that tells its secret, and its log.
func tellingPool(t *testing.T, region string) (*Pool, *witness, *journal) {
	t.Helper()
	config, err := json.Marshal(map[string]string{"region": region, "token": toldSecret})
	if err != nil {
		t.Fatal(err)
	}
	log, seen := &journal{wrote: make(chan struct{}, 1)}, &witness{}
	p := NewPool(hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: log, JSONFormat: true}), seen)
	t.Cleanup(p.Close)
	apply(t, p, Spec{Name: "telling.it", Connector: "scenario", Command: self(t, "telling"), Config: config})
	return p, seen, log
}

// lines are the messages of a log in JSON, each with all of its line.
func lines(t *testing.T, log *journal) map[string]map[string]any {
	t.Helper()
	got := map[string]map[string]any{}
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in the line %q", err, line)
		}
		message, _ := entry["@message"].(string)
		got[message] = entry
	}
	return got
}

// noSecret fails the test if a text has a part of the secret that all of its forms have, or its Base64.
func noSecret(t *testing.T, what, text string) {
	t.Helper()
	for _, part := range []string{"s3cr", "dXM6czNj"} { // the second is us:s3c in Base64
		if strings.Contains(text, part) {
			t.Errorf("%s tells the secret: %s", what, text)
		}
	}
}

func TestErrorsAndAnswersTellNoSecret(t *testing.T) {
	p, seen, _ := tellingPool(t, "us")
	c := get(t, p, "telling.it")
	ctx := t.Context()
	_, listed := c.List(ctx, &plugin.ListRequest{})
	_, read := c.Read(ctx, &plugin.ReadRequest{IDs: []string{"1"}})
	_, resolved := c.Resolve(ctx, &plugin.ResolveRequest{})
	_, created := create(t, c, "all")
	_, found := c.Find(ctx, &plugin.FindRequest{Items: []plugin.FindItem{{Key: "k"}}})
	_, previewed := c.Preview(ctx, &plugin.PreviewRequest{Items: []plugin.Item{item("k")}})
	createdItem, err1 := create(t, c, "bad")
	foundItem, err2 := c.Find(ctx, &plugin.FindRequest{Items: []plugin.FindItem{{Key: "bad"}}})
	previewedItem, err3 := c.Preview(ctx, &plugin.PreviewRequest{Items: []plugin.Item{item("bad")}})
	checked, err4 := c.Check(ctx, &plugin.CheckRequest{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for method, err := range map[string]error{
		"List": listed, "Read": read, "Resolve": resolved, "Find": found, "Preview": previewed, "Create": created,
		"an item of Create": createdItem.Results[0].Err, "an item of Find": foundItem.Results[0].Err, "an item of Preview": previewedItem.Previews[0].Err,
	} {
		want, e := "no: "+hiddenWords+": …", plugin.AsError(err)
		if err.Error() != want || e.Message != want {
			t.Errorf("%s fails with %q, want %q", method, err, want)
		}
		if e.Attribute != "headers.(hidden)" || e.Code != plugin.CodeInvalidRecord {
			t.Errorf("%s fails at the attribute %q with the code %s", method, e.Attribute, e.Code)
		}
	}
	if want := "the workspace of (hidden)"; checked.Summary != want {
		t.Errorf("Check says %q, want %q", checked.Summary, want)
	}
	if len(seen.calls) != 10 {
		t.Fatalf("the observer was told of %d calls, want 10", len(seen.calls))
	}
	for _, call := range seen.calls {
		if call.Err != nil {
			noSecret(t, "the observed error of "+call.Method, fmt.Sprintf("%+v", *call.Err))
		}
		for _, r := range call.Log {
			noSecret(t, "a logged request", fmt.Sprintf("%+v", r))
		}
	}
	if log := seen.calls[0].Log; len(log) != 2 || log[0].Host != "(hidden)@api.example" || log[0].Path != "/v1/(hidden)" {
		t.Errorf("the requests of List are logged as %+v", log)
	}

	data, err := c.Read(ctx, &plugin.ReadRequest{IDs: []string{"data"}})
	if err != nil {
		t.Fatal(err)
	}
	encoded, _ := json.Marshal(toldSecret)
	want := []plugin.Record{{ID: "data", URL: toldSecret, Data: encoded, Pending: "(hidden)"}}
	if diff := cmp.Diff(want, data.Records); diff != "" {
		t.Errorf("a record loses more than the words about it (-want +got):\n%s", diff)
	}
}

func TestLogsAndPanicsTellNoSecret(t *testing.T) {
	p, _, log := tellingPool(t, "us")
	c := get(t, p, "telling.it")
	if _, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: []string{"log"}}); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"as JSON: ", "on stdout: ", "on stderr: ", "as it is: "} {
		log.await(t, where)
	}
	for _, how := range []string{"panic", "die"} {
		_, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: []string{how}})
		if err == nil {
			t.Fatalf("the connector survives to %s", how)
		}
		noSecret(t, "the error of a call that ends by "+how, err.Error())
	}
	p.Close()
	got := lines(t, log)
	noSecret(t, "the log", log.String())
	for _, message := range []string{"as JSON: ", "on stdout: ", "on stderr: ", "as it is: ", "panic: beside a call: "} {
		if got[message+hiddenWords] == nil {
			t.Errorf("the log does not say %q:\n%s", message+hiddenWords, log)
		}
	}
	if entry := got["as JSON: "+hiddenWords]; entry["token"] != "(hidden)" || entry["error"] != hiddenWords || entry["@level"] != "error" {
		t.Errorf("the log has the line %v, want the secret hidden in each of its members", entry)
	}
	if entry := got["the connector panicked"]; fmt.Sprint(entry["panic"]) != "in a call: "+hiddenWords {
		t.Errorf("the log has the line %v, want the panic without the secret", entry)
	}
}

func TestConnectorsThatDoNotStartTellNoSecret(t *testing.T) {
	for region, want := range map[string]string{
		"refused":   "connection telling.it: at start: no: " + hiddenWords + ": …",
		"panicking": "connection telling.it: the connector's process ended during Configure",
	} {
		p, _, log := tellingPool(t, region)
		_, err := p.Get(t.Context(), "telling.it")
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", region, err, want)
		}
		p.Close()
		noSecret(t, "the log", log.String())
		if region == "panicking" && lines(t, log)["panic: at start: "+hiddenWords] == nil {
			t.Errorf("the panic is not in the log:\n%s", log)
		}
	}

	// The same for a configuration that is only tried.
	config, err := json.Marshal(map[string]string{"region": "refused", "token": toldSecret})
	if err != nil {
		t.Fatal(err)
	}
	if err := Configure(t.Context(), self(t, "telling"), config, nil); err == nil || err.Error() != "at start: no: "+hiddenWords+": …" {
		t.Errorf("Configure: error %v, want one without the secret", err)
	}
}

// A connection whose secret changes gets a process that hides the new one.
func TestNewSecretIsHidden(t *testing.T) {
	p, _, _ := tellingPool(t, "us")
	get(t, p, "telling.it")
	apply(t, p, Spec{Name: "telling.it", Connector: "scenario", Command: self(t, "telling"), Config: json.RawMessage(`{"token":"the next one"}`)})
	checked, err := get(t, p, "telling.it").Check(t.Context(), &plugin.CheckRequest{})
	if err != nil || checked.Summary != "the workspace of (hidden)" {
		t.Errorf("Check says %+v, error %v", checked, err)
	}
}

func TestWhatIsHidden(t *testing.T) {
	attrs := []plugin.Attribute{
		{Name: "headers", Sensitive: true, Type: plugin.Any}, {Name: "address", Sensitive: true}, {Name: "key", Sensitive: true},
		{Name: "server"}, {Name: "region"},
	}
	config := json.RawMessage(`{
		"headers": {"Authorization": ["Bearer tok-1234", 12345678], "X-Short": "abc", "X-None": ""},
		"address": "https://hooks.example/services/T0/B%2F0?sig=5678",
		"key": "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n",
		"server": "postgres://app:pass%40word@db.example/crm", "region": "europe", "undescribed": "unknown"
	}`)
	s := newSecrets(config, attrs)
	for text, want := range map[string]string{
		"Authorization: Bearer tok-1234.":                                      "Authorization: (hidden).",
		"the token tok-1234":                                                   "the token (hidden)",
		"12345678 abc europe unknown":                                          "12345678 abc europe unknown",
		"Post \"https://hooks.example/services/T0/B%2F0?sig=5678\": x":         "Post \"(hidden)\": x",
		"hooks.example/services/T0/B%2F0 and /services/T0/B/0":                 "hooks.example(hidden) and (hidden)",
		"a line of it: MIIEvQIBADANBgkq":                                       "a line of it: (hidden)",
		`{"key":"-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n"}`: `{"key":"(hidden)"}`,
		`no user "app" with pass@word or app:pass%40word at db.example`:        `no user "app" with (hidden) or app:(hidden) at db.example`,
		"tok-12": "tok-12",
		"":       "",
	} {
		if got := s.hide(text); got != want {
			t.Errorf("%q is told as %q, want %q", text, got, want)
		}
	}
	for name, config := range map[string]string{"without secrets": `{"region":"europe"}`, "no object": `[]`} {
		if s := newSecrets(json.RawMessage(config), attrs); s != nil || s.hide("europe") != "europe" {
			t.Errorf("a configuration %s has secrets", name)
		}
	}
}

// A secret is hidden wherever the text that holds it is cut.
func TestSecretsInPieces(t *testing.T) {
	s := newSecrets(json.RawMessage(`{"token":"tok-tok-1234"}`), []plugin.Attribute{{Name: "token", Sensitive: true}})
	know := func() *secrets { return s }
	const text, want = "a tok-tok-tok-1234 b tok-tok-123 c\nto", "a tok-(hidden) b tok-tok-123 c\nto"
	for n := 1; n < len(text); n++ {
		t1 := stream{secrets: know}
		if got := t1.next(text[:n], false) + t1.next(text[n:], true); got != want {
			t.Errorf("cut after %d bytes it is told as %q, want %q", n, got, want)
		}
	}
	long := strings.Repeat("x", maxLogLine-5) + "tok-tok-1234" + strings.Repeat("y", maxLogLine) + "\ntok-tok-1234"
	got, err := io.ReadAll(iotest.HalfReader(newLogLines(io.NopCloser(strings.NewReader(long)), know)))
	if want := strings.ReplaceAll(long, "tok-tok-1234", "(hidden)"); err != nil || string(got) != want {
		t.Errorf("the secret in a long line is told, error %v", err)
	}
}
