package totango

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// touchpoint are the attributes of an item.
type touchpoint struct {
	Subject      string    `json:"subject"`
	Content      string    `json:"content"`
	Date         time.Time `json:"date"`
	Type         string    `json:"type"`
	Flow         string    `json:"flow"`
	CreatedBy    string    `json:"created_by"`
	Participants []string  `json:"participants"`
	Tags         []string  `json:"tags"`
}

// body is what POST /api/v3/touchpoints/ takes.
type body struct {
	AccountID    string        `json:"account_id"`
	Subject      string        `json:"subject,omitempty"`
	Content      string        `json:"content"`
	FlowID       string        `json:"activity_type_id,omitempty"`
	CreatedBy    string        `json:"created_by,omitempty"`
	CreateDate   int64         `json:"create_date"` // epoch milliseconds
	TypeID       string        `json:"touchpointType,omitempty"`
	TagIDs       []string      `json:"touchpoint_tags,omitempty"`
	Participants []participant `json:"participantList,omitempty"`
	DisableSync  bool          `json:"disable_sync"`
}

type participant struct {
	UserID string `json:"userid"`
}

// draft is a touchpoint that is ready to be written, with what people call the things that its body has the ids of.
type draft struct {
	body
	date      time.Time
	typ, flow string // flow is empty for the default one
	tags      []string
}

// parseItem reads the attributes of an item that has an account.
func parseItem(item *plugin.Item) (*touchpoint, error) {
	if item.Target == "" {
		e := plugin.Errorf(plugin.CodeInvalidRequest, "the touchpoint of %s has no account", item.Key)
		e.Attribute = "account_id"
		return nil, e
	}
	t := new(touchpoint)
	if err := json.Unmarshal(item.Attributes, t); err != nil {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "the attributes of the touchpoint of %s cannot be read: %v", item.Key, err)
	}
	return t, nil
}

// draft makes the request's body, with names replaced by ids. A name that is missing in a list that is older than since is looked
// for in a new one.
func (s *session) draft(ctx context.Context, item *plugin.Item, t *touchpoint, since time.Time) (*draft, error) {
	if t.Date.IsZero() {
		e := plugin.Errorf(plugin.CodeInvalidRecord, "the touchpoint of %s has no date", item.Key)
		e.Attribute = "date"
		return nil, e
	}
	d := &draft{
		body: body{
			AccountID:    item.Target,
			Subject:      strings.TrimSpace(t.Subject),
			Content:      compose(s.config.ContentFormat, t.Content, item.URL, item.Key),
			CreatedBy:    lower(t.CreatedBy),
			CreateDate:   t.Date.UnixMilli(),
			Participants: participants(t.Participants),
			DisableSync:  s.config.DisableSync,
		},
		date: t.Date.Truncate(time.Millisecond),
	}
	name := strings.TrimSpace(t.Type)
	if name == "" {
		name = defaultType
	}
	found, err := lookUp(ctx, s.types, s.fetchTypes, "type", "touchpoint type", name, since)
	if err != nil {
		return nil, err
	}
	d.TypeID, d.typ = found.id, found.label()
	if strings.TrimSpace(t.Flow) != "" {
		if found, err = lookUp(ctx, s.flows, s.fetchFlows, "flow", "flow", t.Flow, since); err != nil {
			return nil, err
		}
		d.FlowID, d.flow = found.id, found.label()
	}
	for _, tag := range t.Tags {
		if strings.TrimSpace(tag) == "" {
			continue
		}
		if found, err = lookUp(ctx, s.tags, s.fetchTags, "tags", "touchpoint reason", tag, since); err != nil {
			return nil, err
		}
		if !slices.Contains(d.TagIDs, found.id) {
			d.TagIDs, d.tags = append(d.TagIDs, found.id), append(d.tags, found.label())
		}
	}
	return d, nil
}

// participants returns each address once, in lower case, in the order of the meeting.
func participants(addresses []string) []participant {
	var out []participant
	for _, a := range addresses {
		p := participant{lower(a)}
		if p.UserID != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
