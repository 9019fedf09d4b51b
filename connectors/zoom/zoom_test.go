package zoom_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/zoom"
	"github.com/durasync/durasync/connectors/zoom/zoomtest"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m, zoom.New()) }

// noon is the time around which the tests happen.
var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func hoursAgo(h float64) time.Time { return noon.Add(-time.Duration(h * float64(time.Hour))) }

// account is an empty account whose clock stands at noon.
func account() *zoomtest.Server { return &zoomtest.Server{Now: func() time.Time { return noon }} }

// review is a meeting with everything. Its UUID has to be encoded twice.
func review() zoomtest.Meeting {
	return zoomtest.Meeting{
		UUID: "/aj+vBc//Rq6=A==", Number: 85746065, Topic: "Acme - review", HostName: "Hana Host", HostEmail: "Hana@Ours.example",
		Started: hoursAgo(4), Ended: hoursAgo(4).Add(30*time.Minute + 5*time.Second),
		Participants: []zoomtest.Participant{
			{ID: "h1", Name: "Hana Host", Email: "hana@ours.example", Internal: true, Duration: 30 * time.Minute},
			{Name: "Pat", Email: "Pat@acme.example", Duration: 10 * time.Minute},
			{Name: "Pat (phone)", Email: "pat@acme.example", Duration: 5 * time.Minute},
			{Name: "Room 7", Duration: time.Minute},
		},
		Summary: &zoomtest.Summary{
			Overview: "They agreed.", Details: []zoomtest.Detail{{Label: "Scope", Summary: "Agreed."}, {Summary: "Price is open."}},
			NextSteps: []string{"Pat: sign"}, Content: "# Markdown", DocURL: "https://docs.zoom.example/doc/7",
		},
	}
}

func plain(uuid string, hours float64) zoomtest.Meeting {
	return zoomtest.Meeting{
		UUID: uuid, Started: hoursAgo(hours), Ended: hoursAgo(hours).Add(20 * time.Minute), Summary: &zoomtest.Summary{Overview: "They met."},
	}
}

func settings(url string, more map[string]any) json.RawMessage {
	all := map[string]any{
		"account_id": zoomtest.AccountID, "client_id": zoomtest.ClientID, "client_secret": zoomtest.ClientSecret,
		"base_url": url, "token_url": url + "/oauth/token", "requests_per_second": 0,
	}
	maps.Copy(all, more)
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return b
}

// connect returns a connector that is configured for the account.
func connect(t *testing.T, a http.Handler, more map[string]any) *zoom.Connector {
	t.Helper()
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	c := zoom.New()
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: settings(srv.URL, more)}); err != nil {
		t.Fatal(err)
	}
	return c
}

// list returns the ids of all pages of a window, in the order in which they were listed.
func list(t *testing.T, c *zoom.Connector, from, to time.Time) []string {
	t.Helper()
	ids := []string{}
	req := &plugin.ListRequest{Stream: "meetings", From: from, To: to}
	for range 100 {
		resp, err := c.List(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range resp.Entries {
			ids = append(ids, e.ID)
		}
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			return ids
		}
	}
	t.Fatal("the listing does not end")
	return nil
}

var allFields = []string{
	"id", "number", "title", "started", "duration", "url", "host_email", "host_name", "participants", "brief", "key_points", "action_items",
}

func read(t *testing.T, c *zoom.Connector, fields []string, ids ...string) []plugin.Record {
	t.Helper()
	resp, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "meetings", IDs: ids, Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	return resp.Records
}

// wantError checks an error's code and words, and that it shows no secret.
func wantError(t *testing.T, err error, code plugin.Code, says ...string) {
	t.Helper()
	_ = errorOf(t, err, code, says...)
}

// errorOf is wantError for those who look closer.
func errorOf(t *testing.T, err error, code plugin.Code, says ...string) *plugin.Error {
	t.Helper()
	e := plugin.AsError(err)
	if e == nil {
		t.Fatalf("no error, want %s", code)
	}
	if e.Code != code {
		t.Errorf("%s, want %s: %s", e.Code, code, e.Message)
	}
	for _, s := range says {
		if !strings.Contains(e.Message, s) {
			t.Errorf("the message does not say %q: %s", s, e.Message)
		}
	}
	if strings.Contains(e.Message, zoomtest.ClientSecret) || strings.Contains(e.Message, "zoomtest-token") {
		t.Errorf("the message shows a secret: %s", e.Message)
	}
	return e
}

