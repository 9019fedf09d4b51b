package totango

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

const (
	// pageSize is the most that a search returns at once ("Search API").
	pageSize = 1_000

	// maxReachable is how many records a search can return in all its pages ("Search API").
	maxReachable = 10_000
)

// text is a JSON string or number, as text; null is empty. Ids are numbers in some answers and strings in others.
type text string

// UnmarshalJSON implements [json.Unmarshaler]. Values of other kinds become empty, because a field that is not needed must not
// make an answer unreadable.
func (t *text) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	*t = ""
	if len(b) == 0 {
		return nil
	}
	switch {
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*t = text(b)
	}
	return nil
}

// read sends a request that changes nothing and decodes its answer.
func (s *session) read(ctx context.Context, req *httpkit.Request, out any) error {
	resp, err := s.http.Do(ctx, req)
	if err != nil {
		return advise(err)
	}
	if e := refusal(resp); e != nil {
		return e
	}
	return resp.Decode(out)
}

// search sends a query to one of the search endpoints, which take it as a form field.
func (s *session) search(ctx context.Context, path string, form url.Values, query any, out any) error {
	q, err := json.Marshal(query)
	if err != nil {
		return plugin.Errorf(plugin.CodeInternal, "encoding a search of Totango: %v", err)
	}
	form.Set("query", string(q))
	return s.read(ctx, &httpkit.Request{Method: http.MethodPost, Path: path, Form: form}, out)
}

// advise says what to do about an error that a person has to mend.
func advise(err error) error {
	e := *plugin.AsError(err)
	switch e.Code {
	case plugin.CodeUnauthenticated:
		e.Attribute = "app_token"
		e.Message += ". The token is wrong, has expired, or its owner is disabled: create a new one in Totango under " +
			"Edit profile > Integration > Create Token and set app_token to it. A token of the other region is not accepted either: check region"
	case plugin.CodePermissionDenied:
		e.Attribute = "app_token"
		e.Message += ". The token's owner has to be a global administrator of Totango"
	}
	return &e
}

// refusal returns the error that an answer with a good status holds, or nil. Totango's own Zendesk app expects members error and
// errors, and failed searches have a status "failed".
func refusal(resp *httpkit.Response) *plugin.Error {
	kind, message := complaint(resp.Body)
	if kind == "" && message == "" {
		return nil
	}
	if isAuthentication(kind) {
		return plugin.AsError(advise(plugin.Errorf(plugin.CodeUnauthenticated, "Totango does not accept the token: %s", resp.Redact(message))))
	}
	if kind == kindSearch {
		return plugin.Errorf(plugin.CodeUnavailable, "Totango's search failed: %s", resp.Redact(message))
	}
	return plugin.Errorf(plugin.CodeInvalidRequest, "Totango refused the request: %s", resp.Redact(message))
}

// kindSearch is the kind of error that complaint gives to a failed search, which has none of its own.
const kindSearch = "search_failed"

func isAuthentication(kind string) bool { return strings.HasPrefix(kind, "authentication") }

// complaint reads the kind and the text of an error from the body of an answer, in any of the shapes that are known. Both are
// empty if it holds none.
func complaint(body []byte) (kind, message string) {
	var b struct {
		Error  json.RawMessage `json:"error"`
		Errors json.RawMessage `json:"errors"`
		Failed text            `json:"_error"`
		Status text            `json:"status"`
	}
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' || json.Unmarshal(body, &b) != nil {
		return "", ""
	}
	for _, raw := range []json.RawMessage{b.Error, b.Errors} {
		var e struct {
			Type    text `json:"type"`
			Message text `json:"message"`
		}
		var plain text
		switch {
		case isNothing(raw):
			continue
		case json.Unmarshal(raw, &e) == nil && (e.Type != "" || e.Message != ""):
			return string(e.Type), string(e.Message)
		case json.Unmarshal(raw, &plain) == nil && plain != "":
			return "", string(plain)
		default:
			return "", string(raw)
		}
	}
	if b.Failed != "" || b.Status == "failed" {
		return kindSearch, string(b.Failed)
	}
	return "", ""
}

// isNothing reports whether a member is absent or empty.
func isNothing(raw json.RawMessage) bool {
	switch strings.TrimSpace(string(raw)) {
	case "", "null", "false", `""`, "[]", "{}":
		return true
	default:
		return false
	}
}

// isHTML reports whether an answer is a web page, which the API never gives.
func isHTML(resp *httpkit.Response) bool {
	return strings.HasPrefix(strings.TrimSpace(string(resp.Body)), "<") || strings.Contains(resp.Header.Get("Content-Type"), "html")
}

// tooManyError says that a search has more hits than its pages can return.
type tooManyError struct{ total int }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("the search has %d hits, and only %d can be read", e.total, maxReachable)
}

// hits is a page of a search.
type hits[T any] struct {
	Hits  []T  `json:"hits"`
	Total *int `json:"total_hits"`
}

// pages reads all hits of a search, each once. The documentation calls the offset a record's number in one place and a page's
// in another; programs use it as a record's. So does this one, and goes over to pages when that brings nothing new. A search
// whose hits cannot all be read is an error, [tooManyError] among others, because what was not seen may be what was looked for.
func pages[T any](ctx context.Context, fetch func(ctx context.Context, offset int) (*hits[T], error), id func(T) string, visit func(T)) error {
	seen := map[string]bool{}
	offset, page := 0, 0
	const patience = 3
	for stale := 0; ; {
		got, err := fetch(ctx, offset)
		if err != nil {
			return err
		}
		if got.Total != nil && *got.Total > maxReachable {
			return &tooManyError{*got.Total}
		}
		fresh := 0
		for _, h := range got.Hits {
			if k := id(h); !seen[k] {
				seen[k] = true
				fresh++
				visit(h)
			}
		}
		if complete(got, offset, len(seen)) {
			return nil
		}
		if fresh == 0 {
			if stale++; stale > patience {
				return plugin.Errorf(plugin.CodeUnavailable, "Totango says that a search has more than the %d hits that its pages hold", len(seen))
			}
		}
		if page > 0 || fresh == 0 {
			page++
			offset = page
		} else {
			offset = len(seen)
		}
	}
}

// complete reports whether a page was the last one. Without a total that is a page which is not full.
func complete[T any](got *hits[T], offset, seen int) bool {
	if got.Total == nil {
		return len(got.Hits) < pageSize
	}
	return seen >= *got.Total || offset == 0 && len(got.Hits) >= *got.Total
}
