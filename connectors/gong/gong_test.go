package gong_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
)

// noon is the time around which the tests happen.
var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that stands still until it is moved.
type clock struct{ at atomic.Int64 }

func newClock(t time.Time) *clock {
	c := new(clock)
	c.at.Store(t.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// connect returns a connector that is configured for the company, without limits, and with the given attributes.
func connect(t *testing.T, company *gongtest.Server, attributes ...any) *gong.Connector {
	t.Helper()
	srv := httptest.NewServer(company)
	t.Cleanup(srv.Close)
	config := map[string]any{
		"access_key": gongtest.AccessKey, "access_key_secret": gongtest.AccessKeySecret, "base_url": srv.URL,
		"requests_per_second": 0, "requests_per_day": 0,
	}
	for i := 0; i < len(attributes); i += 2 {
		config[attributes[i].(string)] = attributes[i+1]
	}
	c := gong.New()
	if _, err := configure(t, c, config); err != nil {
		t.Fatal(err)
	}
	return c
}

func configure(t *testing.T, c *gong.Connector, config map[string]any) (*plugin.ConfigureResponse, error) {
	t.Helper()
	b, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return c.Configure(t.Context(), &plugin.ConfigureRequest{Config: b})
}

// listAll walks the pages of a window.
func listAll(ctx context.Context, c *gong.Connector, from, to time.Time) (entries []plugin.Entry, pages int, err error) {
	token := ""
	for {
		resp, err := c.List(ctx, &plugin.ListRequest{Stream: "calls", From: from, To: to, PageToken: token})
		if err != nil {
			return entries, pages, err
		}
		entries, pages = append(entries, resp.Entries...), pages+1
		if token = resp.NextPageToken; token == "" {
			return entries, pages, nil
		}
		if pages > 100 {
			return entries, pages, fmt.Errorf("no end after %d pages", pages)
		}
	}
}

// mustList returns the ids of a window.
func mustList(t *testing.T, c *gong.Connector, from, to time.Time) []string {
	t.Helper()
	entries, _, err := listAll(t.Context(), c, from, to)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// mustRead returns the records of the ids by id, and checks their data against the description.
func mustRead(t *testing.T, c *gong.Connector, fields []string, ids ...string) map[string]plugin.Record {
	t.Helper()
	resp, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: ids, Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	typ := plugin.Type{Kind: plugin.KindStruct, Fields: stream(t).Fields}
	records := map[string]plugin.Record{}
	for _, r := range resp.Records {
		if err := typ.Check(r.Data); err != nil {
			t.Errorf("record %s is not as described: %v", r.ID, err)
		}
		if _, ok := records[r.ID]; ok {
			t.Errorf("record %s came twice", r.ID)
		}
		records[r.ID] = r
	}
	return records
}

// data decodes a record's data.
func data(t *testing.T, r plugin.Record) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(r.Data)))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("data %q: %v", r.Data, err)
	}
	return v
}

func stream(t *testing.T) plugin.Stream {
	t.Helper()
	d, err := gong.New().Describe(t.Context(), &plugin.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Streams[0]
}

func allFields(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, f := range stream(t).Fields {
		names = append(names, f.Name)
	}
	return names
}

// bodies returns the bodies of the requests for calls.
func bodies(company *gongtest.Server) []string {
	var out []string
	for _, r := range company.Requests() {
		if r.Endpoint == "POST /v2/calls/extensive" {
			out = append(out, r.Body)
		}
	}
	return out
}

// wantError checks that err is of the code and says something.
func wantError(t *testing.T, err error, code plugin.Code, says ...string) {
	t.Helper()
	_ = errorOf(t, err, code, says...)
}

// errorOf is wantError for those who look closer.
func errorOf(t *testing.T, err error, code plugin.Code, says ...string) *plugin.Error {
	t.Helper()
	e := plugin.AsError(err)
	if e == nil {
		t.Fatalf("got no error, want %s", code)
	}
	if e.Code != code {
		t.Errorf("got %s, want %s: %s", e.Code, code, e.Message)
	}
	for _, s := range says {
		if !strings.Contains(e.Message, s) {
			t.Errorf("the message does not say %q: %s", s, e.Message)
		}
	}
	if strings.Contains(e.Message, gongtest.AccessKeySecret) {
		t.Errorf("the message shows the secret: %s", e.Message)
	}
	return e
}

func hoursAgo(h float64) time.Time { return noon.Add(-time.Duration(h * float64(time.Hour))) }
