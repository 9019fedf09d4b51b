package totango_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m, totango.New()) }

func TestConformance(t *testing.T) {
	s := totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1})
	s.AddAccount(totangotest.Account{ID: "acc-1", Name: "Acme", Team: []string{"csm@vendor.example"}}, totangotest.Account{ID: "acc-2", Name: "Borealis"})
	s.AddTeam(totangotest.TeamMember{Email: "csm@vendor.example"})
	for _, id := range []string{"acc-2", "acc-1"} {
		s.AddUser(totangotest.User{ID: "pat@acme.example", AccountID: id})
	}
	config := func(attribute string, value any) json.RawMessage {
		all := map[string]any{"app_token": token, "base_url": "https://totango.example", "requests_per_minute": 0, "search_lag": "0s"}
		all[attribute] = value
		return encode(t, all)
	}
	keys := 0
	item := func(target string, attributes map[string]any) plugin.Item {
		keys++
		id := fmt.Sprint(keys)
		all := map[string]any{
			"touchpoint_id": id, "subject": "Weekly", "content": "Brief", "date": started.Format(time.RFC3339), "flow": "renewal", "tags": []string{"Training"},
			"created_by": "csm@vendor.example", "participants": []string{"pat@acme.example"},
		}
		for k, v := range attributes {
			all[k] = v
		}
		return plugin.Item{Key: "gong/calls/" + id, RecordID: id, URL: callURL, Time: started, Target: target, Attributes: encode(t, all)}
	}
	plugintest.Run(t, plugintest.Harness{
		New:     func() plugin.Connector { return totango.New() },
		Command: plugintest.Self(t),
		System:  s,
		Config:  func(url string) json.RawMessage { return config("base_url", url) },
		BadConfig: map[string]json.RawMessage{
			"app_token": config("app_token", ""), "base_url": config("base_url", "http://api.totango.com"), "team_attributes": config("team_attributes", []string{""}),
		},
		Destination: &plugintest.Destination{
			Object:     "touchpoint",
			Item:       func() plugin.Item { return item("acc-1", nil) },
			BadItem:    func() plugin.Item { return item("acc-9", nil) },
			Unwritable: func() plugin.Item { return item("acc-1", map[string]any{"flow": "adoptoin"}) },
			Written: func(i plugin.Item) int {
				written := 0
				for _, touchpoint := range s.Touchpoints() {
					if strings.Contains(touchpoint.Content, "[durasync "+i.Key+"]") {
						written++
					}
				}
				return written
			},
			Known:   []string{"pat@acme.example", "@acme.example", "csm@vendor.example"},
			Unknown: []string{"who@else.example", "@else.example"},
		},
	})
}
