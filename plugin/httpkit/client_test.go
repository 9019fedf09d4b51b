package httpkit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

const (
	user     = "key-of-acme"
	password = "s3cret-of-acme"
)

func authorize(r *http.Request) { r.SetBasicAuth(user, password) }

func newClient(t *testing.T, opts httpkit.Options) *httpkit.Client {
	t.Helper()
	if opts.System == "" {
		opts.System = "Acme"
	}
	if opts.Authorize == nil {
		opts.Authorize = authorize
	}
	c, err := httpkit.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// do sends a request that must fail and returns the error.
func do(t *testing.T, c *httpkit.Client, req *httpkit.Request) *plugin.Error {
	t.Helper()
	ctx, n := httpkit.Count(t.Context())
	_, err := c.Do(ctx, req)
	var e *plugin.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *plugin.Error", err)
	}
	if e.Requests != n.Requests() {
		t.Errorf("the error counts %d requests, the counter %d", e.Requests, n.Requests())
	}
	for _, secret := range []string{password, user, "a2V5LW9mLWFjbWU6czNjcmV0LW9mLWFjbWU="} {
		if strings.Contains(e.Message, secret) {
			t.Errorf("the message shows %q: %s", secret, e.Message)
		}
	}
	return e
}

func TestStatusesAreClassified(t *testing.T) {
	type outcome struct {
		Code       plugin.Code
		Retryable  bool
		Uncertain  bool
		RetryAfter time.Duration
		Attribute  string
	}
	tests := []struct {
		status int
		header map[string]string
		want   outcome
	}{
		{status: 301, want: outcome{Code: plugin.CodeInvalidConfig, Attribute: "base_url"}},
		{status: 304, want: outcome{Code: plugin.CodeInvalidConfig, Attribute: "base_url"}},
		{status: 307, want: outcome{Code: plugin.CodeInvalidConfig, Attribute: "base_url"}},
		{status: 400, want: outcome{Code: plugin.CodeInvalidRequest}},
		{status: 401, want: outcome{Code: plugin.CodeUnauthenticated}},
		{status: 403, want: outcome{Code: plugin.CodePermissionDenied}},
		{status: 404, want: outcome{Code: plugin.CodeNotFound}},
		{status: 405, want: outcome{Code: plugin.CodeInvalidRequest}},
		{status: 408, want: outcome{Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true}},
		{status: 422, want: outcome{Code: plugin.CodeInvalidRequest}},
		{status: 425, want: outcome{Code: plugin.CodeUnavailable, Retryable: true}},
		{status: 429, want: outcome{Code: plugin.CodeRateLimited, Retryable: true}},
		{status: 429, header: map[string]string{"Retry-After": "7"},
			want: outcome{Code: plugin.CodeRateLimited, Retryable: true, RetryAfter: 7 * time.Second}},
		{status: 500, want: outcome{Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true}},
		{status: 502, want: outcome{Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true}},
		{status: 503, header: map[string]string{"Retry-After": "120"},
			want: outcome{Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true, RetryAfter: 2 * time.Minute}},
		{status: 599, want: outcome{Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true}},
	}
	for _, tt := range tests {
		for _, write := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d write=%v %v", tt.status, write, tt.header), func(t *testing.T) {
				base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					for name, value := range tt.header {
						w.Header().Set(name, value)
					}
					w.WriteHeader(tt.status)
				})
				e := do(t, newClient(t, httpkit.Options{BaseURL: base}), &httpkit.Request{Method: "POST", Path: "/things", Write: write})
				want := tt.want
				want.Uncertain = want.Uncertain && write
				if diff := cmp.Diff(want, outcome{e.Code, e.Retryable, e.Uncertain, e.RetryAfter, e.Attribute}); diff != "" {
					t.Errorf("outcome (-want +got):\n%s", diff)
				}
				if e.Requests != 1 {
					t.Errorf("counted %d requests, want 1", e.Requests)
				}
			})
		}
	}
}

