package httpkit

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/durasync/durasync/plugin"
)

const (
	// renewEarly is how long before its end a token is replaced, so that it does not end on the way.
	renewEarly = time.Minute

	// unknownLife is how long a token is used whose end the server does not tell.
	unknownLife = 5 * time.Minute
)

// TokenOptions configure a [TokenSource]. System, URL, ClientID and ClientSecret are required.
type TokenOptions struct {
	// System is what messages call the API, such as "Zoom".
	System string

	// URL is the token endpoint, and Attribute the connection attribute that it comes from. Empty means "token_url".
	URL       string
	Attribute string

	// ClientID and ClientSecret are sent in the header of the request for a token, as RFC 6749 has it in section 2.3.1.
	ClientID, ClientSecret string

	// Form is what the request says besides, such as a scope. Without a grant_type in it, that is client_credentials.
	Form url.Values

	// Credentials is what messages call what the server refuses. Empty means "client_id and client_secret".
	Credentials string

	// UserAgent and Transport are as in [Options].
	UserAgent string
	Transport http.RoundTripper
}

// TokenSource gets access tokens for a client's own account: the client credentials grant of RFC 6749, section 4.4, and grants of
// the same shape. It keeps a token for all requests, gets a new one a minute before it ends, and asks once for however many requests
// wait for it. It may be used from many goroutines at once.
//
// Refused credentials are [plugin.CodeUnauthenticated]. Neither they nor a token ever appear in an error. Requests for tokens are no
// requests to the API: they count to no limit and to no [Counter].
type TokenSource struct {
	client      *Client
	form        url.Values
	credentials string

	mu     sync.Mutex
	token  accessToken
	flight *tokenFlight // the request under way; nil if there is none
}

// accessToken is a token with the time of the request for it and the time from which it is to be replaced.
type accessToken struct {
	value         string
	issued, renew time.Time
}

// tokenFlight is a request for a token. Its result is there when done is closed.
type tokenFlight struct {
	done  chan struct{}
	token accessToken
	err   *plugin.Error
}

// NewTokenSource checks the options and returns a source that has no token yet. A URL that cannot be used is as in [New].
func NewTokenSource(opts TokenOptions) (*TokenSource, error) {
	client, err := New(Options{
		System:    opts.System,
		BaseURL:   opts.URL,
		Attribute: cmp.Or(opts.Attribute, "token_url"),
		Authorize: func(r *http.Request) {
			r.SetBasicAuth(url.QueryEscape(opts.ClientID), url.QueryEscape(opts.ClientSecret))
		},
		Secrets:   []string{opts.ClientSecret},
		MaxBody:   1 << 20,
		UserAgent: opts.UserAgent,
		Transport: opts.Transport,
	})
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	maps.Copy(form, opts.Form)
	return &TokenSource{client: client, form: form, credentials: cmp.Or(opts.Credentials, "client_id and client_secret")}, nil
}

// get returns a token that can be used now.
func (s *TokenSource) get(ctx context.Context) (accessToken, *plugin.Error) {
	s.mu.Lock()
	if time.Now().Before(s.token.renew) {
		defer s.mu.Unlock()
		return s.token, nil
	}
	f := s.flight
	if f == nil {
		f = &tokenFlight{done: make(chan struct{})}
		s.flight = f
		go s.fly(f)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return accessToken{}, plugin.Errorf(plugin.CodeUnavailable, "%s gave no access token in time: %v", s.client.opts.System, ctx.Err())
	}
	if f.err != nil {
		e := *f.err // each of those who wait gets its own
		return accessToken{}, &e
	}
	return f.token, nil
}

// fly asks for a token on behalf of all who wait: it does not end with the context of one of them.
func (s *TokenSource) fly(f *tokenFlight) {
	f.token, f.err = s.request(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.flight = f.token, nil
	close(f.done)
}

// drop forgets a token that the API does not accept.
func (s *TokenSource) drop(t accessToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token.value == t.value {
		s.token = accessToken{}
	}
}

func (s *TokenSource) request(ctx context.Context) (accessToken, *plugin.Error) {
	t := accessToken{issued: time.Now()}
	resp, err := s.client.Do(ctx, &Request{
		Method: http.MethodPost, Form: s.form, Accept: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden},
	})
	if err != nil {
		return t, plugin.AsError(err)
	}
	var body struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"` // in seconds

		Error       string `json:"error"`
		Description string `json:"error_description"`
		Reason      string `json:"reason"` // what Zoom calls the description
	}
	malformed := json.Unmarshal(resp.Body, &body)
	if resp.Status/100 != 2 {
		said := resp.Excerpt()
		if body.Error != "" {
			said = resp.Redact(strings.TrimSpace(body.Error + " " + cmp.Or(body.Description, body.Reason)))
		}
		if body.Error == "temporarily_unavailable" || body.Error == "server_error" {
			return t, plugin.Errorf(plugin.CodeUnavailable, "%s gives no access token now (it says: %s)", s.client.opts.System, said)
		}
		return t, plugin.Errorf(plugin.CodeUnauthenticated, "%s at %s does not accept %s (it says: %s)", s.client.opts.System, s.client.Host(),
			s.credentials, said)
	}
	if malformed != nil || body.AccessToken == "" || !strings.EqualFold(cmp.Or(body.TokenType, "bearer"), "bearer") {
		// What cannot be read is not shown: there may be a token in it.
		return t, plugin.Errorf(plugin.CodeUnavailable, "%s at %s answered a request for an access token without a bearer token",
			s.client.opts.System, s.client.Host())
	}
	life := unknownLife
	if seconds, err := body.ExpiresIn.Float64(); err == nil {
		life = time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	t.value, t.renew = body.AccessToken, t.issued.Add(life-min(renewEarly, life/2))
	return t, nil
}
