package totangotest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// clock is a clock that only moves when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// reply is an answer as a test looks at it.
type reply struct {
	Status int
	Header http.Header
	Body   string
	JSON   any
}

func (r reply) at(t *testing.T, path ...any) any {
	t.Helper()
	v := r.JSON
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v: %s is no object", path, r.Body)
			}
			v = m[p]
		case int:
			l, ok := v.([]any)
			if !ok || len(l) <= p {
				t.Fatalf("%v: %s has no element %d", path, r.Body, p)
			}
			v = l[p]
		}
	}
	return v
}

type tenant struct {
	*totangotest.Server
	url string
	t   *testing.T
}

func start(t *testing.T, opts totangotest.Options) *tenant {
	t.Helper()
	s := totangotest.New(opts)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.AddAccount(totangotest.Account{ID: "acc-1", Name: "Acme", Team: []string{"csm@vendor.example"}})
	s.AddAccount(totangotest.Account{ID: "acc-2", Name: "Borealis", Status: "cancelled"})
	return &tenant{s, h.URL, t}
}

func (s *tenant) do(method, path string, header map[string]string, body string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	r := reply{Status: resp.StatusCode, Header: resp.Header, Body: string(b)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(b, &r.JSON); err != nil {
			s.t.Fatalf("%s %s: %v in %q", method, path, err, b)
		}
	}
	return r
}

func (s *tenant) get(path string) reply {
	s.t.Helper()
	return s.do("GET", path, map[string]string{"app-token": "tok"}, "")
}

