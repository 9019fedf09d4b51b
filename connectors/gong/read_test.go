package gong_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
)

// review is a call with everything.
func review() gongtest.Call {
	return gongtest.Call{
		ID: "7782342274025937895", Title: "Acme - quarterly review", Purpose: "Quarterly business review",
		Started:       time.Date(2026, 9, 1, 9, 2, 11, 41977000, time.FixedZone("", -7*3600)),
		Scheduled:     time.Date(2026, 9, 1, 9, 0, 0, 0, time.FixedZone("", -7*3600)),
		Duration:      29*time.Minute + 45*time.Second,
		PrimaryUserID: "234599484848423", MeetingURL: "https://zoom.us/j/123",
		Parties: []gongtest.Party{
			{ID: "1", Email: "host@ours.example", Name: "Hana Host", Title: "CSM", UserID: "234599484848423", SpeakerID: "6432345678555530067",
				Affiliation: "Internal", Phone: "+1 123-567-8989"},
			{ID: "2", Email: "pat@acme.example", Name: "Pat Client", Affiliation: "External", Methods: []string{"Invitee"}},
			{ID: "3", Name: "Phone Caller #1", Methods: []string{"Attendee"}},
		},
		CRM: []gongtest.CRMObject{
			{Type: "Account", ID: "0013601230sV7grAAC", Fields: []gongtest.CRMField{{Name: "Name", Value: "Acme Corp"}, {Name: "Employees", Value: 12}}},
			{Type: "Opportunity", ID: "0063600000abcdeAAA"},
			{Type: "Account", ID: "old", Timing: "TimeOfCall"},
		},
		Brief:     "Hana and Pat reviewed the quarter\nand agreed on a \"renewal\" plan.",
		KeyPoints: []string{"Renewal: the customer intends to renew for two years.", " ", "Price & terms <open>."},
		Highlights: []gongtest.Highlight{
			{Title: "Objections", Items: []string{"The price."}},
			{Title: " Next STEPS ", Items: []string{"Hana to send the quote by Friday.", ""}},
			{Title: "Action items", Items: []string{"Pat to ask legal."}},
		},
		Outline: []gongtest.Section{
			{Name: "Renewal terms", Start: 9 * time.Second, Duration: 155210 * time.Millisecond, Items: []string{"Pat asked for a two-year quote."}},
			{Name: "Wrap-up", Start: 1500 * time.Second},
		},
		Structure: []gongtest.Span{{Name: "Meeting Setup", Duration: 67 * time.Second}, {Name: "Product review", Duration: 1400 * time.Second}},
		Topics:    []gongtest.Span{{Name: "Pricing", Duration: 86 * time.Second}, {Name: "Next Steps", Duration: 2 * time.Minute}},
		Outcome:   &gongtest.Outcome{ID: "MEETING_BOOKED", Category: "Answered", Name: "Meeting booked"},
		Stats: &gongtest.Stats{TalkRatio: 0.62, LongestMonologue: 145 * time.Second, LongestCustomerStory: time.Minute, Interactivity: 4.2,
			Patience: 500 * time.Millisecond},
		CompanyQuestions: 9, CustomerQuestions: 4,
		AudioURL: "https://s3.example/a.mp3", VideoURL: "https://s3.example/v.mp4",
	}
}

