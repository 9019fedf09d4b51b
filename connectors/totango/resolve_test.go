package totango_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
)

func (s *tenant) resolve(addresses ...string) *plugin.ResolveResponse {
	s.t.Helper()
	resp, err := s.Resolve(s.t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: addresses})
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}

func TestResolve(t *testing.T) {
	acme, borealis := plugin.Target{ID: "acc-1", Name: "Acme"}, plugin.Target{ID: "acc-2", Name: "Borealis"}
	flagged := func(t plugin.Target, contact, key bool) plugin.Target {
		t.Contact, t.KeyContact = contact, key
		return t
	}
	match := func(address string, targets ...plugin.Target) []plugin.Match {
		return []plugin.Match{{Address: address, Targets: targets}}
	}
	tests := map[string]struct {
		variants totangotest.Variants
		users    []totangotest.User
		ask      []string
		want     []plugin.Match
	}{
		"unknown":         {ask: []string{"who@else.example"}},
		"user id":         {users: []totangotest.User{{ID: "pat@acme.example", AccountID: "acc-1"}}, ask: []string{"pat@acme.example"}, want: match("pat@acme.example", acme)},
		"attribute Email": {users: []totangotest.User{{ID: "u-7", Email: "pat@acme.example", AccountID: "acc-1"}}, ask: []string{"pat@acme.example"}, want: match("pat@acme.example", acme)},
		"numeric user id": {users: []totangotest.User{{ID: "4711", Email: "pat@acme.example", AccountID: "acc-1"}}, ask: []string{"pat@acme.example"}, want: match("pat@acme.example", acme)},
		"upper-case id":   {users: []totangotest.User{{ID: "PAT@ACME.EXAMPLE", AccountID: "acc-1"}}, ask: []string{"pat@acme.example"}, want: match("pat@acme.example", acme)},
		"capitals in the attribute": {
			users: []totangotest.User{{ID: "u-7", Email: "Pat.Doe@acme.example", AccountID: "acc-1"}}, ask: []string{"pat.doe@acme.example"}, want: match("pat.doe@acme.example", acme),
		},
		"any case where searches ignore it": {
			variants: totangotest.Variants{IgnoreCase: true}, users: []totangotest.User{{ID: "pAt@Acme.Example", AccountID: "acc-1"}},
			ask: []string{"pat@acme.example"}, want: match("pat@acme.example", acme),
		},
		"two accounts, by name": {
			users: []totangotest.User{{ID: "pat@acme.example", AccountID: "acc-2", Contact: true}, {ID: "pat@acme.example", AccountID: "acc-1", KeyContact: true}},
			ask:   []string{"pat@acme.example"}, want: match("pat@acme.example", flagged(acme, true, true), flagged(borealis, true, false)),
		},
		"two users of an account": {
			users: []totangotest.User{{ID: "pat@acme.example", AccountID: "acc-1"}, {ID: "u-7", Email: "pat@acme.example", AccountID: "acc-1", Contact: true}},
			ask:   []string{"pat@acme.example"}, want: match("pat@acme.example", flagged(acme, true, false)),
		},
		"one user, two addresses": {
			users: []totangotest.User{{ID: "old@acme.example", Email: "new@acme.example", AccountID: "acc-1"}}, ask: []string{"new@acme.example", "old@acme.example"},
			want: []plugin.Match{{Address: "new@acme.example", Targets: []plugin.Target{acme}}, {Address: "old@acme.example", Targets: []plugin.Target{acme}}},
		},
		"team member": {
			users: []totangotest.User{{ID: "csm@vendor.example", AccountID: "acc-1"}}, ask: []string{"csm@vendor.example"},
			want: []plugin.Match{{Address: "csm@vendor.example", Internal: true}},
		},
		"mixed": {
			users: []totangotest.User{{ID: "pat@acme.example", AccountID: "acc-1"}, {ID: "bo@borealis.example", AccountID: "acc-2"}, {ID: "x@other.example", AccountID: "acc-2"}},
			ask:   []string{"bo@borealis.example", "who@else.example", "csm@vendor.example", "pat@acme.example"},
			want: []plugin.Match{
				{Address: "bo@borealis.example", Targets: []plugin.Target{borealis}}, {Address: "csm@vendor.example", Internal: true},
				{Address: "pat@acme.example", Targets: []plugin.Target{acme}},
			},
		},
		"a domain": {
			users: []totangotest.User{
				{ID: "pat@acme.example", AccountID: "acc-1"}, {ID: "kim@ACME.example", AccountID: "acc-1", Contact: true}, {ID: "u-7", Email: "Bo@acme.example", AccountID: "acc-2"},
				{ID: "x@sub.acme.example", AccountID: "acc-2", KeyContact: true}, {ID: "y@notacme.example", AccountID: "acc-2", KeyContact: true},
				{ID: "z@acme.example.org", AccountID: "acc-2", KeyContact: true}, {ID: "@acme.example", AccountID: "acc-2", KeyContact: true},
			},
			ask: []string{"@acme.example"}, want: match("@acme.example", flagged(acme, true, false), borealis),
		},
		"a domain in capitals": {users: []totangotest.User{{ID: "PAT@ACME.EXAMPLE", AccountID: "acc-1"}}, ask: []string{"@acme.example"}, want: match("@acme.example", acme)},
		"an unknown domain":    {users: []totangotest.User{{ID: "pat@acme.example", AccountID: "acc-1"}}, ask: []string{"@else.example"}},
		"no domain at all":     {users: []totangotest.User{{ID: "pat@acme.example", AccountID: "acc-1"}}, ask: []string{"@", "@else.example"}},
		"team members say nothing of a domain": {
			users: []totangotest.User{{ID: "csm@vendor.example", AccountID: "acc-1"}, {ID: "u-7", Email: "CSM@vendor.example", AccountID: "acc-1"}}, ask: []string{"@vendor.example"},
		},
		"an address and its domain": {
			users: []totangotest.User{{ID: "pat@acme.example", AccountID: "acc-1"}, {ID: "kim@acme.example", AccountID: "acc-2"}}, ask: []string{"@acme.example", "pat@acme.example"},
			want: []plugin.Match{{Address: "@acme.example", Targets: []plugin.Target{acme, borealis}}, {Address: "pat@acme.example", Targets: []plugin.Target{acme}}},
		},
		"quotes and such": {
			users: []totangotest.User{{ID: `o"neil+\&%@acme.example`, AccountID: "acc-1"}}, ask: []string{`o"neil+\&%@acme.example`}, want: match(`o"neil+\&%@acme.example`, acme),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{Variants: tt.variants}, nil)
			s.AddUser(tt.users...)
			resp := s.resolve(tt.ask...)
			if diff := cmp.Diff(tt.want, resp.Matches); diff != "" {
				t.Error(diff)
			}
			if n := s.TotalRequests(); resp.Requests != n {
				t.Errorf("%d requests counted, %d made", resp.Requests, n)
			}
		})
	}
}

