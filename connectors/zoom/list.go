package zoom

import (
	"context"
	"encoding/base64"
	"encoding/json"
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
	at := pageToken{From: req.From}
	if req.PageToken != "" {
		if at, err = parsePageToken(req.PageToken); err != nil {
			return nil, err
		}
	}
	end := at.From.Add(maxSlice)
	if end.After(req.To) {
		end = req.To
	}
	if !at.From.Before(end) {
		return &plugin.ListResponse{}, nil
	}
	ctx, n := httpkit.Count(ctx)
	page, err := conn.history(ctx, at, end)
	if err != nil {
		return nil, n.Fail(err)
	}
	resp, err := page.entries(at.From, end)
	if err != nil {
		return nil, n.Fail(err)
	}
	switch {
	case page.Next != "" && page.Next == at.Zoom:
		return nil, n.Fail(malformed("a page of the report names itself as the next one"))
	case page.Next != "":
		resp.NextPageToken = pageToken{From: at.From, Zoom: page.Next}.String()
	case end.Before(req.To):
		resp.NextPageToken = pageToken{From: end}.String()
	}
	resp.Requests = n.Requests()
	return resp, nil
}

// history asks for a page of the report on the meetings of all hosts.
func (c *connection) history(ctx context.Context, at pageToken, end time.Time) (*historyPage, error) {
	query := url.Values{
		"from": {at.From.UTC().AddDate(0, 0, -1).Format(time.DateOnly)}, "to": {end.UTC().AddDate(0, 0, 1).Format(time.DateOnly)},
		"date_type": {"start_time"}, "meeting_type": {"meeting"}, "page_size": {pageSize},
	}
	if at.Zoom != "" {
		query.Set("next_page_token", at.Zoom)
	}
	page := new(historyPage)
	err := c.get(ctx, pathHistory, query, page)
	var r *refusal
	if errors.As(err, &r) && r.code == codeValidation {
		if at.Zoom != "" && strings.Contains(strings.ToLower(r.err.Message), "page token") { // the words are inferred; it lives 15 minutes
			return nil, plugin.Errorf(plugin.CodeExpired, "%s", r.err.Message)
		}
		r.err.Message += "; Zoom's reports reach back six months: if the job asks for more, set initial in its source block to 170d or less"
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

// entries lists the meetings that began in the window and have ended, each once.
func (p *historyPage) entries(from, to time.Time) (*plugin.ListResponse, error) {
	resp := &plugin.ListResponse{}
	seen := map[string]bool{}
	for _, m := range p.Meetings {
		started, ok := parseTime(m.Start)
		if !ok || m.UUID == "" {
			return nil, malformed("meeting %.40q began at %.40q", m.UUID, m.Start)
		}
		if _, ended := parseTime(m.End); !ended || started.Before(from) || !started.Before(to) || seen[m.UUID] {
			continue
		}
		seen[m.UUID] = true
		resp.Entries = append(resp.Entries, plugin.Entry{ID: m.UUID, Time: started})
	}
	return resp, nil
}

// pageToken is a place in a listing: a slice of the window and Zoom's own token in it.
type pageToken struct {
	From time.Time `json:"f"`
	Zoom string    `json:"z,omitempty"`
}

// String returns the token as text.
func (t pageToken) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic("zoom: " + err.Error()) // a string and a time that was read from one, or is the host's
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parsePageToken(s string) (pageToken, error) {
	var t pageToken
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil || t.From.IsZero() {
		return t, plugin.Errorf(plugin.CodeExpired, "the page token is not one of this version of the connector")
	}
	return t, nil
}