func TestReadGivesEveryField(t *testing.T) {
	company := gongtest.New(gongtest.Options{})
	id := company.AddCall(review())
	r := mustRead(t, connect(t, company), allFields(t), id)[id]
	want := `{
		"id": "7782342274025937895",
		"url": "https://us-12345.app.gong.io/call?id=7782342274025937895",
		"title": "Acme - quarterly review",
		"started": "2026-09-01T09:02:11.041977-07:00",
		"scheduled": "2026-09-01T09:00:00-07:00",
		"duration": 1785,
		"purpose": "Quarterly business review",
		"direction": "Conference", "system": "Zoom", "scope": "External", "media": "Video", "language": "eng",
		"workspace_id": "623457276584334",
		"meeting_url": "https://zoom.us/j/123",
		"primary_user_id": "234599484848423",
		"host_email": "host@ours.example", "host_name": "Hana Host",
		"parties": [
			{"id": "1", "email": "host@ours.example", "name": "Hana Host", "title": "CSM", "user_id": "234599484848423",
			 "affiliation": "Internal", "phone_number": "+1 123-567-8989", "methods": ["Invitee", "Attendee"]},
			{"id": "2", "email": "pat@acme.example", "name": "Pat Client", "affiliation": "External", "methods": ["Invitee"]},
			{"id": "3", "name": "Phone Caller #1", "affiliation": "Unknown", "methods": ["Attendee"]}],
		"brief": "Hana and Pat reviewed the quarter\nand agreed on a \"renewal\" plan.",
		"key_points": ["Renewal: the customer intends to renew for two years.", "Price & terms <open>."],
		"action_items": ["Hana to send the quote by Friday.", "Pat to ask legal."],
		"agenda": [{"name": "Meeting Setup", "duration": 67}, {"name": "Product review", "duration": 1400}],
		"topics": [{"name": "Pricing", "duration": 86}, {"name": "Next Steps", "duration": 120}],
		"outcome": "Meeting booked",
		"outline": [{"section": "Renewal terms", "items": ["Pat asked for a two-year quote."]}, {"section": "Wrap-up", "items": []}],
		"interaction": {"talk_ratio": 0.62, "longest_monologue": 145, "longest_customer_story": 60, "interactivity": 4.2, "patience": 0.5,
			"company_questions": 9, "customer_questions": 4},
		"crm_accounts": [{"system": "Salesforce", "id": "0013601230sV7grAAC", "name": "Acme Corp"}]
	}`
	if diff := cmp.Diff(data(t, plugin.Record{Data: json.RawMessage(want)}), data(t, r)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if !r.Time.Equal(review().Started) || r.URL != "https://us-12345.app.gong.io/call?id=7782342274025937895" || r.Pending != "" {
		t.Errorf("record: time %v, URL %q, pending %q", r.Time, r.URL, r.Pending)
	}
}

// An imported call that Gong could not analyse: most parts are missing, some are empty, some are null.
func TestReadOfABareCall(t *testing.T) {
	company := gongtest.New(gongtest.Options{Topics: []string{}})
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1), Direction: "Inbound", Language: "und"})
	r := mustRead(t, connect(t, company), allFields(t), id)[id]
	want := fmt.Sprintf(`{"id": %q, "url": %q, "title": "Untitled meeting", "started": "2026-09-01T04:00:00-07:00", "duration": 0,
		"direction": "Inbound", "system": "Zoom", "scope": "External", "media": "Video", "language": "und",
		"workspace_id": "623457276584334", "parties": [], "key_points": [], "action_items": [], "agenda": [], "topics": [], "outline": [],
		"interaction": {"company_questions": 0, "customer_questions": 0}, "crm_accounts": []}`, id, r.URL)
	if diff := cmp.Diff(data(t, plugin.Record{Data: json.RawMessage(want)}), data(t, r)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if r.Pending != "" {
		t.Errorf("pending %q for a language that Gong cannot read", r.Pending)
	}
}

