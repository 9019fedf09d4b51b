package totango_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
)

func TestCreateWritesEverything(t *testing.T) {
	c := &clock{now: started.Add(48 * time.Hour)}
	s := connect(t, totangotest.Options{Clock: c.Now}, map[string]any{"disable_sync": true})
	r := s.mustCreate(s.item(map[string]any{
		"date": "2026-07-01T12:30:00.25+02:00", "flow": "Renewal", "tags": []string{"training", " ", "Training", "Business Review"},
		"participants": []string{"CSM@vendor.example", " pat@acme.example ", "pat@ACME.example", ""},
	}))
	got := s.only()
	want := totangotest.Touchpoint{
		NoteID: got.NoteID, EventID: got.EventID, AccountID: "acc-1", Subject: "Acme / weekly sync",
		Content: "Brief\n\n[durasync gong/calls/7782342274025937895]", TypeID: guidOf(t, s.Types(), "Web Meeting"), FlowID: "renewal",
		TagIDs:    []string{guidOf(t, s.Tags(), "Training"), guidOf(t, s.Tags(), "Business Review")},
		CreatedBy: "csm@vendor.example", Participants: []string{"csm@vendor.example", "pat@acme.example"},
		Date: started.Add(250 * time.Millisecond), DisableSync: true, Created: c.Now(),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(plugin.Result{Key: key, ID: noteID(got)}, r); diff != "" {
		t.Error(diff)
	}
}

func TestCreateLeavesOutWhatIsNotSet(t *testing.T) {
	s := connect(t, totangotest.Options{TokenUser: "owner@vendor.example"}, nil)
	it := s.item(nil)
	it.Attributes = encode(t, map[string]any{
		"touchpoint_id": "7782342274025937895", "account_id": "acc-1", "date": started, "subject": nil, "created_by": nil, "flow": nil, "tags": nil, "participants": nil,
	})
	s.mustCreate(it)
	got := s.only()
	want := totangotest.Touchpoint{
		AccountID: "acc-1", Content: "[durasync gong/calls/7782342274025937895]", TypeID: guidOf(t, s.Types(), "Web Meeting"), FlowID: "adoption",
		CreatedBy: "owner@vendor.example", Date: started,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "NoteID", "EventID", "Created")); diff != "" {
		t.Error(diff)
	}
}

func TestCreateGoesToTheTarget(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	it := s.item(nil)
	it.Target = "acc-2"
	s.mustCreate(it)
	if got := s.only().AccountID; got != "acc-2" {
		t.Errorf("written to %s", got)
	}
	it.Target = ""
	if _, e := s.create(t.Context(), it); e == nil || e.Code != plugin.CodeInvalidRequest || e.Attribute != "account_id" {
		t.Errorf("without a target: %+v", e)
	}
	_, err := s.Create(t.Context(), &plugin.CreateRequest{Object: "touchpoint", Items: []plugin.Item{it, it}})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeInvalidRequest {
		t.Errorf("two items at once: %+v", e)
	}
}

func TestCreateFindsNames(t *testing.T) {
	flows := []totangotest.Flow{
		{ID: "f-0", Name: "Onboarding", Disabled: true}, {ID: "f-1", Name: "onboarding"}, {ID: "f-2", Name: "Adoption", Default: true}, {ID: "Odd", Name: "f-1"},
	}
	opts := totangotest.Options{Flows: flows, Types: []string{"web meeting", "Web Meeting", "Call"}, Tags: []string{"QBR"}}
	ids := totangotest.New(opts)
	tests := map[string]struct {
		attributes map[string]any
		typ, flow  string
	}{
		"exact type":           {map[string]any{"type": "Web Meeting"}, ids.Types()[1].ID, "f-2"},
		"type in another case": {map[string]any{"type": " CALL "}, ids.Types()[2].ID, "f-2"},
		"type by id":           {map[string]any{"type": strings.ToUpper(ids.Types()[2].ID)}, ids.Types()[2].ID, "f-2"},
		"flow by id":           {map[string]any{"flow": "f-1"}, ids.Types()[1].ID, "f-1"},
		"flow by name":         {map[string]any{"flow": "ADOPTION"}, ids.Types()[1].ID, "f-2"},
		"enabled flow first":   {map[string]any{"flow": "ONBOARDING"}, ids.Types()[1].ID, "f-1"},
		"disabled flow":        {map[string]any{"flow": "Onboarding"}, ids.Types()[1].ID, "f-0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, opts, nil)
			s.mustCreate(s.item(tt.attributes))
			got := s.only()
			if got.TypeID != tt.typ || got.FlowID != tt.flow {
				t.Errorf("type %s and flow %s, want %s and %s", got.TypeID, got.FlowID, tt.typ, tt.flow)
			}
		})
	}
}

