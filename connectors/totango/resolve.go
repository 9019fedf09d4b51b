package totango

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// teamAge is how long the list of team members is kept.
const teamAge = 5 * time.Minute

// user is a hit of the search for users: one for each account that a person belongs to. Its selected fields are those of
// userFields, in that order.
type user struct {
	ID      text `json:"id"`
	Name    text `json:"name"` // the user id
	Account struct {
		ID   text `json:"name"`
		Name text `json:"display_name"`
	} `json:"account"`
	Selected []text `json:"selected_fields"`
}

var userFields = []any{attributeField("Email"), attributeField("Contact"), attributeField("Key Contact")}

func attributeField(name string) any {
	return map[string]string{"type": "string_attribute", "attribute": name, "field_display_name": name}
}

// field returns a selected field.
func (u user) field(i int) string {
	if i >= len(u.Selected) {
		return ""
	}
	return strings.TrimSpace(string(u.Selected[i]))
}

// Resolve implements [plugin.Resolver]. An address belongs to the accounts of the users whose user id or whose attribute Email it
// is, without regard to case. Cancelled accounts count like the others: whether Totango's own integrations skip them is not
// documented.
func (c *Connector) Resolve(ctx context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	s, err := c.forTouchpoint(req.Object)
	if err != nil {
		return nil, err
	}
	if len(req.Addresses) > maxResolve {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "at most %d addresses are resolved at once, and %d were given", maxResolve, len(req.Addresses))
	}
	ctx, counter := httpkit.Count(ctx)
	matches, err := s.resolve(ctx, req.Addresses)
	if err != nil {
		return nil, counter.Fail(err)
	}
	return &plugin.ResolveResponse{Matches: matches, Requests: counter.Requests()}, nil
}

func (s *session) resolve(ctx context.Context, addresses []string) ([]plugin.Match, error) {
	team, _, err := s.team.get(ctx, time.Now().Add(-teamAge), s.fetchTeam)
	if err != nil {
		return nil, err
	}
	var customers []string
	for _, a := range addresses {
		if !team[strings.ToLower(a)] {
			customers = append(customers, a)
		}
	}
	targets := map[string]map[string]plugin.Target{}
	if err := s.searchUsers(ctx, customers, targets); err != nil {
		return nil, err
	}
	var out []plugin.Match
	for _, a := range addresses {
		key := strings.ToLower(a)
		switch {
		case team[key]:
			out = append(out, plugin.Match{Address: a, Internal: true})
		case len(targets[key]) > 0:
			m := plugin.Match{Address: a}
			for _, t := range targets[key] {
				m.Targets = append(m.Targets, t)
			}
			slices.SortFunc(m.Targets, func(x, y plugin.Target) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
			out = append(out, m)
		}
	}
	return out, nil
}

// searchUsers finds the accounts of addresses, by address and account id.
func (s *session) searchUsers(ctx context.Context, addresses []string, found map[string]map[string]plugin.Target) error {
	if len(addresses) == 0 {
		return nil
	}
	wanted := map[string]bool{}
	var alternatives []any
	for _, a := range addresses {
		wanted[strings.ToLower(a)] = true
		for _, v := range spellings(a) {
			alternatives = append(alternatives,
				map[string]string{"type": "string", "term": "identifier", "eq": v},
				map[string]string{"type": "string_attribute", "attribute": "Email", "eq": v})
		}
	}
	terms := []any{map[string]any{"type": "or", "or": alternatives}}
	err := s.pageUsers(ctx, "/api/v1/search/users", terms, userFields, func(u user) {
		for _, address := range []string{strings.ToLower(strings.TrimSpace(string(u.Name))), strings.ToLower(u.field(0))} {
			if wanted[address] && u.Account.ID != "" {
				add(found, address, u)
			}
		}
	})
	var many *tooManyError
	switch {
	case !errors.As(err, &many):
		return err
	case len(addresses) == 1:
		return plugin.Errorf(plugin.CodeInvalidRequest, "the accounts of %s cannot be told: %v", addresses[0], many)
	}
	half := len(addresses) / 2
	if err := s.searchUsers(ctx, addresses[:half], found); err != nil {
		return err
	}
	return s.searchUsers(ctx, addresses[half:], found)
}

// add notes an account of an address. A person can be two users of an account, one by id and one by Email.
func add(found map[string]map[string]plugin.Target, address string, u user) {
	id := string(u.Account.ID)
	if found[address] == nil {
		found[address] = map[string]plugin.Target{}
	}
	t := found[address][id]
	t.ID, t.Name = id, string(cmp.Or(u.Account.Name, u.Account.ID))
	t.KeyContact = t.KeyContact || strings.EqualFold(u.field(2), "yes")
	t.Contact = t.Contact || t.KeyContact || strings.EqualFold(u.field(1), "yes")
	found[address][id] = t
}

// spellings returns the address in the ways that an instance may hold it: whether a search tells case apart is not documented, and
// Totango's own Zendesk app searches for an address as it is written and in lower case. Other mixtures of case than these are
// found only if it does not.
func spellings(address string) []string {
	lower := strings.ToLower(address)
	local, domain, _ := strings.Cut(lower, "@")
	var capital strings.Builder
	start := true
	for _, r := range local {
		if start {
			r = unicode.ToUpper(r)
		}
		capital.WriteRune(r)
		start = !unicode.IsLetter(r)
	}
	var out []string
	for _, v := range []string{lower, capital.String() + "@" + domain, strings.ToUpper(lower)} {
		if utf8.ValidString(v) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// fetchTeam reads the addresses of all team members, those included who can no longer log in. The search is not documented; an
// instance without it has no team that is known.
func (s *session) fetchTeam(ctx context.Context) (map[string]bool, error) {
	team := map[string]bool{}
	terms := []any{map[string]any{
		"type": "string_attribute", "attribute": "__internal_status", "in_list": []string{"Active", "Created", "Disabled"},
	}}
	err := s.pageUsers(ctx, "/api/v1/search/users/internal", terms, []any{}, func(u user) {
		team[strings.ToLower(strings.TrimSpace(string(u.Name)))] = true
	})
	if refusedSearch(err) {
		hclog.FromContext(ctx).Warn("Totango does not list its team members; only the job's internal_domains and the source tell who is internal",
			"error", err.Error())
		return team, nil
	}
	return team, err
}

// pageUsers visits all hits of a search for users.
func (s *session) pageUsers(ctx context.Context, path string, terms, fields []any, visit func(user)) error {
	fetch := func(ctx context.Context, offset int) (*hits[user], error) {
		var answer struct {
			Response *struct {
				Users *hits[user] `json:"users"`
			} `json:"response"`
		}
		err := s.search(ctx, path, url.Values{}, map[string]any{
			"terms": terms, "fields": fields, "count": pageSize, "offset": offset,
			"sort_by": "display_name", "sort_order": "ASC", "scope": "all",
		}, &answer)
		switch {
		case err != nil:
			return nil, err
		case answer.Response == nil || answer.Response.Users == nil:
			return nil, plugin.Errorf(plugin.CodeUnavailable, "Totango answered a search of users without users")
		}
		return answer.Response.Users, nil
	}
	return pages(ctx, fetch, func(u user) string { return fmt.Sprintf("%q %q %q", u.ID, u.Name, u.Account.ID) }, visit)
}