func TestNullMissingAndEmptyAreAlike(t *testing.T) {
	const meta = `"metaData":{"id":7782342274025937895,"started":"2026-09-01T09:00:00Z","isPrivate":false,"duration":%s}`
	for name, rest := range map[string]string{
		"missing": ``,
		"null":    `,"context":null,"parties":null,"content":null,"interaction":null`,
		"null inside": `,"content":{"structure":null,"topics":null,"brief":null,"outline":null,"highlights":null,"callOutcome":null,
			"keyPoints":null},"interaction":{"interactionStats":null,"questions":null}`,
		"empty": `,"context":[],"parties":[],"content":{"structure":[],"topics":[],"brief":" ","outline":[],"highlights":[],"keyPoints":[]},
			"interaction":{"interactionStats":[]},"collaboration":{}`,
		"empty inside": `,"context":[{"system":null,"objects":null}],"content":{"structure":[{"name":null}],"topics":[{"name":"x"}],
			"outline":[{"items":null}],"highlights":[{"title":"next steps","items":[{"text":null}]}],"keyPoints":[{"text":" "}]},
			"interaction":{"interactionStats":[{"name":"Talk Ratio","value":null}],"questions":{"companyCount":null}}`,
	} {
		t.Run(name, func(t *testing.T) {
			company := new(gongtest.Server)
			c := connect(t, company)
			company.Inject(gongtest.Answer(200, "application/json", `{"calls":[{`+fmt.Sprintf(meta, "1785.0")+rest+`}]}`))
			r := mustRead(t, c, allFields(t), "7782342274025937895")["7782342274025937895"]
			want := `{"id": "7782342274025937895", "title": "Untitled meeting", "started": "2026-09-01T09:00:00Z", "duration": 1785, "parties": [],
				"key_points": [], "action_items": [], "agenda": [], "topics": [], "outline": [], "crm_accounts": []}`
			if diff := cmp.Diff(data(t, plugin.Record{Data: json.RawMessage(want)}), data(t, r)); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
			if r.Pending == "" {
				t.Error("not pending without any text")
			}
		})
	}
}

func TestFieldsThatNobodyKnowsAreIgnored(t *testing.T) {
	company := gongtest.New(gongtest.Options{})
	id := company.AddCall(review())
	c := connect(t, company)
	plain := mustRead(t, c, allFields(t), id)[id]
	company.Inject(gongtest.ExtraFields())
	if diff := cmp.Diff(plain, mustRead(t, c, allFields(t), id)[id]); diff != "" {
		t.Errorf("record (-plain +with more):\n%s", diff)
	}
}

// Pitfalls 11, 17 and 18, and the cost of what nobody uses: only the parts that the fields need are asked for.
func TestOnlyNeededPartsAreAskedFor(t *testing.T) {
	tests := []struct {
		fields []string
		want   string // the contentSelector
	}{
		{nil, `{"exposedFields":{}}`},
		{[]string{"id", "title", "started", "purpose"}, `{"exposedFields":{}}`},
		{[]string{"parties"}, `{"exposedFields":{"parties":true}}`},
		{[]string{"host_email"}, `{"exposedFields":{"parties":true}}`},
		{[]string{"topics"}, `{"exposedFields":{"content":{"topics":true}}}`},
		{[]string{"outcome"}, `{"exposedFields":{"content":{"callOutcome":true}}}`},
		// Whether Gong has finished shows in the brief and the key points.
		{[]string{"action_items"}, `{"exposedFields":{"content":{"brief":true,"highlights":true,"keyPoints":true}}}`},
		{[]string{"agenda"}, `{"exposedFields":{"content":{"structure":true,"brief":true,"outline":true,"keyPoints":true}}}`},
		{[]string{"interaction"}, `{"exposedFields":{"interaction":{"personInteractionStats":true,"questions":true}}}`},
		{[]string{"crm_accounts"}, `{"context":"Extended","contextTiming":["Now"],"exposedFields":{}}`},
		{allFields(t), `{"context":"Extended","contextTiming":["Now"],"exposedFields":{"parties":true,"content":{"structure":true,"topics":true,
			"brief":true,"outline":true,"highlights":true,"callOutcome":true,"keyPoints":true},
			"interaction":{"personInteractionStats":true,"questions":true}}}`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.fields, " "), func(t *testing.T) {
			company := gongtest.New(gongtest.Options{})
			ids := []string{company.AddCall(review()), company.AddCall(gongtest.Call{Started: hoursAgo(1)})}
			records := mustRead(t, connect(t, company), tt.fields, ids...)
			var want any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(bodies(company)[0]), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got["contentSelector"]); diff != "" {
				t.Errorf("selector (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]any{"callIds": []any{ids[0], ids[1]}}, got["filter"]); diff != "" {
				t.Errorf("filter (-want +got):\n%s", diff)
			}
			if len(records) != 2 {
				t.Errorf("%d records", len(records))
			}
			for name := range data(t, records[ids[0]]) {
				if !strings.Contains(" "+strings.Join(tt.fields, " ")+" ", " "+name+" ") {
					t.Errorf("the record has %s, which was not asked for", name)
				}
			}
		})
	}
}

