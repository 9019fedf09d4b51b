package gongtest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func fixed(t time.Time) func() time.Time { return func() time.Time { return t } }

// answer is a decoded answer.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) message() string {
	list, _ := a.body["errors"].([]any)
	if len(list) != 1 {
		return ""
	}
	s, _ := list[0].(string)
	return s
}

// calls returns the calls of an answer.
func (a answer) calls() []map[string]any {
	var out []map[string]any
	list, _ := a.body["calls"].([]any)
	for _, c := range list {
		out = append(out, c.(map[string]any))
	}
	return out
}

// ids returns the calls' ids, of the extensive endpoint or of the other one.
func (a answer) ids() []string {
	out := []string{}
	for _, c := range a.calls() {
		if m, ok := c["metaData"].(map[string]any); ok {
			c = m
		}
		out = append(out, c["id"].(string))
	}
	return out
}

// records returns a member of the page's envelope, as text.
func (a answer) records(name string) string {
	r, _ := a.body["records"].(map[string]any)
	if v, ok := r[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

func ask(t *testing.T, h http.Handler, method, target, body string, edit ...func(*http.Request)) answer {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.SetBasicAuth(gongtest.AccessKey, gongtest.AccessKeySecret)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), raw: w.Body.String()}
	d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	d.UseNumber()
	if err := d.Decode(&a.body); err != nil && w.Code == http.StatusOK {
		t.Fatalf("%s %s: %v in %s", method, target, err, a.raw)
	}
	return a
}

func extensive(t *testing.T, s *gongtest.Server, body string) answer {
	t.Helper()
	return ask(t, s, "POST", "/v2/calls/extensive", body)
}

func TestZeroValueIsAnEmptyCompany(t *testing.T) {
	var s gongtest.Server
	if a := ask(t, &s, "GET", "/v2/workspaces", ""); a.status != 200 || !strings.Contains(a.raw, `"name":"Main"`) {
		t.Errorf("workspaces: %d %s", a.status, a.raw)
	}
	if a := ask(t, &s, "GET", "/v2/users", ""); a.status != 200 || !strings.Contains(a.raw, `"users":[]`) {
		t.Errorf("users: %d %s", a.status, a.raw)
	}
	a := extensive(t, &s, `{"filter":{}}`)
	if a.status != 404 || a.message() != "No calls found corresponding to the provided filters" {
		t.Errorf("calls: %d %s", a.status, a.raw)
	}
	id := s.AddCall(gongtest.Call{Started: noon})
	if a := extensive(t, &s, `{"filter":{}}`); a.status != 200 || !cmp.Equal(a.ids(), []string{id}) {
		t.Errorf("calls: %d %s", a.status, a.raw)
	}
}

