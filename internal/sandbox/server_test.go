package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestPortInUse(t *testing.T) {
	first := start(t, Options{Size: Size{Meetings: 1}})
	addr := strings.TrimPrefix(first.TotangoURL, "http://")
	_, err := Start(t.Context(), Options{Size: Size{Meetings: 1}, TotangoAddr: addr})
	want := "the simulated Totango cannot listen on " + addr + " because another program does: stop that program or choose another port"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Start(ctx, Options{Size: Size{Meetings: 1}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Stop(); err != nil { // waits for the stop that is under way
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(request(t, http.MethodGet, s.GongURL, "", "")); err == nil {
		_ = resp.Body.Close()
		t.Error("Gong still answers")
	}
}

// TestTruthAgreesWithTheAPIs reads everything through both APIs as a plain client would and decides by the written rules, one
// meeting after the other, without anything of the generator's.
func TestTruthAgreesWithTheAPIs(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) {
			now := noon.Add(time.Duration(seed) * 17 * time.Hour)
			s := start(t, Options{Seed: seed, Clock: func() time.Time { return now }})
			hosts, users, team := gongUsers(t, s), totangoUsers(t, s), totangoTeam(t, s)
			got := map[string]string{}
			for _, c := range gongCalls(t, s, now.Add(-month), now) {
				got[c.MetaData.ID] = judge(c, now, hosts, users, team)
			}
			for i, e := range s.Company.Truth(now, now.Add(-month), now, day) {
				want := e.Touchpoint.AccountID
				if e.Outcome != Delivered {
					want = e.Reason
				}
				if e.Reason == NotVisible {
					want = ""
				}
				if got[e.CallID] != want {
					t.Errorf("%s %s: the APIs say %q, the truth %q", e.CallID, s.Company.Meetings[i].Scenario, got[e.CallID], want)
				}
			}
		})
	}
}

type rawCall struct {
	MetaData struct {
		ID            string    `json:"id"`
		Started       time.Time `json:"started"`
		Duration      int       `json:"duration"`
		Language      string    `json:"language"`
		PrimaryUserID string    `json:"primaryUserId"`
		IsPrivate     bool      `json:"isPrivate"`
	} `json:"metaData"`
	Parties []struct {
		EmailAddress string `json:"emailAddress"`
		Affiliation  string `json:"affiliation"`
	} `json:"parties"`
	Content struct {
		Brief string `json:"brief"`
	} `json:"content"`
}

type rawUser struct {
	account, name string
	addresses     []string
	contact, key  bool
}

// judge returns the account's id or the reason why there is none.
func judge(c rawCall, now time.Time, hosts map[string]string, users []rawUser, team map[string]bool) string {
	if c.MetaData.IsPrivate {
		return IsPrivate
	}
	if c.Content.Brief == "" && c.MetaData.Duration >= 30 && c.MetaData.Language != "zxx" && now.Sub(c.MetaData.Started) < day {
		return NotReady
	}
	_, hostDomain, _ := strings.Cut(hosts[c.MetaData.PrimaryUserID], "@")
	external := map[string]bool{}
	for _, p := range c.Parties {
		address := strings.ToLower(strings.TrimSpace(p.EmailAddress))
		_, domain, _ := strings.Cut(address, "@")
		if address != "" && p.Affiliation != "Internal" && domain != hostDomain && !team[address] {
			external[address] = true
		}
	}
	if len(external) == 0 {
		return InternalOnly
	}
	type score struct {
		people, keys, contacts map[string]bool
		name, id               string
	}
	scores := map[string]*score{}
	for _, u := range users {
		for _, address := range u.addresses {
			if !external[address] {
				continue
			}
			sc := scores[u.account]
			if sc == nil {
				sc = &score{map[string]bool{}, map[string]bool{}, map[string]bool{}, u.name, u.account}
				scores[u.account] = sc
			}
			sc.people[address] = true
			if u.key {
				sc.keys[address] = true
			}
			if u.contact {
				sc.contacts[address] = true
			}
		}
	}
	if len(scores) == 0 {
		return AccountUnresolved
	}
	ranked := slices.SortedFunc(maps.Values(scores), func(x, y *score) int {
		rank := func(s *score) string { // sorts before if better
			return fmt.Sprintf("%03d %03d %03d %s\x00%s", 999-len(s.people), 999-len(s.keys), 999-len(s.contacts), s.name, s.id)
		}
		return strings.Compare(rank(x), rank(y))
	})
	return ranked[0].id
}

