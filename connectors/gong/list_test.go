package gong_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
)

// Pitfalls 1 and 2: a cursor anywhere but at the body's top level brings the first page for ever, and neither the page's number
// nor its size nor the total tells the last page.
func TestListWalksAllPagesByTheCursorInTheBody(t *testing.T) {
	company := gongtest.New(gongtest.Options{Clock: newClock(noon).now, PageSize: 10})
	var want []string
	for i := range 25 {
		want = append(want, company.AddCall(gongtest.Call{Started: hoursAgo(20 - float64(i)/10)}))
	}
	// Calls that are still being processed count in the total and are not there.
	for range 40 {
		company.AddCall(gongtest.Call{Started: hoursAgo(10), VisibleAt: noon.Add(time.Hour)})
	}
	c := connect(t, company)
	entries, pages, err := listAll(t.Context(), c, hoursAgo(24), noon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if pages != 3 || company.Count("") != 3 {
		t.Errorf("%d pages with %d requests, want 3", pages, company.Count(""))
	}
	for i, body := range bodies(company) {
		var b struct {
			Cursor          string
			ContentSelector any
			Filter          map[string]any
		}
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			t.Fatal(err)
		}
		window := map[string]any{"fromDateTime": "2026-08-31T12:00:00Z", "toDateTime": "2026-09-01T12:00:00Z"}
		if (b.Cursor != "") != (i > 0) || b.ContentSelector != nil || !cmp.Equal(b.Filter, window) {
			t.Errorf("request %d: %s", i, body)
		}
	}
}

// Pitfall 3.
func TestOnlyGongsWordsForNothingFoundAreAnEmptyResult(t *testing.T) {
	gongSays := func(text string) string { return `{"requestId":"x","errors":["` + text + `"]}` }
	tests := []struct {
		name, body string
		status     int
		code       plugin.Code // empty: no error
	}{
		{"no calls", gongSays("No calls found corresponding to the provided filters"), 404, ""},
		{"full stop and case", gongSays("no Calls found corresponding to the provided filters."), 404, ""},
		{"wrong path", gongSays("Not Found"), 404, plugin.CodeInvalidConfig},
		{"not Gong", "<html><body>nginx</body></html>", 404, plugin.CodeInvalidConfig},
		{"nothing at all", "", 404, plugin.CodeInvalidConfig},
		{"the words with another status", gongSays("No calls found corresponding to the provided filters"), 400, plugin.CodeInvalidRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			company := gongtest.New(gongtest.Options{})
			c := connect(t, company)
			company.Inject(gongtest.Answer(tt.status, "application/json", tt.body))
			resp, err := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon})
			if tt.code != "" {
				wantError(t, err, tt.code)
				return
			}
			if err != nil || len(resp.Entries) != 0 || resp.NextPageToken != "" || resp.Requests != 1 {
				t.Errorf("got %+v, %v", resp, err)
			}
		})
	}
}

func TestEmptyCompanyHasNoCalls(t *testing.T) {
	if ids := mustList(t, connect(t, new(gongtest.Server)), hoursAgo(24), noon); len(ids) != 0 {
		t.Errorf("got %v", ids)
	}
}

// Pitfall 4: cursors live an hour from the first page, however often they are renewed.
func TestOldOrForeignCursorIsExpired(t *testing.T) {
	now := newClock(noon)
	company := gongtest.New(gongtest.Options{Clock: now.now, PageSize: 1})
	for i := range 4 {
		company.AddCall(gongtest.Call{Started: hoursAgo(5 - float64(i))})
	}
	c := connect(t, company)
	list := func(token string) (*plugin.ListResponse, error) {
		return c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon, PageToken: token})
	}
	first, err := list("")
	if err != nil {
		t.Fatal(err)
	}
	now.advance(59 * time.Minute)
	second, err := list(first.NextPageToken)
	if err != nil {
		t.Fatal(err)
	}
	now.advance(2 * time.Minute)
	_, err = list(second.NextPageToken)
	if e := errorOf(t, err, plugin.CodeExpired, "cursor has expired"); !e.Retryable || e.Requests != 1 {
		t.Errorf("retryable %v, %d requests", e.Retryable, e.Requests)
	}

	foreign := connect(t, gongtest.New(gongtest.Options{Clock: now.now, CursorKey: "another"}))
	fresh, err := list("")
	if err != nil {
		t.Fatal(err)
	}
	_, err = foreign.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon, PageToken: fresh.NextPageToken})
	wantError(t, err, plugin.CodeExpired, "failed to verify cursor")

	_, err = list("something else")
	wantError(t, err, plugin.CodeExpired)
}