func TestCredentials(t *testing.T) {
	keys := []gongtest.Key{
		{AccessKey: "all", Secret: "s", Token: "tok"},
		{AccessKey: "users", Secret: "s", Scopes: []string{gongtest.ScopeUsers}},
		{AccessKey: "old", Secret: "s", Expires: noon},
		{AccessKey: "far", Secret: "s", Forbidden: true},
	}
	basic := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	header := func(v string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Authorization", v) } }
	const bad = "Validate credentials failed. Please check your credentials and try again."
	tests := []struct {
		name   string
		auth   func(*http.Request)
		path   string
		status int
		says   string
	}{
		{"good", basic("all", "s"), "/v2/workspaces", 200, ""},
		{"token", header("Bearer tok"), "/v2/workspaces", 200, ""},
		{"wrong secret", basic("all", "x"), "/v2/workspaces", 401, bad},
		{"unknown key", basic("nobody", "s"), "/v2/workspaces", 401, bad},
		{"wrong token", header("Bearer x"), "/v2/workspaces", 401, bad},
		{"empty token", header("Bearer "), "/v2/workspaces", 401, bad},
		{"none", header(""), "/v2/workspaces", 401, bad},
		{"expired", basic("old", "s"), "/v2/workspaces", 401, bad},
		{"untrusted address", basic("far", "s"), "/v2/workspaces", 403, "Access denied"},
		{"scope", basic("users", "s"), "/v2/users", 200, ""},
		{"missing scope", basic("users", "s"), "/v2/workspaces", 401, "You don't have permission to use 'api:workspaces:read' in your app."},
		{"unknown path without a key", header(""), "/v2/nothing", 401, bad},
		{"unknown path with a key", basic("all", "s"), "/v2/nothing", 404, "Not Found"},
	}
	s := gongtest.New(gongtest.Options{Keys: keys, Clock: fixed(noon)})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := ask(t, s, "GET", tt.path, "", tt.auth)
			if a.status != tt.status || a.message() != tt.says {
				t.Errorf("got %d %s", a.status, a.raw)
			}
			if challenge := a.header.Get("WWW-Authenticate"); (challenge == `Basic realm="Gong.io API"`) != (tt.says == bad) {
				t.Errorf("WWW-Authenticate: %q", challenge)
			}
		})
	}
	wrong := gongtest.New(gongtest.Options{WrongHost: true})
	if a := ask(t, wrong, "GET", "/v2/workspaces", ""); a.status != 401 || a.message() != bad {
		t.Errorf("wrong host: %d %s", a.status, a.raw)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	s := new(gongtest.Server)
	s.AddCall(gongtest.Call{Started: noon})
	const calls = "/v2/calls/extensive"
	tests := []struct {
		name, method, path, body string
		status                   int
	}{
		{"no JSON", "POST", calls, `{"filter":`, 400},
		{"no object", "POST", calls, `[]`, 400},
		{"bare object", "POST", calls, `{}`, 400},
		{"no filter", "POST", calls, `{"cursor":null}`, 400},
		{"filter is no object", "POST", calls, `{"filter":[]}`, 400},
		{"date without offset", "POST", calls, `{"filter":{"fromDateTime":"2026-09-01T00:00:00"}}`, 400},
		{"no date", "POST", calls, `{"filter":{"toDateTime":"soon"}}`, 400},
		{"empty window", "POST", calls, `{"filter":{"fromDateTime":"2026-09-01T00:00:00Z","toDateTime":"2026-09-01T02:00:00+02:00"}}`, 400},
		{"empty ids", "POST", calls, `{"filter":{"callIds":[]}}`, 400},
		{"id is no number", "POST", calls, `{"filter":{"callIds":["a"]}}`, 400},
		{"id too large", "POST", calls, `{"filter":{"callIds":["9223372036854775808"]}}`, 400},
		{"host is no number", "POST", calls, `{"filter":{"primaryUserIds":["a"]}}`, 400},
		{"context", "POST", calls, `{"filter":{},"contentSelector":{"context":"All"}}`, 400},
		{"timing", "POST", calls, `{"filter":{},"contentSelector":{"context":"Extended","contextTiming":["Later"]}}`, 400},
		{"timing without context", "POST", calls, `{"filter":{},"contentSelector":{"contextTiming":["Now"]}}`, 400},
		{"timing of links only", "POST", calls, `{"filter":{},"contentSelector":{"context":"Basic","contextTiming":["Now"]}}`, 400},
		{"occurrences without trackers", "POST", calls, `{"filter":{},"contentSelector":{"exposedFields":{"content":{"trackerOccurrences":true}}}}`, 400},
		{"flag is no bool", "POST", calls, `{"filter":{},"contentSelector":{"exposedFields":{"parties":"yes"}}}`, 400},
		{"cursor", "POST", calls, `{"filter":{},"cursor":"abc"}`, 400},
		{"wrong verb", "GET", calls, ``, 405},
		{"wrong verb for a list", "POST", "/v2/calls", `{}`, 405},
		{"empty window of the list", "GET", "/v2/calls?fromDateTime=2026-09-01T00:00:00Z&toDateTime=2026-09-01T00:00:00Z", "", 400},
		{"unknown call", "GET", "/v2/calls/1", "", 404},
		{"unknown user", "GET", "/v2/users/1", "", 404},
		{"no filter for users", "POST", "/v2/users/extensive", `{}`, 400},
		{"good", "POST", calls, `{"filter":{},"cursor":null,"unknown":1,"contentSelector":{"exposedFields":{"content":{"nextSteps":true}}}}`, 200},
		{"good, all at once", "POST", calls, `{"filter":{"fromDateTime":"2026-09-01T00:00:00.5+02:00","toDateTime":null},"contentSelector":{
			"context":"Extended","contextTiming":["Now","TimeOfCall"],"exposedFields":{"parties":true,"media":true,
			"content":{"structure":true,"topics":true,"trackers":true,"trackerOccurrences":true,"pointsOfInterest":true,"brief":true,
			"outline":true,"highlights":true,"callOutcome":true,"keyPoints":true},"interaction":{"speakers":true,"video":true,
			"personInteractionStats":true,"questions":true},"collaboration":{"publicComments":true}}}}`, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := ask(t, s, tt.method, tt.path, tt.body)
			if a.status != tt.status || (tt.status != 200) != (a.message() != "") {
				t.Errorf("got %d %s", a.status, a.raw)
			}
		})
	}
	plain := ask(t, s, "POST", calls, `{"filter":{}}`, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
	if plain.status != 415 {
		t.Errorf("text/plain: %d", plain.status)
	}
}

