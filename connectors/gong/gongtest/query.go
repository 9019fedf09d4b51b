package gongtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// object is a JSON object whose member names are matched exactly, unlike those of encoding/json's structs. A member that is
// null counts as absent.
type object map[string]json.RawMessage

func (o object) has(name string) bool { v, ok := o[name]; return ok && string(v) != "null" }

// get decodes a member, if there is one.
func (o object) get(name string, v any) error {
	if !o.has(name) {
		return nil
	}
	if err := json.Unmarshal(o[name], v); err != nil {
		return badRequest(jsonParseError)
	}
	return nil
}

// cursor returns the request's cursor, from where Gong takes it: the query of a GET, the top level of a POST's body.
func (x *exchange) cursor() string {
	if x.request.Method == http.MethodGet {
		return x.request.URL.Query().Get("cursor")
	}
	var o object
	var cursor string
	if json.Unmarshal(x.body, &o) == nil && o.get("cursor", &cursor) == nil {
		return cursor
	}
	return ""
}

// filter is a filter of calls.
type filter struct {
	from, to    time.Time
	workspaceID string
	callIDs     []string
	primaryIDs  []string
}

// covers reports whether a time is in the window.
func (f *filter) covers(at time.Time) bool {
	return (f.from.IsZero() || !at.Before(f.from)) && (f.to.IsZero() || at.Before(f.to))
}

func (f *filter) matches(c *Call, workspace string, at time.Time) bool {
	return f.covers(at) &&
		(f.workspaceID == "" || workspace == f.workspaceID) &&
		(f.callIDs == nil || slices.Contains(f.callIDs, c.ID)) &&
		(f.primaryIDs == nil || slices.Contains(f.primaryIDs, c.PrimaryUserID))
}

// parseBody returns the body's object and the filter in it, which is required.
func (x *exchange) parseBody() (body, filter object, err error) {
	if json.Unmarshal(x.body, &body) != nil || body == nil {
		return nil, nil, badRequest(jsonParseError)
	}
	if !body.has("filter") {
		return nil, nil, badRequest("filter: must not be null")
	}
	if err := body.get("filter", &filter); err != nil {
		return nil, nil, err
	}
	var cursor string
	return body, filter, body.get("cursor", &cursor)
}

func parseCallFilter(o object) (filter, error) {
	var f filter
	var from, to string
	for _, member := range []struct {
		name string
		into any
	}{
		{"fromDateTime", &from}, {"toDateTime", &to}, {"workspaceId", &f.workspaceID},
		{"callIds", &f.callIDs}, {"primaryUserIds", &f.primaryIDs},
	} {
		if err := o.get(member.name, member.into); err != nil {
			return f, err
		}
	}
	for _, ids := range [][]string{f.callIDs, f.primaryIDs} {
		for _, id := range ids {
			if _, err := strconv.ParseInt(id, 10, 64); err != nil {
				return f, badRequest(jsonParseError)
			}
		}
	}
	if f.callIDs != nil && len(f.callIDs) == 0 {
		return f, badRequest("filter.callIds: must not be empty")
	}
	err := f.setWindow(from, to)
	return f, err
}

// setWindow parses a window, whose times need an offset.
func (f *filter) setWindow(from, to string) error {
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{{"fromDateTime", from, &f.from}, {"toDateTime", to, &f.to}} {
		if t.text == "" {
			continue
		}
		v, err := time.Parse(time.RFC3339, t.text)
		if err != nil {
			return badRequest("filter.%s: %s is not a date and time with an offset", t.name, t.text)
		}
		*t.into = v
	}
	if !f.from.IsZero() && !f.to.IsZero() && !f.from.Before(f.to) {
		return badRequest("filter.fromDateTime: must be before toDateTime")
	}
	return nil
}

// selector says which parts of calls are asked for.
type selector struct {
	context string          // "None", "Basic" or "Extended"
	timing  []string        // of the context
	fields  map[string]bool // by path, such as "content.brief"
}

func parseSelector(body object) (selector, error) {
	s := selector{context: "None", fields: map[string]bool{}}
	var o, exposed object
	if err := body.get("contentSelector", &o); err != nil {
		return s, err
	}
	if err := o.get("context", &s.context); err != nil {
		return s, err
	}
	if err := o.get("contextTiming", &s.timing); err != nil {
		return s, err
	}
	if err := o.get("exposedFields", &exposed); err != nil {
		return s, err
	}
	for _, name := range []string{"parties", "media"} {
		if err := s.flag(exposed, name, name); err != nil {
			return s, err
		}
	}
	for _, group := range []string{"content", "interaction", "collaboration"} {
		var members object
		if err := exposed.get(group, &members); err != nil {
			return s, err
		}
		for name := range members {
			if err := s.flag(members, name, group+"."+name); err != nil {
				return s, err
			}
		}
	}
	err := s.check(o.has("contextTiming"))
	return s, err
}

func (s selector) flag(o object, name, path string) error {
	var on bool
	if err := o.get(name, &on); err != nil {
		return err
	}
	s.fields[path] = on
	return nil
}

func (s *selector) check(timed bool) error {
	if !slices.Contains([]string{"None", "Basic", "Extended"}, s.context) {
		return badRequest(jsonParseError)
	}
	for _, t := range s.timing {
		if t != "Now" && t != "TimeOfCall" {
			return badRequest(jsonParseError)
		}
	}
	if timed && s.context != "Extended" {
		return badRequest("contentSelector.contextTiming: needs context Extended")
	}
	if len(s.timing) == 0 {
		s.timing = []string{"Now"}
	}
	if s.fields["content.trackerOccurrences"] && !s.fields["content.trackers"] {
		return badRequest("contentSelector.exposedFields.content.trackerOccurrences: needs trackers")
	}
	return nil
}

// any reports whether a field of a group is asked for.
func (s selector) any(group string) bool {
	for path, on := range s.fields {
		if on && len(path) > len(group) && path[:len(group)+1] == group+"." {
			return true
		}
	}
	return false
}
