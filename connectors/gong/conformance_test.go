package gong_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m, gong.New()) }

func TestConformance(t *testing.T) {
	now := newClock(noon)
	company := gongtest.New(gongtest.Options{Clock: now.now, PageSize: 4})
	full := review()
	full.Started = hoursAgo(3.5)
	company.AddCall(full)
	for i := range 11 {
		company.AddCall(gongtest.Call{Started: hoursAgo(12 - float64(i)), Duration: 10 * time.Minute, Brief: "They met.", PrimaryUserID: "77"})
	}
	company.AddUser(gongtest.User{ID: "77", Email: "jon@ours.example"})
	waiting := company.AddCall(gongtest.Call{Started: hoursAgo(2.5), Duration: time.Hour})
	private := []string{
		company.AddCall(gongtest.Call{Started: hoursAgo(5), Private: true}),
		company.AddCall(gongtest.Call{Started: hoursAgo(4), PrivateAt: hoursAgo(1)}),
	}
	config := func(key, secret, base string, perSecond int) json.RawMessage {
		return fmt.Appendf(nil, `{"access_key": %q, "access_key_secret": %q, "base_url": %q, "requests_per_second": %d, "requests_per_day": 0}`,
			key, secret, base, perSecond)
	}
	good := func(url string) json.RawMessage { return config(gongtest.AccessKey, gongtest.AccessKeySecret, url, 0) }
	const elsewhere = "https://gong.example"
	srv := httptest.NewServer(company)
	t.Cleanup(srv.Close)
	c := gong.New()
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: good(srv.URL)}); err != nil {
		t.Fatal(err)
	}
	old, err := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(24), To: noon})
	if err != nil {
		t.Fatal(err)
	}
	now.advance(2 * time.Hour)

	plugintest.Run(t, plugintest.Harness{
		New:     func() plugin.Connector { return gong.New() },
		Command: plugintest.Self(t),
		System:  company,
		Config:  good,
		Limited: func(url string) json.RawMessage { return config(gongtest.AccessKey, gongtest.AccessKeySecret, url, 2) },
		BadConfig: map[string]json.RawMessage{
			"access_key":        config("", gongtest.AccessKeySecret, elsewhere, 0),
			"access_key_secret": config(gongtest.AccessKey, "", elsewhere, 0),
			"base_url":          config(gongtest.AccessKey, gongtest.AccessKeySecret, "http://api.gong.io", 0),
		},
		Source: &plugintest.Source{
			Stream: "calls", From: hoursAgo(24), To: noon,
			Unknown: "7782342274025999999", Private: private, BadToken: old.NextPageToken,
			Want: []plugin.Record{
				{ID: "7782342274025937895", Time: full.Started, URL: "https://us-12345.app.gong.io/call?id=7782342274025937895",
					Data: json.RawMessage(`{"id": "7782342274025937895", "title": "Acme - quarterly review", "duration": 1785,
						"host_email": "host@ours.example", "started": "2026-09-01T01:30:00-07:00"}`)},
				{ID: waiting, Pending: "no brief yet", Data: json.RawMessage(`{"title": "Untitled meeting"}`)},
			},
		},
	})
}
