package gong_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
)

// counts returns how many pages of users and single users were asked for.
func counts(company *gongtest.Server) [2]int {
	return [2]int{company.Count("GET /v2/users"), company.Count("GET /v2/users/{id}")}
}

func TestUsersAreReadOnceForAllHosts(t *testing.T) {
	company := gongtest.New(gongtest.Options{PageSize: 100})
	for i := range 230 {
		company.AddUser(gongtest.User{ID: strconv.Itoa(1000 + i), Email: fmt.Sprintf("u%d@ours.example", i), FirstName: "User", LastName: strconv.Itoa(i)})
	}
	company.AddUser(gongtest.User{ID: "88", Email: "robot@gong.example", Avatar: true}, gongtest.User{ID: "1300", Email: "gone@ours.example", Inactive: true})
	hosts := map[string]any{"1000": "u0@ours.example", "1150": "u150@ours.example", "1229": "u229@ours.example", "1300": "gone@ours.example", "88": nil}
	c := connect(t, company)
	for range 2 {
		for id, email := range hosts {
			call := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: id})
			if got := data(t, mustRead(t, c, []string{"host_email"}, call)[call])["host_email"]; got != email {
				t.Errorf("host %s has the address %v, want %v", id, got, email)
			}
		}
	}
	if diff := cmp.Diff([2]int{3, 1}, counts(company)); diff != "" { // the avatar is in no list
		t.Errorf("pages and single users (-want +got):\n%s", diff)
	}
}

func TestUsersAreNotReadUnlessSomethingIsOpen(t *testing.T) {
	host := gongtest.Party{UserID: "77", Email: "jon@ours.example", Affiliation: "Internal"}
	customer := gongtest.Party{Email: "pat@acme.example", Affiliation: "External"}
	stranger := gongtest.Party{Email: "x@acme.example"}
	tests := map[string]struct {
		fields  []string
		primary string
		parties []gongtest.Party
		want    int
	}{
		"everything is said":            {[]string{"host_email", "parties"}, "77", []gongtest.Party{host, customer}, 0},
		"somebody unknown":              {[]string{"host_email", "parties"}, "77", []gongtest.Party{host, customer, stranger}, 1},
		"somebody unknown, unseen":      {[]string{"host_email", "title"}, "77", []gongtest.Party{host, stranger}, 0},
		"unknown without address":       {[]string{"parties"}, "77", []gongtest.Party{host, {Name: "Phone Caller #1"}}, 0},
		"a host elsewhere":              {[]string{"host_name"}, "77", []gongtest.Party{customer}, 1},
		"a host elsewhere, unseen":      {[]string{"parties"}, "77", []gongtest.Party{customer}, 0},
		"no host":                       {[]string{"host_email", "parties"}, "", []gongtest.Party{customer}, 0},
		"neither hosts nor the parties": {[]string{"title", "primary_user_id"}, "77", []gongtest.Party{stranger}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			company := new(gongtest.Server)
			company.AddUser(gongtest.User{ID: "77", Email: "jon@ours.example"})
			id := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: tt.primary, Parties: tt.parties})
			mustRead(t, connect(t, company), tt.fields, id)
			if diff := cmp.Diff([2]int{tt.want, 0}, counts(company)); diff != "" {
				t.Errorf("pages and single users (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliasesOfUsersAreInternal(t *testing.T) {
	company := new(gongtest.Server)
	company.AddUser(
		gongtest.User{ID: "77", Email: "jon@ours.example", Aliases: []string{"Jon.Snow@Sister.example", ""}},
		gongtest.User{ID: "78", Email: "left@ours.example", Aliases: []string{"left@mail.example"}, Inactive: true},
	)
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1), Parties: []gongtest.Party{
		{Email: "JON@ours.example"}, {Email: "jon.snow@SISTER.example", Affiliation: "Unknown"}, {Email: "jon.snow@sister.example", Affiliation: "External"},
		{Email: "left@mail.example"}, {Email: "pat@acme.example"}, {Name: "Phone Caller #1"},
	}})
	affiliations := func(attributes ...any) []any {
		var got []any
		for _, p := range data(t, mustRead(t, connect(t, company, attributes...), []string{"parties"}, id)[id])["parties"].([]any) {
			got = append(got, p.(map[string]any)["affiliation"])
		}
		return got
	}
	if diff := cmp.Diff([]any{"Internal", "Internal", "External", "Unknown", "Unknown", "Unknown"}, affiliations()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"Unknown", "Unknown", "External", "Unknown", "Unknown", "Unknown"}, affiliations("read_users", false)); diff != "" {
		t.Errorf("without users (-want +got):\n%s", diff)
	}
}

