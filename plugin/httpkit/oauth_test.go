package httpkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

const (
	clientID     = "client-of-acme"
	clientSecret = "oauth-s3cret-of-acme"
)

// handler carries requests to a handler in this process, so that a test's clock stands still while nothing happens.
type handler http.HandlerFunc

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result(), nil
}

// authority is a system with a token endpoint and an API that takes the tokens that were not revoked.
type authority struct {
	expiresIn any // in the answer; nil for none
	issued    atomic.Int64
	revoked   sync.Map
	grant     func(w http.ResponseWriter, r *http.Request) // answers for the token endpoint, if set
	forms     chan url.Values
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/oauth/token" {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), "Bearer ")
		if _, gone := a.revoked.Load(token); gone || token == "" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "no such token: "+token)
			return
		}
		_, _ = io.WriteString(w, token)
		return
	}
	n := a.issued.Add(1)
	if a.grant != nil {
		a.grant(w, r)
		return
	}
	if id, secret, _ := r.BasicAuth(); id != clientID || secret != clientSecret {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if a.forms != nil {
		_ = r.ParseForm()
		a.forms <- r.PostForm
	}
	life := ""
	if a.expiresIn != nil {
		life = fmt.Sprintf(`,"expires_in":%v`, a.expiresIn)
	}
	_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer"%s}`, n, life)
}

// client returns a client whose tokens come from the authority.
func (a *authority) client(t *testing.T, form url.Values) *httpkit.Client {
	t.Helper()
	tokens, err := httpkit.NewTokenSource(httpkit.TokenOptions{
		System: "Acme", URL: "https://acme.example/oauth/token", ClientID: clientID, ClientSecret: clientSecret, Form: form,
		Transport: handler(a.serve),
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := httpkit.New(httpkit.Options{
		System: "Acme", BaseURL: "https://api.acme.example", Tokens: tokens, Transport: handler(a.serve),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// used returns the token with which a request succeeds.
func used(t *testing.T, c *httpkit.Client) string {
	t.Helper()
	resp, err := c.Do(t.Context(), &httpkit.Request{Method: "GET", Path: "/things"})
	if err != nil {
		t.Fatal(err)
	}
	return string(resp.Body)
}

// refused returns the error of a request that fails, which shows no secret and no token.
func refused(t *testing.T, c *httpkit.Client) *plugin.Error {
	t.Helper()
	_, err := c.Do(t.Context(), &httpkit.Request{Method: "POST", Path: "/things", Write: true})
	var e *plugin.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *plugin.Error", err)
	}
	if strings.Contains(e.Message, clientSecret) || strings.Contains(e.Message, "token-") {
		t.Errorf("the message shows a secret: %s", e.Message)
	}
	return e
}

func TestTokenRequestIsTheGrantThatWasAskedFor(t *testing.T) {
	for name, tt := range map[string]struct{ form, want url.Values }{
		"client credentials": {url.Values{"scope": {"read"}}, url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}},
		"another grant": {
			url.Values{"grant_type": {"account_credentials"}, "account_id": {"acc"}},
			url.Values{"grant_type": {"account_credentials"}, "account_id": {"acc"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &authority{forms: make(chan url.Values, 1)}
			used(t, a.client(t, tt.form))
			if diff := cmp.Diff(tt.want, <-a.forms); diff != "" {
				t.Errorf("the form (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTokenIsKeptAndRenewedBeforeItEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		expiresIn   any
		kept, fresh time.Duration // since the token was issued
	}{
		"an hour":             {3600, 58 * time.Minute, 59 * time.Minute},
		"an hour in a string": {`"3600"`, 58 * time.Minute, 59 * time.Minute},
		"a minute":            {60, 29 * time.Second, 30 * time.Second},
		"not said":            {nil, 3 * time.Minute, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &authority{expiresIn: tt.expiresIn}
				c := a.client(t, nil)
				first := used(t, c)
				time.Sleep(tt.kept)
				if again := used(t, c); again != first {
					t.Errorf("after %v the token is %s, want %s as before", tt.kept, again, first)
				}
				time.Sleep(tt.fresh - tt.kept)
				if next := used(t, c); next == first {
					t.Errorf("after %v the token is still %s", tt.fresh, next)
				}
			})
		})
	}
}

// TestManyRequestsWaitForOneToken: the first of them, which caused the request for the token, gives up before it is there.
func TestManyRequestsWaitForOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &authority{}
		a.grant = func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(10 * time.Second)
			_, _ = io.WriteString(w, `{"access_token":"the-one","expires_in":3600}`)
		}
		c := a.client(t, nil)
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			ctx, n := httpkit.Count(ctx)
			_, err := c.Do(ctx, &httpkit.Request{Method: "POST", Path: "/things", Write: true})
			if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable || e.Uncertain || n.Requests() != 0 {
				t.Errorf("the request that gave up: %+v, and %d requests", e, n.Requests())
			}
		})
		for range 20 {
			wg.Go(func() {
				time.Sleep(2 * time.Second)
				if got := used(t, c); got != "the-one" {
					t.Errorf("a request was sent with %s", got)
				}
			})
		}
		wg.Wait()
		if n := a.issued.Load(); n != 1 {
			t.Errorf("%d requests for a token, want 1", n)
		}
	})
}

func TestRefusedCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   plugin.Code
		says   string
	}{
		"as RFC 6749 has it": {401, `{"error":"invalid_client","error_description":"No."}`, plugin.CodeUnauthenticated,
			"client_id and client_secret (it says: invalid_client No.)"},
		"as Zoom has it": {400, `{"reason":"Invalid client_id","error":"invalid_client"}`, plugin.CodeUnauthenticated,
			"invalid_client Invalid client_id"},
		"not in JSON":   {403, `<html><b>Go away ` + clientSecret + `</b></html>`, plugin.CodeUnauthenticated, "Go away"},
		"for now":       {400, `{"error":"temporarily_unavailable"}`, plugin.CodeUnavailable, "temporarily_unavailable"},
		"in trouble":    {502, `bad gateway`, plugin.CodeUnavailable, "502"},
		"too many":      {429, ``, plugin.CodeRateLimited, "429"},
		"another place": {302, ``, plugin.CodeInvalidConfig, "token_url"},
		"not there":     {404, ``, plugin.CodeNotFound, "404"},
		"no token":      {200, `{"token_type":"bearer"}`, plugin.CodeUnavailable, "without a bearer token"},
		"another type":  {200, `{"access_token":"token-7","token_type":"mac"}`, plugin.CodeUnavailable, "without a bearer token"},
		"cut off":       {200, `{"access_token":"token-7`, plugin.CodeUnavailable, "without a bearer token"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &authority{grant: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}}
			e := refused(t, a.client(t, nil))
			if e.Code != tt.want || !strings.Contains(e.Message, tt.says) {
				t.Errorf("%s: %s; want %s and %q", e.Code, e.Message, tt.want, tt.says)
			}
			if e.Uncertain {
				t.Error("uncertain, although nothing was written")
			}
		})
	}
}

func TestTokenThatEndedBeforeItsTimeIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &authority{expiresIn: 3600}
		c := a.client(t, nil)
		first := used(t, c)
		time.Sleep(time.Minute)
		a.revoked.Store(first, true)
		if e := refused(t, c); e.Code != plugin.CodeUnavailable || !e.Retryable || e.Uncertain {
			t.Errorf("a token that was revoked: %+v, want a retryable error", e)
		}
		if next := used(t, c); next == first {
			t.Error("the revoked token is used again")
		}
		time.Sleep(time.Hour)
		a.revoked.Store("token-3", true)
		if e := refused(t, c); e.Code != plugin.CodeUnauthenticated {
			t.Errorf("a token that is new and not accepted: %+v, want %s", e, plugin.CodeUnauthenticated)
		}
	})
}
