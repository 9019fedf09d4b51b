package httpkit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/durasync/durasync/plugin"
)

// Err classifies the response by its status, as [Client.Do] does for statuses that a request does not accept:
//
//	2xx           nil
//	3xx           invalid_config on the base URL's attribute, naming the host that it points to
//	401           unauthenticated
//	403           permission_denied
//	404           not_found
//	408, 425      unavailable
//	429           rate_limited
//	other 4xx     invalid_request
//	5xx           unavailable
//
// RetryAfter is set where the answer holds it. A write is uncertain after 408 and 5xx.
func (r *Response) Err() *plugin.Error {
	code := plugin.CodeInvalidRequest
	switch {
	case r.Status/100 == 2:
		return nil
	case r.Status/100 == 3:
		return r.redirect()
	case r.Status == http.StatusUnauthorized:
		code = plugin.CodeUnauthenticated
	case r.Status == http.StatusForbidden:
		code = plugin.CodePermissionDenied
	case r.Status == http.StatusNotFound:
		code = plugin.CodeNotFound
	case r.Status == http.StatusTooManyRequests:
		code = plugin.CodeRateLimited
	case r.Status == http.StatusRequestTimeout, r.Status == http.StatusTooEarly, r.Status >= 500:
		code = plugin.CodeUnavailable
	}
	e := plugin.Errorf(code, "%s", r.describe())
	e.RetryAfter = RetryAfter(r.Header)
	e.Uncertain = r.req.Write && (r.Status >= 500 || r.Status == http.StatusRequestTimeout)
	return e
}

// describe says in a sentence what was answered to what.
func (r *Response) describe() string {
	s := fmt.Sprintf("%s answered %d to %s", r.client.opts.System, r.Status, r.req)
	if text := http.StatusText(r.Status); text != "" {
		s = fmt.Sprintf("%s answered %d %s to %s", r.client.opts.System, r.Status, text, r.req)
	}
	if x := r.Excerpt(); x != "" {
		s += ": " + x
	}
	return s
}

func (r *Response) redirect() *plugin.Error {
	attribute, from := r.client.opts.Attribute, r.client.Host()
	msg := fmt.Sprintf("%s at %s answered %d to %s; redirects are not followed, because they lose the credentials",
		r.client.opts.System, from, r.Status, r.req)
	if to, err := url.Parse(r.Header.Get("Location")); err == nil && to.Host != "" && to.Host != from {
		msg += fmt.Sprintf(". It points to %s: if that is the API's host, set %s to https://%[1]s", sanitise(to.Host, r.secrets), attribute)
	} else {
		msg += fmt.Sprintf(". Check %s", attribute)
	}
	e := plugin.Errorf(plugin.CodeInvalidConfig, "%s", msg)
	e.Attribute = attribute
	return e
}

// Malformed makes the error of an answer that has a good status and cannot be relied on: [plugin.CodeInternal], which trying again does
// not mend.
func Malformed(system, format string, args ...any) *plugin.Error {
	e := plugin.Errorf(plugin.CodeInternal, system+"'s answer cannot be used: "+format, args...)
	e.Retryable = false
	return e
}

func (r *Response) accepted() bool { return slices.Contains(r.req.Accept, r.Status) }

func (r *Response) unaccepted() *plugin.Error {
	if r.accepted() {
		return nil
	}
	return r.Err()
}

// failed classifies a request that got no complete answer.
func (c *Client) failed(ctx context.Context, req *Request, err error, sent bool, secrets []string) *plugin.Error {
	what := fmt.Sprintf("%s at %s", req, c.Host())
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var e *plugin.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e = plugin.Errorf(plugin.CodeUnavailable, "%s was cancelled", what)
	case ctx.Err() != nil:
		e = plugin.Errorf(plugin.CodeUnavailable, "%s: no complete answer before the deadline", what)
	case errors.As(err, &cert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		e = plugin.Errorf(plugin.CodeInvalidConfig, "%s: no TLS connection that can be trusted: %s; check the host in %s",
			what, sanitise(bare(err).Error(), secrets), c.opts.Attribute)
		e.Attribute = c.opts.Attribute
	case isTimeout(err):
		e = plugin.Errorf(plugin.CodeUnavailable, "%s: no complete answer within %v", what, c.opts.Timeout)
	case !sent:
		// A network can be down, so this may go away; but a host that is never reached is most likely the wrong one.
		e = plugin.Errorf(plugin.CodeUnavailable, "%s: %s; check %s, unless the network is to blame",
			what, sanitise(bare(err).Error(), secrets), c.opts.Attribute)
		e.Attribute = c.opts.Attribute
	default:
		e = plugin.Errorf(plugin.CodeUnavailable, "%s: %s", what, sanitise(bare(err).Error(), secrets))
	}
	e.Uncertain = req.Write && sent
	return e
}
