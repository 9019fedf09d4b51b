package totangotest_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

func names(t *testing.T, r reply, kind string) []string {
	t.Helper()
	wantStatus(t, r, 200)
	out := []string{}
	for _, h := range r.at(t, "response", kind, "hits").([]any) {
		hit := h.(map[string]any)
		name := hit["name"].(string)
		if acc, ok := hit["account"].(map[string]any); ok {
			name += "@" + acc["name"].(string)
		}
		out = append(out, name)
	}
	return out
}

func TestSearchUsersTerms(t *testing.T) {
	s := start(t, totangotest.Options{})
	s.AddUser(
		totangotest.User{Email: "pat@acme.example", Name: "Pat", AccountID: "acc-1", Contact: true, KeyContact: true,
			Attributes: map[string]string{"contact_account_role": "Customer", "Since": "2026-06-30"}},
		totangotest.User{Email: "pat@acme.example", Name: "Pat", AccountID: "acc-2"},
		totangotest.User{ID: "KIM@ACME.EXAMPLE", Name: "Kim", AccountID: "acc-1"},
		totangotest.User{ID: "u-77", Email: "lou@acme.example", Name: "Lou", AccountID: "acc-1"},
		totangotest.User{Email: "gone@acme.example", Name: "Gone", AccountID: "no-such-account"},
	)
	tests := map[string]struct {
		terms string
		want  []string
	}{
		"identifier":    {`{"type":"string","term":"identifier","eq":"pat@acme.example"}`, []string{"pat@acme.example@acc-1", "pat@acme.example@acc-2"}},
		"case matters":  {`{"type":"string","term":"identifier","eq":"kim@acme.example"}`, []string{}},
		"attribute":     {`{"type":"string_attribute","attribute":"Email","eq":"lou@acme.example"}`, []string{"u-77@acc-1"}},
		"in_list":       {`{"type":"string_attribute","attribute":"contact_account_role","in_list":["Customer"]}`, []string{"pat@acme.example@acc-1"}},
		"contains":      {`{"type":"string","term":"search_name","contains":"LO"}`, []string{"u-77@acc-1"}},
		"parent":        {`{"type":"parent_account","terms":[{"type":"string","term":"status_group","in_list":["cancelled"]}]}`, []string{"pat@acme.example@acc-2"}},
		"scope of team": {`{"type":"totango_user_scope","is_one_of":["csm@vendor.example"]},{"type":"string","term":"identifier","eq":"pat@acme.example"}`, []string{"pat@acme.example@acc-1"}},
		"or": {`{"type":"or","or":[{"type":"string","term":"identifier","eq":"KIM@ACME.EXAMPLE"},{"type":"string_attribute","attribute":"Email","eq":"lou@acme.example"}]}`,
			[]string{"KIM@ACME.EXAMPLE@acc-1", "u-77@acc-1"}},
		"and":               {`{"type":"string","term":"identifier","eq":"pat@acme.example"},{"type":"string_attribute","attribute":"Contact","eq":"yes"}`, []string{"pat@acme.example@acc-1"}},
		"nothing":           {`{"type":"or","or":[]}`, []string{}},
		"missing attribute": {`{"type":"string_attribute","attribute":"Nope","eq":""}`, []string{}},
		"users of no known account are not there": {`{"type":"string","term":"identifier","eq":"gone@acme.example"}`, []string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := s.query("/api/v1/search/users", `{"terms":[`+tt.terms+`],"fields":[],"count":1000,"offset":0,"scope":"all"}`)
			if diff := cmp.Diff(tt.want, names(t, r, "users")); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []string{`{"type":"magic"}`, `{"type":"string","term":"identifier"}`, `{"type":"date","term":"date","joker":"someday"}`} {
		r := s.query("/api/v1/search/users", `{"terms":[`+bad+`],"fields":[]}`)
		wantStatus(t, r, 400)
		if r.at(t, "status") != "failed" {
			t.Errorf("%s: %s", bad, r.Body)
		}
	}
	r := s.query("/api/v1/search/users", `{"terms":[{"type":"string","term":"identifier","eq":"pat@acme.example"}],
		"fields":[{"type":"string_attribute","attribute":"Contact"},{"type":"string_attribute","attribute":"Key Contact"},{"type":"string_attribute","attribute":"Email"},{"type":"string_attribute","attribute":"Nope"}]}`)
	if diff := cmp.Diff([]any{"yes", "yes", "pat@acme.example", nil}, r.at(t, "response", "users", "hits", 0, "selected_fields")); diff != "" {
		t.Error(diff)
	}
}

func TestSearchAccountsSortsAndPages(t *testing.T) {
	c := newClock()
	s := start(t, totangotest.Options{Clock: c.Now})
	s.AddAccount(totangotest.Account{ID: "acc-3", Name: "Cobalt", LastActivity: c.Now().Add(-26 * time.Hour), Attributes: map[string]string{"Renewal": "2026-09-30"}})
	tests := map[string]struct {
		query string
		want  []string
	}{
		"all by name":  {`{"terms":[],"fields":[]}`, []string{"acc-1", "acc-2", "acc-3"}},
		"descending":   {`{"terms":[],"fields":[],"sort_by":"display_name","sort_order":"DESC"}`, []string{"acc-3", "acc-2", "acc-1"}},
		"second page":  {`{"terms":[],"fields":[],"count":2,"offset":2}`, []string{"acc-3"}},
		"beyond":       {`{"terms":[],"fields":[],"count":2,"offset":4}`, []string{}},
		"status":       {`{"terms":[{"type":"string","term":"status_group","in_list":["paying"]}],"fields":[]}`, []string{"acc-1", "acc-3"}},
		"date":         {`{"terms":[{"type":"date","term":"last_activity_time","gt":0}],"fields":[]}`, []string{"acc-3"}},
		"yesterday":    {`{"terms":[{"type":"date","term":"last_activity_time","joker":"yesterday"}],"fields":[]}`, []string{"acc-3"}},
		"today":        {`{"terms":[{"type":"date","term":"last_activity_time","joker":"today"}],"fields":[]}`, []string{}},
		"between days": {`{"terms":[{"type":"simple_date_attribute","attribute":"Renewal","joker":"between_next_90_and_200_days"}],"fields":[]}`, []string{"acc-3"}},
		"next days":    {`{"terms":[{"type":"simple_date_attribute","attribute":"Renewal","joker":"next_90_days"}],"fields":[]}`, []string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, names(t, s.query("/api/v1/search/accounts", tt.query), "accounts")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSearchReachesTenThousandRecords(t *testing.T) {
	s := start(t, totangotest.Options{RequestsPerMinute: -1})
	for i := range 10_500 {
		s.AddUser(totangotest.User{ID: fmt.Sprintf("u%05d", i), AccountID: "acc-1"})
	}
	q := func(offset int) reply {
		return s.query("/api/v1/search/users", fmt.Sprintf(`{"terms":[],"fields":[],"count":1000,"offset":%d}`, offset))
	}
	r := q(9_500)
	if got := names(t, r, "users"); len(got) != 500 || got[499] != "u09999@acc-1" {
		t.Errorf("%d hits, the last %v", len(got), got[len(got)-1])
	}
	if total := r.at(t, "response", "users", "total_hits"); total != float64(10_500) {
		t.Errorf("total_hits is %v", total)
	}
	wantStatus(t, q(10_000), 400)
}

func TestSearchTeam(t *testing.T) {
	s := start(t, totangotest.Options{})
	s.AddTeam(totangotest.TeamMember{Email: "b@vendor.example", Name: "Bea Two"}, totangotest.TeamMember{Email: "a@vendor.example", Name: "Al One", Status: "Disabled"})
	r := s.query("/api/v1/search/users/internal", `{"terms":[{"type":"string_attribute","attribute":"__internal_status","in_list":["Active","Created","Disabled"]}],
		"fields":[{"type":"string_attribute","attribute":"First Name"},{"type":"string_attribute","attribute":"__internal_status"}]}`)
	if diff := cmp.Diff([]string{"a@vendor.example", "b@vendor.example"}, names(t, r, "users")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"Al", "Disabled"}, r.at(t, "response", "users", "hits", 0, "selected_fields")); diff != "" {
		t.Error(diff)
	}
}

func TestCatalogs(t *testing.T) {
	s := start(t, totangotest.Options{Flows: []totangotest.Flow{{ID: "f1", Name: "First", Default: true}, {ID: "f2", Name: "Second", Disabled: true}}})
	r := s.get("/api/v3/touchpoint-types")
	if len(r.JSON.([]any)) != 5 || r.at(t, 0, "display_name") != "Web Meeting" || r.at(t, 0, "id") != s.Types()[0].ID {
		t.Errorf("types: %s", r.Body)
	}
	if r := s.get("/api/v3/touchpoint-tags/"); len(r.JSON.([]any)) != 3 || r.at(t, 1, "id") != s.Tags()[1].ID {
		t.Errorf("tags: %s", r.Body)
	}
	r = s.get("/api/v3/activity-types/")
	if r.at(t, "f2", "display_name") != "Second" || r.at(t, "f2", "disabled") != true || r.at(t, "f1", "default_type") != true {
		t.Errorf("flows: %s", r.Body)
	}
	other := totangotest.New(totangotest.Options{ServiceID: "777"})
	if other.Types()[0].ID == s.Types()[0].ID {
		t.Error("two tenants share the GUID of a type")
	}
	if more := s.AddType("QBR"); s.Types()[5] != more {
		t.Error("an added type is not listed")
	}
}

func TestDomainsAndOAuth(t *testing.T) {
	s := start(t, totangotest.Options{EU: true, Tokens: []string{"secret"}, OAuthClients: map[string]string{"id": "pw"}})
	r := s.do("GET", "/domains/?service_id=12345", nil, "")
	if r.at(t, "site") != "t11" {
		t.Errorf("domains: %s", r.Body)
	}
	wantStatus(t, s.do("GET", "/domains/?service_id=1", nil, ""), 404)

	const path = "/t01/on/oauth2/api/v1/token"
	grant := url.Values{"grant_type": {"client_credentials"}}.Encode()
	login := func(pw string) reply {
		return s.do("POST", path, map[string]string{
			"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("id:"+pw)), "Content-Type": "application/x-www-form-urlencoded",
		}, grant)
	}
	wantStatus(t, login("wrong"), 401)
	r = login("pw")
	wantStatus(t, r, 200)
	bearer := r.at(t, "access_token").(string)
	wantStatus(t, s.do("GET", "/api/v3/touchpoint-types/", map[string]string{"Authorization": "Bearer " + bearer}, ""), 200)
	wantStatus(t, s.do("GET", "/api/v3/touchpoint-types/", map[string]string{"Authorization": "app-token secret"}, ""), 200)
	wantStatus(t, s.do("GET", "/api/v3/touchpoint-types/", map[string]string{"app-token": "secret"}, ""), 200)
	r = s.do("GET", "/api/v3/touchpoint-types/", map[string]string{"app-token": "other"}, "")
	wantStatus(t, r, 401)
	if r.at(t, "error", "type") != "authentication_failed" {
		t.Errorf("refused token: %s", r.Body)
	}
	wantStatus(t, s.do("GET", "/api/v3/nothing", map[string]string{"app-token": "secret"}, ""), 404)
}

func TestRateLimitPerTokenAndWindow(t *testing.T) {
	c := newClock()
	s := start(t, totangotest.Options{Clock: c.Now, RequestsPerMinute: 3})
	ask := func(token string) reply {
		return s.do("GET", "/api/v3/touchpoint-types/", map[string]string{"app-token": token}, "")
	}
	for i := range 3 {
		r := ask("a")
		wantStatus(t, r, 200)
		if got, want := r.Header.Get("RateLimit-Remaining"), fmt.Sprint(2-i); got != want {
			t.Errorf("remaining %s, want %s", got, want)
		}
	}
	c.Advance(23 * time.Second)
	r := ask("a")
	wantStatus(t, r, 429)
	got := []string{r.Header.Get("RateLimit-Limit"), r.Header.Get("RateLimit-Remaining"), r.Header.Get("RateLimit-Reset"), r.Header.Get("Retry-After"), r.Body}
	if diff := cmp.Diff([]string{"3", "0", "37", "37", `"Too many requests"`}, got); diff != "" {
		t.Error(diff)
	}
	wantStatus(t, ask("b"), 200)
	c.Advance(37 * time.Second)
	wantStatus(t, ask("a"), 200)

	s = start(t, totangotest.Options{RequestsPerMinute: 1, Variants: totangotest.Variants{NoRetryAfter: true, RateLimitObject: true}})
	wantStatus(t, ask("a"), 200)
	r = ask("a")
	wantStatus(t, r, 429)
	if r.Header.Get("Retry-After") != "" || r.at(t, "message") != "Too many requests" {
		t.Errorf("variant: %v %s", r.Header, r.Body)
	}
}