func TestRedirectIsNotFollowedAndNamesTheHost(t *testing.T) {
	visited := false
	other := serve(t, func(http.ResponseWriter, *http.Request) { visited = true })
	host := strings.TrimPrefix(other, "http://")
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other+"/v2/calls?token=abc", http.StatusTemporaryRedirect)
	})
	e := do(t, newClient(t, httpkit.Options{BaseURL: base, Attribute: "endpoint"}), &httpkit.Request{Method: "POST", Path: "/v2/calls"})
	if visited {
		t.Error("the redirect was followed")
	}
	if e.Code != plugin.CodeInvalidConfig || e.Attribute != "endpoint" || !strings.Contains(e.Message, "https://"+host) {
		t.Errorf("got %s on %q: %s", e.Code, e.Attribute, e.Message)
	}
	if strings.Contains(e.Message, "abc") {
		t.Errorf("the message shows the location's query: %s", e.Message)
	}
}

func TestAcceptedStatusesAreReturned(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":["nothing"]}`)
	})
	c := newClient(t, httpkit.Options{BaseURL: base})
	resp, err := c.Do(t.Context(), &httpkit.Request{Method: "GET", Path: "/x", Accept: []int{404}})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != 404 || string(resp.Body) != `{"errors":["nothing"]}` {
		t.Errorf("got %d %s", resp.Status, resp.Body)
	}
	if e := resp.Err(); e.Code != plugin.CodeNotFound || !strings.Contains(e.Message, `{"errors":["nothing"]}`) {
		t.Errorf("Err = %s: %s", e.Code, e.Message)
	}
}

func TestRequestArrivesAsMade(t *testing.T) {
	type arrived struct{ Method, Target, ContentType, Agent, User, Password, Body string }
	var got arrived
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		u, p, _ := r.BasicAuth()
		got = arrived{r.Method, r.RequestURI, r.Header.Get("Content-Type"), r.UserAgent(), u, p, string(b)}
		_, _ = io.WriteString(w, `{"id":9007199254740993}`)
	})
	c := newClient(t, httpkit.Options{BaseURL: base + "/api/", UserAgent: "tester/1"})
	tests := []struct {
		req  *httpkit.Request
		want arrived
	}{
		{&httpkit.Request{Method: "POST", Path: "/v3/touchpoints/", JSON: map[string]string{"a": "b"}},
			arrived{"POST", "/api/v3/touchpoints/", "application/json", "tester/1", user, password, `{"a":"b"}`}},
		{&httpkit.Request{Method: "POST", Path: "/search", Form: url.Values{"query": {`{"a":1}`}}},
			arrived{"POST", "/api/search", "application/x-www-form-urlencoded", "tester/1", user, password, "query=%7B%22a%22%3A1%7D"}},
		{&httpkit.Request{Method: "GET", Path: "/users/" + url.PathEscape("a/../b"), Query: url.Values{"c": {"1&2"}}},
			arrived{"GET", "/api/users/a%2F..%2Fb?c=1%262", "", "tester/1", user, password, ""}},
	}
	for _, tt := range tests {
		resp, err := c.Do(t.Context(), tt.req)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
		var body map[string]any
		if err := resp.Decode(&body); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(body["id"]) != "9007199254740993" {
			t.Errorf("the id became %v", body["id"])
		}
	}
}

