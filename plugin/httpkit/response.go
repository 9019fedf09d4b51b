package httpkit

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/durasync/durasync/plugin"
)

// maxExcerpt is the length of an excerpt in bytes.
const maxExcerpt = 240

// maxRetryAfter bounds what is believed of an answer: no API's limit lasts longer than some days.
const maxRetryAfter = 7 * 24 * time.Hour

// Response is an answer that arrived completely.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	client  *Client
	req     *Request
	secrets []string
}

// Decode decodes the body, which is one JSON value, into v. Numbers in values of type any become [json.Number]. A body that is
// no JSON, as a proxy may send with a good status, is [plugin.CodeUnavailable], and uncertain for a write; JSON of another
// shape than v's is [plugin.CodeInternal] and not worth trying again.
func (r *Response) Decode(v any) error {
	d := json.NewDecoder(strings.NewReader(string(r.Body)))
	d.UseNumber()
	err := d.Decode(v)
	if err == nil {
		if _, tail := d.Token(); errors.Is(tail, io.EOF) {
			return nil
		}
		err = errors.New("more follows after the value")
	}
	var shape *json.UnmarshalTypeError
	if errors.As(err, &shape) {
		e := plugin.Errorf(plugin.CodeInternal, "%s answered %s in an unknown form: %s is a JSON %s", r.client.opts.System,
			r.req, cmp.Or(shape.Field, "a value"), shape.Value)
		e.Retryable = false
		e.Uncertain = r.req.Write
		return e
	}
	e := plugin.Errorf(plugin.CodeUnavailable, "%s, which is not the JSON that was expected (%s)", r.describe(), r.Redact(err.Error()))
	e.Uncertain = r.req.Write
	return e
}

// Excerpt returns the beginning of the body in one line for an error message: no markup, no control characters, none of the
// request's credentials, at most 240 bytes. It is empty if the body has no text.
func (r *Response) Excerpt() string { return sanitise(string(r.Body), r.secrets) }

// Redact returns the text in the form of [Response.Excerpt]: for parts of the body that go into a message.
func (r *Response) Redact(text string) string { return sanitise(text, r.secrets) }

// RetryAfter reads how long to wait from a header: Retry-After in seconds, as an HTTP date or as RFC 3339 has times, else
// RateLimit-Reset in seconds or as a Unix time. It returns zero if neither is there, can be read, or lies in the future.
func RetryAfter(h http.Header) time.Duration {
	now := time.Now()
	if d, err := http.ParseTime(h.Get("Date")); err == nil {
		now = d // the server's clock, which its dates are made by
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if t, err := http.ParseTime(v); err == nil {
		return clampRetry(t.Sub(now).Seconds())
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return clampRetry(t.Sub(now).Seconds())
	}
	if d, ok := parseSeconds(v, now); ok {
		return d
	}
	d, _ := parseSeconds(strings.TrimSpace(h.Get("RateLimit-Reset")), now)
	return d
}

// parseSeconds reads a number of seconds, or a Unix time, which no plausible number of seconds reaches.
func parseSeconds(s string, now time.Time) (time.Duration, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) {
		return 0, false
	}
	if f > 1e9 {
		f -= float64(now.Unix())
	}
	return clampRetry(f), true
}

func clampRetry(seconds float64) time.Duration {
	switch {
	case seconds <= 0:
		return 0
	case seconds >= maxRetryAfter.Seconds():
		return maxRetryAfter
	}
	return time.Duration(seconds * float64(time.Second))
}

var (
	invisible = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)\s*>|<!--.*?-->`)
	tag       = regexp.MustCompile(`<[a-zA-Z/!][^<>]*>`)
)

// sanitise makes text fit for one line of an error message. Secrets go first, as a whole, and again in the end, because removing
// markup can put the parts of one together.
func sanitise(s string, secrets []string) string {
	// Far more than an excerpt is looked at, because markup can be long.
	const window = 64 << 10
	s = redact(s, secrets)
	s = strings.ToValidUTF8(s[:min(len(s), window)], "")
	if tag.MatchString(s) {
		s = html.UnescapeString(tag.ReplaceAllString(invisible.ReplaceAllString(s, " "), " "))
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return ' '
		}
		return r
	}, s)
	s = redact(strings.Join(strings.Fields(s), " "), secrets)
	if len(s) <= maxExcerpt {
		return s
	}
	return strings.TrimSpace(strings.ToValidUTF8(s[:maxExcerpt], "")) + "…"
}

func redact(s string, secrets []string) string {
	for _, secret := range secrets {
		s = strings.ReplaceAll(s, secret, "[redacted]")
	}
	return s
}

// secretsOf returns the header values that authorising a request added, and the parts of Basic credentials and schemes like
// Bearer, longest first.
func secretsOf(before http.Header, hr *http.Request) []string {
	var found []string
	add := func(s string) {
		if len(s) >= 4 { // shorter ones would tear ordinary words apart
			found = append(found, s)
		}
	}
	for name, values := range hr.Header {
		for i, v := range values {
			if old := before[name]; i < len(old) && old[i] == v {
				continue
			}
			add(v)
			scheme, rest, ok := strings.Cut(v, " ")
			if !ok {
				continue
			}
			add(rest)
			if b, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "Basic") {
				user, password, _ := strings.Cut(string(b), ":")
				add(string(b))
				add(user)
				add(password)
			}
		}
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return found
}
