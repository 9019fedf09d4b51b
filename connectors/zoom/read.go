package zoom

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// maxRead is how many meetings one Read asks for: at three requests each, they take a few seconds.
const maxRead = 5

// Read implements [plugin.Source]. It asks Zoom only for what the fields need. Meetings that are gone are left out.
func (c *Connector) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	conn, err := c.forStream(req.Stream)
	if err != nil {
		return nil, err
	}
	if len(req.IDs) == 0 || len(req.IDs) > maxRead {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "a read of meetings takes 1 to %d ids, not %d", maxRead, len(req.IDs))
	}
	chosen, err := choose(req.Fields)
	if err != nil {
		return nil, err
	}
	ctx, n := httpkit.Count(ctx)
	resp := &plugin.ReadResponse{}
	for _, id := range req.IDs {
		m, err := conn.meeting(ctx, id, chosen)
		if err != nil {
			return nil, n.Fail(err)
		}
		if m == nil {
			continue
		}
		r, err := m.record(chosen)
		if err != nil {
			return nil, n.Fail(err)
		}
		resp.Records = append(resp.Records, r)
	}
	resp.Requests = n.Requests()
	return resp, nil
}

// meeting is what a record is made of.
type meeting struct {
	pastMeeting
	started      time.Time
	participants []participant
	summary      *summary // nil if there is none, or it was not asked for
	pending      string
}

// meeting reads what the chosen fields need of a meeting. It returns nil if there is no such meeting.
func (c *connection) meeting(ctx context.Context, uuid string, chosen []*field) (*meeting, error) {
	m := new(meeting)
	err := c.get(ctx, pathOf("/v2/past_meetings/%s", uuid), nil, &m.pastMeeting)
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if m.UUID != uuid { // a meeting's number has its latest instance, which is another record
		return nil, nil
	}
	var ok bool
	if m.started, ok = parseTime(m.Start); !ok {
		return nil, httpkit.Malformed(system, "meeting %s began at %.40q", uuid, m.Start)
	}
	if slices.ContainsFunc(chosen, func(f *field) bool { return f.needs == people }) {
		if m.participants, err = c.participants(ctx, uuid); err != nil {
			return nil, err
		}
	}
	if c.config.ReadSummaries && slices.ContainsFunc(chosen, func(f *field) bool { return f.needs == writing }) {
		if m.summary, err = c.summary(ctx, uuid); err != nil {
			return nil, err
		}
		if m.summary == nil {
			m.pending = "no summary yet"
		}
	}
	return m, nil
}

// participants reads who took part. Zoom has no answer for a meeting of one person.
func (c *connection) participants(ctx context.Context, uuid string) ([]participant, error) {
	var all []participant
	query := url.Values{"page_size": {pageSize}}
	for at := (httpkit.Cursor{}); ; {
		var page participantPage
		err := c.get(ctx, pathOf("/v2/past_meetings/%s/participants", uuid), query, &page)
		if notFound(err) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, page.Participants...)
		at, err = at.Next(system, page.Next, nil) // people without a login have no id
		if err != nil || at.Value == "" {
			return all, err
		}
		query.Set("next_page_token", at.Value)
	}
}

// summary reads a meeting's summary; nil if there is none. Zoom writes one some minutes after the meeting, and never if the host does
// not use AI Companion or the meeting was encrypted end to end. Its answer does not tell the cases apart, so all of them are waited
// for. That they are answered with 404 or a code about the meeting is inferred.
func (c *connection) summary(ctx context.Context, uuid string) (*summary, error) {
	s := new(summary)
	err := c.get(ctx, pathOf("/v2/meetings/%s/meeting_summary", uuid), nil, s)
	var r *refusal
	if errors.As(err, &r) && (r.status == http.StatusNotFound || slices.Contains(noSummary, r.code) || r.code/1000 == codeMeetings/1000) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// noSummary are codes for a meeting that cannot have a summary.
var noSummary = []int{codePlan, codeEmailOnly}

func notFound(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == http.StatusNotFound
}