func TestFailuresAfterTheRequestWasSentAreUncertain(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"reset": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		},
		"closed": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_ = conn.Close()
		},
		"truncated": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"note":`)
		},
		"no answer in time": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // the server notices that the client left only once the body was read
			<-r.Context().Done()
		},
		"too large": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2000)) },
	}
	for name, h := range handlers {
		for _, write := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s write=%v", name, write), func(t *testing.T) {
				c := newClient(t, httpkit.Options{BaseURL: serve(t, h), MaxBody: 1000, Timeout: 2 * time.Second})
				req := &httpkit.Request{Method: "POST", Path: "/things", JSON: 1, Write: write}
				ctx, n := httpkit.Count(t.Context())
				if name == "no answer in time" {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
					defer cancel()
				}
				_, err := c.Do(ctx, req)
				var e *plugin.Error
				if !errors.As(err, &e) {
					t.Fatalf("got %v", err)
				}
				want := plugin.CodeUnavailable
				if name == "too large" {
					want = plugin.CodeInternal
				}
				if e.Code != want || e.Uncertain != write || e.Requests != 1 || n.Requests() != 1 {
					t.Errorf("got %s, uncertain %v, %d requests: %s", e.Code, e.Uncertain, e.Requests, e.Message)
				}
			})
		}
	}
}

func TestClientTimeoutIsUnavailableAndNamesItself(t *testing.T) {
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := newClient(t, httpkit.Options{BaseURL: base, Timeout: 30 * time.Millisecond})
	e := do(t, c, &httpkit.Request{Method: "POST", Path: "/x", Write: true})
	if e.Code != plugin.CodeUnavailable || !e.Uncertain || !strings.Contains(e.Message, "30ms") {
		t.Errorf("got %s, uncertain %v: %s", e.Code, e.Uncertain, e.Message)
	}
}

func TestFailuresBeforeAConnectionAreCertain(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	t.Cleanup(tlsServer.Close)
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	noName := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "api.nowhere.example", IsNotFound: true}
	}}

	tests := map[string]struct {
		opts httpkit.Options
		code plugin.Code
		says string
	}{
		"connection refused":    {httpkit.Options{BaseURL: refusing}, plugin.CodeUnavailable, "refused"},
		"unknown host":          {httpkit.Options{BaseURL: "https://api.nowhere.example", Transport: noName}, plugin.CodeUnavailable, "no such host"},
		"untrusted certificate": {httpkit.Options{BaseURL: tlsServer.URL}, plugin.CodeInvalidConfig, "certificate"},
		"no TLS at all": {httpkit.Options{BaseURL: strings.Replace(plain, "http://", "https://", 1)},
			plugin.CodeInvalidConfig, "TLS"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := do(t, newClient(t, tt.opts), &httpkit.Request{Method: "POST", Path: "/things", Query: url.Values{"q": {"private"}}, Write: true})
			if e.Code != tt.code || e.Uncertain || e.Requests != 0 {
				t.Errorf("got %s, uncertain %v, %d requests: %s", e.Code, e.Uncertain, e.Requests, e.Message)
			}
			if !strings.Contains(e.Message, tt.says) || strings.Contains(e.Message, "private") {
				t.Errorf("message: %s", e.Message)
			}
		})
	}
}

func TestCancelledContextSendsNothing(t *testing.T) {
	c := newClient(t, httpkit.Options{BaseURL: serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Do(ctx, &httpkit.Request{Method: "POST", Path: "/x", Write: true})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable || e.Uncertain {
		t.Errorf("got %v", err)
	}
}

func TestUnusableBaseURLs(t *testing.T) {
	tests := map[string]bool{
		"https://api.gong.io":              true,
		"https://api.gong.io/prefix":       true,
		"http://127.0.0.1:8080":            true,
		"http://[::1]:8080":                true,
		"http://10.1.2.3":                  true,
		"http://simulator:8080":            true,
		"http://gong.localhost":            true,
		"http://host.docker.internal":      true,
		"":                                 false,
		"api.gong.io":                      false,
		"ftp://api.gong.io":                false,
		"https://":                         false,
		"http://api.gong.io":               false,
		"http://8.8.8.8":                   false,
		"https://me:hunter2@api.gong.io":   false,
		"https://api.gong.io?key=hunter2":  false,
		"https://api.gong.io/#hunter2":     false,
		"https://api.gong.io:hunter2/":     false,
		"https://hunter2 with blank.io/%2": false,
	}
	for base, ok := range tests {
		_, err := httpkit.New(httpkit.Options{System: "Acme", BaseURL: base, Attribute: "host"})
		if ok {
			if err != nil {
				t.Errorf("%q: %v", base, err)
			}
			continue
		}
		e := plugin.AsError(err)
		if e == nil || e.Code != plugin.CodeInvalidConfig || e.Attribute != "host" {
			t.Errorf("%q: got %v, want invalid_config on host", base, err)
			continue
		}
		if strings.Contains(e.Message, "hunter2") {
			t.Errorf("%q: the message shows it: %s", base, e.Message)
		}
	}
}

func TestFailKeepsTheOriginalUntouched(t *testing.T) {
	ctx, n := httpkit.Count(t.Context())
	c := newClient(t, httpkit.Options{BaseURL: serve(t, func(http.ResponseWriter, *http.Request) {})})
	for range 3 {
		if _, err := c.Do(ctx, &httpkit.Request{Method: "GET", Path: "/x"}); err != nil {
			t.Fatal(err)
		}
	}
	shared := plugin.Errorf(plugin.CodeNotFound, "nobody")
	got := plugin.AsError(n.Fail(fmt.Errorf("looking: %w", shared)))
	if got.Requests != 3 || shared.Requests != 0 || got.Code != plugin.CodeNotFound {
		t.Errorf("got %+v from %+v", got, shared)
	}
	if err := n.Fail(nil); err != nil {
		t.Errorf("Fail(nil) = %v", err)
	}
}

func TestSecretsOfTheAddressAreNotShown(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "Cannot POST "+r.URL.Path)
	})
	e := do(t, newClient(t, httpkit.Options{BaseURL: base + "/hooks/part-of-the-address", Secrets: []string{"/hooks/part-of-the-address"}}),
		&httpkit.Request{Method: "POST", Path: ""})
	if strings.Contains(e.Message, "part-of-the-address") || !strings.Contains(e.Message, "[redacted]") {
		t.Errorf("message: %s", e.Message)
	}
}

// TestAddressThatIsTheWholeEndpoint asks for the base URL itself, as it is written, with a body and headers as they are given.
func TestAddressThatIsTheWholeEndpoint(t *testing.T) {
	var uri, body, header string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		uri, body, header = r.RequestURI, string(b), r.Header.Get("X-Key")
		w.WriteHeader(http.StatusTeapot)
	})
	c := newClient(t, httpkit.Options{BaseURL: base + "/hook//of%2Facme/"})
	e := do(t, c, &httpkit.Request{
		Method: "POST", Query: url.Values{"code": {"7"}}, Header: http.Header{"X-Key": {"k"}}, JSON: json.RawMessage(`{"a": "<b>"}`),
	})
	if uri != "/hook//of%2Facme/?code=7" || body != `{"a": "<b>"}` || header != "k" {
		t.Errorf("arrived as %s with %s and X-Key %q", uri, body, header)
	}
	if !strings.HasPrefix(e.Message, "Acme answered 418 I'm a teapot to POST") || strings.Contains(e.Message, "hook") {
		t.Errorf("the message is %q", e.Message)
	}
}

func TestStatusOnlyRequestsNeedNoBody(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"too large": func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("x", 1000)) },
		"cut off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			base := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w) })
			c := newClient(t, httpkit.Options{BaseURL: base, MaxBody: 10})
			if _, err := c.Do(t.Context(), &httpkit.Request{Method: "POST", Path: "/", Write: true, StatusOnly: true}); err != nil {
				t.Errorf("with StatusOnly: %v", err)
			}
			if e := do(t, c, &httpkit.Request{Method: "POST", Path: "/", Write: true}); !e.Uncertain {
				t.Errorf("without StatusOnly: %+v", e)
			}
		})
	}
}

func TestPlainHTTPHasToBeAskedFor(t *testing.T) {
	opts := httpkit.Options{System: "Acme", BaseURL: "http://acme.example"}
	if _, err := httpkit.New(opts); plugin.AsError(err) == nil {
		t.Error("plain http to a host of the internet is accepted")
	}
	opts.PlainHTTP = true
	if _, err := httpkit.New(opts); err != nil {
		t.Errorf("with PlainHTTP: %v", err)
	}
}