// Pitfall 6.
func TestCallIsPendingUntilItsTextIsThere(t *testing.T) {
	text := func(c gongtest.Call) gongtest.Call {
		c.Brief, c.ContentAt = "They met.", noon.Add(time.Hour)
		return c
	}
	long := gongtest.Call{Started: hoursAgo(1), Duration: 30 * time.Second}
	short := gongtest.Call{Started: hoursAgo(1), Duration: 29 * time.Second}
	foreign, silent, points := long, long, long
	foreign.Language, silent.Language = "und", "zxx"
	points.KeyPoints = []string{"One."}

	tests := []struct {
		name        string
		call        gongtest.Call
		fields      []string
		now, inHour bool // pending
	}{
		{"text comes later", text(long), []string{"title", "brief"}, true, false},
		{"only the outline is used", text(long), []string{"outline"}, true, false},
		{"only action items are used", text(long), []string{"action_items"}, true, false},
		{"no text is used", text(long), []string{"title", "topics", "parties"}, false, false},
		{"text never comes", long, []string{"brief"}, true, true},
		{"too short for a text", short, []string{"brief"}, false, false},
		{"unsupported language", foreign, []string{"brief"}, false, false},
		{"silence", silent, []string{"brief"}, false, false},
		{"key points are enough", points, []string{"brief"}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := newClock(noon)
			company := gongtest.New(gongtest.Options{Clock: now.now})
			id := company.AddCall(tt.call)
			c := connect(t, company)
			want := map[bool]string{true: "no brief yet"}
			if got := mustRead(t, c, tt.fields, id)[id].Pending; got != want[tt.now] {
				t.Errorf("pending %q, want %q", got, want[tt.now])
			}
			now.advance(time.Hour)
			if got := mustRead(t, c, tt.fields, id)[id].Pending; got != want[tt.inHour] {
				t.Errorf("an hour later pending %q, want %q", got, want[tt.inHour])
			}
		})
	}
}

// Pitfall 12, and calls that vanish between listing and reading.
func TestCallsThatTurnedPrivateOrVanishedAreLeftOut(t *testing.T) {
	now := newClock(noon)
	company := gongtest.New(gongtest.Options{Clock: now.now})
	stays := company.AddCall(gongtest.Call{Started: hoursAgo(4), Title: "stays"})
	private := company.AddCall(gongtest.Call{Started: hoursAgo(3), Title: "private", PrivateAt: noon.Add(time.Minute)})
	deleted := company.AddCall(gongtest.Call{Started: hoursAgo(2), Title: "deleted", DeletedAt: noon.Add(time.Minute)})
	vanishes := company.AddCall(gongtest.Call{Started: hoursAgo(1), Title: "vanishes"})
	c := connect(t, company)
	ids := mustList(t, c, hoursAgo(24), noon)
	if diff := cmp.Diff([]string{stays, private, deleted, vanishes}, ids); diff != "" {
		t.Fatalf("listed (-want +got):\n%s", diff)
	}
	now.advance(2 * time.Minute)
	company.Inject(gongtest.Vanish(vanishes))
	records := mustRead(t, c, []string{"title"}, ids...)
	if len(records) != 1 || records[stays].ID != stays {
		t.Errorf("got %v", records)
	}
	company.Delete(stays)
	if records := mustRead(t, c, []string{"title"}, ids...); len(records) != 0 { // Gong answers 404 now
		t.Errorf("got %v", records)
	}
}

func TestCallsThatWereNotAskedForAreNotReturned(t *testing.T) {
	company := new(gongtest.Server)
	c := connect(t, company)
	one := `{"metaData":{"id":"%s","started":"2026-09-01T09:00:00Z","isPrivate":false}}`
	company.Inject(gongtest.Answer(200, "application/json", fmt.Sprintf(`{"calls":[`+one+`,`+one+`,`+one+`]}`, "5", "6", "5")))
	records := mustRead(t, c, []string{"id"}, "5", "7")
	if len(records) != 1 || records["5"].ID != "5" {
		t.Errorf("got %v", records)
	}
}

