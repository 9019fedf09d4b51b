package totango_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/plugin"
)

// FuzzAnswer takes any answers of Totango for those to every call: searches, catalogs, teams, and new touchpoints. A call ends with a
// result for each item or with a classified error that shows no secret, and a touchpoint that may have been written is never
// reported as one that was not.
func FuzzAnswer(f *testing.F) {
	for call := range byte(6) {
		f.Add(call, 0, `{"response":{"users":{"hits":[{"id":"1","name":"pat@acme.example","account":{"name":"acc-1"}}],"total_hits":1}}}`)
	}
	f.Add(byte(0), 0, `[{"id":"t1","display_name":"Web Meeting"}]`)
	f.Add(byte(2), 0, `{"note":{"id":1},"error":{"type":"authentication_failed","message":"`+token+`"}}`)
	f.Add(byte(2), 300, `no`)
	f.Add(byte(3), 0, `{"response":{"events":{"hits":[{"id":"e","type":"note","note_content":{"note_id":1,"text":"[durasync `+key+`]"}}],"total_hits":9999}}}`)
	f.Add(byte(1), 0, `{"response":{"users":{"hits":[{}],"total_hits":-1}}}`)
	f.Add(byte(4), 0, strings.Repeat(`{"errors":`, 20_000))
	var status int
	var body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close") // each connector has connections of its own
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the connector sees what is missing
	}))
	f.Cleanup(srv.Close)
	config := json.RawMessage(fmt.Sprintf(`{"app_token":%q,"base_url":%q,"requests_per_minute":0}`, token, srv.URL))
	item := plugin.Item{Key: key, RecordID: "1", URL: callURL, Time: started, Target: "acc-1", Attributes: json.RawMessage(
		`{"touchpoint_id":"1","account_id":"acc-1","subject":"s","content":"c","type":"t1","date":"2026-07-01T10:30:00Z","created_by":"a@b.example"}`)}
	f.Fuzz(func(t *testing.T, call byte, s int, b string) {
		status, body = 200+(s%400+400)%400, b
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := totango.New() // which knows no catalogs
		if _, err := c.Configure(ctx, &plugin.ConfigureRequest{Config: config}); err != nil {
			t.Fatal(err)
		}
		one, err := item, error(nil)
		switch call % 6 {
		case 0:
			_, err = c.Check(ctx, &plugin.CheckRequest{})
		case 1:
			_, err = c.Resolve(ctx, &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{"pat@acme.example", "@acme.example"}, Team: true})
		case 2, 3:
			one.InDoubt = call%6 == 3
			var resp *plugin.CreateResponse
			if resp, err = c.Create(ctx, &plugin.CreateRequest{Object: "touchpoint", Items: []plugin.Item{one}}); err == nil {
				if len(resp.Results) != 1 || resp.Results[0].Key != key || resp.Results[0].Err == nil && resp.Results[0].ID == "" {
					t.Errorf("results %+v", resp.Results)
				}
				if e := resp.Results[0].Err; e != nil {
					err = e
				}
			}
		case 4:
			_, err = c.Preview(ctx, &plugin.PreviewRequest{Object: "touchpoint", Items: []plugin.Item{one}})
		case 5:
			_, err = c.Find(ctx, &plugin.FindRequest{Object: "touchpoint", Items: []plugin.FindItem{{Key: key, Target: "acc-1", Time: started}}})
		}
		if err == nil {
			return
		}
		if e := plugin.AsError(err); e.Code == "" || e.Message == "" || len(e.Message) > 5000 || strings.Contains(e.Message, token) {
			t.Errorf("error %+v", e)
		}
	})
}