func TestFiltersAndOrder(t *testing.T) {
	s := gongtest.New(gongtest.Options{Workspaces: []gongtest.Workspace{{ID: "1"}, {ID: "2"}}})
	add := func(id string, at time.Duration, c gongtest.Call) {
		c.ID, c.Started = id, noon.Add(at)
		s.AddCall(c)
	}
	add("30", 0, gongtest.Call{})
	add("9", 0, gongtest.Call{WorkspaceID: "2"})
	add("5", time.Hour, gongtest.Call{PrimaryUserID: "77"})
	add("4", 2*time.Hour, gongtest.Call{Scheduled: noon.Add(-time.Hour)})
	add("3", -time.Hour, gongtest.Call{Direction: "Inbound"})
	tests := []struct {
		name, filter string
		want         []string
	}{
		{"all, by start and number", `{}`, []string{"3", "9", "30", "5", "4"}},
		{"from is inclusive", `{"fromDateTime":"2026-09-01T14:00:00+02:00"}`, []string{"9", "30", "5", "4"}},
		{"to is exclusive", `{"toDateTime":"2026-09-01T13:00:00Z"}`, []string{"3", "9", "30"}},
		{"workspace", `{"workspaceId":"2"}`, []string{"9"}},
		{"default workspace", `{"workspaceId":"1"}`, []string{"3", "30", "5", "4"}},
		{"ids, also unknown ones", `{"callIds":["4","3","7"]}`, []string{"3", "4"}},
		{"host", `{"primaryUserIds":["77"]}`, []string{"5"}},
		{"cursor in the wrong place", `{"cursor":"x"}`, []string{"3", "9", "30", "5", "4"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, extensive(t, s, `{"filter":`+tt.filter+`}`).ids()); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
	// The other endpoint's windows are over the plan, for web conferences.
	a := ask(t, s, "GET", "/v2/calls?fromDateTime=2026-09-01T11:00:00Z&toDateTime=2026-09-01T12:00:00Z", "")
	if diff := cmp.Diff([]string{"3", "4"}, a.ids()); diff != "" {
		t.Errorf("GET /v2/calls (-want +got):\n%s", diff)
	}
}

func TestPagesAndCursors(t *testing.T) {
	now := noon
	s := gongtest.New(gongtest.Options{PageSize: 2, Clock: func() time.Time { return now }})
	for i := range 5 {
		s.AddCall(gongtest.Call{ID: fmt.Sprint(7782342274025937890 + i), Started: noon.Add(-time.Duration(10-i) * time.Hour)})
	}
	s.AddCall(gongtest.Call{ID: "1", Started: noon.Add(-30 * time.Minute), VisibleAt: noon.Add(2 * time.Hour)})
	page := func(cursor string) answer {
		return extensive(t, s, fmt.Sprintf(`{"filter":{},"cursor":%q,"limit":50}`, cursor))
	}
	first := page("")
	second := page(first.records("cursor"))
	third := page(second.records("cursor"))
	for i, p := range []answer{first, second, third} {
		if p.records("totalRecords") != "6" || p.records("currentPageNumber") != fmt.Sprint(i) ||
			p.records("currentPageSize") != fmt.Sprint(len(p.ids())) {
			t.Errorf("page %d: %v", i, p.body["records"])
		}
	}
	if len(third.ids()) != 1 || third.records("cursor") != "" || strings.Contains(third.raw, `"cursor"`) {
		t.Errorf("last page: %s", third.raw)
	}

	parts := strings.Split(second.records("cursor"), ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"callId":7782342274025937893,"time":"2026-09-01T05:00:00Z","total":6,"pageNumber":2,"pageSize":2,"exp":%d}`,
		noon.Add(time.Hour).Unix())
	if string(claims) != want {
		t.Errorf("claims %s, want %s", claims, want)
	}

	if a := ask(t, s, "POST", "/v2/calls/extensive?cursor="+first.records("cursor"), `{"filter":{}}`); !cmp.Equal(a.ids(), first.ids()) {
		t.Errorf("a cursor in the query of a POST is not ignored: %v", a.ids())
	}
	if a := ask(t, s, "GET", "/v2/calls?cursor="+first.records("cursor"), ""); !cmp.Equal(a.ids(), second.ids()) {
		t.Errorf("the cursor in the query of a GET: %v", a.ids())
	}
	if a := page(first.records("cursor") + "x"); a.status != 400 || a.message() != "failed to verify cursor" {
		t.Errorf("tampered: %d %s", a.status, a.raw)
	}
	now = noon.Add(59 * time.Minute)
	late := page(first.records("cursor"))
	now = noon.Add(time.Hour) // the later cursor is no younger
	if a := page(late.records("cursor")); a.status != 400 || a.message() != "cursor has expired" {
		t.Errorf("old: %d %s", a.status, a.raw)
	}
	s.Update("1", func(c *gongtest.Call) { c.VisibleAt = time.Time{} })
	now = noon.Add(59 * time.Minute)
	if a := page(second.records("cursor")); !cmp.Equal(a.ids(), []string{"7782342274025937894", "1"}) || a.records("totalRecords") != "6" {
		t.Errorf("a call that appears while pages are walked: %s", a.raw)
	}
}

func TestCallsAppearChangeAndVanishWithTime(t *testing.T) {
	now := noon
	s := gongtest.New(gongtest.Options{Clock: func() time.Time { return now }})
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	id := s.AddCall(gongtest.Call{Started: at(-1), VisibleAt: at(1), ContentAt: at(2), PrivateAt: at(4), DeletedAt: at(5),
		Title: "old", Brief: "b", KeyPoints: []string{"k"}, Structure: []gongtest.Span{{Name: "agenda"}},
		Edits: []gongtest.Edit{{At: at(3), Apply: func(c *gongtest.Call) { c.Title = "new" }}}})
	const body = `{"filter":{},"contentSelector":{"exposedFields":{"content":{"brief":true,"keyPoints":true,"structure":true}}}}`
	type state struct {
		status         int
		title, private any
		brief, points  any
		agenda         bool
	}
	got := func() state {
		a := extensive(t, s, body)
		single := ask(t, s, "GET", "/v2/calls/"+id, "")
		if single.status != a.status {
			t.Errorf("at %v the other endpoint answers %d: %s", now, single.status, single.raw)
		}
		if a.status != 200 {
			return state{status: a.status}
		}
		c := a.calls()[0]
		m, content := c["metaData"].(map[string]any), c["content"].(map[string]any)
		return state{200, m["title"], m["isPrivate"], content["brief"], content["keyPoints"], content["structure"] != nil}
	}
	points := []any{map[string]any{"text": "k"}}
	for h, want := range []state{
		{status: 404},
		{200, "old", false, nil, nil, true},
		{200, "old", false, "b", points, true},
		{200, "new", false, "b", points, true},
		{200, "new", true, "b", points, true},
		{status: 404},
	} {
		now = at(h)
		if diff := cmp.Diff(want, got(), cmp.AllowUnexported(state{})); diff != "" {
			t.Errorf("after %d hours (-want +got):\n%s", h, diff)
		}
	}
	if calls := s.Calls(); len(calls) != 1 || calls[0].Title != "old" {
		t.Errorf("Calls: %+v", calls)
	}
}

func TestPresenceOfParts(t *testing.T) {
	s := gongtest.New(gongtest.Options{Topics: []string{"Pricing", "Small Talk"}})
	id := s.AddCall(gongtest.Call{Started: time.Date(2026, 9, 1, 12, 0, 0, 41977000, time.UTC)})
	get := func(selector string) map[string]any {
		return extensive(t, s, `{"filter":{},"contentSelector":`+selector+`}`).calls()[0]
	}
	bare := get(`null`)
	want := map[string]any{"metaData": map[string]any{
		"id": id, "url": "https://us-12345.app.gong.io/call?id=" + id, "title": nil, "scheduled": "2026-09-01T05:00:00.041977-07:00",
		"started": "2026-09-01T05:00:00.041977-07:00", "duration": json.Number("0"), "primaryUserId": nil, "direction": "Conference",
		"system": "Zoom", "scope": "External", "media": "Video", "language": "eng", "workspaceId": "623457276584334",
		"sdrDisposition": nil, "clientUniqueId": nil, "customData": nil, "purpose": nil, "meetingUrl": nil, "isPrivate": false,
		"calendarEventId": nil,
	}}
	if diff := cmp.Diff(want, bare); diff != "" {
		t.Errorf("bare (-want +got):\n%s", diff)
	}
	everything := get(`{"context":"Extended","exposedFields":{"parties":true,"media":true,"content":{"structure":true,"topics":true,
		"trackers":true,"brief":true,"outline":true,"highlights":true,"callOutcome":true,"keyPoints":true,"pointsOfInterest":true},
		"interaction":{"speakers":true,"video":true,"personInteractionStats":true},"collaboration":{"publicComments":true}}}`)
	delete(everything, "metaData")
	zero := json.Number("0")
	rest := map[string]any{
		"context": []any{},
		"content": map[string]any{"trackers": []any{},
			"topics": []any{map[string]any{"name": "Pricing", "duration": zero}, map[string]any{"name": "Small Talk", "duration": zero}}},
		"interaction": map[string]any{"interactionStats": []any{}}, "collaboration": map[string]any{},
	}
	if diff := cmp.Diff(rest, everything); diff != "" {
		t.Errorf("everything (-want +got):\n%s", diff)
	}
}

func TestMediaAddressesAreSignedAnewAndNeedTheirScope(t *testing.T) {
	now := noon
	keys := []gongtest.Key{{AccessKey: gongtest.AccessKey, Secret: gongtest.AccessKeySecret},
		{AccessKey: "few", Secret: "s", Scopes: []string{gongtest.ScopeCallsExtensive}}}
	s := gongtest.New(gongtest.Options{Clock: func() time.Time { return now }, Keys: keys})
	s.AddCall(gongtest.Call{Started: noon, AudioURL: "https://s3.example/a.mp3"})
	const body = `{"filter":{},"contentSelector":{"exposedFields":{"media":true}}}`
	first := extensive(t, s, body).calls()[0]["media"]
	now = now.Add(time.Millisecond)
	if second := extensive(t, s, body).calls()[0]["media"]; cmp.Equal(first, second) {
		t.Errorf("signed the same: %v", first)
	}
	a := ask(t, s, "POST", "/v2/calls/extensive", body, func(r *http.Request) { r.SetBasicAuth("few", "s") })
	if a.status != 401 || !strings.Contains(a.message(), gongtest.ScopeCallsMedia) {
		t.Errorf("without the scope: %d %s", a.status, a.raw)
	}
}

func TestOutlinesLookLikeFloat32AndTranscriptsAreInMilliseconds(t *testing.T) {
	s := new(gongtest.Server)
	s.AddCall(gongtest.Call{Started: noon, Outline: []gongtest.Section{{Name: "Terms", Start: 8950 * time.Millisecond, Duration: 155210 * time.Millisecond}},
		Transcript: []gongtest.Monologue{{Sentences: []gongtest.Sentence{{Start: 1500 * time.Millisecond, End: 2 * time.Second, Text: "Hi."}}}}})
	a := extensive(t, s, `{"filter":{},"contentSelector":{"exposedFields":{"content":{"outline":true}}}}`)
	if !strings.Contains(a.raw, `"startTime":8.949999809265137,"duration":155.2100067138672`) {
		t.Errorf("outline: %s", a.raw)
	}
	a = ask(t, s, "POST", "/v2/calls/transcript", `{"filter":{}}`)
	if !strings.Contains(a.raw, `"transcript":[{"speakerId":null,"topic":null,"sentences":[{"start":1500,"end":2000,"text":"Hi."}]}]`) {
		t.Errorf("transcript: %s", a.raw)
	}
}

func TestUsers(t *testing.T) {
	s := gongtest.New(gongtest.Options{PageSize: 1})
	s.AddUser(gongtest.User{ID: "10", Email: "b@ours.example", Created: noon}, gongtest.User{ID: "9", Email: "a@ours.example", Created: noon.Add(-time.Hour)},
		gongtest.User{ID: "11", Email: "robot@gong.example", Avatar: true})
	emails := func(a answer) []string {
		out := []string{}
		list, _ := a.body["users"].([]any)
		for _, u := range list {
			out = append(out, u.(map[string]any)["emailAddress"].(string))
		}
		return out
	}
	first := ask(t, s, "GET", "/v2/users", "")
	second := ask(t, s, "GET", "/v2/users?cursor="+first.records("cursor"), "")
	if diff := cmp.Diff([]string{"a@ours.example", "b@ours.example"}, append(emails(first), emails(second)...)); diff != "" || second.records("cursor") != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	one := ask(t, s, "GET", "/v2/users/9", "")
	if u, ok := one.body["user"].(map[string]any); !ok || u["emailAddress"] != "a@ours.example" || u["firstName"] != nil {
		t.Errorf("user: %s", one.raw)
	}
	if a := ask(t, s, "GET", "/v2/users/11", ""); a.status != 404 {
		t.Errorf("an avatar: %d", a.status)
	}
	a := ask(t, s, "POST", "/v2/users/extensive", `{"filter":{"createdFromDateTime":"2026-09-01T12:00:00Z"}}`)
	if diff := cmp.Diff([]string{"b@ours.example"}, emails(a)); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	a = ask(t, s, "POST", "/v2/users/extensive", `{"filter":{"userIds":["9","12"]}}`)
	if a.status != 404 || a.message() != "The following userIds were not found: 12" {
		t.Errorf("unknown ids: %d %s", a.status, a.raw)
	}
	a = ask(t, s, "POST", "/v2/users/extensive", `{"filter":{"createdFromDateTime":"2027-01-01T00:00:00Z"}}`)
	if a.status != 404 || a.message() != "No users found corresponding to the provided filters" {
		t.Errorf("nobody: %d %s", a.status, a.raw)
	}
}

func TestLimitsAreTheCompanys(t *testing.T) {
	now := noon
	s := gongtest.New(gongtest.Options{Clock: func() time.Time { return now }, Limits: gongtest.Limits{PerSecond: 3, PerDay: 5},
		Keys: []gongtest.Key{{AccessKey: gongtest.AccessKey, Secret: gongtest.AccessKeySecret}, {AccessKey: "b", Secret: "b"}}})
	other := func(r *http.Request) { r.SetBasicAuth("b", "b") }
	get := func(edit ...func(*http.Request)) (int, string) {
		a := ask(t, s, "GET", "/v2/workspaces", "", edit...)
		return a.status, a.header.Get("Retry-After")
	}
	steps := []struct {
		after  time.Duration
		other  bool
		status int
		retry  string
	}{
		{0, false, 200, ""}, {100 * time.Millisecond, true, 200, ""}, {200 * time.Millisecond, false, 200, ""},
		{900 * time.Millisecond, true, 429, "1"},
		{999 * time.Millisecond, false, 429, "1"},
		{1000 * time.Millisecond, false, 200, ""}, // the first one is a second old
		{1050 * time.Millisecond, false, 429, "1"},
		{1100 * time.Millisecond, false, 200, ""},
		{5 * time.Second, false, 429, "43195"}, // the day is used up
		{12 * time.Hour, true, 200, ""},
	}
	for _, step := range steps {
		now = noon.Add(step.after)
		edits := []func(*http.Request){}
		if step.other {
			edits = append(edits, other)
		}
		if status, retry := get(edits...); status != step.status || retry != step.retry {
			t.Errorf("after %v: %d, Retry-After %q; want %d, %q", step.after, status, retry, step.status, step.retry)
		}
	}
	if s.Count("GET /v2/workspaces") != 10 || s.CountStatus(429) != 4 || s.Counts()[[2]string{"GET /v2/workspaces", "b"}] != 3 {
		t.Errorf("counts: %v", s.Counts())
	}
}

func TestFaults(t *testing.T) {
	s := new(gongtest.Server)
	s.AddCall(gongtest.Call{Started: noon})
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	// On a connection that was used before, net/http sends a GET again by itself after a reset.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func() (int, string, error) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/v2/calls", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(gongtest.AccessKey, gongtest.AccessKeySecret)
		resp, err := client.Do(r)
		if err != nil {
			return 0, "", err
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b), err
	}
	s.Inject(gongtest.ServerError(502), gongtest.ServerError(500).On("GET /v2/users"), gongtest.TooManyRequests("7").Repeat(2), gongtest.Truncate())
	for i, want := range []int{502, 429, 429} {
		if status, body, err := get(); err != nil || status != want {
			t.Errorf("request %d: %d %s %v", i, status, body, err)
		}
	}
	if status, _, err := get(); status != 200 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("truncated: %d %v", status, err)
	}
	s.Inject(gongtest.Reset())
	if _, _, err := get(); err == nil {
		t.Error("reset: no error")
	}
	s.Inject(gongtest.ExtraFields())
	if _, body, err := get(); err != nil || strings.Count(body, "newObject") < 3 {
		t.Errorf("extra fields: %s %v", body, err)
	}
	if status, _, err := get(); status != 200 || err != nil {
		t.Errorf("afterwards: %d %v", status, err)
	}
	var faults []string
	for _, r := range s.Requests() {
		faults = append(faults, r.Fault)
	}
	want := []string{"status 502", "status 429", "status 429", "truncated", "reset", "extra fields", ""}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func TestChaosIsRepeatable(t *testing.T) {
	run := func(seed uint64) (statuses []int) {
		s := new(gongtest.Server)
		s.Chaos(seed, gongtest.Chance{Probability: 0.3, Fault: gongtest.ServerError(503)},
			gongtest.Chance{Probability: 0.2, Fault: gongtest.TooManyRequests("1")})
		for range 200 {
			statuses = append(statuses, ask(t, s, "GET", "/v2/workspaces", "").status)
		}
		s.ClearFaults()
		if a := ask(t, s, "GET", "/v2/workspaces", ""); a.status != 200 {
			t.Errorf("chaos did not end: %d", a.status)
		}
		return statuses
	}
	a, b, c := run(1), run(1), run(2)
	if !cmp.Equal(a, b) || cmp.Equal(a, c) {
		t.Error("equal seeds must give equal faults, and others others")
	}
	count := map[int]int{}
	for _, status := range a {
		count[status]++
	}
	if count[503] < 40 || count[503] > 80 || count[429] < 20 || count[429] > 60 {
		t.Errorf("of 200: %v", count)
	}
}

func TestConcurrentChangesAndRequests(t *testing.T) {
	s := gongtest.New(gongtest.Options{PageSize: 5})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				id := s.AddCall(gongtest.Call{Started: noon.Add(time.Duration(i*20+j) * time.Second)})
				s.Update(id, func(c *gongtest.Call) { c.Title = "changed" })
				if j%2 == 0 {
					s.Delete(id)
				}
				ask(t, s, "GET", "/v2/calls", "")
			}
		})
	}
	wg.Wait()
	if n := len(s.Calls()); n != 80 {
		t.Errorf("%d calls, want 80", n)
	}
}

func TestStartListensAndStops(t *testing.T) {
	url, stop, err := new(gongtest.Server).Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(url + "/v2/workspaces")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("without a key: %d", resp.StatusCode)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if resp, err := http.Get(url); err == nil {
		_ = resp.Body.Close()
		t.Error("still serving")
	}
}
