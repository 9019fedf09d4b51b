package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/webhook"
	"github.com/durasync/durasync/plugin"
)

const secret = "a secret of words"

// delivery is a request as the receiver got it.
type delivery struct {
	Path, ID, Key, Event, Body string
}

// receiver is a receiver that verifies what it gets and knows what it has taken.
type receiver struct {
	t      *testing.T
	answer func(n int, w http.ResponseWriter) bool // answers the n-th request, from 1, instead of the receiver if it returns true

	mu    sync.Mutex
	got   []delivery
	taken map[string]string // bodies by id
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		r.t.Error(err)
	}
	d := delivery{req.RequestURI, req.Header.Get("webhook-id"), req.Header.Get("idempotency-key"), req.Header.Get("webhook-event"), string(body)}
	r.verify(req.Header, d)
	r.mu.Lock()
	r.got = append(r.got, d)
	n := len(r.got)
	r.mu.Unlock()
	switch {
	case r.answer != nil && r.answer(n, w):
	case strings.Contains(d.Body, "bad"):
		http.Error(w, "bad things are not taken", http.StatusUnprocessableEntity)
	case !r.take(d):
		w.WriteHeader(http.StatusConflict)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// verify checks a request as the documentation tells receivers to.
func (r *receiver) verify(h http.Header, d delivery) {
	at, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if age := time.Since(time.Unix(at, 0)); err != nil || age < -time.Minute || age > time.Minute {
		r.t.Errorf("a request of %s (%v)", h.Get("webhook-timestamp"), err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, d.ID+"."+h.Get("webhook-timestamp")+"."+d.Body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); h.Get("webhook-signature") != want {
		r.t.Errorf("signature %q, want %q", h.Get("webhook-signature"), want)
	}
	if d.ID == "" || d.ID != d.Key || strings.ContainsAny(d.ID, ". /") {
		r.t.Errorf("id %q and idempotency key %q", d.ID, d.Key)
	}
	if !json.Valid([]byte(d.Body)) || h.Get("content-type") != "application/json" {
		r.t.Errorf("%s with the body %q", h.Get("content-type"), d.Body)
	}
}

// take reports whether a request is a new one.
func (r *receiver) take(d delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken == nil {
		r.taken = map[string]string{}
	}
	_, known := r.taken[d.ID]
	r.taken[d.ID] = d.Body
	return !known
}

// holds returns how many requests with the item's body were taken.
func (r *receiver) holds(it plugin.Item) int {
	var attributes struct{ Body json.RawMessage }
	if err := json.Unmarshal(it.Attributes, &attributes); err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, body := range r.taken {
		if body == string(attributes.Body) {
			n++
		}
	}
	return n
}

func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery(nil), r.got...)
}

// connect serves the receiver and returns its address and a connector that is configured for it.
func connect(t *testing.T, r *receiver, path string) (string, *webhook.Connector) {
	t.Helper()
	r.t = t
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	c := webhook.New()
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: config(t, srv.URL+path, nil)}); err != nil {
		t.Fatal(err)
	}
	return srv.URL + path, c
}

func config(t *testing.T, url string, more map[string]any) json.RawMessage {
	t.Helper()
	all := map[string]any{"url": url, "secret": secret, "requests_per_second": 0, "timeout": "5s"}
	for name, value := range more {
		all[name] = value
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func item(key, attributes string) plugin.Item {
	return plugin.Item{Key: key, RecordID: "7", Time: time.Now(), Attributes: json.RawMessage(attributes)}
}

// create sends an item and returns its result and the error of the item or of the call.
func create(t *testing.T, c *webhook.Connector, it plugin.Item) (plugin.Result, *plugin.Error) {
	t.Helper()
	resp, err := c.Create(t.Context(), &plugin.CreateRequest{Object: "request", Items: []plugin.Item{it}})
	if err != nil {
		return plugin.Result{}, plugin.AsError(err)
	}
	return resp.Results[0], resp.Results[0].Err
}
