package totangotest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// query is the JSON in the form field "query".
type query struct {
	Terms     []term   `json:"terms"`
	Fields    *[]field `json:"fields"`
	Count     *int     `json:"count"`
	Offset    *int     `json:"offset"`
	SortBy    string   `json:"sort_by"`
	SortOrder string   `json:"sort_order"`
}

// field asks for a column of selected_fields.
type field struct {
	Type      string `json:"type"`
	Term      string `json:"term"`
	Attribute string `json:"attribute"`
}

// parseQuery decodes and checks what all searches have in common.
func (s *Server) parseQuery(c *call) (*query, *answer) {
	var raw []byte
	switch v := c.params["query"].(type) {
	case string:
		raw = []byte(v)
	case nil:
		return nil, searchFailure(http.StatusBadRequest, "query is mandatory")
	default:
		b, err := json.Marshal(v) // a JSON body holds the query as it is
		if err != nil {
			return nil, searchFailure(http.StatusBadRequest, "query is not valid")
		}
		raw = b
	}
	var q query
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, searchFailure(http.StatusBadRequest, "query is not valid JSON: "+err.Error())
	}
	if q.Terms == nil {
		status := http.StatusBadRequest
		if s.opts.Variants.MissingTermsUnauthorized {
			status = http.StatusUnauthorized
		}
		return nil, searchFailure(status, "terms are mandatory")
	}
	return &q, nil
}

// searchFailure has the shape of a failed search.
func searchFailure(status int, message string) *answer {
	return jsonAnswer(status, map[string]any{
		"status": "failed", "_error": message, "_type": "search", "_revision": "r1", "_version": 1,
	})
}

// page cuts a page out of the hits and wraps it.
func (s *Server) page(kind string, hits []map[string]any, count, offset int) *answer {
	if count < 1 || count > maxCount {
		return searchFailure(http.StatusBadRequest, "count must be between 1 and 1000")
	}
	if offset < 0 || offset >= maxReachable {
		return searchFailure(http.StatusBadRequest, "only the first 10000 records can be reached")
	}
	total := len(hits)
	from := min(offset, total)
	to := min(from+count, total, maxReachable)
	return jsonAnswer(http.StatusOK, map[string]any{
		"_type": kind + "-search", "_revision": "r1", "_version": 1, "service_id": s.serviceID(), "status": "success", "took": 1,
		"response": map[string]any{kind: map[string]any{"total_hits": total, "stats": []any{}, "hits": hits[from:to]}},
	})
}

// candidate is a row with the hit that it gives.
type candidate struct {
	row *row
	hit map[string]any
}

// search filters, sorts and pages candidates.
func (s *Server) search(c *call, kind string, all []candidate) *answer {
	q, a := s.parseQuery(c)
	if a != nil {
		return a
	}
	if q.Fields == nil {
		return searchFailure(http.StatusBadRequest, "fields are mandatory")
	}
	if most := s.opts.Variants.MaxAlternatives; most > 0 && slices.ContainsFunc(q.Terms, func(t term) bool { return len(t.Or) > most }) {
		return searchFailure(http.StatusBadRequest, "too many alternatives")
	}
	var found []candidate
	for _, cand := range all {
		ok, err := s.matchAll(q.Terms, cand.row)
		if err != nil {
			return searchFailure(http.StatusBadRequest, err.Error())
		}
		if ok {
			found = append(found, cand)
		}
	}
	by := cmp.Or(q.SortBy, "display_name")
	slices.SortStableFunc(found, func(x, y candidate) int {
		less := cmp.Compare(asText(x.hit[by]), asText(y.hit[by]))
		if strings.EqualFold(q.SortOrder, "DESC") {
			less = -less
		}
		return less
	})
	hits := make([]map[string]any, 0, len(found))
	for _, cand := range found {
		cand.hit["selected_fields"] = cand.row.columns(*q.Fields)
		hits = append(hits, cand.hit)
	}
	count, offset := maxCount, 0
	if q.Count != nil {
		count = *q.Count
	}
	if q.Offset != nil {
		offset = *q.Offset
	}
	return s.page(kind, hits, count, offset)
}

