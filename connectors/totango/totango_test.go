package totango_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
)

const (
	token   = "0123abcd-secret@tenant.example"
	key     = "gong/calls/7782342274025937895"
	callURL = "https://app.gong.example/call?id=7782342274025937895"
)

var started = time.Date(2026, 7, 1, 10, 30, 0, 0, time.UTC)

// clock is a clock that only moves when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// tenant is a simulated Totango with a connector that is configured for it.
type tenant struct {
	*totangotest.Server
	*totango.Connector
	t *testing.T
}

func connect(t *testing.T, opts totangotest.Options, config map[string]any) *tenant {
	t.Helper()
	opts.Tokens = []string{token}
	s := totangotest.New(opts)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.AddAccount(
		totangotest.Account{ID: "acc-1", Name: "Acme"},
		totangotest.Account{ID: "acc-2", Name: "Borealis", Status: "cancelled"},
	)
	s.AddTeam(totangotest.TeamMember{Email: "csm@vendor.example", Name: "Dana"})
	settings := map[string]any{"app_token": token, "base_url": h.URL, "requests_per_minute": 0}
	maps.Copy(settings, config)
	c := totango.New()
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: encode(t, settings)}); err != nil {
		t.Fatal(err)
	}
	return &tenant{s, c, t}
}

func encode(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// item is a touchpoint to write, with attributes on top of the usual ones.
func (s *tenant) item(attributes map[string]any) plugin.Item {
	all := map[string]any{
		"touchpoint_id": "7782342274025937895", "account_id": "acc-1", "subject": "Acme / weekly sync", "content": "Brief", "type": "Web Meeting",
		"date": started.Format(time.RFC3339Nano), "created_by": "csm@vendor.example", "participants": []string{"csm@vendor.example", "pat@acme.example"},
	}
	maps.Copy(all, attributes)
	return plugin.Item{
		Key: key, RecordID: "7782342274025937895", URL: callURL, Time: started, Target: "acc-1", Attributes: encode(s.t, all),
	}
}

// create writes an item and returns its result and the error of the item or of the call.
func (s *tenant) create(ctx context.Context, it plugin.Item) (plugin.Result, *plugin.Error) {
	s.t.Helper()
	resp, err := s.Create(ctx, &plugin.CreateRequest{Object: "touchpoint", Items: []plugin.Item{it}})
	if err != nil {
		if resp != nil {
			s.t.Fatal("Create gave an answer and an error")
		}
		return plugin.Result{}, s.fault(err)
	}
	if len(resp.Results) != 1 || resp.Results[0].Key != it.Key {
		s.t.Fatalf("results %+v for the item %s", resp.Results, it.Key)
	}
	r := resp.Results[0]
	if r.Err != nil {
		return r, s.fault(r.Err)
	}
	return r, nil
}

// fault checks what holds for every error.
func (s *tenant) fault(err error) *plugin.Error {
	s.t.Helper()
	var e *plugin.Error
	if !errors.As(err, &e) {
		s.t.Fatalf("%v is a %T and no *plugin.Error", err, err)
	}
	if strings.Contains(e.Message, "secret") {
		s.t.Errorf("an error shows the token: %s", e.Message)
	}
	return e
}

func (s *tenant) mustCreate(it plugin.Item) plugin.Result {
	s.t.Helper()
	r, e := s.create(s.t.Context(), it)
	if e != nil {
		s.t.Fatalf("%s: %s", e.Code, e.Message)
	}
	return r
}

// only returns the one touchpoint that is stored.
func (s *tenant) only() totangotest.Touchpoint {
	s.t.Helper()
	all := s.Touchpoints()
	if len(all) != 1 {
		s.t.Fatalf("%d touchpoints are stored, want 1", len(all))
	}
	return all[0]
}

func noteID(t totangotest.Touchpoint) string { return fmt.Sprint(t.NoteID) }

// guidOf returns the id of a type or tag.
func guidOf(t *testing.T, list []totangotest.NamedID, name string) string {
	t.Helper()
	for _, n := range list {
		if n.Name == name {
			return n.ID
		}
	}
	t.Fatalf("there is no %q", name)
	return ""
}