// Pitfall 19, and one foreign id must not spoil the others.
func TestIDsThatCannotExistAreNotSent(t *testing.T) {
	company := new(gongtest.Server)
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1)})
	c := connect(t, company)
	if records := mustRead(t, c, []string{"id"}, "abc", id, "12; drop"); len(records) != 1 {
		t.Errorf("got %v", records)
	}
	company.ResetJournal()
	if records := mustRead(t, c, []string{"id"}, "abc"); len(records) != 0 || company.Count("") != 0 {
		t.Errorf("got %v with %d requests", records, company.Count(""))
	}
}

func TestReadRefusesWhatTheContractForbids(t *testing.T) {
	c := connect(t, new(gongtest.Server))
	for name, req := range map[string]*plugin.ReadRequest{
		"no ids":        {Stream: "calls"},
		"too many ids":  {Stream: "calls", IDs: strings.Split(strings.Repeat("1,", 100)+"1", ",")},
		"unknown field": {Stream: "calls", IDs: []string{"1"}, Fields: []string{"title", "subject"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Read(t.Context(), req)
			wantError(t, err, plugin.CodeInvalidRequest)
		})
	}
}

func TestReadFollowsPagesShouldGongCutThem(t *testing.T) {
	company := gongtest.New(gongtest.Options{PageSize: 10})
	var ids []string
	for i := range 25 {
		ids = append(ids, company.AddCall(gongtest.Call{Started: hoursAgo(30 - float64(i))}))
	}
	if records := mustRead(t, connect(t, company), []string{"title"}, ids...); len(records) != 25 {
		t.Errorf("%d records, want 25", len(records))
	}
}

// Pitfalls 15 and 16.
func TestUnknownIsNotExternalAndTopicsWithoutTimeAreDropped(t *testing.T) {
	company := new(gongtest.Server)
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1), Duration: time.Minute, Parties: []gongtest.Party{
		{Email: "a@x.example"}, {Affiliation: "Unknown"}, {Affiliation: "Partner"}, {Affiliation: "External"},
	}, Topics: []gongtest.Span{{Name: "Pricing", Duration: time.Second}}})
	v := data(t, mustRead(t, connect(t, company), []string{"parties", "topics"}, id)[id])
	var got []any
	for _, p := range v["parties"].([]any) {
		got = append(got, p.(map[string]any)["affiliation"])
	}
	if diff := cmp.Diff([]any{"Unknown", "Unknown", "Unknown", "External"}, got); diff != "" {
		t.Errorf("affiliations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{map[string]any{"name": "Pricing", "duration": json.Number("1")}}, v["topics"]); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
}

// Pitfall 10: outline and topics are in seconds.
func TestAgendaFallsBackToTheOutlinesSectionsInSeconds(t *testing.T) {
	c := review()
	c.Structure = nil
	company := new(gongtest.Server)
	id := company.AddCall(c)
	got := data(t, mustRead(t, connect(t, company), []string{"agenda"}, id)[id])["agenda"]
	want := []any{map[string]any{"name": "Renewal terms", "duration": json.Number("155")}, map[string]any{"name": "Wrap-up"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("agenda (-want +got):\n%s", diff)
	}
}

func TestHost(t *testing.T) {
	jon := gongtest.User{ID: "77", Email: "jon@ours.example", FirstName: "Jon", LastName: "Snow"}
	avatar := gongtest.User{ID: "88", Email: "robot@gong.example", Avatar: true}
	tests := []struct {
		name, primary string
		parties       []gongtest.Party
		email, host   any
		lookUps       int
	}{
		{"among the parties", "77", []gongtest.Party{{Email: "pat@acme.example"}, {UserID: "77", Email: "j@ours.example", Name: "Jonny"}},
			"j@ours.example", "Jonny", 0},
		{"not a party", "77", []gongtest.Party{{Email: "pat@acme.example"}}, "jon@ours.example", "Jon Snow", 1},
		{"no parties at all", "77", nil, "jon@ours.example", "Jon Snow", 1},
		{"party without address", "77", []gongtest.Party{{UserID: "77", Name: "Jonny"}}, "jon@ours.example", "Jonny", 1},
		{"avatar", "88", nil, nil, nil, 1},
		{"unknown user", "99", nil, nil, nil, 1},
		{"no host", "", nil, nil, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			company := new(gongtest.Server)
			company.AddUser(jon, avatar)
			a := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: tt.primary, Parties: tt.parties})
			b := company.AddCall(gongtest.Call{Started: hoursAgo(2), PrimaryUserID: tt.primary, Parties: tt.parties})
			c := connect(t, company, "read_users", false)
			for range 2 { // users are asked for once
				for _, r := range mustRead(t, c, []string{"host_email", "host_name"}, a, b) {
					v := data(t, r)
					if v["host_email"] != tt.email || v["host_name"] != tt.host {
						t.Errorf("got %v and %v, want %v and %v", v["host_email"], v["host_name"], tt.email, tt.host)
					}
				}
			}
			if n, lists := company.Count("GET /v2/users/{id}"), company.Count("GET /v2/users"); n != tt.lookUps || lists != 0 {
				t.Errorf("%d look-ups and %d lists, want %d and none", n, lists, tt.lookUps)
			}
		})
	}
}