// searchAccounts answers POST /api/v1/search/accounts.
func (s *Server) searchAccounts(c *call) *answer {
	if s.opts.Variants.NoAccountSearch {
		return htmlAnswer(http.StatusNotFound, "Not Found")
	}
	all := make([]candidate, 0, len(s.accounts))
	for _, a := range s.accounts {
		hit := map[string]any{"name": a.ID, "display_name": a.Name}
		if !a.LastActivity.IsZero() {
			hit["last_activity_time"] = a.LastActivity.UnixMilli()
		}
		all = append(all, candidate{s.accountRow(a.ID), hit})
	}
	return s.search(c, "accounts", all)
}

// accountRow returns what terms can say of an account, or nil.
func (s *Server) accountRow(id string) *row {
	a, ok := s.account(id)
	if !ok {
		return nil
	}
	r := &row{
		texts:      map[string]string{"identifier": a.ID, "search_name": a.Name, "display_name": a.Name, "status_group": a.Status},
		attributes: s.accountAttributes(a),
		numbers:    map[string]int64{},
		team:       a.Team,
	}
	if !a.LastActivity.IsZero() {
		r.numbers["last_activity_time"] = a.LastActivity.UnixMilli()
	}
	return r
}

// accountAttributes returns the account's own attributes and those that name its team.
func (s *Server) accountAttributes(a Account) map[string]string {
	attributes := make(map[string]string, len(a.Attributes)+len(teamAttributes))
	for i, name := range teamAttributes[:min(len(teamAttributes), len(a.Team))] {
		attributes[name] = a.Team[i]
		if s.opts.Variants.TeamNames {
			attributes[name] = s.person(a.Team[i], a.ID).Name
		}
	}
	maps.Copy(attributes, a.Attributes)
	return attributes
}

// searchUsers answers POST /api/v1/search/users.
func (s *Server) searchUsers(c *call) *answer {
	users := s.usersAskedFor(c)
	all := make([]candidate, 0, len(users))
	for _, u := range users {
		acc, ok := s.account(u.AccountID)
		if !ok {
			continue
		}
		attrs := map[string]string{"Contact": yesNo(u.Contact), "Key Contact": yesNo(u.KeyContact)}
		if u.Email != "" {
			attrs["Email"] = u.Email
		}
		maps.Copy(attrs, u.Attributes)
		all = append(all, candidate{
			row: &row{
				texts:      map[string]string{"identifier": u.ID, "search_name": u.Name, "display_name": u.Name},
				attributes: attrs,
				parent:     s.accountRow(u.AccountID),
				team:       acc.Team,
			},
			hit: map[string]any{
				"id": guid(s.serviceID(), "user", u.ID, u.AccountID), "name": u.ID, "display_name": cmp.Or(u.Name, u.ID), "is_online": false,
				"account": map[string]string{"name": acc.ID, "display_name": acc.Name},
			},
		})
	}
	return s.search(c, "users", all)
}

// usersAskedFor returns the users that a search can find, or more: those that it names, if it asks for names only, else all.
func (s *Server) usersAskedFor(c *call) []User {
	q, a := s.parseQuery(c)
	if a != nil {
		return nil
	}
	for _, t := range q.Terms { // all of them have to hold, so one that names users will do
		names, ok := t.names()
		if !ok {
			continue
		}
		var at []int
		for _, name := range names {
			at = append(at, s.usersByName[strings.ToLower(name)]...)
		}
		slices.Sort(at)
		users := make([]User, 0, len(at))
		for _, i := range slices.Compact(at) {
			users = append(users, s.users[i])
		}
		return users
	}
	return s.users
}

// searchTeam answers POST /api/v1/search/users/internal.
func (s *Server) searchTeam(c *call) *answer {
	all := make([]candidate, 0, len(s.team))
	for _, m := range s.team {
		first, last, _ := strings.Cut(m.Name, " ")
		all = append(all, candidate{
			row: &row{
				texts: map[string]string{"identifier": m.Email, "search_name": m.Name, "display_name": m.Name},
				attributes: map[string]string{
					"__internal_status": m.Status, "__internal_role": m.Role, "First Name": first, "Last Name": last, "License": "Full",
				},
			},
			hit: map[string]any{"id": guid(s.serviceID(), "team", m.Email), "name": m.Email, "display_name": cmp.Or(m.Name, m.Email)},
		})
	}
	return s.search(c, "users", all)
}

func (s *Server) isTeam(address string) bool {
	return slices.ContainsFunc(s.team, func(m TeamMember) bool { return strings.EqualFold(m.Email, address) })
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
