package gongtest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// records is the envelope of a page.
type records struct {
	TotalRecords      int    `json:"totalRecords"`
	CurrentPageSize   int    `json:"currentPageSize"`
	CurrentPageNumber int    `json:"currentPageNumber"`
	Cursor            string `json:"cursor,omitempty"`
}

// item is something that can be on a page. Invisible ones count in the total and are not shown.
type item[T any] struct {
	key     key
	value   T
	visible bool
}

// page returns the page that the request's cursor points to. Without any item to show there is an error with the words that
// Gong uses for an empty result.
func page[T any](x *exchange, items []item[T], empty string) ([]T, records, error) {
	slices.SortFunc(items, func(a, b item[T]) int { return compareKeys(a.key, b.key) })
	at := cursor{Total: len(items), PageSize: x.server.opts.PageSize, Expires: x.now.Add(cursorLife).Unix()}
	start := 0
	if token := x.cursor(); token != "" {
		c, err := parseCursor(token, x.server.opts.CursorKey, x.now)
		if err != nil {
			return nil, records{}, badRequest("%s", err)
		}
		if x.fault.kind != faultRepeat {
			at = c
			start = startAt(items, c.key(), x.fault.kind == faultDuplicate)
		}
	}
	var shown []T
	var last key
	more := false
	for _, i := range items[start:] {
		if !i.visible {
			continue
		}
		if len(shown) == at.PageSize {
			more = true
			break
		}
		shown = append(shown, i.value)
		last = i.key
	}
	if len(shown) == 0 && empty != "" {
		return nil, records{}, notFound("%s", empty)
	}
	r := records{TotalRecords: at.Total, CurrentPageSize: len(shown), CurrentPageNumber: at.PageNumber}
	if more {
		next := at
		next.PageNumber++
		next.setKey(last)
		r.Cursor = next.sign(x.server.opts.CursorKey)
	}
	return shown, r, nil
}

// startAt returns the index of the first item behind a place; the item at the place itself if it is included.
func startAt[T any](items []item[T], k key, included bool) int {
	i := slices.IndexFunc(items, func(i item[T]) bool { return compareKeys(i.key, k) >= 0 })
	switch {
	case i < 0:
		return len(items)
	case items[i].key.id == k.id && !included:
		return i + 1
	}
	return i
}

func (c cursor) key() key {
	if c.Time == "" {
		return key{id: c.UserID.String()}
	}
	t, err := time.Parse(time.RFC3339Nano, c.Time)
	if err != nil {
		panic("gongtest: " + err.Error()) // the cursor was signed by the server
	}
	return key{time: t, id: c.CallID.String()}
}

func (c *cursor) setKey(k key) {
	if k.time.IsZero() {
		c.UserID = json.Number(k.id)
		return
	}
	c.CallID, c.Time = json.Number(k.id), k.time.UTC().Format(time.RFC3339Nano)
}

// listCalls is GET /v2/calls, whose window is over the scheduled time for web conferences.
func (x *exchange) listCalls(Key) (any, error) {
	q := x.request.URL.Query()
	f := filter{workspaceID: q.Get("workspaceId")}
	if err := f.setWindow(q.Get("fromDateTime"), q.Get("toDateTime")); err != nil {
		return nil, err
	}
	found, r, err := page(x, x.matching(bySchedule, f, every), noCalls)
	if err != nil {
		return nil, err
	}
	calls := make([]metaData, len(found))
	for i, c := range found {
		calls[i] = x.metaData(x.server.state(c, x.now))
	}
	return struct {
		RequestID string     `json:"requestId"`
		Records   records    `json:"records"`
		Calls     []metaData `json:"calls"`
	}{x.requestID(), r, calls}, nil
}

func (x *exchange) getCall(Key) (any, error) {
	id := strings.TrimPrefix(x.request.URL.Path, "/v2/calls/")
	c, ok := x.server.find(id, x.now)
	if !ok || !c.visibleAt(x.now) {
		return nil, notFound("Call ID %s was not found", id)
	}
	return struct {
		RequestID string   `json:"requestId"`
		Call      metaData `json:"call"`
	}{x.requestID(), x.metaData(c)}, nil
}

// selected returns the calls that a POST's filter matches. Those that are not to be shown are invisible.
func (x *exchange) selected(o object, show func(*Call) bool) ([]item[*Call], error) {
	f, err := parseCallFilter(o)
	if err != nil {
		return nil, err
	}
	return x.matching(byStart, f, show), nil
}

// extensive is POST /v2/calls/extensive, whose window is over the start time.
func (x *exchange) extensive(k Key) (any, error) {
	body, o, err := x.parseBody()
	if err != nil {
		return nil, err
	}
	s, err := parseSelector(body)
	if err != nil {
		return nil, err
	}
	if s.fields["media"] {
		if err := k.allows(ScopeCallsMedia); err != nil {
			return nil, err
		}
	}
	items, err := x.selected(o, every)
	if err != nil {
		return nil, err
	}
	calls, r, err := page(x, items, noCalls)
	if err != nil {
		return nil, err
	}
	documents := make([]document, len(calls))
	for i, c := range calls {
		documents[i] = x.document(x.server.state(c, x.now), s)
	}
	return struct {
		RequestID string     `json:"requestId"`
		Records   records    `json:"records"`
		Calls     []document `json:"calls"`
	}{x.requestID(), r, documents}, nil
}

// transcripts is POST /v2/calls/transcript. Calls without a transcript are not shown.
func (x *exchange) transcripts(Key) (any, error) {
	_, o, err := x.parseBody()
	if err != nil {
		return nil, err
	}
	items, err := x.selected(o, func(c *Call) bool { return len(c.Transcript) > 0 })
	if err != nil {
		return nil, err
	}
	calls, r, err := page(x, items, noCalls)
	if err != nil {
		return nil, err
	}
	transcripts := make([]transcript, len(calls))
	for i, c := range calls {
		transcripts[i] = newTranscript(x.server.state(c, x.now))
	}
	return struct {
		RequestID   string       `json:"requestId"`
		Records     records      `json:"records"`
		Transcripts []transcript `json:"callTranscripts"`
	}{x.requestID(), r, transcripts}, nil
}