func TestHostsAreNotLookedUpUnlessTheyAreUsed(t *testing.T) {
	company := new(gongtest.Server)
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: "77"})
	mustRead(t, connect(t, company), []string{"title", "parties", "primary_user_id"}, id)
	if n := company.Count("GET /v2/users/{id}"); n != 0 {
		t.Errorf("%d look-ups", n)
	}
}

func TestFailedLookUpOfAHostFailsTheReadAndIsNotRemembered(t *testing.T) {
	company := new(gongtest.Server)
	company.AddUser(gongtest.User{ID: "77", Email: "jon@ours.example"})
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: "77"})
	c := connect(t, company, "read_users", false)
	company.Inject(gongtest.ServerError(503).On("GET /v2/users/{id}"))
	_, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{id}, Fields: []string{"host_email"}})
	if e := errorOf(t, err, plugin.CodeUnavailable); e.Requests != 2 {
		t.Errorf("%d requests, want 2", e.Requests)
	}
	resp, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{id}, Fields: []string{"host_email"}})
	if err != nil || resp.Requests != 2 || data(t, resp.Records[0])["host_email"] != "jon@ours.example" {
		t.Errorf("got %+v, %v", resp, err)
	}
}

func TestLongTextIsCutWithAVisibleMark(t *testing.T) {
	const limit = 64 << 10
	long := strings.Repeat("äöü ", 9000) // 63,000 bytes
	tests := []struct {
		name   string
		call   gongtest.Call
		brief  string
		points []any
	}{
		{"fits", gongtest.Call{Title: "T", Brief: long, KeyPoints: []string{"One.", "Two."}}, strings.TrimSpace(long), []any{"One.", "Two."}},
		{"one text is too long", gongtest.Call{Title: "T", Brief: strings.Repeat("x", limit+9), KeyPoints: []string{"One."}},
			strings.Repeat("x", limit-1) + "… [cut]", []any{}},
		{"together they are", gongtest.Call{Title: "T", Brief: strings.Repeat("x", limit-5), KeyPoints: []string{"One.", "Two."}},
			strings.Repeat("x", limit-5), []any{"One.", "… [cut]"}},
		{"between the bytes of a letter", gongtest.Call{Title: "T", Brief: strings.Repeat("ä", limit)},
			strings.Repeat("ä", limit/2-1) + "… [cut]", []any{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			company := new(gongtest.Server)
			tt.call.Started = hoursAgo(1)
			id := company.AddCall(tt.call)
			v := data(t, mustRead(t, connect(t, company), []string{"title", "brief", "key_points"}, id)[id])
			if v["brief"] != tt.brief {
				b := v["brief"].(string)
				t.Errorf("brief has %d bytes and ends %q, want %d bytes", len(b), b[max(0, len(b)-20):], len(tt.brief))
			}
			if diff := cmp.Diff(tt.points, v["key_points"]); diff != "" {
				t.Errorf("key points (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	company := gongtest.New(gongtest.Options{PageSize: 7})
	company.AddUser(gongtest.User{ID: "77", Email: "jon@ours.example"})
	var ids []string
	for i := range 20 {
		ids = append(ids, company.AddCall(gongtest.Call{Started: hoursAgo(20 - float64(i)), PrimaryUserID: "77"}))
	}
	c := connect(t, company)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			entries, _, err := listAll(t.Context(), c, hoursAgo(24), noon)
			if err != nil || len(entries) != 20 {
				t.Errorf("listed %d, %v", len(entries), err)
			}
		})
		wg.Go(func() {
			resp, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: ids, Fields: []string{"host_email", "brief"}})
			if err != nil || len(resp.Records) != 20 {
				t.Errorf("read: %v", err)
			}
		})
	}
	wg.Wait()
}