func TestResolveIsOneRequestForABatch(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	var addresses []string
	for i := range 100 {
		a := fmt.Sprintf("p%d@acme.example", i)
		addresses = append(addresses, a)
		s.AddUser(totangotest.User{ID: a, AccountID: "acc-1"})
	}
	if resp := s.resolve(addresses...); len(resp.Matches) != 100 || resp.Requests != 2 {
		t.Errorf("%d matches in %d requests, want 100 in 2", len(resp.Matches), resp.Requests)
	}
	if resp := s.resolve(addresses...); resp.Requests != 1 {
		t.Errorf("%d requests when the team is known, want 1", resp.Requests)
	}
	if resp := s.resolve("csm@vendor.example"); resp.Requests != 0 || len(resp.Matches) != 1 {
		t.Errorf("team members alone took %d requests, want none", resp.Requests)
	}
	_, err := s.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: append(addresses, "one@more.example")})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeInvalidRequest {
		t.Errorf("101 addresses: %+v", e)
	}
}

// How much a search may ask for is not documented: what is too much for Totango is asked for in parts, and from then on at once.
func TestResolveLearnsHowMuchASearchMayAsk(t *testing.T) {
	s := connect(t, totangotest.Options{Variants: totangotest.Variants{MaxAlternatives: 300}}, nil)
	var addresses []string
	for i := range 100 {
		a := fmt.Sprintf("p%d@acme.example", i)
		addresses = append(addresses, a)
		s.AddUser(totangotest.User{ID: a, AccountID: "acc-1"})
	}
	for call, want := range []int{4, 2} { // the team, the refused one and two halves; then the halves alone
		if resp := s.resolve(addresses...); len(resp.Matches) != 100 || resp.Requests != want {
			t.Errorf("call %d: %d matches in %d requests, want 100 in %d", call+1, len(resp.Matches), resp.Requests, want)
		}
	}
}

