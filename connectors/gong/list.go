package gong

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// maxPages bounds a listing. At a hundred calls a page it is a million calls in one window; a listing that long could not end
// within a cursor's hour anyway.
const maxPages = 10_000

// List implements [plugin.Source]. The window is over the time at which a call started. Calls are not filtered by it again:
// should Gong file a late meeting under its scheduled time, as its other endpoint does, then a call left out here would be left
// out of every window.
func (c *Connector) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	if err := checkStream(req.Stream); err != nil {
		return nil, err
	}
	conn, err := c.connection()
	if err != nil {
		return nil, err
	}
	at, err := parsePageToken(req.PageToken)
	if err != nil {
		return nil, err
	}
	if !req.From.Before(req.To) { // Gong answers 400 to an empty window
		return &plugin.ListResponse{}, nil
	}
	ctx, n := httpkit.Count(ctx)
	page, err := conn.calls(ctx, &extensiveRequest{
		Filter: filter{From: formatTime(req.From), To: formatTime(req.To), WorkspaceID: conn.config.workspaceID},
		Cursor: at.Cursor,
	})
	if err != nil {
		return nil, n.Fail(err)
	}
	resp, err := entries(page.Calls)
	if err != nil {
		return nil, n.Fail(err)
	}
	next, err := at.next(page)
	if err != nil {
		return nil, n.Fail(err)
	}
	resp.NextPageToken, resp.Requests = next.String(), n.Requests()
	return resp, nil
}

// entries lists the calls that may leave, each once.
func entries(calls []call) (*plugin.ListResponse, error) {
	resp := &plugin.ListResponse{Entries: make([]plugin.Entry, 0, len(calls))}
	seen := make(map[text]bool, len(calls))
	for i := range calls {
		m := &calls[i].MetaData
		started, err := m.check()
		if err != nil {
			return nil, err
		}
		if *m.IsPrivate || seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		resp.Entries = append(resp.Entries, plugin.Entry{ID: string(m.ID), Time: started})
	}
	return resp, nil
}

// check returns the start time of a call whose metadata can be relied on. Gong always sends these members; a call without one
// must neither be guessed at nor silently be dropped.
func (m *metaData) check() (time.Time, error) {
	if !isID(string(m.ID)) {
		return time.Time{}, malformed("a call has the id %.40q, which is no number", string(m.ID))
	}
	if m.IsPrivate == nil {
		return time.Time{}, malformed("call %s does not say whether it is private", m.ID)
	}
	started, err := time.Parse(time.RFC3339, string(m.Started))
	if err != nil {
		return time.Time{}, malformed("call %s started at %.40q, which is no date and time with an offset", m.ID, string(m.Started))
	}
	return started, nil
}

func malformed(format string, args ...any) *plugin.Error {
	e := plugin.Errorf(plugin.CodeInternal, "Gong's answer cannot be used: "+format, args...)
	e.Retryable = false
	return e
}

// calls asks for one page of calls. Gong answers 404 when there is none.
func (c *connection) calls(ctx context.Context, req *extensiveRequest) (*callPage, error) {
	resp, err := c.api.Do(ctx, &httpkit.Request{Method: http.MethodPost, Path: pathExtensive, JSON: req, Accept: handled})
	if err != nil {
		return nil, err
	}
	page := new(callPage)
	switch {
	case isEmpty(resp):
		return page, nil
	case resp.Status/100 != 2:
		return nil, c.classify(resp, pathExtensive, req.Cursor != "")
	}
	if err := resp.Decode(page); err != nil {
		return nil, err
	}
	return page, nil
}

// formatTime writes a time for a filter. Gong's times have at most six digits of the second. Rounding both ends of a window up
// to microseconds selects the same calls, and adjoining windows still share their boundary.
func formatTime(t time.Time) string {
	if r := t.Truncate(time.Microsecond); r.Before(t) {
		t = r.Add(time.Microsecond)
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// pageToken is a place in a listing: Gong's cursor and what it takes to see that the listing does not go round in circles. The
// number of a page or the total that Gong tells say nothing about the end: only a missing cursor does.
type pageToken struct {
	Cursor string `json:"c,omitempty"`
	Pages  int    `json:"n,omitempty"` // pages so far
	First  string `json:"f,omitempty"` // digest of the first page with calls
	Last   string `json:"l,omitempty"` // digest of the last page with calls
}

// String returns the token as text; empty for the end of the listing.
func (t pageToken) String() string {
	if t.Cursor == "" {
		return ""
	}
	b, err := json.Marshal(t)
	if err != nil {
		panic("gong: " + err.Error()) // strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parsePageToken(s string) (pageToken, error) {
	var t pageToken
	if s == "" {
		return t, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil || t.Cursor == "" {
		return t, plugin.Errorf(plugin.CodeExpired, "the page token is not one of this version of the connector")
	}
	return t, nil
}

// next returns the token behind the page. It fails when the page cannot be behind t: then Gong ignored the cursor, and the
// listing would never end.
func (t pageToken) next(page *callPage) (pageToken, error) {
	next := pageToken{Cursor: string(page.Records.Cursor), Pages: t.Pages + 1, First: t.First, Last: t.Last}
	if len(page.Calls) > 0 {
		next.Last = digest(page.Calls)
		if next.First == "" {
			next.First = next.Last
		}
		if t.First != "" && (next.Last == t.First || next.Last == t.Last) {
			return t, malformed("page %d of the calls is one that was there before", next.Pages)
		}
	}
	switch {
	case next.Cursor == "":
	case next.Cursor == t.Cursor:
		return t, malformed("page %d of the calls has the cursor of the page before", next.Pages)
	case next.Pages >= maxPages:
		return t, malformed("the calls of one window do not end after %d pages", next.Pages)
	}
	return next, nil
}

// digest is equal for pages with the same calls.
func digest(calls []call) string {
	h := sha256.New()
	for i := range calls {
		h.Write([]byte(calls[i].MetaData.ID))
		h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