func TestReadingUsersGoesOnWhereItFailed(t *testing.T) {
	now := newClock(noon)
	company := gongtest.New(gongtest.Options{PageSize: 2, Clock: now.now})
	for i := range 5 {
		company.AddUser(gongtest.User{ID: strconv.Itoa(70 + i), Email: fmt.Sprintf("u%d@ours.example", i)})
	}
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: "74"})
	c := connect(t, company)
	read := func() (*plugin.ReadResponse, error) {
		return c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{id}, Fields: []string{"host_email"}})
	}
	company.Inject(gongtest.Slow(0).On("GET /v2/users"), gongtest.ServerError(503).On("GET /v2/users"))
	_, err := read()
	if e := errorOf(t, err, plugin.CodeUnavailable); e.Requests != 3 {
		t.Errorf("%d requests, want 3: the call, a page, and one that failed", e.Requests)
	}
	resp, err := read()
	if err != nil || resp.Requests != 3 || data(t, resp.Records[0])["host_email"] != "u4@ours.example" {
		t.Errorf("got %+v, %v; want the two other pages to be read", resp, err)
	}

	// A cursor that has died in between makes it begin again.
	c = connect(t, company)
	company.Inject(gongtest.Slow(0).On("GET /v2/users"), gongtest.ServerError(503).On("GET /v2/users"))
	_, err = read()
	wantError(t, err, plugin.CodeUnavailable)
	now.advance(2 * time.Hour)
	_, err = read()
	wantError(t, err, plugin.CodeExpired)
	resp, err = read()
	if err != nil || resp.Requests != 4 || data(t, resp.Records[0])["host_email"] != "u4@ours.example" {
		t.Errorf("got %+v, %v; want all three pages to be read", resp, err)
	}
}

func TestKeyThatMayNotReadUsers(t *testing.T) {
	company := gongtest.New(gongtest.Options{Keys: []gongtest.Key{{
		AccessKey: gongtest.AccessKey, Secret: gongtest.AccessKeySecret, Scopes: []string{gongtest.ScopeCallsExtensive},
	}}})
	company.AddUser(gongtest.User{ID: "77", Email: "jon@ours.example"})
	known := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: "77", Parties: []gongtest.Party{{UserID: "77", Email: "j@ours.example"}, {Email: "x@acme.example"}}})
	c := connect(t, company)
	for range 2 {
		if got := data(t, mustRead(t, c, []string{"host_email", "parties"}, known)[known])["host_email"]; got != "j@ours.example" {
			t.Errorf("host %v", got)
		}
	}
	if n := company.Count("GET /v2/users"); n != 1 {
		t.Errorf("the users were asked for %d times, want once", n)
	}
	lost := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: "77"})
	_, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{lost}, Fields: []string{"host_email"}})
	wantError(t, err, plugin.CodePermissionDenied, "api:users:read")
}

// A list that goes round in circles must end.
func TestUsersThatDoNotEnd(t *testing.T) {
	company := new(gongtest.Server)
	id := company.AddCall(gongtest.Call{Started: hoursAgo(1), PrimaryUserID: "77"})
	c := connect(t, company)
	page := `{"records":{"cursor":%q},"users":[{"id":"70","emailAddress":"u@ours.example"}]}`
	company.Inject(gongtest.Answer(200, "application/json", fmt.Sprintf(page, "a")).On("GET /v2/users"),
		gongtest.Answer(200, "application/json", fmt.Sprintf(page, "b")).On("GET /v2/users"))
	_, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{id}, Fields: []string{"host_email"}})
	wantError(t, err, plugin.CodeInternal, "page 2 of a listing is one that was there before")
}