// Pitfall 5: a call appears under its own start, behind calls that were listed long before.
func TestLateCallIsListedInTheWindowOfItsStart(t *testing.T) {
	now := newClock(noon)
	company := gongtest.New(gongtest.Options{Clock: now.now})
	late := company.AddCall(gongtest.Call{Started: hoursAgo(5), VisibleAt: noon.Add(20 * time.Hour)})
	seen := company.AddCall(gongtest.Call{Started: hoursAgo(1)})
	c := connect(t, company)
	if diff := cmp.Diff([]string{seen}, mustList(t, c, hoursAgo(24), noon)); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	now.advance(20 * time.Hour)
	if diff := cmp.Diff([]string{late, seen}, mustList(t, c, hoursAgo(24), noon)); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
}

// Pitfalls 7 and 8: times have company-local offsets and up to six digits of the second, ids do not fit float64.
func TestEntriesHaveExactIDsAndTimes(t *testing.T) {
	company := gongtest.New(gongtest.Options{Location: time.FixedZone("", 5*3600+1800)})
	started := time.Date(2026, 8, 31, 20, 0, 0, 41977000, time.UTC)
	company.AddCall(gongtest.Call{ID: "9223372036854775807", Started: started})
	company.AddCall(gongtest.Call{ID: "9223372036854775806", Started: started.Add(time.Microsecond)})
	entries, _, err := listAll(t.Context(), connect(t, company), hoursAgo(24), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []plugin.Entry{{ID: "9223372036854775807", Time: started}, {ID: "9223372036854775806", Time: started.Add(time.Microsecond)}}
	if diff := cmp.Diff(want, entries, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// Pitfall 9: the end of a window is exclusive, so adjoining windows share their boundary. Nanoseconds, which Gong does not have,
// must not open a gap.
func TestAdjoiningWindowsListEachCallOnce(t *testing.T) {
	company := gongtest.New(gongtest.Options{})
	var want []string
	for i := range 5 {
		want = append(want, company.AddCall(gongtest.Call{Started: hoursAgo(1).Add(time.Duration(i-2) * time.Microsecond)}))
	}
	c := connect(t, company)
	for _, boundary := range []time.Duration{0, 1, 999, 1000, -1, -1000} {
		at := hoursAgo(1).Add(boundary)
		got := append(mustList(t, c, hoursAgo(24), at), mustList(t, c, at, noon)...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("boundary %v (-want +got):\n%s", boundary, diff)
		}
	}
	if got := mustList(t, c, hoursAgo(1).Add(1), hoursAgo(1).Add(1001)); len(got) != 1 || got[0] != want[3] {
		t.Errorf("a window that begins a nanosecond after a call: got %v, want %v", got, want[3:4])
	}
	if got := mustList(t, c, hoursAgo(1), hoursAgo(1).Add(time.Microsecond)); len(got) != 1 || got[0] != want[2] {
		t.Errorf("from is inclusive and to exclusive: got %v, want %v", got, want[2:3])
	}
}

func TestEmptyWindowIsNotAskedFor(t *testing.T) {
	company := new(gongtest.Server)
	if ids := mustList(t, connect(t, company), noon, noon); len(ids) != 0 || company.Count("") != 0 {
		t.Errorf("got %v with %d requests", ids, company.Count(""))
	}
}

// Pitfall 12.
func TestPrivateCallsAreNotListed(t *testing.T) {
	company := gongtest.New(gongtest.Options{Clock: newClock(noon).now})
	open := company.AddCall(gongtest.Call{Started: hoursAgo(3)})
	company.AddCall(gongtest.Call{Started: hoursAgo(2), Private: true})
	company.AddCall(gongtest.Call{Started: hoursAgo(1), PrivateAt: hoursAgo(0.5)})
	if diff := cmp.Diff([]string{open}, mustList(t, connect(t, company), hoursAgo(24), noon)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestCallThatDoesNotSayWhetherItIsPrivateIsAnError(t *testing.T) {
	for _, metadata := range []string{
		`{"id":"5","started":"2026-09-01T09:00:00Z"}`,
		`{"id":"5","started":"2026-09-01T09:00:00Z","isPrivate":null}`,
		`{"id":null,"started":"2026-09-01T09:00:00Z","isPrivate":false}`,
		`{"id":"5","started":"yesterday","isPrivate":false}`,
		`{"id":"5","started":"2026-09-01T09:00:00","isPrivate":false}`,
	} {
		company := new(gongtest.Server)
		c := connect(t, company)
		company.Inject(gongtest.Answer(200, "application/json", `{"calls":[{"metaData":`+metadata+`}]}`).Repeat(2))
		_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon})
		if e := errorOf(t, err, plugin.CodeInternal); e.Retryable {
			t.Errorf("%s: retryable", metadata)
		}
		_, err = c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{"5"}, Fields: []string{"id"}})
		wantError(t, err, plugin.CodeInternal)
	}
}

// Pitfall 14: the wait is told to the host and not slept through here; one of hours is explained.
func TestRateLimitsAreReportedWithTheirWait(t *testing.T) {
	now := newClock(noon)
	company := gongtest.New(gongtest.Options{Clock: now.now, Limits: gongtest.Limits{PerSecond: 3, PerDay: 5}})
	company.AddCall(gongtest.Call{Started: hoursAgo(1)})
	c := connect(t, company)
	list := func() error {
		_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon})
		return err
	}
	for range 3 {
		if err := list(); err != nil {
			t.Fatal(err)
		}
	}
	if e := errorOf(t, list(), plugin.CodeRateLimited); e.RetryAfter != time.Second || !e.Retryable || e.Requests != 1 {
		t.Errorf("got RetryAfter %v, retryable %v, %d requests", e.RetryAfter, e.Retryable, e.Requests)
	}
	now.advance(time.Second)
	for range 2 {
		if err := list(); err != nil {
			t.Fatal(err)
		}
	}
	if e := errorOf(t, list(), plugin.CodeRateLimited, "of the day"); e.RetryAfter != 12*time.Hour-time.Second {
		t.Errorf("got RetryAfter %v, want the time to midnight", e.RetryAfter)
	}
	company.Inject(gongtest.TooManyRequests(""))
	if e := errorOf(t, list(), plugin.CodeRateLimited); e.RetryAfter != 0 {
		t.Errorf("got RetryAfter %v without the header", e.RetryAfter)
	}
}