func TestCreateReadsNamesOnceAndAgainOnAMiss(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	for range 3 {
		s.mustCreate(s.item(nil))
	}
	if n := s.Requests(totangotest.TouchpointTypes); n != 1 {
		t.Errorf("the types were read %d times for three touchpoints, want once", n)
	}
	if n := s.Requests(totangotest.TouchpointTags) + s.Requests(totangotest.ActivityTypes); n != 0 {
		t.Errorf("tags and flows were read %d times, and nothing uses them", n)
	}
	added := s.AddType("Quarterly Review")
	s.mustCreate(s.item(map[string]any{"type": "quarterly review"}))
	if got := s.Touchpoints()[3].TypeID; got != added.ID {
		t.Errorf("type %s, want %s", got, added.ID)
	}
	if n := s.Requests(totangotest.TouchpointTypes); n != 2 {
		t.Errorf("the types were read %d times, want twice", n)
	}
}

func TestCreateReportsUnknownNames(t *testing.T) {
	tests := map[string]struct {
		attributes map[string]any
		attribute  string
		lists      string
	}{
		"type": {map[string]any{"type": "Webinar"}, "type", `"Web Meeting", "In Person Meeting"`},
		"flow": {map[string]any{"flow": "adoptoin"}, "flow", `"Adoption", "Escalation", "Onboarding"`},
		"tag":  {map[string]any{"tags": []string{"Training", "QBR"}}, "tags", `"Business Review", "Training"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{}, nil)
			_, e := s.create(t.Context(), s.item(tt.attributes))
			if e == nil || e.Code != plugin.CodeNotFound || e.Attribute != tt.attribute || e.Retryable || e.Uncertain {
				t.Fatalf("error %+v, want not_found on %s", e, tt.attribute)
			}
			if !strings.Contains(e.Message, tt.lists) {
				t.Errorf("the message does not list what there is: %s", e.Message)
			}
			if len(s.Touchpoints()) != 0 {
				t.Error("a touchpoint was written")
			}
		})
	}
}

// TestCreateOutcomes checks the classes of failures by which the host decides whether a touchpoint may have been written.
func TestCreateOutcomes(t *testing.T) {
	tests := map[string]struct {
		fault      totangotest.FaultKind
		code       plugin.Code
		uncertain  bool
		retryable  bool
		retryAfter time.Duration
		stored     int
	}{
		"rate limited":      {totangotest.RateLimited, plugin.CodeRateLimited, false, true, 7 * time.Second, 0},
		"server error":      {totangotest.ServerError, plugin.CodeUnavailable, true, true, 0, 0},
		"bad gateway":       {totangotest.BadGateway, plugin.CodeUnavailable, true, true, 0, 0},
		"bad gateway after": {totangotest.BadGatewayAfter, plugin.CodeUnavailable, true, true, 0, 1},
		"reset before":      {totangotest.ResetBefore, plugin.CodeUnavailable, true, true, 0, 0},
		"reset after":       {totangotest.ResetAfter, plugin.CodeUnavailable, true, true, 0, 1},
		"garbled after":     {totangotest.GarbledAfter, plugin.CodeUnavailable, true, true, 0, 1},
		"a web page":        {totangotest.HTML, plugin.CodeUnavailable, true, true, 0, 0},
		"unauthorized":      {totangotest.Unauthorized, plugin.CodeUnauthenticated, false, false, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{}, nil)
			s.Inject(totangotest.Fault{Kind: tt.fault, Endpoint: totangotest.CreateTouchpoint, RetryAfter: 7 * time.Second})
			_, e := s.create(t.Context(), s.item(nil))
			if e == nil {
				t.Fatal("no error")
			}
			want := &plugin.Error{Code: tt.code, Uncertain: tt.uncertain, Retryable: tt.retryable, RetryAfter: tt.retryAfter, Requests: 2}
			if diff := cmp.Diff(want, e, cmpopts.IgnoreFields(plugin.Error{}, "Message", "Attribute")); diff != "" {
				t.Errorf("%s\n%s", e.Message, diff)
			}
			if n := len(s.Touchpoints()); n != tt.stored {
				t.Errorf("%d touchpoints stored, want %d", n, tt.stored)
			}
		})
	}
}

func TestCreateTimesOutAfterTheCommit(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Inject(totangotest.Fault{Kind: totangotest.HangAfter, Endpoint: totangotest.CreateTouchpoint, Strike: cancel})
	it := s.item(nil)
	_, e := s.create(ctx, it)
	if e == nil || e.Code != plugin.CodeUnavailable || !e.Uncertain {
		t.Fatalf("error %+v, want an uncertain one", e)
	}
	it.InDoubt = true
	r := s.mustCreate(it)
	if want := (plugin.Result{Key: key, ID: noteID(s.only()), Existed: true}); r != want {
		t.Errorf("result %+v, want %+v", r, want)
	}
}

func TestCreateBeforeTheWriteIsCertain(t *testing.T) {
	for name, kind := range map[string]totangotest.FaultKind{"unavailable": totangotest.BadGateway, "reset": totangotest.ResetBefore} {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{}, nil)
			s.Inject(totangotest.Fault{Kind: kind, Endpoint: totangotest.TouchpointTypes})
			_, e := s.create(t.Context(), s.item(nil))
			if e == nil || e.Code != plugin.CodeUnavailable || e.Uncertain || !e.Retryable {
				t.Errorf("error %+v, want a certain one that may go away", e)
			}
			if n := s.Requests(totangotest.CreateTouchpoint); n != 0 {
				t.Errorf("%d writes were sent", n)
			}
		})
	}
	s := connect(t, totangotest.Options{}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, e := s.create(ctx, s.item(nil)); e == nil || e.Uncertain {
		t.Errorf("after the end of the context: %+v", e)
	}
}

func TestCreateRefusedRecords(t *testing.T) {
	tests := map[string]struct {
		item    func(s *tenant) plugin.Item
		message string
	}{
		"unknown account": {func(s *tenant) plugin.Item { it := s.item(nil); it.Target = "gone"; return it }, "Account not found"},
		"no date":         {func(s *tenant) plugin.Item { return s.item(map[string]any{"date": nil}) }, "no date"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{}, nil)
			r, e := s.create(t.Context(), tt.item(s))
			if e == nil || e.Code != plugin.CodeInvalidRecord || e.Retryable || e.Uncertain {
				t.Fatalf("error %+v, want invalid_record", e)
			}
			if r.Err != e {
				t.Error("the error is not the item's own")
			}
			if !strings.Contains(e.Message, tt.message) {
				t.Errorf("message %q lacks %q", e.Message, tt.message)
			}
		})
	}
	s := connect(t, totangotest.Options{}, nil)
	it := s.item(nil)
	it.Attributes = []byte(`{"tags":"one"}`)
	if _, e := s.create(t.Context(), it); e == nil || e.Code != plugin.CodeInvalidRequest {
		t.Errorf("attributes of another type: %+v", e)
	}
}

func TestCreateFromManyGoroutines(t *testing.T) {
	s := connect(t, totangotest.Options{RequestsPerMinute: -1}, nil)
	const n = 40
	faults := make(chan *plugin.Error, n)
	for i := range n {
		it := s.item(map[string]any{"flow": "renewal"})
		it.Key = fmt.Sprintf("gong/calls/%d", i)
		go func() {
			_, err := s.Create(t.Context(), &plugin.CreateRequest{Object: "touchpoint", Items: []plugin.Item{it}})
			faults <- plugin.AsError(err)
		}()
	}
	for range n {
		if e := <-faults; e != nil {
			t.Errorf("%s: %s", e.Code, e.Message)
		}
	}
	if got := len(s.Touchpoints()); got != n {
		t.Errorf("%d touchpoints, want %d", got, n)
	}
	if got := s.TotalRequests(); got != n+2 {
		t.Errorf("%d requests, want one for each touchpoint and one for each of types and flows", got)
	}
}
