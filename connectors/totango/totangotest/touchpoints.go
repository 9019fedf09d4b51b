package totangotest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
)

// createTouchpoint answers POST /api/v3/touchpoints/.
func (s *Server) createTouchpoint(c *call) *answer {
	t := Touchpoint{AccountID: c.text("account_id")}
	if _, ok := s.account(t.AccountID); !ok {
		return failure(http.StatusBadRequest, "invalid_request", "Account not found")
	}
	if err := s.apply(&t, c); err != nil {
		return failure(http.StatusBadRequest, "invalid_request", err.Error())
	}
	if t.Content == "" {
		return failure(http.StatusBadRequest, "invalid_request", "content is required")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"note": s.store(t).note()})
}

// updateTouchpoint answers PUT /api/v3/touchpoints/{note_id}.
func (s *Server) updateTouchpoint(c *call) *answer {
	t, a := s.addressed(c)
	if a != nil {
		return a
	}
	if c.text("event_id") != t.EventID && !s.opts.Variants.AnyEventID {
		return failure(http.StatusBadRequest, "invalid_request", "event_id does not belong to the touchpoint")
	}
	if id := c.text("account_id"); id != "" && id != t.AccountID {
		return failure(http.StatusBadRequest, "invalid_request", "The account of a touchpoint cannot be changed")
	}
	edited := t.clone()
	if err := s.apply(&edited, c); err != nil {
		return failure(http.StatusBadRequest, "invalid_request", err.Error())
	}
	edited.Edited, edited.EditedBy = s.now(), s.tokenUser()
	t.Touchpoint = edited
	return jsonAnswer(http.StatusOK, map[string]any{"note": t.note()})
}

// deleteTouchpoint answers DELETE /api/v3/touchpoints/{note_id}.
func (s *Server) deleteTouchpoint(c *call) *answer {
	t, a := s.addressed(c)
	if a != nil {
		return a
	}
	s.touchpoints = slices.DeleteFunc(s.touchpoints, func(o *stored) bool { return o == t })
	delete(s.byNote, t.NoteID)
	return jsonAnswer(http.StatusOK, map[string]any{})
}

// readTouchpoint answers GET /api/v3/touchpoints/{note_id}.
func (s *Server) readTouchpoint(c *call) *answer {
	t, a := s.addressed(c)
	if a != nil {
		return a
	}
	return jsonAnswer(http.StatusOK, map[string]any{"note": t.note()})
}

// addressed finds the touchpoint of the path, or answers 404.
func (s *Server) addressed(c *call) (*stored, *answer) {
	id, err := strconv.ParseInt(c.id, 10, 64)
	if t := s.find(id); err == nil && t != nil {
		return t, nil
	}
	return nil, failure(http.StatusNotFound, "not_found", "Touchpoint not found")
}

// apply sets what the call gives, and checks it.
func (s *Server) apply(t *Touchpoint, c *call) error {
	setText := func(to *string, name string) {
		if c.has(name) {
			*to = c.text(name)
		}
	}
	setText(&t.Subject, "subject")
	setText(&t.Content, "content")
	setText(&t.TypeID, "touchpointType")
	setText(&t.FlowID, "activity_type_id")
	setText(&t.CreatedBy, "user_id") // the older name
	setText(&t.CreatedBy, "created_by")
	if n := len(utf16.Encode([]rune(t.Content))); n > maxContent {
		return fmt.Errorf("content is too long: %d characters, at most %d", n, maxContent)
	}
	if s.opts.Variants.PlainText {
		t.Content = plainText(t.Content)
	}
	if c.has("create_date") {
		ms, err := c.integer("create_date")
		if err != nil {
			return err
		}
		t.Date = time.UnixMilli(ms).UTC()
	}
	if c.has("disable_sync") {
		v, err := strconv.ParseBool(c.text("disable_sync"))
		if err != nil {
			return fmt.Errorf("disable_sync is not true or false")
		}
		t.DisableSync = v
	}
	if err := s.applyLists(t, c); err != nil {
		return err
	}
	return s.checkIDs(t)
}

func (s *Server) applyLists(t *Touchpoint, c *call) error {
	if c.has("touchpoint_tags") {
		tags, err := c.texts("touchpoint_tags")
		if err != nil {
			return err
		}
		t.TagIDs = tags
	}
	if c.has("participantList") {
		people, err := c.members("participantList", "userid")
		if err != nil {
			return err
		}
		t.Participants = people
	}
	for _, name := range []string{"parentId", "followUp"} {
		if !c.has(name) {
			continue
		}
		id, err := c.integer(name)
		if err != nil {
			return err
		}
		if s.find(id) == nil {
			return fmt.Errorf("%s: no touchpoint %d", name, id)
		}
		t.ParentID = id
	}
	return nil
}

func (s *Server) checkIDs(t *Touchpoint) error {
	if t.TypeID != "" && !hasID(s.types, t.TypeID) {
		return fmt.Errorf("touchpointType %q does not exist", t.TypeID)
	}
	for _, id := range t.TagIDs {
		if !hasID(s.tags, id) {
			return fmt.Errorf("touchpoint tag %q does not exist", id)
		}
	}
	if t.FlowID != "" && !slices.ContainsFunc(s.flows, func(f Flow) bool { return f.ID == t.FlowID }) {
		return fmt.Errorf("activity_type_id %q does not exist", t.FlowID)
	}
	return nil
}

func hasID(list []NamedID, id string) bool {
	return slices.ContainsFunc(list, func(n NamedID) bool { return n.ID == id })
}

func (t *stored) note() map[string]any {
	return map[string]any{
		"id": t.NoteID, "account_id": t.AccountID, "subject": t.Subject, "content": t.Content,
		"activity_type_id": t.FlowID, "created_by": t.CreatedBy, "create_date": t.Date.UnixMilli(),
	}
}