func TestResolvePages(t *testing.T) {
	s := connect(t, totangotest.Options{RequestsPerMinute: -1}, nil)
	for i := range 2_500 {
		id := fmt.Sprintf("big-%04d", i)
		s.AddAccount(totangotest.Account{ID: id, Name: fmt.Sprintf("Big %04d", i)})
		s.AddUser(totangotest.User{ID: "consultant@big.example", AccountID: id})
	}
	resp := s.resolve("consultant@big.example")
	if n := len(resp.Matches[0].Targets); n != 2_500 {
		t.Errorf("%d accounts, want 2500", n)
	}
	if resp.Requests != 4 {
		t.Errorf("%d requests, want 3 pages and the team", resp.Requests)
	}
}

func TestResolveSplitsWhatASearchCannotReturn(t *testing.T) {
	s := connect(t, totangotest.Options{RequestsPerMinute: -1}, nil)
	for i := range 6_000 {
		id := fmt.Sprintf("big-%04d", i)
		s.AddAccount(totangotest.Account{ID: id, Name: id})
		s.AddUser(totangotest.User{ID: "a@big.example", AccountID: id}, totangotest.User{ID: "b@big.example", AccountID: id})
	}
	resp := s.resolve("a@big.example", "b@big.example")
	if len(resp.Matches) != 2 || len(resp.Matches[0].Targets) != 6_000 || len(resp.Matches[1].Targets) != 6_000 {
		t.Errorf("%d matches", len(resp.Matches))
	}
}

func TestResolveLeavesOutADomainOfTooMany(t *testing.T) {
	s := connect(t, totangotest.Options{RequestsPerMinute: -1}, nil)
	for i := range 10_001 {
		s.AddUser(totangotest.User{ID: fmt.Sprintf("p%d@huge.example", i), AccountID: "acc-1"})
	}
	s.AddUser(totangotest.User{ID: "pat@acme.example", AccountID: "acc-1"})
	want := []plugin.Match{{Address: "@acme.example", Targets: []plugin.Target{{ID: "acc-1", Name: "Acme"}}}}
	if diff := cmp.Diff(want, s.resolve("@huge.example", "@acme.example").Matches); diff != "" {
		t.Error(diff)
	}
}