func (s *tenant) form(method, path string, form url.Values) reply {
	s.t.Helper()
	return s.do(method, path, map[string]string{"app-token": "tok", "Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
}

func (s *tenant) json(method, path, body string) reply {
	s.t.Helper()
	return s.do(method, path, map[string]string{"app-token": "tok", "Content-Type": "application/json"}, body)
}

func (s *tenant) query(path, query string) reply {
	s.t.Helper()
	return s.form("POST", path, url.Values{"query": {query}})
}

func wantStatus(t *testing.T, r reply, status int) {
	t.Helper()
	if r.Status != status {
		t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
}

func TestZeroServerAnswers(t *testing.T) {
	var s totangotest.Server
	h := httptest.NewServer(&s)
	t.Cleanup(h.Close)
	tn := &tenant{&s, h.URL, t}
	wantStatus(t, tn.get("/api/v3/touchpoint-types/"), 200)
	wantStatus(t, tn.do("GET", "/", nil, ""), 200)
	if n := s.Requests(totangotest.TouchpointTypes); n != 1 {
		t.Errorf("counted %d requests, want 1", n)
	}
	if n := s.TotalRequests(); n != 1 {
		t.Errorf("counted %d requests in all, want 1: the page is none of the API", n)
	}
}

func TestCreateEncodings(t *testing.T) {
	types, tags := totangotest.New(totangotest.Options{}).Types(), totangotest.New(totangotest.Options{}).Tags()
	base := func() url.Values {
		return url.Values{
			"account_id": {"acc-1"}, "content": {"Brief\nwith lines"}, "subject": {"Sync"}, "activity_type_id": {"renewal"},
			"touchpointType": {types[0].ID}, "created_by": {"csm@vendor.example"}, "create_date": {"1719828000123"}, "disable_sync": {"true"},
		}
	}
	with := func(more url.Values) url.Values {
		f := base()
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	want := totangotest.Touchpoint{
		AccountID: "acc-1", Content: "Brief\nwith lines", Subject: "Sync", FlowID: "renewal", TypeID: types[0].ID, CreatedBy: "csm@vendor.example",
		Date: time.UnixMilli(1719828000123).UTC(), DisableSync: true, TagIDs: []string{tags[0].ID, tags[1].ID},
		Participants: []string{"csm@vendor.example", "pat@acme.example"},
	}
	people := url.Values{"participantList[0][userid]": {"csm@vendor.example"}, "participantList[1][userid]": {"pat@acme.example"}}
	tests := map[string]func(s *tenant) reply{
		"indexed": func(s *tenant) reply {
			f := with(people)
			f["touchpoint_tags[1]"], f["touchpoint_tags[0]"] = []string{tags[1].ID}, []string{tags[0].ID}
			return s.form("POST", "/api/v3/touchpoints/", f)
		},
		"brackets": func(s *tenant) reply {
			f := with(url.Values{"participantList[][userid]": {"csm@vendor.example", "pat@acme.example"}})
			f["touchpoint_tags[]"] = []string{tags[0].ID, tags[1].ID}
			return s.form("POST", "/api/v3/touchpoints", f)
		},
		"repeated": func(s *tenant) reply {
			f := with(people)
			f["touchpoint_tags"] = []string{tags[0].ID, tags[1].ID}
			return s.form("POST", "/api/v3/touchpoints/", f)
		},
		"JSON in a form": func(s *tenant) reply {
			f := with(url.Values{"participantList": {`[{"userid":"csm@vendor.example"},{"userid":"pat@acme.example"}]`}})
			f["touchpoint_tags"] = []string{`["` + tags[0].ID + `","` + tags[1].ID + `"]`}
			return s.form("POST", "/api/v3/touchpoints/", f)
		},
		"JSON": func(s *tenant) reply {
			return s.json("POST", "/api/v3/touchpoints/", `{"account_id":"acc-1","content":"Brief\nwith lines","subject":"Sync",
				"activity_type_id":"renewal","touchpointType":"`+types[0].ID+`","created_by":"csm@vendor.example","create_date":1719828000123,
				"disable_sync":true,"touchpoint_tags":["`+tags[0].ID+`","`+tags[1].ID+`"],
				"participantList":[{"userid":"csm@vendor.example"},{"userid":"pat@acme.example"}]}`)
		},
	}
	for name, send := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, totangotest.Options{})
			r := send(s)
			wantStatus(t, r, 200)
			got := s.Touchpoints()
			ignore := cmpopts.IgnoreFields(totangotest.Touchpoint{}, "NoteID", "EventID", "Created")
			if diff := cmp.Diff([]totangotest.Touchpoint{want}, got, ignore); diff != "" {
				t.Fatal(diff)
			}
			if id := r.at(t, "note", "id"); id != float64(got[0].NoteID) {
				t.Errorf("note.id is %v, stored is %d", id, got[0].NoteID)
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	tests := map[string]struct{ body, message string }{
		"unknown account":  {`{"account_id":"nope","content":"x"}`, "Account not found"},
		"no account":       {`{"content":"x"}`, "Account not found"},
		"no content":       {`{"account_id":"acc-1","subject":"x"}`, "content is required"},
		"too long":         {`{"account_id":"acc-1","content":"` + strings.Repeat("é", 12_001) + `"}`, "content is too long: 12001 characters, at most 12000"},
		"too long, emoji":  {`{"account_id":"acc-1","content":"` + strings.Repeat("😀", 6_001) + `"}`, "content is too long: 12002 characters, at most 12000"},
		"unknown type":     {`{"account_id":"acc-1","content":"x","touchpointType":"Web Meeting"}`, `touchpointType "Web Meeting" does not exist`},
		"unknown tag":      {`{"account_id":"acc-1","content":"x","touchpoint_tags":["t"]}`, `touchpoint tag "t" does not exist`},
		"unknown flow":     {`{"account_id":"acc-1","content":"x","activity_type_id":"Adoption"}`, `activity_type_id "Adoption" does not exist`},
		"date as text":     {`{"account_id":"acc-1","content":"x","create_date":"2026-07-01"}`, "create_date is not a whole number"},
		"people as texts":  {`{"account_id":"acc-1","content":"x","participantList":["a@b.example"]}`, `participantList is not an array of objects with "userid"`},
		"no JSON":          {`{"account_id"`, "the body is not a JSON object"},
		"reply to nothing": {`{"account_id":"acc-1","content":"x","parentId":1}`, "parentId: no touchpoint 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, totangotest.Options{})
			r := s.json("POST", "/api/v3/touchpoints/", tt.body)
			wantStatus(t, r, 400)
			if got := r.at(t, "error", "message"); got != tt.message {
				t.Errorf("message %q, want %q", got, tt.message)
			}
			if n := len(s.Touchpoints()); n != 0 {
				t.Errorf("%d touchpoints are stored", n)
			}
		})
	}
}

func TestCreateAtTheLimitAndDefaults(t *testing.T) {
	c := newClock()
	s := start(t, totangotest.Options{Clock: c.Now, TokenUser: "owner@vendor.example"})
	wantStatus(t, s.json("POST", "/api/v3/touchpoints/", `{"account_id":"acc-1","content":"`+strings.Repeat("😀", 6_000)+`"}`), 200)
	got := s.Touchpoints()[0]
	if got.CreatedBy != "owner@vendor.example" || got.FlowID != "adoption" || !got.Date.Equal(c.Now()) || got.TypeID != "" {
		t.Errorf("defaults: %+v", got)
	}
}

func TestUpdateAndDelete(t *testing.T) {
	s := start(t, totangotest.Options{})
	id := s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-1", Subject: "Old", Content: "old"})
	path := "/api/v3/touchpoints/981001"
	if id != 981001 {
		t.Fatalf("the first note has id %d", id)
	}
	eventID := s.Touchpoints()[0].EventID

	wantStatus(t, s.form("PUT", path, url.Values{"note_id": {"981001"}, "event_id": {"wrong"}, "subject": {"New"}}), 400)
	wantStatus(t, s.form("PUT", path, url.Values{"event_id": {eventID}, "account_id": {"acc-2"}, "subject": {"New"}}), 400)
	wantStatus(t, s.form("PUT", path, url.Values{"note_id": {"981001"}, "event_id": {eventID}, "account_id": {"acc-1"}, "subject": {"New"}}), 200)
	got := s.Touchpoints()[0]
	if got.Subject != "New" || got.Content != "old" || got.Edited.IsZero() {
		t.Errorf("after the update: %+v", got)
	}
	wantStatus(t, s.get(path), 200)
	wantStatus(t, s.form("DELETE", path, nil), 200)
	wantStatus(t, s.get(path), 404)
	if n := len(s.Touchpoints()); n != 0 {
		t.Errorf("%d touchpoints are left", n)
	}
}

func TestEventsShowTouchpointsAndEdits(t *testing.T) {
	c := newClock()
	s := start(t, totangotest.Options{Clock: c.Now})
	s.AddTeam(totangotest.TeamMember{Email: "csm@vendor.example"})
	id := s.AddTouchpoint(totangotest.Touchpoint{
		AccountID: "acc-1", Subject: "Sync", Content: "text", TypeID: s.Types()[0].ID, CreatedBy: "csm@vendor.example",
		Participants: []string{"CSM@vendor.example", "pat@acme.example"}, Date: time.UnixMilli(1719828000000),
	})
	s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-1", Date: time.UnixMilli(1719900000000), Content: "newer"})
	s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-2", Content: "other account"})
	c.Advance(time.Hour)
	if err := s.Edit(id, "lee@vendor.example", func(t *totangotest.Touchpoint) { t.Content = "edited"; t.AccountID = "acc-2" }); err != nil {
		t.Fatal(err)
	}

	r := s.get("/api/v2/events/?account_id=acc-1")
	wantStatus(t, r, 200)
	if n := len(r.JSON.([]any)); n != 2 {
		t.Fatalf("%d events, want 2: %s", n, r.Body)
	}
	want := map[string]any{
		"id": s.Touchpoints()[0].EventID, "type": "note", "timestamp": float64(1719828000000), "is_new": "false",
		"account":      map[string]any{"id": "acc-1", "display_name": "Acme"},
		"note_content": map[string]any{"note_id": float64(id), "text": "edited", "totango_user": map[string]any{"user_name": "csm@vendor.example"}},
		"properties": map[string]any{
			"subject": "Sync", "activity_type_id": "adoption", "meeting_type": s.Types()[0].ID, "totango_participants": []any{"CSM@vendor.example"},
			"informed": []any{}, "customers_visibility": "private", "parent_id": nil, "assets": nil,
			"creation_time":  float64(c.Now().Add(-time.Hour).UnixMilli()),
			"last_edit_time": float64(c.Now().UnixMilli()), "last_edit_user": "lee@vendor.example",
		},
	}
	if diff := cmp.Diff(want, r.at(t, 1)); diff != "" {
		t.Error(diff)
	}
	wantStatus(t, s.get("/api/v2/events/?account_id=nope"), 400)
}

func TestSearchLagHidesNewTouchpoints(t *testing.T) {
	c := newClock()
	s := start(t, totangotest.Options{Clock: c.Now, SearchLag: 10 * time.Second})
	wantStatus(t, s.json("POST", "/api/v3/touchpoints/", `{"account_id":"acc-1","content":"x"}`), 200)
	count := func() int {
		q := `{"terms":[{"type":"event_property","name":"event_type","eq":"note"}],"fields":[],"count":1000,"offset":0}`
		bySearch := s.query("/api/v2/events/search", q).at(t, "response", "events", "total_hits")
		byList := len(s.get("/api/v2/events?account_id=acc-1").JSON.([]any))
		if bySearch != float64(byList) {
			t.Fatalf("search sees %v, list %d", bySearch, byList)
		}
		return byList
	}
	c.Advance(9 * time.Second)
	if n := count(); n != 0 {
		t.Errorf("%d events within the lag", n)
	}
	c.Advance(time.Second)
	if n := count(); n != 1 {
		t.Errorf("%d events after the lag", n)
	}
}

func TestEventSearchTermsAndOffsets(t *testing.T) {
	load := func(s *tenant) {
		for i := range 5 {
			s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-1", Content: "x", Date: time.UnixMilli(int64(1000 + i))})
		}
		s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-2", Content: "x", Date: time.UnixMilli(2000)})
	}
	search := func(s *tenant, terms string, count, offset string) reply {
		return s.form("POST", "/api/v2/events/search", url.Values{
			"query":      {`{"terms":[` + terms + `],"fields":[],"count":` + count + `,"offset":` + offset + `}`},
			"account_id": {"acc-1"},
		})
	}
	dates := func(t *testing.T, r reply) []float64 {
		t.Helper()
		wantStatus(t, r, 200)
		out := []float64{}
		for _, h := range r.at(t, "response", "events", "hits").([]any) {
			out = append(out, h.(map[string]any)["timestamp"].(float64))
		}
		return out
	}
	note := `{"type":"event_property","name":"event_type","eq":"note"}`
	t.Run("record offset", func(t *testing.T) {
		s := start(t, totangotest.Options{})
		load(s)
		if diff := cmp.Diff([]float64{1002, 1001}, dates(t, search(s, note, "2", "2"))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("page offset", func(t *testing.T) {
		s := start(t, totangotest.Options{Variants: totangotest.Variants{PageOffset: true}})
		load(s)
		if diff := cmp.Diff([]float64{1000}, dates(t, search(s, note, "2", "2"))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("dates", func(t *testing.T) {
		s := start(t, totangotest.Options{})
		load(s)
		got := dates(t, search(s, note+`,{"type":"date","term":"date","gte":1001,"lte":1002}`, "10", "0"))
		if diff := cmp.Diff([]float64{1002, 1001}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("refusals", func(t *testing.T) {
		s := start(t, totangotest.Options{})
		for _, q := range []string{
			``, `{`, `{"fields":[],"count":1,"offset":0}`, `{"terms":[],"count":1,"offset":0}`, `{"terms":[],"fields":[{}],"count":1,"offset":0}`,
			`{"terms":[],"fields":[],"offset":0}`, `{"terms":[],"fields":[],"count":1}`, `{"terms":[],"fields":[],"count":1001,"offset":0}`,
			`{"terms":[],"fields":[],"count":1,"offset":10000}`,
		} {
			wantStatus(t, s.query("/api/v2/events/search", q), 400)
		}
		odd := start(t, totangotest.Options{Variants: totangotest.Variants{MissingTermsUnauthorized: true, NoEventSearch: false}})
		r := odd.query("/api/v2/events/search", `{"fields":[],"count":1,"offset":0}`)
		wantStatus(t, r, 401)
		if r.at(t, "status") != "failed" {
			t.Errorf("a failed search has another shape: %s", r.Body)
		}
	})
}
