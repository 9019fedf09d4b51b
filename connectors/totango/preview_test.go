package totango_test

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
)

// preview previews items.
func (s *tenant) preview(items ...plugin.Item) *plugin.PreviewResponse {
	s.t.Helper()
	resp, err := s.Preview(s.t.Context(), &plugin.PreviewRequest{Object: "touchpoint", Items: items})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(resp.Previews) != len(items) {
		s.t.Fatalf("%d previews of %d items", len(resp.Previews), len(items))
	}
	for i, v := range resp.Previews {
		if v.Key != items[i].Key {
			s.t.Errorf("preview %d is of %s, want %s", i, v.Key, items[i].Key)
		}
		if v.Err != nil {
			_ = s.fault(v.Err)
		}
	}
	return resp
}

func TestPreviewShowsWhatPeopleRead(t *testing.T) {
	const ref = "[durasync gong/calls/7782342274025937895]"
	tests := map[string]struct {
		attributes map[string]any
		want       string
	}{
		"everything": {
			map[string]any{
				"date": "2026-07-01T12:30:00.2505+02:00", "subject": " Weekly ", "type": "web MEETING", "flow": "renewal", "created_by": " CSM@vendor.example",
				"tags": []string{"training", "Business Review", "TRAINING", " "}, "participants": []string{"CSM@vendor.example", " pat@acme.example", "csm@vendor.example", ""},
			},
			`{"account_id":"acc-1","subject":"Weekly","content":"Brief\n\n` + ref + `","date":"2026-07-01T12:30:00.25+02:00","type":"Web Meeting",` +
				`"flow":"Renewal","created_by":"csm@vendor.example","participants":["csm@vendor.example","pat@acme.example"],"tags":["Training","Business Review"]}`,
		},
		"the least": {
			map[string]any{"subject": nil, "content": nil, "type": nil, "created_by": nil, "participants": nil},
			`{"account_id":"acc-1","content":"` + ref + `","date":"2026-07-01T10:30:00Z","type":"Web Meeting","flow":"the default flow"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{}, nil)
			it := s.item(tt.attributes)
			got := s.preview(it).Previews[0]
			if got.Err != nil || string(got.Attributes) != tt.want {
				t.Errorf("error %v, attributes\n%s\nwant\n%s", got.Err, got.Attributes, tt.want)
			}
			if n := len(s.Touchpoints()); n != 0 {
				t.Fatalf("%d touchpoints were written", n)
			}

			// What Create writes of the same item.
			s.mustCreate(it)
			written, shown := s.only(), struct {
				Content, Subject string
				Date             time.Time
			}{}
			if err := json.Unmarshal(got.Attributes, &shown); err != nil {
				t.Fatal(err)
			}
			if written.Content != shown.Content || written.Subject != shown.Subject || !written.Date.Equal(shown.Date) {
				t.Errorf("written %+v, previewed %+v", written, shown)
			}
		})
	}
}

func TestPreviewSaysWhatIsWrongWithEachItem(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	tests := []struct {
		attributes map[string]any
		target     string
		code       plugin.Code
		attribute  string
	}{
		{nil, "acc-1", "", ""},
		{map[string]any{"type": "Webinar"}, "acc-1", plugin.CodeNotFound, "type"},
		{map[string]any{"flow": "adoptoin"}, "acc-1", plugin.CodeNotFound, "flow"},
		{map[string]any{"tags": []string{"QBR"}}, "acc-1", plugin.CodeNotFound, "tags"},
		{map[string]any{"date": nil}, "acc-1", plugin.CodeInvalidRecord, "date"},
		{map[string]any{"tags": "QBR"}, "acc-1", plugin.CodeInvalidRequest, ""},
		{nil, "", plugin.CodeInvalidRequest, "account_id"},
		{nil, "acc-2", "", ""},
	}
	var items []plugin.Item
	for i, tt := range tests {
		it := s.item(tt.attributes)
		it.Key, it.Target, it.InDoubt = fmt.Sprintf("gong/calls/%d", i), tt.target, true
		items = append(items, it)
	}
	resp := s.preview(items...)
	for i, v := range resp.Previews {
		var code plugin.Code
		attribute := ""
		if v.Err != nil {
			code, attribute = v.Err.Code, v.Err.Attribute
		}
		if code != tests[i].code || attribute != tests[i].attribute || (v.Err == nil) == (v.Attributes == nil) {
			t.Errorf("item %d: %+v with attributes %s, want code %q and attribute %q", i, v.Err, v.Attributes, tests[i].code, tests[i].attribute)
		}
	}
	if n := len(s.Touchpoints()) + s.Requests(totangotest.CreateTouchpoint) + s.Requests(totangotest.SearchEvents); n != 0 {
		t.Errorf("%d touchpoints, writes and searches for them", n)
	}
}

func TestPreviewTakesFewRequests(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	batch := func(attributes map[string]any) (items []plugin.Item) {
		for i := range 25 {
			it := s.item(attributes)
			it.Key = fmt.Sprintf("gong/calls/%d", i)
			items = append(items, it)
		}
		return items
	}
	good := map[string]any{"flow": "renewal", "tags": []string{"Training"}}
	if resp := s.preview(batch(good)...); resp.Requests != 3 {
		t.Errorf("25 items took %d requests, want one for each of types, flows and tags", resp.Requests)
	}
	if resp := s.preview(batch(good)...); resp.Requests != 0 {
		t.Errorf("25 more took %d requests, want none", resp.Requests)
	}
	if resp := s.preview(batch(map[string]any{"type": "Webinar"})...); resp.Requests != 1 || resp.Previews[24].Err == nil {
		t.Errorf("25 items of an unknown type took %d requests, want one to see whether it was added", resp.Requests)
	}
	if n := s.TotalRequests(); n != 4 {
		t.Errorf("%d requests were made, want 4", n)
	}
	_, err := s.Preview(t.Context(), &plugin.PreviewRequest{Object: "touchpoint", Items: append(batch(good), s.item(nil))})
	if e := s.fault(err); e.Code != plugin.CodeInvalidRequest {
		t.Errorf("26 items: %+v", e)
	}
}

func TestPreviewFailsWithTheConnection(t *testing.T) {
	for kind, want := range map[totangotest.FaultKind]plugin.Code{
		totangotest.Unauthorized: plugin.CodeUnauthenticated, totangotest.BadGateway: plugin.CodeUnavailable, totangotest.RateLimited: plugin.CodeRateLimited,
	} {
		s := connect(t, totangotest.Options{}, nil)
		s.Inject(totangotest.Fault{Kind: kind, Endpoint: totangotest.TouchpointTypes})
		resp, err := s.Preview(t.Context(), &plugin.PreviewRequest{Object: "touchpoint", Items: []plugin.Item{s.item(nil)}})
		if err == nil {
			t.Fatalf("previews %+v", resp.Previews)
		}
		if e := s.fault(err); e.Code != want || e.Uncertain || e.Requests != 1 {
			t.Errorf("error %+v, want %s of one request", e, want)
		}
	}
}

// A preview is cut where the touchpoint is.
func TestPreviewCutsLikeCreate(t *testing.T) {
	for _, format := range []string{"text", "html"} {
		t.Run(format, func(t *testing.T) {
			s := connect(t, totangotest.Options{}, map[string]any{"content_format": format})
			it := s.item(map[string]any{"content": strings.Repeat("Ünd <so> weiter & so 😀 fort.\n", 1_000)})
			v := s.preview(it).Previews[0]
			s.mustCreate(it)
			var shown struct{ Content string }
			if err := json.Unmarshal(v.Attributes, &shown); err != nil {
				t.Fatal(err)
			}
			written := s.only().Content
			if diff := cmp.Diff(written, shown.Content); diff != "" {
				t.Errorf("(-written +previewed):\n%s", diff)
			}
			for _, part := range []string{"[cut at 12,000 characters; the full meeting: " + callURL + "]", "[durasync " + key + "]"} {
				if format == "html" {
					part = html.EscapeString(part)
				}
				if !strings.Contains(shown.Content, part) {
					t.Errorf("the preview lacks %q", part)
				}
			}
		})
	}
}