func TestListThatGoesInCirclesEndsWithAnError(t *testing.T) {
	company := gongtest.New(gongtest.Options{PageSize: 2})
	for i := range 10 {
		company.AddCall(gongtest.Call{Started: hoursAgo(10 - float64(i))})
	}
	c := connect(t, company)
	for _, healthy := range []int{0, 1, 2} { // pages that come before Gong begins to ignore the cursor
		company.ResetJournal()
		company.ClearFaults()
		if healthy > 0 {
			company.Inject(gongtest.Slow(0).Repeat(healthy + 1))
		}
		company.Inject(gongtest.RepeatFirstPage().Repeat(100))
		_, pages, err := listAll(t.Context(), c, hoursAgo(24), noon)
		if e := errorOf(t, err, plugin.CodeInternal, "there before"); e.Retryable || pages != healthy+1 {
			t.Errorf("retryable %v after %d pages", e.Retryable, pages)
		}
	}
}

func TestSameCursorAgainIsAnError(t *testing.T) {
	page := func(id, cursor string) gongtest.Fault {
		return gongtest.Answer(200, "application/json", fmt.Sprintf(`{"records":{"cursor":%q},"calls":[{"metaData":
			{"id":%q,"started":"2026-09-01T09:00:00Z","isPrivate":false}}]}`, cursor, id))
	}
	company := new(gongtest.Server)
	c := connect(t, company)
	company.Inject(page("1", "a"), page("2", "b"), page("3", "b"))
	_, pages, err := listAll(t.Context(), c, hoursAgo(24), noon)
	if wantError(t, err, plugin.CodeInternal, "names itself as the next one"); pages != 2 {
		t.Errorf("%d pages, want 2", pages)
	}
}

// A call that comes again on the next page, because another was inserted meanwhile, is no circle.
func TestCallRepeatedAcrossPagesDoesNotStopTheListing(t *testing.T) {
	company := gongtest.New(gongtest.Options{PageSize: 3})
	var want []string
	for i := range 7 {
		want = append(want, company.AddCall(gongtest.Call{Started: hoursAgo(10 - float64(i))}))
	}
	c := connect(t, company)
	company.Inject(gongtest.Duplicate())
	got := mustList(t, c, hoursAgo(24), noon)
	if len(got) != 8 {
		t.Errorf("the simulator gave no duplicate: %v", got)
	}
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

// Pitfall 20.
func TestRedirectNamesTheHostAndLosesNoCredentials(t *testing.T) {
	company := new(gongtest.Server)
	c := connect(t, company)
	company.Inject(gongtest.Redirect("https://us-12345.api.gong.io/v2/calls/extensive"))
	_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon})
	if e := errorOf(t, err, plugin.CodeInvalidConfig, "base_url", "https://us-12345.api.gong.io"); e.Attribute != "base_url" {
		t.Errorf("the error is about %q", e.Attribute)
	}
}