// FuzzRead feeds the connector answers of any form. Whatever they are, it returns an error of its own or records that are as
// described, not private, and asked for.
func FuzzRead(f *testing.F) {
	company := gongtest.New(gongtest.Options{})
	full := company.AddCall(review())
	srv := httptest.NewServer(company)
	f.Cleanup(srv.Close)
	names := []string{}
	d, err := gong.New().Describe(f.Context(), &plugin.DescribeRequest{})
	if err != nil {
		f.Fatal(err)
	}
	for _, field := range d.Streams[0].Fields {
		names = append(names, field.Name)
	}
	typ := plugin.Type{Kind: plugin.KindStruct, Fields: d.Streams[0].Fields}
	c := gong.New()
	config := fmt.Sprintf(`{"access_key":%q,"access_key_secret":%q,"base_url":%q,"requests_per_second":0,"requests_per_day":0}`,
		gongtest.AccessKey, gongtest.AccessKeySecret, srv.URL)
	if _, err := c.Configure(f.Context(), &plugin.ConfigureRequest{Config: json.RawMessage(config)}); err != nil {
		f.Fatal(err)
	}
	f.Add(200, `{"calls":[{"metaData":{"id":"5","started":"2026-09-01T09:00:00Z","isPrivate":false,"duration":1e300}}]}`)
	f.Add(200, `{"records":{"cursor":"x"},"calls":[{"metaData":{"id":5,"started":"2026-09-01T09:00:00Z","isPrivate":true}}]}`)
	f.Add(200, `{"calls":[{"metaData":{"id":"`+full+`","started":"2026-09-01T09:00:00.123456789+14:00","isPrivate":false},
		"context":[{"system":"S","objects":[{"objectType":"Account","objectId":1,"fields":[{"name":"Name","value":{}}]}]}],
		"parties":[{"name":"x"}],"content":{"topics":[{"name":"a","duration":0.4}],"brief":"\u0000"},
		"interaction":{"interactionStats":[{"name":"patience","value":-1}]}}]}`)
	f.Add(400, `{"errors":["cursor"]}`)
	f.Add(404, `{"errors":["No calls found corresponding to the provided filters"]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		company.ClearFaults()
		company.Inject(gongtest.Answer(status, "application/json", body).Repeat(20))
		resp, err := c.Read(context.Background(), &plugin.ReadRequest{Stream: "calls", IDs: []string{"5", full}, Fields: names})
		if err != nil {
			if e := plugin.AsError(err); e.Code == "" || e.Message == "" || e.Requests < 1 {
				t.Errorf("error %+v", e)
			}
			return
		}
		for _, r := range resp.Records {
			if r.ID != "5" && r.ID != full {
				t.Errorf("record %q was not asked for", r.ID)
			}
			if err := typ.Check(r.Data); err != nil {
				t.Errorf("record %s is not as described: %v\n%s", r.ID, err, r.Data)
			}
		}
	})
}
