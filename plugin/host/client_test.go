//go:build unix

package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
)

func item(key string) plugin.Item { return plugin.Item{Key: key, Attributes: json.RawMessage(`{}`)} }

func create(t *testing.T, c plugin.Destination, keys ...string) (*plugin.CreateResponse, error) {
	t.Helper()
	req := &plugin.CreateRequest{Object: "touchpoint"}
	for _, k := range keys {
		req.Items = append(req.Items, item(k))
	}
	return c.Create(t.Context(), req)
}

func TestAnswersArriveAsSent(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 1, time.FixedZone("", 3600)), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	check := func(name string, want, got any, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	checked, err := c.Check(t.Context(), &plugin.CheckRequest{})
	check("Check", &plugin.CheckResponse{Summary: "the workspace", Requests: 1}, checked, err)

	listed, err := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: from, To: to, PageToken: "\x00\xff"})
	check("List", &plugin.ListResponse{
		Entries:       []plugin.Entry{{ID: "calls", Time: from.UTC()}, {ID: "to", Time: to}, {ID: "no time"}},
		NextPageToken: "\x00\xff", Requests: 2,
	}, listed, err)

	records, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{"full", fullRecord.ID}})
	check("Read", &plugin.ReadResponse{Records: []plugin.Record{fullRecord}, Requests: 3}, records, err)

	asked := &plugin.ReadRequest{Stream: "calls", IDs: []string{"1", "2"}, Fields: []string{"title", "parties"}}
	echo, err := c.Read(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	var got plugin.ReadRequest
	check("Read's request", nil, nil, json.Unmarshal(echo.Records[0].Data, &got))
	check("Read's request", *asked, got, nil)

	written, err := c.Create(t.Context(), &plugin.CreateRequest{Object: "touchpoint", Items: []plugin.Item{
		{Key: "gong/calls/1", RecordID: "1", URL: "u", Time: to, Target: "t", Attributes: json.RawMessage(`{"n":98765432109876543210}`), InDoubt: true},
		item("bad"),
	}})
	check("Create", &plugin.CreateResponse{Requests: 2, Results: []plugin.Result{
		{Key: "gong/calls/1", ID: `1 u t 2026-01-02T00:00:00Z {"n":98765432109876543210} 26`, Existed: true},
		{Key: "bad", ID: "   0001-01-01T00:00:00Z {} 2", Err: fullError(plugin.CodeInvalidRecord)},
	}}, written, err)

	resolved, err := c.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{"a@b.c", "d@e.f"}})
	check("Resolve", &plugin.ResolveResponse{Matches: []plugin.Match{
		{Address: "a@b.c", Targets: []plugin.Target{{ID: "1", Name: "touchpoint", Contact: true}, {ID: "2", Name: "B", KeyContact: true}}},
		{Address: "d@e.f", Internal: true},
	}, Requests: 2}, resolved, err)

	resolved, err = c.Resolve(t.Context(), &plugin.ResolveRequest{Object: "touchpoint", Addresses: []string{"@b.c", "d@e.f"}, Team: true})
	check("Resolve with the team", &plugin.ResolveResponse{Matches: []plugin.Match{
		{Address: "@b.c", Targets: []plugin.Target{
			{ID: "1", Name: "touchpoint", Contact: true, Team: []string{"csm@vendor.example", "\uFFFD@vendor.example"}},
			{ID: "2", Name: "B", KeyContact: true},
		}},
		{Address: "d@e.f", Internal: true},
	}, Requests: 2}, resolved, err)

	previews, err := c.Preview(t.Context(), &plugin.PreviewRequest{Object: "touchpoint", Items: []plugin.Item{
		{Key: "gong/calls/1", RecordID: "1", URL: "u", Time: to, Target: "t", Attributes: json.RawMessage(`{"n":98765432109876543210}`)},
		item("bad"),
	}})
	check("Preview", &plugin.PreviewResponse{Requests: 5, Previews: []plugin.Preview{
		{Key: "gong/calls/1", Attributes: json.RawMessage(`["touchpoint","1","u","t","2026-01-02T00:00:00Z",{"n":98765432109876543210}]`)},
		{Key: "bad", Err: fullError(plugin.CodeNotFound)},
	}}, previews, err)
	_, err = c.Preview(t.Context(), &plugin.PreviewRequest{Object: "touchpoint", Items: []plugin.Item{item("short"), item("good")}})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeInternal || e.Uncertain || e.Requests != 5 {
		t.Errorf("one preview for two items: %+v", e)
	}

	found, err := c.Find(t.Context(), &plugin.FindRequest{Object: "o", Items: []plugin.FindItem{{Key: "k", Target: "t", Time: to}}})
	check("Find", &plugin.FindResponse{Results: []plugin.Result{{Key: "k", ID: "ot2026-01-02T00:00:00Z", Existed: true}}, Requests: 4}, found, err)
}