// Pitfall 21: GET /v2/calls has windows over the scheduled time. A meeting that began late is listed by its start only.
func TestLateMeetingIsListedByItsStart(t *testing.T) {
	company := new(gongtest.Server)
	id := company.AddCall(gongtest.Call{Scheduled: hoursAgo(3), Started: hoursAgo(1)})
	c := connect(t, company)
	if got := mustList(t, c, hoursAgo(4), hoursAgo(2)); len(got) != 0 {
		t.Errorf("in the window of the plan: %v", got)
	}
	if diff := cmp.Diff([]string{id}, mustList(t, c, hoursAgo(2), noon)); diff != "" {
		t.Errorf("in the window of the start (-want +got):\n%s", diff)
	}
	if n := company.Count("GET /v2/calls"); n != 0 {
		t.Errorf("GET /v2/calls was used %d times", n)
	}
}

// Should Gong file a call under another time than its start, it must not be lost.
func TestRowsAreNotFilteredByTimeAgain(t *testing.T) {
	company := new(gongtest.Server)
	c := connect(t, company)
	company.Inject(gongtest.Answer(200, "application/json", `{"records":{},"calls":[{"metaData":
		{"id":"5","started":"2026-09-01T05:00:00-07:00","isPrivate":false}}]}`))
	if diff := cmp.Diff([]string{"5"}, mustList(t, c, hoursAgo(2), noon)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestWorkspaceLimitsTheListing(t *testing.T) {
	company := gongtest.New(gongtest.Options{Workspaces: []gongtest.Workspace{{ID: "1", Name: "Main"}, {ID: "2", Name: "EMEA"}}})
	company.AddCall(gongtest.Call{Started: hoursAgo(2)})
	want := company.AddCall(gongtest.Call{Started: hoursAgo(1), WorkspaceID: "2"})
	if diff := cmp.Diff([]string{want}, mustList(t, connect(t, company, "workspace_id", "2"), hoursAgo(24), noon)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestTroubleIsClassified(t *testing.T) {
	gongSays := func(status int, text string) gongtest.Fault {
		return gongtest.Answer(status, "application/json", `{"requestId":"x","errors":["`+text+`"]}`)
	}
	tests := []struct {
		name  string
		fault gongtest.Fault
		code  plugin.Code
		says  string
	}{
		{"500", gongtest.ServerError(500), plugin.CodeUnavailable, "Internal server error occurred"},
		{"502 of a proxy", gongtest.ServerError(502), plugin.CodeUnavailable, "502 Bad Gateway"},
		{"503", gongtest.ServerError(503), plugin.CodeUnavailable, "503 Service Unavailable"},
		{"reset", gongtest.Reset(), plugin.CodeUnavailable, "POST /v2/calls/extensive"},
		{"truncated", gongtest.Truncate(), plugin.CodeUnavailable, "EOF"},
		{"page with 200", gongtest.Answer(200, "text/html", "<html>maintenance</html>"), plugin.CodeUnavailable, "maintenance"},
		{"bad request", gongSays(http.StatusBadRequest, "Json parse error"), plugin.CodeInvalidRequest, "Json parse error"},
		{"cursor that was not sent", gongSays(http.StatusBadRequest, "cursor has expired"), plugin.CodeInvalidRequest, "cursor has expired"},
		{"wrong verb", gongSays(http.StatusMethodNotAllowed, "Method Not Allowed"), plugin.CodeInvalidRequest, "405"},
		{"unknown 401", gongSays(http.StatusUnauthorized, "access token has been revoked"), plugin.CodeUnauthenticated, "revoked"},
		{"403 of a proxy", gongtest.Answer(403, "text/html", "<h1>Forbidden</h1>"), plugin.CodePermissionDenied, "Forbidden"},
		{"404 with echo", gongSays(404, gongtest.AccessKeySecret), plugin.CodeInvalidConfig, "[redacted]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			company := gongtest.New(gongtest.Options{})
			company.AddCall(gongtest.Call{Started: hoursAgo(1)})
			c := connect(t, company)
			company.Inject(tt.fault)
			_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon})
			e := errorOf(t, err, tt.code, tt.says)
			if e.Retryable != tt.code.Retryable() || e.Uncertain || e.Requests != 1 {
				t.Errorf("retryable %v, uncertain %v, %d requests", e.Retryable, e.Uncertain, e.Requests)
			}
			if strings.Contains(e.Message, "<h") {
				t.Errorf("markup in the message: %s", e.Message)
			}
			if got := mustList(t, c, hoursAgo(24), noon); len(got) != 1 {
				t.Errorf("afterwards %d calls", len(got))
			}
		})
	}
}

func TestUnknownStreamIsRefused(t *testing.T) {
	c := connect(t, new(gongtest.Server))
	_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "users", From: hoursAgo(1), To: noon})
	wantError(t, err, plugin.CodeInvalidRequest, `"users"`)
	_, err = c.Read(t.Context(), &plugin.ReadRequest{Stream: "users", IDs: []string{"1"}})
	wantError(t, err, plugin.CodeInvalidRequest, `"users"`)
}
