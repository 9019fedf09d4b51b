package gong

import (
	"context"
	"net/http"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// List implements [plugin.Source]. The window is over the time at which a call started. Calls are not filtered by it again:
// should Gong file a late meeting under its scheduled time, as its other endpoint does, then a call left out here would be left
// out of every window.
func (c *Connector) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	conn, err := c.forStream(req.Stream)
	if err != nil {
		return nil, err
	}
	at, err := httpkit.ParseCursor(req.PageToken)
	if err != nil {
		return nil, err
	}
	if !req.From.Before(req.To) { // Gong answers 400 to an empty window
		return &plugin.ListResponse{}, nil
	}
	ctx, n := httpkit.Count(ctx)
	page, err := conn.calls(ctx, &extensiveRequest{
		Filter: filter{From: formatTime(req.From), To: formatTime(req.To), WorkspaceID: conn.config.workspaceID},
		Cursor: at.Value,
	})
	if err != nil {
		return nil, n.Fail(err)
	}
	resp, err := entries(page.Calls)
	if err != nil {
		return nil, n.Fail(err)
	}
	next, err := page.behind(at)
	if err != nil {
		return nil, n.Fail(err)
	}
	resp.NextPageToken, resp.Requests = next.PageToken(), n.Requests()
	return resp, nil
}

// behind returns the place behind the page, which is the one at that place. The number of a page or the total that Gong tells say
// nothing about the end: only a missing cursor does.
func (p *callPage) behind(at httpkit.Cursor) (httpkit.Cursor, error) {
	ids := make([]string, len(p.Calls))
	for i := range p.Calls {
		ids[i] = string(p.Calls[i].MetaData.ID)
	}
	return at.Next(system, string(p.Records.Cursor), ids)
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
		return time.Time{}, httpkit.Malformed(system, "a call has the id %.40q, which is no number", string(m.ID))
	}
	if m.IsPrivate == nil {
		return time.Time{}, httpkit.Malformed(system, "call %s does not say whether it is private", m.ID)
	}
	started, err := time.Parse(time.RFC3339, string(m.Started))
	if err != nil {
		return time.Time{}, httpkit.Malformed(system, "call %s started at %.40q, which is no date and time with an offset", m.ID, string(m.Started))
	}
	return started, nil
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
