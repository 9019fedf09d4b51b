package httpkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/calllog"
)

const (
	defaultTimeout = 30 * time.Second
	defaultMaxBody = 16 << 20
)

// Options configure a [Client]. BaseURL and System are required.
type Options struct {
	// System is what messages call the API, such as "Gong".
	System string

	// BaseURL is the scheme and host that paths are appended to, with an optional path of its own.
	BaseURL string

	// Attribute is the connection attribute that BaseURL comes from, for errors about it. Empty means "base_url".
	Attribute string

	// Authorize adds the credentials to a request, in its header. Values that it sets never appear in an error. It is called
	// from many goroutines at once. Nil sends none.
	Authorize func(*http.Request)

	// Tokens are the access tokens to send as bearer tokens, instead of Authorize. A token that the API no longer accepts although
	// the source holds it for good makes a retryable error, and the next request gets a new one.
	Tokens *TokenSource

	// Secrets are further texts that never appear in an error, such as parts of an address. The longest come first.
	Secrets []string

	// PlainHTTP accepts a base URL with plain http for any host; see [New].
	PlainHTTP bool

	// Limits are a net below the host's own pacing: the client delays requests that come faster, in this process.
	Limits []plugin.RateLimit

	// Timeout bounds one request and the reading of its answer, within the context's deadline. Zero means 30 seconds.
	Timeout time.Duration

	// MaxBody is the largest answer in bytes that is accepted. Zero means 16 MiB.
	MaxBody int64

	// UserAgent is the User-Agent header. Empty means "durasync".
	UserAgent string

	// Transport sends the requests; nil means a transport of the client's own. Whether a failed write may have been sent is
	// known from [httptrace], so another transport has to wrap an [http.Transport] or report GotConn itself.
	Transport http.RoundTripper
}

// Client sends requests to one API. It may be used from many goroutines at once.
type Client struct {
	opts    Options
	base    *url.URL
	http    *http.Client
	limiter limiter
}

// Request is one request. At most one of Form and JSON is set.
type Request struct {
	Method string

	// Path begins with a slash and is appended to the base URL as it stands: parts that come from data are escaped with
	// [url.PathEscape]. It stands in errors. Empty asks for the base URL itself.
	Path string

	Query url.Values

	// Header are further headers.
	Header http.Header

	// Form is sent as application/x-www-form-urlencoded, JSON as application/json; a [json.RawMessage] byte for byte.
	Form url.Values
	JSON any

	// Accept are statuses outside 2xx that the caller handles itself: Do returns their response instead of an error.
	Accept []int

	// StatusOnly says that the status is all of the answer that matters: a body that is cut off or too large is no error.
	StatusOnly bool

	// Write says that the request changes something in the other system, so that a failure whose effect is not known is
	// reported with [plugin.Error.Uncertain].
	Write bool
}

// String names the request in messages.
func (r *Request) String() string { return strings.TrimSpace(r.Method + " " + r.Path) }

// New checks the options and returns a client. A base URL that cannot be used is [plugin.CodeInvalidConfig]: it has to be an
// absolute URL without credentials, query or fragment, and its scheme https. Plain http is accepted for hosts that no request
// from outside reaches: loopback and private addresses, and names that only a local network knows.
func New(opts Options) (*Client, error) {
	if opts.Attribute == "" {
		opts.Attribute = "base_url"
	}
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = defaultMaxBody
	}
	if opts.UserAgent == "" {
		opts.UserAgent = "durasync"
	}
	if opts.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		opts.Transport = t
	}
	base, err := parseBase(opts.BaseURL, opts.PlainHTTP)
	if err != nil {
		return nil, plugin.InvalidConfig(opts.Attribute, "%v", err)
	}
	return &Client{
		opts: opts,
		base: base,
		http: &http.Client{
			Transport:     opts.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limiter: newLimiter(opts.Limits),
	}, nil
}

// Host returns the host that the client talks to, with its port if it has one.
func (c *Client) Host() string { return c.base.Host }

// Do sends the request and reads the answer. It returns a response for 2xx and the statuses of [Request.Accept], and else a
// [*plugin.Error] as [Response.Err] makes it. When no answer arrives the error is [plugin.CodeUnavailable].
//
// Of a Request with Write set, the error is uncertain from the moment that a connection was there to send it on: no answer in
// time, connection lost, a truncated answer, 5xx. It is certain that nothing happened when the host was not found, refused the
// connection or failed the TLS handshake, when the client's own limiter stopped the request, and after 3xx, 4xx and 429.
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	if err := c.limiter.wait(ctx, c.opts.System); err != nil {
		return nil, withRequests(ctx, err)
	}
	began := time.Now()
	var token accessToken
	if c.opts.Tokens != nil {
		var err *plugin.Error
		if token, err = c.opts.Tokens.get(ctx); err != nil {
			return nil, withRequests(ctx, err)
		}
	}
	resp, err := c.send(ctx, req, token.value)
	if err != nil {
		return nil, withRequests(ctx, err)
	}
	if c.opts.Tokens != nil && resp.Status == http.StatusUnauthorized {
		c.opts.Tokens.drop(token)
		if token.issued.Before(began) {
			return nil, withRequests(ctx, plugin.Errorf(plugin.CodeUnavailable,
				"%s; the access token ended before its time, and the next request gets a new one", resp.describe()))
		}
	}
	if err := resp.unaccepted(); err != nil {
		return nil, withRequests(ctx, err)
	}
	return resp, nil
}

