package totango

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Create implements [plugin.Destination].
func (c *Connector) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	s, err := c.forTouchpoint(req.Object)
	if err != nil {
		return nil, err
	}
	if len(req.Items) != 1 {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "a touchpoint is created alone, and %d items were given", len(req.Items))
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.config.writeTimeout)
		defer cancel()
	}
	ctx, counter := httpkit.Count(ctx)
	result, err := s.create(ctx, &req.Items[0])
	if err != nil {
		e := plugin.AsError(err)
		if e.Code != plugin.CodeInvalidRecord {
			return nil, counter.Fail(err)
		}
		result = plugin.Result{Key: req.Items[0].Key, Err: plugin.AsError(counter.Fail(e))}
	}
	return &plugin.CreateResponse{Results: []plugin.Result{result}, Requests: counter.Requests()}, nil
}

// create writes one item. An item in doubt is looked for first, and written only if that look was complete and found nothing.
func (s *session) create(ctx context.Context, item *plugin.Item) (plugin.Result, error) {
	result := plugin.Result{Key: item.Key}
	t, err := parseItem(item)
	if err != nil {
		return result, inDoubt(item, err)
	}
	if item.InDoubt {
		found, err := s.find(ctx, item.Target, []lookFor{{key: item.Key, times: []time.Time{item.Time, t.Date}}})
		if refusedSearch(err) { // both ways to look: the account is gone, say; a matter of this item alone
			err = plugin.Errorf(plugin.CodeInvalidRecord, "whether account %s has the touchpoint of %s cannot be found out: %v", item.Target, item.Key, err)
		}
		if err != nil {
			return result, inDoubt(item, err)
		}
		if id, ok := found[item.Key]; ok {
			result.ID, result.Existed = id, true
			return result, nil
		}
	}
	d, err := s.draft(ctx, item, t, time.Now())
	if err != nil {
		return result, err
	}
	result.ID, err = s.post(ctx, &d.body)
	return result, err
}

// inDoubt marks the error of an item that may have been written earlier and could not be looked for.
func inDoubt(item *plugin.Item, err error) error {
	e := *plugin.AsError(err)
	e.Uncertain = e.Uncertain || item.InDoubt
	return &e
}

// refusals are the statuses by which Totango refuses a touchpoint for what it is.
var refusals = []int{
	http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge,
	http.StatusUnprocessableEntity,
}

// post writes a touchpoint and returns its note id.
func (s *session) post(ctx context.Context, b *body) (string, error) {
	resp, err := s.http.Do(ctx, &httpkit.Request{
		Method: http.MethodPost, Path: "/api/v3/touchpoints/", JSON: b, Write: true, Accept: refusals,
	})
	if err != nil {
		return "", advise(err)
	}
	kind, message := complaint(resp.Body)
	if isAuthentication(kind) {
		return "", advise(plugin.Errorf(plugin.CodeUnauthenticated, "Totango does not accept the token: %s", resp.Redact(message)))
	}
	if resp.Status/100 != 2 {
		return "", s.refused(resp, b, message)
	}
	var answer struct {
		Note struct {
			ID text `json:"id"`
		} `json:"note"`
	}
	err = resp.Decode(&answer)
	if err == nil && answer.Note.ID != "" {
		return string(answer.Note.ID), nil
	}
	if err == nil {
		err = errors.New(resp.Excerpt())
		if message != "" {
			err = errors.New(resp.Redact(message))
		}
	}
	e := plugin.Errorf(plugin.CodeUnavailable, "Totango answered %d to a new touchpoint of account %s, but not with its id: %v",
		resp.Status, b.AccountID, err)
	e.Uncertain = true
	return "", e
}

// refused says why a touchpoint was not written.
func (s *session) refused(resp *httpkit.Response, b *body, message string) error {
	if resp.Status == http.StatusNotFound && isHTML(resp) {
		return plugin.InvalidConfig(s.config.hostAttribute(), "leads to %s, which has no touchpoints API: it answered 404 with a web page", s.http.Host())
	}
	if message == "" {
		message = resp.Excerpt()
	}
	return plugin.Errorf(plugin.CodeInvalidRecord, "Totango refused the touchpoint for account %s with status %d: %s", b.AccountID, resp.Status,
		resp.Redact(message))
}
