package totango

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

const (
	// teamAge is how long the list of team members, and that of an account's own, is kept.
	teamAge = 5 * time.Minute

	// maxAccounts is how many accounts are asked for in one search.
	maxAccounts = 500
)

// defaultTeamAttributes are the attributes of accounts that Totango's documentation and public programs read the people from who
// look after them.
var defaultTeamAttributes = []string{"Success Manager", "Sales Manager"}

// staff are the team members of the instance.
type staff struct {
	addresses map[string]bool
	byName    map[string]string // the address of the only one of that name; empty if there are several
}

func (s *staff) has(address string) bool { return s.addresses[lower(address)] }

// address returns whom an attribute of an account names: Totango's documentation calls the value a name, and an answer seen in use
// has an address. Empty if it cannot be told.
func (s *staff) address(value string) string {
	if value = lower(value); strings.Contains(value, "@") {
		return value
	}
	return s.byName[value]
}

// fetchStaff reads all team members, those included who can no longer log in. The search is not documented; an instance without it
// has no team that is known.
func (s *session) fetchStaff(ctx context.Context) (*staff, error) {
	all := &staff{addresses: map[string]bool{}, byName: map[string]string{}}
	terms := []any{map[string]any{
		"type": "string_attribute", "attribute": "__internal_status", "in_list": []string{"Active", "Created", "Disabled"},
	}}
	err := s.pageUsers(ctx, "/api/v1/search/users/internal", terms, []any{}, func(u user) {
		address, name := lower(string(u.Name)), lower(string(u.Label))
		all.addresses[address] = true
		if _, taken := all.byName[name]; taken {
			address = ""
		}
		if name != "" {
			all.byName[name] = address
		}
	})
	if refusedSearch(err) {
		hclog.FromContext(ctx).Warn("Totango does not list its team members; only the job's internal_domains and the source tell who is internal",
			"error", err.Error())
		return all, nil
	}
	return all, err
}

// teamCache holds the teams of accounts for teamAge from when the first of them was read.
type teamCache struct {
	mu    sync.Mutex
	since time.Time
	byID  map[string][]string
}

// lookUp returns the teams that are known, and the ids of the accounts whose team is not.
func (c *teamCache) lookUp(ids []string, now time.Time) (known map[string][]string, missing []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.since) > teamAge {
		c.since, c.byID = now, map[string][]string{}
	}
	known = map[string][]string{}
	for _, id := range ids {
		if team, ok := c.byID[id]; ok {
			known[id] = team
		} else {
			missing = append(missing, id)
		}
	}
	return known, missing
}

func (c *teamCache) put(id string, team []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID[id] = team
}

// addTeams notes in all targets who looks after them.
func (s *session) addTeams(ctx context.Context, q *userSearch) error {
	if len(s.config.TeamAttributes) == 0 {
		return nil
	}
	var ids []string
	for _, targets := range q.found {
		for id := range targets {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	teams, missing := s.teams.lookUp(slices.Compact(ids), time.Now())
	for batch := range slices.Chunk(missing, maxAccounts) {
		read, err := s.fetchTeams(ctx, q.staff, batch)
		if err != nil {
			return err
		}
		for _, id := range batch {
			teams[id] = read[id]
			s.teams.put(id, read[id]) // also that there is none
		}
	}
	for _, targets := range q.found {
		for id, t := range targets {
			t.Team = teams[id]
			targets[id] = t
		}
	}
	return nil
}

// fetchTeams reads the people who look after accounts, from the accounts' attributes that the connection names: no call is known
// that lists the members of an account's team. That accounts can be searched for by several ids is inferred from in_list, which
// others use with other terms. An instance that does not understand it has no teams that are known.
func (s *session) fetchTeams(ctx context.Context, all *staff, ids []string) (map[string][]string, error) {
	fields := []any{}
	for _, name := range s.config.TeamAttributes {
		fields = append(fields, attributeField(name))
	}
	terms := []any{map[string]any{"type": "string", "term": "identifier", "in_list": ids}}
	teams := map[string][]string{}
	err := s.pageAccounts(ctx, terms, fields, func(a account) {
		for _, value := range a.Selected {
			if member := all.address(string(value)); member != "" && !slices.Contains(teams[string(a.ID)], member) {
				teams[string(a.ID)] = append(teams[string(a.ID)], member)
			}
		}
	})
	if refusedSearch(err) {
		hclog.FromContext(ctx).Warn("Totango does not tell who looks after accounts; the policy host_team does not find the host's accounts",
			"error", err.Error())
		return teams, nil
	}
	return teams, err
}

// account is a hit of the search for accounts.
type account struct {
	ID       text   `json:"name"`
	Selected []text `json:"selected_fields"`
}

// pageAccounts visits all hits of a search for accounts.
func (s *session) pageAccounts(ctx context.Context, terms, fields []any, visit func(account)) error {
	fetch := func(ctx context.Context, offset int) (*hits[account], error) {
		var answer struct {
			Response *struct {
				Accounts *hits[account] `json:"accounts"`
			} `json:"response"`
		}
		err := s.search(ctx, "/api/v1/search/accounts", url.Values{}, map[string]any{
			"terms": terms, "fields": fields, "count": pageSize, "offset": offset,
			"sort_by": "display_name", "sort_order": "ASC", "scope": "all",
		}, &answer)
		switch {
		case err != nil:
			return nil, err
		case answer.Response == nil || answer.Response.Accounts == nil:
			return nil, plugin.Errorf(plugin.CodeUnavailable, "Totango answered a search of accounts without accounts")
		}
		return answer.Response.Accounts, nil
	}
	return pages(ctx, fetch, func(a account) string { return string(a.ID) }, visit)
}
