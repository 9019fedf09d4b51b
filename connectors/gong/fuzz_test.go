package gong_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
)

// answering returns a connector to a Gong that answers each request with a status and a body, until they are changed.
func answering(f *testing.F) (c *gong.Connector, set func(status int, body string)) {
	f.Helper()
	var status int
	var body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the connector sees what is missing
	}))
	f.Cleanup(srv.Close)
	c = gong.New()
	config := fmt.Sprintf(`{"access_key":%q,"access_key_secret":%q,"base_url":%q,"requests_per_second":0,"requests_per_day":0}`,
		gongtest.AccessKey, gongtest.AccessKeySecret, srv.URL)
	if _, err := c.Configure(f.Context(), &plugin.ConfigureRequest{Config: json.RawMessage(config)}); err != nil {
		f.Fatal(err)
	}
	return c, func(s int, b string) { status, body = 200+(s%400+400)%400, b }
}

// checkError checks what holds for the error of any answer: it is classified, short, counted, and shows no secret.
func checkError(t *testing.T, err error) {
	t.Helper()
	e := plugin.AsError(err)
	if e.Code == "" || e.Message == "" || len(e.Message) > 2000 || e.Requests < 1 || e.Uncertain || strings.Contains(e.Message, gongtest.AccessKeySecret) {
		t.Errorf("error %+v", e)
	}
}

// FuzzList takes any answers for pages of calls. A listing ends, and lists calls with an id and a time, each once on a page.
func FuzzList(f *testing.F) {
	f.Add(0, `{"records":{"cursor":"c"},"calls":[{"metaData":{"id":"5","started":"2026-09-01T09:00:00Z","isPrivate":false}}]}`)
	f.Add(0, `{"calls":[{"metaData":{"id":5,"started":"9999-12-31T23:59:59.999999999-14:00","isPrivate":false}},{"metaData":{"id":"5"}}]}`)
	f.Add(200, `{"errors":["the cursor of `+gongtest.AccessKeySecret+` has expired"]}`)
	f.Add(204, `{"errors":["No calls found corresponding to the provided filters"]}`)
	f.Add(0, strings.Repeat("[", 20_000))
	c, set := answering(f)
	f.Fuzz(func(t *testing.T, status int, body string) {
		set(status, body)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		token := ""
		for range 3 { // the same page again and again is noticed
			resp, err := c.List(ctx, &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon, PageToken: token})
			if err != nil {
				checkError(t, err)
				return
			}
			seen := map[string]bool{}
			for _, e := range resp.Entries {
				if e.ID == "" || e.Time.IsZero() && !strings.Contains(body, "0001-01-01") || seen[e.ID] {
					t.Errorf("entry %+v", e)
				}
				seen[e.ID] = true
			}
			if token = resp.NextPageToken; token == "" {
				return
			}
			if len(resp.Entries) == 0 {
				return // pages without calls may follow each other, up to a bound
			}
		}
		t.Error("the same page is listed for ever")
	})
}

// FuzzUsers takes any answers for the company's users, while a call is read whose host and participants have to be looked up.
func FuzzUsers(f *testing.F) {
	const one = `{"calls":[{"metaData":{"id":"5","started":"2026-09-01T09:00:00Z","isPrivate":false,"primaryUserId":"7"},` +
		`"parties":[{"emailAddress":"a@acme.example","affiliation":"Unknown"}]}]}`
	f.Add(0, `{"users":[{"id":"7","emailAddress":"a@acme.example","emailAliases":["b@acme.example",null],"active":true}]}`)
	f.Add(0, `{"records":{"cursor":"c"},"users":[{"id":"7"}]}`)
	f.Add(0, `{"user":{"id":7,"firstName":"Hana","active":false}}`)
	f.Add(203, `{"errors":["forbidden for `+gongtest.AccessKeySecret+`"]}`)
	f.Add(204, `<html>`)
	var status int
	var body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // each connector has connections of its own
		if strings.HasPrefix(r.URL.Path, "/v2/calls") {
			_, _ = w.Write([]byte(one))
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	f.Cleanup(srv.Close)
	config := fmt.Sprintf(`{"access_key":%q,"access_key_secret":%q,"base_url":%q,"requests_per_second":0,"requests_per_day":0,"read_users":true}`,
		gongtest.AccessKey, gongtest.AccessKeySecret, srv.URL)
	f.Fuzz(func(t *testing.T, s int, b string) {
		status, body = 200+(s%400+400)%400, b
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := gong.New() // which knows no users
		if _, err := c.Configure(ctx, &plugin.ConfigureRequest{Config: json.RawMessage(config)}); err != nil {
			t.Fatal(err)
		}
		resp, err := c.Read(ctx, &plugin.ReadRequest{Stream: "calls", IDs: []string{"5"}, Fields: []string{"host_email", "host_name", "parties"}})
		switch {
		case err != nil:
			checkError(t, err)
		case len(resp.Records) != 1 || !json.Valid(resp.Records[0].Data):
			t.Errorf("records %+v", resp.Records)
		}
	})
}
