package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// The formats of webhooks.
const (
	formatSlack = "slack"
	formatJSON  = "json"
)

// maxAnswer is how much is read of an answer that refuses a notice, in bytes.
const maxAnswer = 64 << 10

// webhookConfig is the configuration of a webhook; see the package's documentation.
type webhookConfig struct {
	URL     string            `json:"url"`
	Format  string            `json:"format"`
	Headers map[string]string `json:"headers"`
}

// webhook posts notices.
type webhook struct {
	client *httpkit.Client
	format string
}

func newWebhook(config json.RawMessage) (*webhook, *plugin.Error) {
	c := webhookConfig{Format: formatSlack}
	if err := decode(config, &c); err != nil {
		return nil, err
	}
	target, perr := parseURL(c.URL)
	if perr != nil {
		return nil, perr
	}
	if c.Format != formatSlack && c.Format != formatJSON {
		return nil, invalid("format", "is %q; it has to be %q or %q", line(c.Format, 40), formatSlack, formatJSON)
	}
	for name, value := range c.Headers {
		if !headerName.MatchString(name) || strings.ContainsFunc(value, unicode.IsControl) {
			return nil, invalid("headers", "has a name or a value that HTTP does not allow")
		}
		if slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name)) {
			return nil, invalid("headers", "must not set %s", textproto.CanonicalMIMEHeaderKey(name))
		}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives = true // notices are rare, and a dead idle connection would leave one in doubt
	client, err := httpkit.New(httpkit.Options{
		System: "the receiver", BaseURL: target.Scheme + "://" + target.Host, Attribute: "url", Timeout: Timeout, MaxBody: maxAnswer,
		Transport: &toURL{target: target, base: t}, Secrets: secretsOf(target),
		Authorize: func(r *http.Request) {
			for name, value := range c.Headers {
				r.Header.Set(name, value)
			}
		},
	})
	if err != nil {
		return nil, plugin.AsError(err)
	}
	return &webhook{client: client, format: c.Format}, nil
}

// headerName is a token (RFC 9110, 5.6.2).
var headerName = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$")

// ownHeaders are those that a configuration cannot set.
var ownHeaders = []string{"Connection", "Content-Length", "Content-Type", "Host", "Idempotency-Key", "Transfer-Encoding"}

// send implements sender.
func (w *webhook) send(ctx context.Context, n *activities.Notice) *plugin.Error {
	var body any = slackOf(compose(n))
	if w.format == formatJSON {
		body = jsonOf(n)
	}
	ctx = context.WithValue(ctx, idKey{}, idOf(n))
	// 503 says that the server is unable to handle the request (RFC 9110, 15.6.4), so it did not; of the others of its class nobody
	// knows.
	resp, err := w.client.Do(ctx, &httpkit.Request{Method: http.MethodPost, Path: "/", JSON: body, Write: true, Accept: []int{http.StatusServiceUnavailable}})
	if err != nil {
		return plugin.AsError(err)
	}
	if e := resp.Err(); e != nil {
		e.Uncertain = false
		return e
	}
	return nil
}

// parseURL checks the address of a receiver. Its errors do not quote it.
func parseURL(s string) (*url.URL, *plugin.Error) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return nil, invalid("url", "is empty")
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return nil, invalid("url", "is not the address of a receiver; it has to begin with https:// and a host")
	case u.User != nil:
		return nil, invalid("url", "must not hold a user or a password; send them as headers")
	}
	u.Fragment = ""
	return u, nil
}

// secretsOf returns what no message may show of an address: all but the host. Words too short to be a secret stay readable.
func secretsOf(u *url.URL) []string {
	const shortest = 6
	found := []string{u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery}
	for _, values := range u.Query() {
		found = append(found, values...)
	}
	found = append(found, strings.Split(u.Path, "/")...)
	found = slices.DeleteFunc(found, func(s string) bool { return len(s) < shortest })
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) }) // a part must not tear the whole apart
	return found
}

type idKey struct{}

// toURL sends requests to one address, whatever theirs is, so that the address is in no error that net/http makes. It leaves out
// the body of a good answer: the status has said it all, and how long or how slow the rest is does not matter.
type toURL struct {
	target *url.URL
	base   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *toURL) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL = t.target
	if id, ok := r.Context().Value(idKey{}).(string); ok {
		r.Header.Set("Idempotency-Key", id)
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil || resp.StatusCode/100 != 2 {
		return resp, err
	}
	_ = resp.Body.Close() // unread, so the connection is closed
	resp.Body, resp.ContentLength = http.NoBody, 0
	return resp, nil
}