func (c *Client) send(ctx context.Context, req *Request, token string) (*Response, *plugin.Error) {
	sendCtx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	var sent atomic.Bool
	sendCtx = httptrace.WithClientTrace(sendCtx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})

	hr, secrets, perr := c.build(sendCtx, req, token)
	if perr != nil {
		return nil, perr
	}
	began := time.Now()
	status := 0
	defer func() {
		if sent.Load() || status > 0 {
			calllog.Add(ctx, calllog.Request{
				Method: req.Method, Host: c.Host(), Path: req.Path, Status: status, Began: began, Took: time.Since(began),
			})
		}
	}()
	answer, err := c.http.Do(hr)
	if sent.Load() || err == nil {
		count(ctx)
	}
	if err != nil {
		return nil, c.failed(ctx, req, err, sent.Load(), secrets)
	}
	defer func() { _ = answer.Body.Close() }() // the body has been read; there is nothing left to lose
	status = answer.StatusCode
	resp := &Response{Status: answer.StatusCode, Header: answer.Header, client: c, req: req, secrets: secrets}
	resp.Body, err = io.ReadAll(io.LimitReader(answer.Body, c.opts.MaxBody+1))
	tooLarge := int64(len(resp.Body)) > c.opts.MaxBody
	if tooLarge {
		resp.Body = resp.Body[:c.opts.MaxBody]
	}
	switch {
	case resp.Status/100 != 2 && !resp.accepted():
		// The status says enough, whatever arrived of the body.
	case req.StatusOnly:
	case err != nil:
		return nil, c.failed(ctx, req, err, true, secrets)
	case tooLarge:
		e := plugin.Errorf(plugin.CodeInternal, "%s answered %s with more than %d bytes", c.opts.System, req, c.opts.MaxBody)
		e.Retryable = false
		e.Uncertain = req.Write
		return nil, e
	}
	return resp, nil
}

// build makes the HTTP request and collects what must not be shown of it.
func (c *Client) build(ctx context.Context, req *Request, token string) (*http.Request, []string, *plugin.Error) {
	u := *c.base
	if req.Path != "" {
		u = *c.base.JoinPath(req.Path)
	}
	u.RawQuery = req.Query.Encode()
	var body io.Reader
	contentType := ""
	switch {
	case req.JSON != nil:
		b, raw := req.JSON.(json.RawMessage)
		if !raw {
			var err error
			if b, err = json.Marshal(req.JSON); err != nil {
				return nil, nil, plugin.Errorf(plugin.CodeInvalidRequest, "encoding the request %s: %v", req, err)
			}
		}
		body, contentType = bytes.NewReader(b), "application/json"
	case req.Form != nil:
		body, contentType = strings.NewReader(req.Form.Encode()), "application/x-www-form-urlencoded"
	}
	hr, err := http.NewRequestWithContext(ctx, req.Method, u.String(), body)
	if err != nil {
		return nil, nil, plugin.Errorf(plugin.CodeInvalidRequest, "making the request %s: %v", req, bare(err))
	}
	maps.Copy(hr.Header, req.Header)
	hr.Header.Set("User-Agent", c.opts.UserAgent)
	hr.Header.Set("Accept", "application/json")
	if contentType != "" {
		hr.Header.Set("Content-Type", contentType)
	}
	before := hr.Header.Clone()
	switch {
	case c.opts.Tokens != nil:
		hr.Header.Set("Authorization", "Bearer "+token)
	case c.opts.Authorize != nil:
		c.opts.Authorize(hr)
	default:
		return hr, c.opts.Secrets, nil
	}
	return hr, slices.Concat(c.opts.Secrets, secretsOf(before, hr)), nil
}

// parseBase checks a base URL. Its errors never quote the URL, which may hold credentials.
func parseBase(s string, plain bool) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL; write it like https://api.example.com")
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return nil, errors.New("has to begin with https:// and a host")
	case u.User != nil:
		return nil, errors.New("must not hold credentials; they have attributes of their own")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not hold a query or a fragment")
	case u.Scheme == "http" && !plain && !local(u.Hostname()):
		return nil, fmt.Errorf("would send the credentials to %s in the clear; use https://", u.Hostname())
	}
	return u, nil
}

// local reports whether plain HTTP to the host stays on a machine or a private network.
func local(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
	}
	if !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range []string{".localhost", ".internal", ".local", ".test"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// bare strips the URL that net/http puts into its errors: a query can hold what nobody should read.
func bare(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