func TestConformance(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	a := &zoomtest.Server{PageSize: 4}
	for i := range 11 {
		a.Add(zoomtest.Meeting{
			UUID: fmt.Sprintf("meeting/%d==", i), Started: now.Add(-time.Duration(i+2) * time.Hour), Ended: now.Add(-time.Hour),
			Summary: &zoomtest.Summary{Overview: "They met."},
		})
	}
	full := review()
	full.Started, full.Ended = now.Add(-26*time.Hour), now.Add(-25*time.Hour)
	a.Add(full)
	a.Add(zoomtest.Meeting{UUID: "waiting", Started: now.Add(-3 * time.Hour), Ended: now.Add(-2 * time.Hour)})
	// Tokens come from another host than the API's, which has limits of its own.
	authority := httptest.NewServer(a)
	t.Cleanup(authority.Close)
	configured := func(url string, more map[string]any) json.RawMessage {
		all := map[string]any{"token_url": authority.URL + "/oauth/token"}
		maps.Copy(all, more)
		return settings(url, all)
	}
	first, err := connect(t, a, nil).List(t.Context(), &plugin.ListRequest{Stream: "meetings", From: now.Add(-48 * time.Hour), To: now})
	if err != nil {
		t.Fatal(err)
	}
	a.ExpirePages()

	plugintest.Run(t, plugintest.Harness{
		New:     func() plugin.Connector { return zoom.New() },
		Command: plugintest.Self(t),
		System:  a,
		Config:  func(url string) json.RawMessage { return configured(url, nil) },
		Limited: func(url string) json.RawMessage { return configured(url, map[string]any{"requests_per_second": 10}) },
		BadConfig: map[string]json.RawMessage{
			"account_id":          configured("http://127.0.0.1", map[string]any{"account_id": " "}),
			"client_id":           configured("http://127.0.0.1", map[string]any{"client_id": ""}),
			"client_secret":       configured("http://127.0.0.1", map[string]any{"client_secret": "\n"}),
			"base_url":            configured("https://api.zoom.us/v2", nil),
			"token_url":           configured("http://127.0.0.1", map[string]any{"token_url": "http://zoom.us/oauth/token"}),
			"requests_per_second": configured("http://127.0.0.1", map[string]any{"requests_per_second": -1}),
		},
		Source: &plugintest.Source{
			Stream: "meetings", From: now.Add(-48 * time.Hour), To: now, Unknown: "no+such/meeting==", BadToken: first.NextPageToken,
			Want: []plugin.Record{
				{ID: full.UUID, Time: full.Started, URL: "https://docs.zoom.example/doc/7",
					Data: json.RawMessage(`{"title": "Acme - review", "duration": 3600, "host_email": "hana@ours.example", "number": "85746065"}`)},
				{ID: "waiting", Pending: "no summary yet", Data: json.RawMessage(`{"title": "Untitled meeting"}`)},
			},
		},
	})
}