func TestErrorsArriveAsMade(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	codes := []plugin.Code{
		plugin.CodeUnauthenticated, plugin.CodePermissionDenied, plugin.CodeInvalidConfig, plugin.CodeInvalidRequest,
		plugin.CodeInvalidRecord, plugin.CodeNotFound, plugin.CodeExpired, plugin.CodeRateLimited, plugin.CodeUnavailable,
		plugin.CodeUnimplemented, plugin.CodeInternal, "one_from_the_future",
	}
	wrapped := fullError(plugin.CodeRateLimited)
	wrapped.Message = "listing \uFFFD: slow down, ü"
	plain := plugin.Errorf(plugin.CodeInternal, "no \uFFFD idea")
	tests := map[string]struct {
		ids  []string
		want *plugin.Error
	}{
		"wrapped": {[]string{"wrapped"}, wrapped},
		"plain":   {[]string{"plain"}, plain},
	}
	for _, code := range codes {
		tests[string(code)] = struct {
			ids  []string
			want *plugin.Error
		}{[]string{"error", string(code)}, fullError(code)}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: tt.ids})
			var got *plugin.Error
			if !errors.As(err, &got) {
				t.Fatalf("error %v (%T), want a plugin.Error", err, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-made +got):\n%s", diff)
			}
		})
	}
	if _, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: []string{"nil error"}}); err != nil {
		t.Errorf("a nil *Error in an error interface arrives as %v", err)
	}
}

// What a failed Create says about what was written.
func TestUncertainty(t *testing.T) {
	tests := map[string]struct {
		code      plugin.Code
		uncertain bool
	}{
		"die":     {plugin.CodeUnavailable, true},
		"panic":   {plugin.CodeInternal, true},
		"plain":   {plugin.CodeInternal, true},
		"short":   {plugin.CodeInternal, true},
		"refused": {plugin.CodePermissionDenied, false},
	}
	for key, tt := range tests {
		t.Run(key, func(t *testing.T) {
			c := launch(t, self(t, "serve"), nil)
			_, err := create(t, c, key)
			if e := plugin.AsError(err); e == nil || e.Code != tt.code || e.Uncertain != tt.uncertain {
				t.Errorf("error %+v, want code %s, uncertain %t", e, tt.code, tt.uncertain)
			}
		})
	}
	t.Run("after death", func(t *testing.T) {
		c := launch(t, self(t, "serve"), nil)
		_, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: []string{"die"}})
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable || !e.Retryable || e.Uncertain {
			t.Errorf("Read: error %+v, want unavailable, retryable, not uncertain", e)
		}
		<-c.Done()
		_, err = create(t, c, "x")
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable || e.Uncertain {
			t.Errorf("Create: error %+v, want unavailable, not uncertain: nothing was sent", e)
		}
	})
	t.Run("before start", func(t *testing.T) {
		c := launch(t, self(t, "serve"), nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Create(ctx, &plugin.CreateRequest{Items: []plugin.Item{item("x")}})
		if e := plugin.AsError(err); !errors.Is(err, context.Canceled) || e.Uncertain {
			t.Errorf("error %+v, want cancelled, not uncertain", e)
		}
	})
}