func TestResolveWithTeam(t *testing.T) {
	tests := map[string]struct {
		variants totangotest.Variants
		account  totangotest.Account
		config   map[string]any
		want     []string
		requests int // of search/accounts
	}{
		"addresses": {account: totangotest.Account{Team: []string{"CSM@vendor.example", "ae@vendor.example"}}, want: []string{"csm@vendor.example", "ae@vendor.example"}, requests: 1},
		"names": {
			variants: totangotest.Variants{TeamNames: true}, account: totangotest.Account{Team: []string{"csm@vendor.example", "ae@vendor.example"}},
			want: []string{"csm@vendor.example", "ae@vendor.example"}, requests: 1,
		},
		"one person in both roles": {account: totangotest.Account{Team: []string{"csm@vendor.example", "csm@vendor.example"}}, want: []string{"csm@vendor.example"}, requests: 1},
		"a name of two people":     {account: totangotest.Account{Attributes: map[string]string{"Success Manager": "Alex Twin", "Sales Manager": "DANA"}}, want: []string{"csm@vendor.example"}, requests: 1},
		"an unknown name":          {account: totangotest.Account{Attributes: map[string]string{"Success Manager": "Nobody Atall"}}, requests: 1},
		"nobody":                   {requests: 1},
		"an attribute of the instance's own": {
			account: totangotest.Account{Team: []string{"csm@vendor.example"}, Attributes: map[string]string{"Onboarding Lead": "ae@vendor.example"}},
			config:  map[string]any{"team_attributes": []string{"Onboarding Lead"}}, want: []string{"ae@vendor.example"}, requests: 1,
		},
		"no attribute":      {account: totangotest.Account{Team: []string{"csm@vendor.example"}}, config: map[string]any{"team_attributes": []string{}}},
		"no account search": {variants: totangotest.Variants{NoAccountSearch: true}, account: totangotest.Account{Team: []string{"csm@vendor.example"}}, requests: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{Variants: tt.variants}, tt.config)
			s.AddTeam(totangotest.TeamMember{Email: "ae@vendor.example", Name: "Ari E"},
				totangotest.TeamMember{Email: "a1@vendor.example", Name: "Alex Twin"}, totangotest.TeamMember{Email: "a2@vendor.example", Name: "Alex Twin"})
			tt.account.ID, tt.account.Name = "acc-1", "Acme"
			s.AddAccount(tt.account)
			s.AddUser(totangotest.User{ID: "pat@acme.example", AccountID: "acc-1"}, totangotest.User{ID: "kim@acme.example", AccountID: "acc-1"})
			target := plugin.Target{ID: "acc-1", Name: "Acme", Team: tt.want}
			for _, address := range []string{"pat@acme.example", "kim@acme.example", "@acme.example"} { // the account is asked for once
				resp, err := s.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{address}, Team: true})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]plugin.Match{{Address: address, Targets: []plugin.Target{target}}}, resp.Matches); diff != "" {
					t.Error(diff)
				}
			}
			if n := s.Requests(totangotest.SearchAccounts); n != tt.requests {
				t.Errorf("%d searches of accounts, want %d", n, tt.requests)
			}
			if got := s.resolve("pat@acme.example").Matches[0].Targets[0].Team; got != nil {
				t.Errorf("the team is %v, and nobody asked for it", got)
			}
		})
	}
}

func TestResolveWithTeamAsksForManyAccountsAtOnce(t *testing.T) {
	s := connect(t, totangotest.Options{RequestsPerMinute: -1}, nil)
	for i := range 1_200 {
		id := fmt.Sprintf("big-%04d", i)
		s.AddAccount(totangotest.Account{ID: id, Name: id, Team: []string{fmt.Sprintf("csm%d@vendor.example", i%7)}})
		s.AddUser(totangotest.User{ID: "consultant@big.example", AccountID: id})
	}
	resp, err := s.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{"consultant@big.example"}, Team: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range resp.Matches[0].Targets {
		if want := fmt.Sprintf("csm%d@vendor.example", i%7); len(target.Team) != 1 || target.Team[0] != want {
			t.Fatalf("account %s has the team %v, want %s", target.ID, target.Team, want)
		}
	}
	if n := s.Requests(totangotest.SearchAccounts); n != 3 || resp.Requests != s.TotalRequests() {
		t.Errorf("%d searches of 1200 accounts, want 3; %d requests counted, %d made", n, resp.Requests, s.TotalRequests())
	}
	s.Inject(totangotest.Fault{Kind: totangotest.BadGateway, Endpoint: totangotest.SearchAccounts})
	s.AddUser(totangotest.User{ID: "pat@acme.example", AccountID: "acc-1"})
	_, err = s.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{"pat@acme.example"}, Team: true})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable {
		t.Errorf("teams that cannot be read for now: %+v", e)
	}
}

func TestResolveWithoutTeamSearch(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	s.AddUser(totangotest.User{ID: "pat@acme.example", AccountID: "acc-1"})
	s.Inject(totangotest.Fault{Kind: totangotest.BadGateway, Endpoint: totangotest.SearchTeam})
	_, err := s.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{"pat@acme.example"}})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable {
		t.Errorf("a team that cannot be read for now: %+v", e)
	}
	s.Inject(totangotest.Fault{Kind: totangotest.Unauthorized, Endpoint: totangotest.SearchUsers})
	_, err = s.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{"pat@acme.example"}})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnauthenticated || !strings.Contains(e.Message, "Create Token") {
		t.Errorf("a token that is not accepted: %+v", e)
	}
}
