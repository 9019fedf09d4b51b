package totangotest

import (
	"cmp"
	"net/http"
	"slices"
)

// accountEvents answers GET /api/v2/events/?account_id=.
func (s *Server) accountEvents(c *call) *answer {
	id := c.text("account_id")
	if _, ok := s.account(id); !ok {
		return failure(http.StatusBadRequest, "invalid_request", "Account not found")
	}
	list := []map[string]any{}
	for _, t := range s.visible() {
		if t.AccountID == id {
			list = append(list, s.event(t))
		}
	}
	return jsonAnswer(http.StatusOK, list)
}

// searchEvents answers POST /api/v2/events/search.
func (s *Server) searchEvents(c *call) *answer {
	if s.opts.Variants.NoEventSearch {
		return htmlAnswer(http.StatusNotFound, "Not Found")
	}
	q, a := s.parseQuery(c)
	if a != nil {
		return a
	}
	if q.Fields == nil || len(*q.Fields) != 0 {
		return searchFailure(http.StatusBadRequest, "fields must be []")
	}
	if q.Count == nil || q.Offset == nil {
		return searchFailure(http.StatusBadRequest, "count and offset are mandatory")
	}
	if id := c.text("account_id"); id != "" {
		if _, ok := s.account(id); !ok {
			return failure(http.StatusBadRequest, "invalid_request", "Account not found")
		}
	}
	hits := []map[string]any{}
	account := c.text("account_id")
	if s.opts.Variants.AllAccounts {
		account = ""
	}
	for _, t := range s.visible() {
		if account != "" && t.AccountID != account {
			continue
		}
		ok, err := s.matchAll(q.Terms, &row{
			properties: map[string]string{"event_type": "note", "activity_type_id": t.FlowID, "meeting_type": t.TypeID},
			numbers:    map[string]int64{"date": t.Date.UnixMilli()},
			parent:     s.accountRow(t.AccountID),
		})
		if err != nil {
			return searchFailure(http.StatusBadRequest, err.Error())
		}
		if ok {
			hits = append(hits, s.event(t))
		}
	}
	count, offset := *q.Count, *q.Offset
	if s.opts.Variants.PageOffset {
		offset *= count
	}
	return s.page("events", hits, count, offset)
}

// visible returns the touchpoints that reads show by now, newest first.
func (s *Server) visible() []*stored {
	now := s.now()
	out := make([]*stored, 0, len(s.touchpoints))
	for _, t := range s.touchpoints {
		if !t.visibleFrom.After(now) {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b *stored) int {
		return cmp.Or(b.Date.Compare(a.Date), cmp.Compare(b.NoteID, a.NoteID))
	})
	return out
}

// event renders a touchpoint as an event of the timeline.
func (s *Server) event(t *stored) map[string]any {
	var internal []string
	for _, p := range t.Participants {
		if s.isTeam(p) {
			internal = append(internal, p)
		}
	}
	acc, _ := s.account(t.AccountID)
	props := map[string]any{
		"subject": t.Subject, "activity_type_id": t.FlowID, "totango_participants": internal, "informed": []string{},
		"customers_visibility": "private", "parent_id": nil, "creation_time": t.Created.UnixMilli(), "assets": nil,
	}
	if t.TypeID != "" {
		props["meeting_type"] = t.TypeID
	}
	if len(t.TagIDs) > 0 {
		props["touchpoint_tags"] = t.TagIDs
	}
	if t.ParentID != 0 {
		props["parent_id"] = t.ParentID
	}
	if !t.Edited.IsZero() {
		props["last_edit_time"] = t.Edited.UnixMilli()
		props["last_edit_user"] = t.EditedBy
	}
	return map[string]any{
		"id": t.EventID, "type": "note", "timestamp": t.Date.UnixMilli(), "is_new": "false",
		"account":      map[string]string{"id": t.AccountID, "display_name": acc.Name},
		"note_content": map[string]any{"note_id": t.NoteID, "text": t.Content, "totango_user": map[string]string{"user_name": t.CreatedBy}},
		"properties":   props,
	}
}