func TestRecordHasWhatZoomTells(t *testing.T) {
	a := account()
	a.Add(review())
	r := read(t, connect(t, a, nil), allFields, "/aj+vBc//Rq6=A==")[0]
	var got any
	if err := json.Unmarshal(r.Data, &got); err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal([]byte(`{
		"id": "/aj+vBc//Rq6=A==", "number": "85746065", "title": "Acme - review", "started": "2026-09-01T08:00:00Z", "duration": 1805,
		"url": "https://docs.zoom.example/doc/7", "host_email": "hana@ours.example", "host_name": "Hana Host",
		"participants": [
			{"name": "Hana Host", "email": "hana@ours.example", "affiliation": "Internal", "duration": 1800},
			{"name": "Pat", "email": "pat@acme.example", "affiliation": "External", "duration": 900},
			{"name": "Room 7", "affiliation": "External", "duration": 60}
		],
		"brief": "They agreed.", "key_points": ["Scope: Agreed.", "Price is open."], "action_items": ["Pat: sign"]}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
	if r.Pending != "" || r.URL != "https://docs.zoom.example/doc/7" || !r.Time.Equal(hoursAgo(4)) {
		t.Errorf("pending %q, URL %q, time %s", r.Pending, r.URL, r.Time)
	}
}

func TestUUIDsAreEncodedAsZoomWantsThem(t *testing.T) {
	for uuid, path := range map[string]string{
		"4444AAAiAAAAAiAiAiiAii==": "/v2/past_meetings/4444AAAiAAAAAiAiAiiAii%3D%3D",
		"a/b+c==":                  "/v2/past_meetings/a%2Fb%2Bc%3D%3D",
		"/ajXp112QmuoKj4854875==":  "/v2/past_meetings/%252FajXp112QmuoKj4854875%253D%253D",
		"a//b":                     "/v2/past_meetings/a%252F%252Fb",
		"../users/me":              "/v2/past_meetings/..%2Fusers%2Fme",
	} {
		a := account()
		a.Add(plain(uuid, 4))
		if records := read(t, connect(t, a, nil), []string{"id"}, uuid); len(records) != 1 || records[0].ID != uuid {
			t.Errorf("reading %s gave %+v", uuid, records)
		}
		if got := a.Requests()[1]; got != "GET "+path {
			t.Errorf("%s was asked for with %s, want %s", uuid, got, path)
		}
	}
}

// TestNumbersAreNoRecords: Zoom takes a meeting number where a UUID belongs, and answers for the latest instance.
func TestNumbersAreNoRecords(t *testing.T) {
	a := http.NewServeMux()
	real := account()
	real.Add(plain("uuid==", 4))
	a.Handle("/oauth/token", real)
	a.HandleFunc("/v2/past_meetings/123", func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path, r.URL.RawPath = "/v2/past_meetings/uuid==", ""
		real.ServeHTTP(w, r)
	})
	if records := read(t, connect(t, a, nil), []string{"id"}, "123"); len(records) != 0 {
		t.Errorf("a number gave %+v", records)
	}
}

func TestLongWindowsAreListedInSlices(t *testing.T) {
	a := account()
	a.PageSize = 3
	var want []string
	for day := range 120 {
		id := fmt.Sprintf("day-%d", day)
		a.Add(plain(id, float64(24*day)+0.5))
		want = append(want, id)
	}
	got := list(t, connect(t, a, nil), noon.AddDate(0, 0, -120), noon)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the meetings, each once (-want +got):\n%s", diff)
	}
}

// TestWindowsAreExact: Zoom's reports know days only.
func TestWindowsAreExact(t *testing.T) {
	a := account()
	for _, h := range []float64{1, 2, 3, 4} {
		a.Add(plain(fmt.Sprint(h), h))
	}
	if diff := cmp.Diff([]string{"2", "3"}, list(t, connect(t, a, nil), hoursAgo(3), hoursAgo(1))); diff != "" {
		t.Errorf("from three hours ago to one hour ago (-want +got):\n%s", diff)
	}
}

func TestMeetingsThatGoOnAreListedWhenTheyHaveEnded(t *testing.T) {
	a := account()
	running := plain("running", 2)
	running.Ended = time.Time{}
	a.Add(running)
	c := connect(t, a, nil)
	if got := list(t, c, hoursAgo(10), noon); len(got) != 0 {
		t.Errorf("listed while it goes on: %v", got)
	}
	a.Update("running", func(m *zoomtest.Meeting) { m.Ended = noon })
	if got := list(t, c, hoursAgo(10), noon); len(got) != 1 {
		t.Errorf("listed when it has ended: %v", got)
	}
}

func TestReportsReachBackSixMonths(t *testing.T) {
	c := connect(t, account(), nil)
	list(t, c, noon.AddDate(0, 0, -170), noon)
	_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "meetings", From: noon.AddDate(-1, 0, 0), To: noon})
	wantError(t, err, plugin.CodeInvalidRequest, "six months", "initial")
}

// TestPagesThatRepeatThemselvesEnd: nobody lists for ever because a page names itself as the next one.
func TestPagesThatRepeatThemselvesEnd(t *testing.T) {
	a := account()
	a.Add(review())
	c := connect(t, a, nil)
	a.Inject(
		zoomtest.Fault{Endpoint: zoomtest.History, Times: 2, Status: 200, Body: `{"next_page_token": "again"}`},
		zoomtest.Fault{Endpoint: zoomtest.Participants, Times: 2, Status: 200, Body: `{"next_page_token": "again"}`},
	)
	first, err := c.List(t.Context(), &plugin.ListRequest{Stream: "meetings", From: hoursAgo(9), To: noon})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.List(t.Context(), &plugin.ListRequest{Stream: "meetings", From: hoursAgo(9), To: noon, PageToken: first.NextPageToken})
	wantError(t, err, plugin.CodeInternal, "itself")
	_, err = c.Read(t.Context(), &plugin.ReadRequest{Stream: "meetings", IDs: []string{review().UUID}, Fields: allFields})
	wantError(t, err, plugin.CodeInternal, "names itself as the next one")
}

func TestParticipantsOfAllPagesAreRead(t *testing.T) {
	a := account()
	a.PageSize = 2
	m := review()
	m.Participants = nil
	for i := range 7 {
		m.Participants = append(m.Participants, zoomtest.Participant{Name: "P", Email: fmt.Sprintf("p%d@acme.example", i)})
	}
	a.Add(m)
	r := read(t, connect(t, a, nil), []string{"participants"}, m.UUID)[0]
	if n := strings.Count(string(r.Data), "@acme.example"); n != 7 {
		t.Errorf("%d participants, want 7: %s", n, r.Data)
	}
}

// TestOnlyWhatTheFieldsNeedIsAskedFor counts the requests of a read, the one for the token included.
func TestOnlyWhatTheFieldsNeedIsAskedFor(t *testing.T) {
	for field, want := range map[string]int{"title": 2, "participants": 3, "brief": 3} {
		a := account()
		a.Add(plain("uuid", 4))
		read(t, connect(t, a, nil), []string{field}, "uuid")
		if n := len(a.Requests()); n != want {
			t.Errorf("%s took %d requests, want %d: %v", field, n, want, a.Requests())
		}
	}
}

func TestSummaries(t *testing.T) {
	edited := &zoomtest.Summary{Overview: "Theirs.", Details: []zoomtest.Detail{{Label: "A", Summary: "b"}}, NextSteps: []string{"c"}}
	edited.Edited = map[string]any{"summary_overview": "Ours.", "summary_details": "One text.", "next_steps": []string{"d"}}
	for name, tt := range map[string]struct {
		summary *zoomtest.Summary
		want    string
	}{
		"edited":        {edited, `{"action_items":["d"],"brief":"Ours.","key_points":["One text."]}`},
		"Markdown only": {&zoomtest.Summary{Content: "# All"}, `{"action_items":[],"brief":"# All","key_points":[]}`},
		"empty":         {&zoomtest.Summary{}, `{"action_items":[],"key_points":[]}`},
		"none":          {nil, `{"action_items":[],"key_points":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := account()
			m := review()
			m.Summary = tt.summary
			a.Add(m)
			r := read(t, connect(t, a, nil), []string{"brief", "key_points", "action_items"}, m.UUID)[0]
			if string(r.Data) != tt.want {
				t.Errorf("%s, want %s", r.Data, tt.want)
			}
			if waits := r.Pending == "no summary yet"; waits != (tt.summary == nil) {
				t.Errorf("pending %q", r.Pending)
			}
		})
	}
}

