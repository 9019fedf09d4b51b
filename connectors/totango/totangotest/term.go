package totangotest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// term is a condition of a query. Several operators in one term all have to hold.
type term struct {
	Type      string   `json:"type"`
	Term      string   `json:"term"`
	Attribute string   `json:"attribute"`
	Name      string   `json:"name"`
	Eq        any      `json:"eq"`
	InList    []string `json:"in_list"`
	Contains  *string  `json:"contains"`
	Gt        *int64   `json:"gt"`
	Gte       *int64   `json:"gte"`
	Lt        *int64   `json:"lt"`
	Lte       *int64   `json:"lte"`
	Joker     string   `json:"joker"`
	IsOneOf   []string `json:"is_one_of"`
	Or        []term   `json:"or"`
	Terms     []term   `json:"terms"`
}

// names returns the ids and addresses of users that the term asks for, or false if it asks for something else.
func (t *term) names() ([]string, bool) {
	if t.Type == "or" {
		var all []string
		for i := range t.Or {
			names, ok := t.Or[i].names()
			if !ok {
				return nil, false
			}
			all = append(all, names...)
		}
		return all, true
	}
	if (t.Type != "string" || t.Term != "identifier") && (t.Type != "string_attribute" || t.Attribute != "Email") || t.Contains != nil {
		return nil, false
	}
	names := slices.Concat(t.InList, t.IsOneOf)
	if t.Eq != nil {
		names = append(names, asText(t.Eq))
	}
	return names, len(names) > 0
}

// row is what terms can say of a record.
type row struct {
	texts      map[string]string // by term
	attributes map[string]string
	properties map[string]string // of an event
	numbers    map[string]int64  // dates by term, in epoch milliseconds
	team       []string
	parent     *row
}

// columns returns the values of selected_fields.
func (r *row) columns(fields []field) []any {
	out := make([]any, len(fields))
	for i, f := range fields {
		v, ok := r.attributes[f.Attribute]
		if f.Attribute == "" {
			v, ok = r.texts[f.Term]
		}
		if ok {
			out[i] = v
		} else if n, ok := r.numbers[f.Term]; ok {
			out[i] = n
		}
	}
	return out
}

func (s *Server) matchAll(terms []term, r *row) (bool, error) {
	for _, t := range terms {
		ok, err := s.match(t, r)
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (s *Server) match(t term, r *row) (bool, error) {
	switch t.Type {
	case "or":
		for _, alt := range t.Or {
			if ok, err := s.match(alt, r); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	case "parent_account":
		if r.parent == nil {
			return false, nil
		}
		return s.matchAll(t.Terms, r.parent)
	case "totango_user_scope":
		for _, member := range t.IsOneOf {
			if slices.ContainsFunc(r.team, func(m string) bool { return strings.EqualFold(m, member) }) {
				return true, nil
			}
		}
		return false, nil
	case "string":
		v, ok := r.texts[t.Term]
		return s.matchText(t, v, ok)
	case "string_attribute":
		v, ok := r.attributes[t.Attribute]
		return s.matchText(t, v, ok)
	case "event_property":
		v, ok := r.properties[t.Name]
		return s.matchText(t, v, ok)
	case "date":
		n, ok := r.numbers[t.Term]
		return s.matchDate(t, time.UnixMilli(n), ok)
	case "simple_date_attribute":
		at, err := time.Parse(time.DateOnly, r.attributes[t.Attribute])
		return s.matchDate(t, at, err == nil)
	default:
		return false, fmt.Errorf("unknown type of term: %q", t.Type)
	}
}

func (s *Server) matchText(t term, v string, known bool) (bool, error) {
	same := func(want string) bool {
		return v == want || s.opts.Variants.IgnoreCase && strings.EqualFold(v, want)
	}
	checked, ok := false, known
	if t.Eq != nil {
		checked, ok = true, ok && same(asText(t.Eq))
	}
	if t.InList != nil {
		checked, ok = true, ok && slices.ContainsFunc(t.InList, same)
	}
	if t.IsOneOf != nil {
		checked, ok = true, ok && slices.ContainsFunc(t.IsOneOf, same)
	}
	if t.Contains != nil {
		checked, ok = true, ok && strings.Contains(strings.ToLower(v), strings.ToLower(*t.Contains))
	}
	if !checked {
		return false, fmt.Errorf("the term %q has no operator for text", t.Term+t.Attribute+t.Name)
	}
	return ok, nil
}

func (s *Server) matchDate(t term, at time.Time, known bool) (bool, error) {
	n := at.UnixMilli()
	checked, ok := false, known
	for _, op := range []struct {
		bound *int64
		holds func(bound int64) bool
	}{
		{t.Gt, func(b int64) bool { return n > b }},
		{t.Gte, func(b int64) bool { return n >= b }},
		{t.Lt, func(b int64) bool { return n < b }},
		{t.Lte, func(b int64) bool { return n <= b }},
	} {
		if op.bound != nil {
			checked, ok = true, ok && op.holds(*op.bound)
		}
	}
	if t.Joker != "" {
		from, to, err := days(t.Joker)
		if err != nil {
			return false, err
		}
		y, m, d := s.now().UTC().Date()
		day := at.UTC().Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)).Hours() / 24
		checked, ok = true, ok && day >= float64(from) && day < float64(to+1)
	}
	if !checked {
		return false, fmt.Errorf("the term %q has no operator for dates", t.Term+t.Attribute)
	}
	return ok, nil
}

var jokers = regexp.MustCompile(`^(?:(yesterday|today|tomorrow)|(last|next)_(\d+)_days|between_(last|next)_(\d+)_and_(\d+)_days)$`)

// days returns the first and the last day that a joker means, counted from today.
func days(joker string) (from, to int, err error) {
	m := jokers.FindStringSubmatch(joker)
	if m == nil {
		return 0, 0, fmt.Errorf("unknown joker: %q", joker)
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // the pattern lets digits through only
	switch {
	case m[1] != "":
		d := map[string]int{"yesterday": -1, "today": 0, "tomorrow": 1}[m[1]]
		return d, d, nil
	case m[2] == "last":
		return -number(m[3]), 0, nil
	case m[2] == "next":
		return 0, number(m[3]), nil
	case m[4] == "last":
		return -number(m[6]), -number(m[5]), nil
	default:
		return number(m[5]), number(m[6]), nil
	}
}