func do(t *testing.T, req *http.Request, into any) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", req.Method, req.URL, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func request(t *testing.T, method, url, contentType, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.SetBasicAuth(gongtest.AccessKey, gongtest.AccessKeySecret)
	req.Header.Set("app-token", AppToken)
	return req
}

func gongCalls(t *testing.T, s *Server, from, to time.Time) []rawCall {
	t.Helper()
	var calls []rawCall
	for cursor := ""; ; {
		body := fmt.Sprintf(`{"filter":{"fromDateTime":%q,"toDateTime":%q},"contentSelector":{"exposedFields":{"parties":true,"content":{"brief":true}}}`,
			from.Format(time.RFC3339), to.Format(time.RFC3339))
		if cursor != "" {
			body += fmt.Sprintf(`,"cursor":%q`, cursor)
		}
		var page struct {
			Records struct {
				Cursor string `json:"cursor"`
			} `json:"records"`
			Calls []rawCall `json:"calls"`
		}
		do(t, request(t, http.MethodPost, s.GongURL+"/v2/calls/extensive", "application/json", body+"}"), &page)
		calls = append(calls, page.Calls...)
		if cursor = page.Records.Cursor; cursor == "" {
			return calls
		}
	}
}

func gongUsers(t *testing.T, s *Server) map[string]string {
	t.Helper()
	var page struct {
		Users []struct {
			ID           string `json:"id"`
			EmailAddress string `json:"emailAddress"`
		} `json:"users"`
	}
	do(t, request(t, http.MethodGet, s.GongURL+"/v2/users", "", ""), &page)
	hosts := map[string]string{}
	for _, u := range page.Users {
		hosts[u.ID] = u.EmailAddress
	}
	return hosts
}

type hits struct {
	Response struct {
		Users struct {
			TotalHits int `json:"total_hits"`
			Hits      []struct {
				Name    string `json:"name"`
				Account struct {
					Name        string `json:"name"`
					DisplayName string `json:"display_name"`
				} `json:"account"`
				SelectedFields []string `json:"selected_fields"`
			} `json:"hits"`
		} `json:"users"`
	} `json:"response"`
}

func search(t *testing.T, s *Server, path string, attributes ...string) hits {
	t.Helper()
	fields := []map[string]string{}
	for _, a := range attributes {
		fields = append(fields, map[string]string{"type": "string_attribute", "attribute": a})
	}
	query, err := json.Marshal(map[string]any{"terms": []any{}, "fields": fields, "count": 1000, "offset": 0})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"query": {string(query)}}.Encode()
	var h hits
	do(t, request(t, http.MethodPost, s.TotangoURL+path, "application/x-www-form-urlencoded", form), &h)
	if got := len(h.Response.Users.Hits); got != h.Response.Users.TotalHits {
		t.Fatalf("%s: %d of %d users", path, got, h.Response.Users.TotalHits)
	}
	return h
}

func totangoUsers(t *testing.T, s *Server) []rawUser {
	t.Helper()
	var users []rawUser
	for _, h := range search(t, s, "/api/v1/search/users", "Email", "Contact", "Key Contact").Response.Users.Hits {
		users = append(users, rawUser{
			account: h.Account.Name, name: h.Account.DisplayName, addresses: []string{h.Name, h.SelectedFields[0]},
			contact: h.SelectedFields[1] == "yes", key: h.SelectedFields[2] == "yes",
		})
	}
	return users
}

func totangoTeam(t *testing.T, s *Server) map[string]bool {
	t.Helper()
	team := map[string]bool{}
	for _, h := range search(t, s, "/api/v1/search/users/internal").Response.Users.Hits {
		team[strings.ToLower(h.Name)] = true
	}
	return team
}
