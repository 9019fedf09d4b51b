package totango

import (
	"context"
	"encoding/json"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// maxPreview is how many touchpoints one Preview takes.
const maxPreview = 25

// defaultFlow is what a preview says of a touchpoint without a flow: which flow that is can be set in Totango at any time.
const defaultFlow = "the default flow"

// shown is a touchpoint as people read it.
type shown struct {
	AccountID    string    `json:"account_id"`
	Subject      string    `json:"subject,omitempty"`
	Content      string    `json:"content"`
	Date         time.Time `json:"date"`
	Type         string    `json:"type"`
	Flow         string    `json:"flow"`
	CreatedBy    string    `json:"created_by,omitempty"`
	Participants []string  `json:"participants,omitempty"`
	Tags         []string  `json:"tags,omitempty"`
}

// Preview implements [plugin.Previewer]. It takes at most one request for each of types, flows and reasons, and one more for each of
// them that lacks a name, however many items there are. Whether the account exists is not checked: it comes from Resolve, which found
// it in Totango.
func (c *Connector) Preview(ctx context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	s, err := c.forTouchpoint(req.Object)
	if err != nil {
		return nil, err
	}
	if len(req.Items) > maxPreview {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "at most %d touchpoints are previewed at once, and %d were given", maxPreview, len(req.Items))
	}
	ctx, counter := httpkit.Count(ctx)
	resp := &plugin.PreviewResponse{Previews: make([]plugin.Preview, len(req.Items))}
	since := time.Now()
	for i := range req.Items {
		if resp.Previews[i], err = s.preview(ctx, &req.Items[i], since); err != nil {
			return nil, counter.Fail(err)
		}
	}
	resp.Requests = counter.Requests()
	return resp, nil
}

// preview previews one item. Its error says nothing of the item.
func (s *session) preview(ctx context.Context, item *plugin.Item, since time.Time) (plugin.Preview, error) {
	v := plugin.Preview{Key: item.Key}
	t, err := parseItem(item)
	if err != nil {
		v.Err = plugin.AsError(err)
		return v, nil
	}
	d, err := s.draft(ctx, item, t, since)
	if e := plugin.AsError(err); e != nil && (e.Code == plugin.CodeInvalidRecord || isUnknownName(e)) {
		v.Err = e
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.Attributes, err = json.Marshal(d.shown())
	return v, err
}

// shown returns the touchpoint with names instead of ids.
func (d *draft) shown() shown {
	v := shown{
		AccountID: d.AccountID, Subject: d.Subject, Content: d.Content, Date: d.date, Type: d.typ, Flow: d.flow, CreatedBy: d.CreatedBy, Tags: d.tags,
	}
	if v.Flow == "" {
		v.Flow = defaultFlow
	}
	for _, p := range d.Participants {
		v.Participants = append(v.Participants, p.UserID)
	}
	return v
}