func TestMeetingsWithoutSummaryWaitOnlyForThoseWhoReadIt(t *testing.T) {
	a := account()
	m := plain("uuid", 4)
	m.Summary = nil
	a.Add(m)
	if r := read(t, connect(t, a, nil), []string{"title"}, "uuid")[0]; r.Pending != "" {
		t.Errorf("a reader of titles waits: %s", r.Pending)
	}
	if r := read(t, connect(t, a, map[string]any{"read_summaries": false}), allFields, "uuid")[0]; r.Pending != "" {
		t.Errorf("a connection without summaries waits: %s", r.Pending)
	}
}

// TestMeetingsThatCannotHaveASummaryDoNotFailTheRun: of one meeting that is encrypted, or whose host shares summaries by e-mail only.
func TestMeetingsThatCannotHaveASummaryDoNotFailTheRun(t *testing.T) {
	a := account()
	a.Add(plain("uuid", 4))
	c := connect(t, a, nil)
	for status, code := range map[int]int{400: 3000, 403: 2305, 404: 3001} {
		a.Inject(zoomtest.Fault{Endpoint: zoomtest.Summaries, Status: status, Body: fmt.Sprintf(`{"code": %d, "message": "No."}`, code)})
		if r := read(t, c, allFields, "uuid")[0]; r.Pending == "" {
			t.Errorf("%d with code %d is taken for a summary", status, code)
		}
	}
	a.Inject(zoomtest.Fault{Endpoint: zoomtest.Summaries, Status: 400, Body: `{"code": 300, "message": "Invalid request."}`})
	_, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "meetings", IDs: []string{"uuid"}, Fields: allFields})
	wantError(t, err, plugin.CodeInvalidRequest)
}

