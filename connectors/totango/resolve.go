package totango

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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

// user is a hit of the search for users: one for each account that a person belongs to. Its selected fields are those of
// userFields, in that order.
type user struct {
	ID      text `json:"id"`
	Name    text `json:"name"`         // the user id
	Label   text `json:"display_name"` // the person's name
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
// is, without regard to case; a domain to those of the users of whom either is of that domain, but for team members. Cancelled
// accounts count like the others: whether Totango's own integrations skip them is not documented.
func (c *Connector) Resolve(ctx context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	s, err := c.forTouchpoint(req.Object)
	if err != nil {
		return nil, err
	}
	if len(req.Addresses) > maxResolve {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "at most %d addresses are resolved at once, and %d were given", maxResolve, len(req.Addresses))
	}
	ctx, counter := httpkit.Count(ctx)
	matches, err := s.resolve(ctx, req)
	if err != nil {
		return nil, counter.Fail(err)
	}
	return &plugin.ResolveResponse{Matches: matches, Requests: counter.Requests()}, nil
}

func (s *session) resolve(ctx context.Context, req *plugin.ResolveRequest) ([]plugin.Match, error) {
	staff, _, err := s.staff.get(ctx, time.Now().Add(-teamAge), s.fetchStaff)
	if err != nil {
		return nil, err
	}
	q := &userSearch{staff: staff, found: map[string]map[string]plugin.Target{}}
	var customers []string
	for _, a := range req.Addresses {
		if !staff.has(a) {
			customers = append(customers, a)
		}
	}
	if err := s.searchBatches(ctx, q, customers); err != nil {
		return nil, err
	}
	if req.Team {
		if err := s.addTeams(ctx, q); err != nil {
			return nil, err
		}
	}
	var out []plugin.Match
	for _, a := range req.Addresses {
		if staff.has(a) {
			out = append(out, plugin.Match{Address: a, Internal: true})
			continue
		}
		targets := slices.SortedFunc(maps.Values(q.found[strings.ToLower(a)]), func(x, y plugin.Target) int {
			return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
		})
		if len(targets) > 0 {
			out = append(out, plugin.Match{Address: a, Targets: targets})
		}
	}
	return out, nil
}

// userSearch collects the accounts that addresses and domains belong to.
type userSearch struct {
	staff *staff
	found map[string]map[string]plugin.Target // by address or "@domain", and account id
}

// sureBatch is how many addresses one search can surely ask for; how many more is not documented.
const sureBatch = 50

// searchBatches finds the accounts of addresses and domains, as many with each search as Totango takes.
func (s *session) searchBatches(ctx context.Context, q *userSearch, addresses []string) error {
	for len(addresses) > 0 {
		n := min(len(addresses), maxResolve)
		if s.smallBatches.Load() {
			n = min(n, sureBatch)
		}
		err := s.searchUsers(ctx, q, addresses[:n])
		if e := plugin.AsError(err); e != nil && e.Code == plugin.CodeInvalidRequest && n > sureBatch {
			s.smallBatches.Store(true)
			continue
		}
		if err != nil {
			return err
		}
		addresses = addresses[n:]
	}
	return nil
}

// searchUsers finds the accounts of addresses and domains.
func (s *session) searchUsers(ctx context.Context, q *userSearch, addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	wanted := map[string]bool{}
	var alternatives []any
	for _, a := range addresses {
		if a == "@" {
			continue // everybody
		}
		wanted[strings.ToLower(a)] = true
		operator := "eq"
		if isDomain(a) {
			// Totango's examples use contains with names only; that it takes parts of addresses is inferred. What it finds too much,
			// such as people of acme.com.au when those of acme.com are asked for, is sorted out below.
			operator = "contains"
		}
		for _, v := range spellings(a) {
			alternatives = append(alternatives,
				map[string]string{"type": "string", "term": "identifier", operator: v},
				map[string]string{"type": "string_attribute", "attribute": "Email", operator: v})
		}
	}
	terms := []any{map[string]any{"type": "or", "or": alternatives}}
	err := s.pageUsers(ctx, "/api/v1/search/users", terms, userFields, func(u user) {
		for _, address := range []string{lower(string(u.Name)), lower(u.field(0))} {
			if wanted[address] && !isDomain(address) {
				q.add(address, u)
			}
			if i := strings.LastIndexByte(address, '@'); i > 0 && wanted[address[i:]] && !q.staff.has(address) {
				q.add(address[i:], u)
			}
		}
	})
	var many *tooManyError
	switch {
	case !errors.As(err, &many):
		return err
	case len(addresses) == 1 && isDomain(addresses[0]):
		hclog.FromContext(ctx).Warn("too many users have an address of the domain; it decides nothing", "domain", addresses[0], "error", many.Error())
		delete(q.found, lower(addresses[0])) // those of the pages that were read
		return nil
	case len(addresses) == 1:
		return plugin.Errorf(plugin.CodeInvalidRequest, "the accounts of %s cannot be told: %v", addresses[0], many)
	}
	half := len(addresses) / 2
	if err := s.searchUsers(ctx, q, addresses[:half]); err != nil {
		return err
	}
	return s.searchUsers(ctx, q, addresses[half:])
}

// isDomain reports whether an address stands for everybody of a domain.
func isDomain(address string) bool { return strings.HasPrefix(address, "@") }

func lower(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// add notes an account of an address. A person can be two users of an account, one by id and one by Email.
// Somebody of a domain being a contact makes the domain one.
func (q *userSearch) add(address string, u user) {
	id := string(u.Account.ID)
	if id == "" {
		return
	}
	if q.found[address] == nil {
		q.found[address] = map[string]plugin.Target{}
	}
	t := q.found[address][id]
	t.ID, t.Name = id, string(cmp.Or(u.Account.Name, u.Account.ID))
	t.KeyContact = t.KeyContact || strings.EqualFold(u.field(2), "yes")
	t.Contact = t.Contact || t.KeyContact || strings.EqualFold(u.field(1), "yes")
	q.found[address][id] = t
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
