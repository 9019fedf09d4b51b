package zoom

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

const pathHistory = "/v2/report/history_meetings"

// maxSlice is how much of a window one report covers. Zoom takes at most a month; with the days that are added at both ends this is
// four weeks, which is no more than any month.
const maxSlice = 25 * 24 * time.Hour

// List implements [plugin.Source]. A report is asked for by days, and in which time zone they begin is not documented: it is asked
// for a day more at each end, and meetings outside the window are dropped. Meetings that still go on are listed when they have ended
// (that the report may hold them is inferred).
func (c *Connector) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	conn, err := c.forStream(req.Stream)
	if err != nil {
		return nil, err
	}
	at := place{From: req.From}
	if err := plugin.DecodePageToken(req.PageToken, &at); err != nil {
		return nil, err
	}
	end := at.From.Add(maxSlice)
	if end.After(req.To) {
		end = req.To
	}
	if !at.From.Before(end) {
		return &plugin.ListResponse{}, nil
	}
	ctx, n := httpkit.Count(ctx)
	page, err := conn.history(ctx, at.From, end, at.Cursor.Value)
	if err != nil {
		return nil, n.Fail(err)
	}
	resp, err := page.entries(at.From, end)
	if err != nil {
		return nil, n.Fail(err)
	}
	next, err := at.Cursor.Next(system, page.Next, page.uuids())
	switch {
	case err != nil:
		return nil, n.Fail(err)
	case next.Value != "":
		resp.NextPageToken = plugin.EncodePageToken(place{From: at.From, Cursor: next})
	case end.Before(req.To):
		resp.NextPageToken = plugin.EncodePageToken(place{From: end})
	}
	resp.Requests = n.Requests()
	return resp, nil
}

// place is a place in a listing: a slice of the window and where Zoom's report on it is.
type place struct {
	From   time.Time      `json:"from"`
	Cursor httpkit.Cursor `json:"cursor,omitzero"`
}

// history asks for a page of the report on the meetings of all hosts.
func (c *connection) history(ctx context.Context, from, to time.Time, token string) (*historyPage, error) {
	query := url.Values{
		"from": {from.UTC().AddDate(0, 0, -1).Format(time.DateOnly)}, "to": {to.UTC().AddDate(0, 0, 1).Format(time.DateOnly)},
		"date_type": {"start_time"}, "meeting_type": {"meeting"}, "page_size": {pageSize},
	}
	if token != "" {
		query.Set("next_page_token", token)
	}
	page := new(historyPage)
	err := c.get(ctx, pathHistory, query, page)
	var r *refusal
	if errors.As(err, &r) && r.code == codeValidation {
		if token != "" && strings.Contains(strings.ToLower(r.err.Message), "page token") { // the words are inferred; it lives 15 minutes
			return nil, plugin.Errorf(plugin.CodeExpired, "%s", r.err.Message)
		}
		r.err.Message += "; Zoom's reports reach back six months: if the job asks for more, set initial in its source block to 170d or less"
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (p *historyPage) uuids() []string {
	ids := make([]string, len(p.Meetings))
	for i := range p.Meetings {
		ids[i] = p.Meetings[i].UUID
	}
	return ids
}

// entries lists the meetings that began in the window and have ended, each once.
func (p *historyPage) entries(from, to time.Time) (*plugin.ListResponse, error) {
	resp := &plugin.ListResponse{}
	seen := map[string]bool{}
	for _, m := range p.Meetings {
		started, ok := parseTime(m.Start)
		if !ok || m.UUID == "" {
			return nil, httpkit.Malformed(system, "meeting %.40q began at %.40q", m.UUID, m.Start)
		}
		if _, ended := parseTime(m.End); !ended || started.Before(from) || !started.Before(to) || seen[m.UUID] {
			continue
		}
		seen[m.UUID] = true
		resp.Entries = append(resp.Entries, plugin.Entry{ID: m.UUID, Time: started})
	}
	return resp, nil
}