func TestDeletedMeetingsAreLeftOut(t *testing.T) {
	a := account()
	a.Add(plain("gone", 4))
	a.Add(plain("there", 5))
	c := connect(t, a, nil)
	a.Delete("gone")
	if records := read(t, c, allFields, "gone", "there"); len(records) != 1 || records[0].ID != "there" {
		t.Errorf("read %+v", records)
	}
}

func TestMissingScopesAreNamed(t *testing.T) {
	a := account()
	a.Add(plain("uuid", 4))
	a.TakeScope(zoomtest.Summaries, "meeting:read:summary:admin")
	c := connect(t, a, nil)
	_, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "meetings", IDs: []string{"uuid"}, Fields: allFields})
	wantError(t, err, plugin.CodePermissionDenied, "meeting:read:summary:admin", "read_summaries = false")
	a.TakeScope(zoomtest.History, "report:read:list_history_meetings:admin")
	_, err = c.Check(t.Context(), &plugin.CheckRequest{})
	wantError(t, err, plugin.CodePermissionDenied, "report:read:list_history_meetings:admin")
}

func TestWrongCredentialsAreTold(t *testing.T) {
	c := connect(t, account(), map[string]any{"client_secret": "another"})
	_, err := c.Check(t.Context(), &plugin.CheckRequest{})
	wantError(t, err, plugin.CodeUnauthenticated, "client_secret", "invalid_client")
	c = connect(t, account(), map[string]any{"account_id": "another"})
	_, err = c.Check(t.Context(), &plugin.CheckRequest{})
	wantError(t, err, plugin.CodeUnauthenticated, "account_id")
}

func TestRevokedTokensAreReplaced(t *testing.T) {
	a := account()
	c := connect(t, a, nil)
	list(t, c, hoursAgo(9), noon)
	a.RevokeTokens()
	_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "meetings", From: hoursAgo(9), To: noon})
	if e := errorOf(t, err, plugin.CodeUnavailable); !e.Retryable {
		t.Error("the host is not told to try again")
	}
	list(t, c, hoursAgo(9), noon)
}

// TestLimitsAreReported: Zoom tells when a daily limit ends as a time, and that of a second not at all.
func TestLimitsAreReported(t *testing.T) {
	a := account()
	c := connect(t, a, nil)
	for retryAfter, want := range map[string]time.Duration{"": 0, "2": 2 * time.Second, "2026-09-02T00:00:00Z": 12 * time.Hour} {
		h := http.Header{"Date": {noon.Format(http.TimeFormat)}, "X-Ratelimit-Category": {"Heavy"}}
		if retryAfter != "" {
			h.Set("Retry-After", retryAfter)
		}
		a.Inject(zoomtest.Fault{Endpoint: zoomtest.History, Status: http.StatusTooManyRequests, Header: h, Body: `{"code": 429}`})
		_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "meetings", From: hoursAgo(9), To: noon})
		if e := errorOf(t, err, plugin.CodeRateLimited); e.RetryAfter != want || e.Requests != 1 {
			t.Errorf("Retry-After %q is %v after %d requests, want %v after 1", retryAfter, e.RetryAfter, e.Requests, want)
		}
	}
}

func TestLimitIsTheOneThatIsSet(t *testing.T) {
	for value, want := range map[float64][]plugin.RateLimit{
		20: {{Requests: 20, Per: time.Second}}, 0.5: {{Requests: 1, Per: 2 * time.Second}}, 0: nil,
	} {
		more := map[string]any{"requests_per_second": value}
		resp, err := zoom.New().Configure(t.Context(), &plugin.ConfigureRequest{Config: settings("http://127.0.0.1:1", more)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, resp.RateLimits); diff != "" {
			t.Errorf("requests_per_second = %v (-want +got):\n%s", value, diff)
		}
	}
}
