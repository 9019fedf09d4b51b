package totango

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

const day = 24 * time.Hour

// before is how much earlier than the record's time a touchpoint's date may lie: a meeting can have been moved since.
const before = 90 * day

// narrower are the windows on both sides of the record's time that are tried when an account has more touchpoints since before than
// a search can return.
var narrower = []time.Duration{31 * day, day}

// lookFor is a key to look for, with the times that its touchpoint may have been given.
type lookFor struct {
	key   string
	times []time.Time
}

// event is an entry of an account's timeline.
type event struct {
	ID      text `json:"id"`
	Type    text `json:"type"`
	Account struct {
		ID text `json:"id"`
	} `json:"account"`
	Note struct {
		ID   text `json:"note_id"`
		Text text `json:"text"`
	} `json:"note_content"`
}

// Find implements [plugin.Finder].
func (c *Connector) Find(ctx context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	s, err := c.forTouchpoint(req.Object)
	if err != nil {
		return nil, err
	}
	ctx, counter := httpkit.Count(ctx)
	byAccount := map[string][]lookFor{}
	var accounts []string
	for _, it := range req.Items {
		if byAccount[it.Target] == nil {
			accounts = append(accounts, it.Target)
		}
		byAccount[it.Target] = append(byAccount[it.Target], lookFor{key: it.Key, times: []time.Time{it.Time}})
	}
	found := map[[2]string]string{}
	for _, account := range accounts {
		ids, err := s.find(ctx, account, byAccount[account])
		if err != nil {
			return nil, counter.Fail(err)
		}
		for key, id := range ids {
			found[[2]string{account, key}] = id
		}
	}
	resp := &plugin.FindResponse{Requests: counter.Requests()}
	for _, it := range req.Items {
		if id, ok := found[[2]string{it.Target, it.Key}]; ok {
			resp.Results = append(resp.Results, plugin.Result{Key: it.Key, ID: id, Existed: true})
		}
	}
	return resp, nil
}

// find returns the note ids of the keys that have a touchpoint in the account. Of several touchpoints of a key the oldest counts:
// later ones are replies that quote it, or copies. An error means that it is not known whether there is a touchpoint.
func (s *session) find(ctx context.Context, account string, wanted []lookFor) (map[string]string, error) {
	if account == "" {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "a touchpoint cannot be looked for without its account")
	}
	from, to := span(wanted)
	best := map[string]text{}
	collect := func(e event) {
		if e.Type != "note" || e.Note.ID == "" || e.Account.ID != "" && string(e.Account.ID) != account {
			return
		}
		for _, w := range wanted {
			if !strings.Contains(string(e.Note.Text), reference(w.key)) {
				continue
			}
			if old, ok := best[w.key]; !ok || older(e.Note.ID, old) {
				best[w.key] = e.Note.ID
			}
		}
	}
	err := s.searchEvents(ctx, account, from.Add(-before), time.Time{}, collect)
	var many *tooManyError
	for _, w := range narrower {
		if !errors.As(err, &many) {
			break
		}
		err = s.searchEvents(ctx, account, from.Add(-w), to.Add(w), collect)
	}
	if errors.As(err, &many) {
		err = plugin.Errorf(plugin.CodeUnavailable, "the touchpoints of account %s cannot all be looked through: %v", account, many)
	}
	if refusedSearch(err) {
		err = s.listEvents(ctx, account, collect)
	}
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(best))
	for key, id := range best {
		out[key] = string(id)
	}
	return out, nil
}

// span returns the earliest and the latest time.
func span(wanted []lookFor) (from, to time.Time) {
	for _, w := range wanted {
		for _, t := range w.times {
			if t.IsZero() {
				continue
			}
			if from.IsZero() || t.Before(from) {
				from = t
			}
			if t.After(to) {
				to = t
			}
		}
	}
	if from.IsZero() {
		from = time.UnixMilli(0).Add(before) // no time is known: all touchpoints
	}
	return from, to
}

// older compares note ids, which are numbers that grow.
func older(a, b text) bool {
	x, errX := strconv.ParseInt(string(a), 10, 64)
	y, errY := strconv.ParseInt(string(b), 10, 64)
	if errX != nil || errY != nil {
		return a < b
	}
	return x < y
}

// refusedSearch reports whether Totango does not offer the search of events, or does not understand it.
func refusedSearch(err error) bool {
	var e *plugin.Error
	if !errors.As(err, &e) {
		return false
	}
	return slices.Contains([]plugin.Code{plugin.CodeNotFound, plugin.CodeInvalidRequest}, e.Code)
}

// searchEvents visits the notes of an account since from, and until to unless that is zero.
func (s *session) searchEvents(ctx context.Context, account string, from, to time.Time, visit func(event)) error {
	date := map[string]any{"type": "date", "term": "date", "gte": from.UnixMilli()}
	if !to.IsZero() {
		date["lte"] = to.UnixMilli()
	}
	fetch := func(ctx context.Context, offset int) (*hits[event], error) {
		var answer struct {
			Response *struct {
				Events *hits[event] `json:"events"`
			} `json:"response"`
		}
		err := s.search(ctx, "/api/v2/events/search", url.Values{"account_id": {account}}, map[string]any{
			"terms":  []any{map[string]any{"type": "event_property", "name": "event_type", "eq": "note"}, date},
			"fields": []any{}, "count": pageSize, "offset": offset,
		}, &answer)
		switch {
		case err != nil:
			return nil, err
		case answer.Response == nil || answer.Response.Events == nil:
			return nil, plugin.Errorf(plugin.CodeUnavailable, "Totango answered a search of the events of account %s without events", account)
		}
		return answer.Response.Events, nil
	}
	return pages(ctx, fetch, func(e event) string { return string(cmp.Or(e.ID, e.Note.ID)) }, visit)
}

// listEvents visits all events of an account, which come in one answer.
func (s *session) listEvents(ctx context.Context, account string, visit func(event)) error {
	var list []event
	err := s.read(ctx, &httpkit.Request{
		Method: http.MethodGet, Path: "/api/v2/events/", Query: url.Values{"account_id": {account}},
	}, &list)
	if err != nil {
		return err
	}
	for _, e := range list {
		visit(e)
	}
	return nil
}