// A connector that answers at its deadline is still heard: only it knows which items were written.
func TestCreateOutlivesItsDeadline(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	resp, err := c.Create(ctx, &plugin.CreateRequest{Items: []plugin.Item{item("hang"), item("second")}})
	if err != nil {
		t.Fatal(err)
	}
	if first, second := resp.Results[0], resp.Results[1]; first.ID != "1" || first.Err != nil || !second.Err.Uncertain {
		t.Errorf("results %+v, want the first written, the second uncertain", resp.Results)
	}
}

func TestCreateCancelled(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := c.Create(ctx, &plugin.CreateRequest{Items: []plugin.Item{item("hang"), item("second")}})
		done <- err
	}()
	read[bool](t, c, "wait for create")
	cancel()
	err := <-done
	if e := plugin.AsError(err); !errors.Is(err, context.Canceled) || e.Code != plugin.CodeUnavailable || !e.Uncertain {
		t.Errorf("error %+v, want cancelled, unavailable and uncertain", err)
	}
}

func TestCancellationReachesConnector(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Read(ctx, &plugin.ReadRequest{IDs: []string{"hang"}})
	if e := plugin.AsError(err); !errors.Is(err, context.DeadlineExceeded) && e.Code != plugin.CodeUnavailable {
		t.Errorf("error %v, want unavailable by the deadline", err)
	}
	read[bool](t, c, "wait for hang")
}

func TestPanicEndsTheCallOnly(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	before := read[int](t, c, "pid")
	for _, id := range []string{"panic", "nothing"} {
		_, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: []string{id}})
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeInternal || !strings.Contains(e.Message, "Read") {
			t.Errorf("%s: error %+v, want an internal one in Read", id, e)
		}
	}
	if after := read[int](t, c, "pid"); after != before {
		t.Errorf("process %d, was %d", after, before)
	}
}

// large asks for records 0 to count-1, each of a text of so many bytes.
func large(count, size int) *plugin.ReadRequest {
	req := &plugin.ReadRequest{IDs: []string{"big", strconv.Itoa(count), strconv.Itoa(size)}}
	for i := range count {
		req.IDs = append(req.IDs, strconv.Itoa(i))
	}
	return req
}

func TestLargeMessages(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	resp, err := c.Read(t.Context(), large(24, 1_000_000))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range resp.Records {
		if r.ID != fmt.Sprint(i) || len(r.Data) != 1000002 {
			t.Fatalf("record %d: id %s, %d bytes", i, r.ID, len(r.Data))
		}
	}
	if len(resp.Records) != 24 || resp.Requests != 1 {
		t.Errorf("%d records, %d requests; want 24, 1", len(resp.Records), resp.Requests)
	}
	one, err := c.Read(t.Context(), large(1, 16_000_000))
	if err != nil || len(one.Records) != 1 {
		t.Errorf("one record of 16 MB: %v", err)
	}
	for name, req := range map[string]*plugin.ReadRequest{"one record of 17 MB": large(1, 17_000_000), "40 records of 1 MB": large(40, 1_000_000)} {
		_, err = c.Read(t.Context(), req)
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeTooLarge || e.Retryable || e.Requests != 1 {
			t.Errorf("%s: error %+v, want one that it is too large", name, e)
		}
	}

	attributes := json.RawMessage(`"` + strings.Repeat("x", 16_000_000) + `"`)
	if _, err := c.Create(t.Context(), &plugin.CreateRequest{Items: []plugin.Item{{Key: "k", Attributes: attributes}}}); err != nil {
		t.Errorf("a request of 16 MB: %v", err)
	}
}
