package gongtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// walk returns the ids on all pages of a listing, and the total that the first one tells.
func walk(t *testing.T, s *Server, request func(cursor string) *http.Request) (ids []string, total int) {
	t.Helper()
	cursor := ""
	for page := 0; ; page++ {
		r := request(cursor)
		r.SetBasicAuth(AccessKey, AccessKeySecret)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusNotFound && page == 0 {
			return nil, 0
		}
		var body struct {
			Records struct {
				TotalRecords int
				Cursor       string
			}
			Calls []struct {
				ID       string
				MetaData struct{ ID string }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
			t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
		}
		if page == 0 {
			total = body.Records.TotalRecords
		}
		for _, c := range body.Calls {
			ids = append(ids, c.ID+c.MetaData.ID) // either is empty
		}
		if cursor = body.Records.Cursor; cursor == "" {
			return ids, total
		}
	}
}

// TestWindowsAfterManyChanges compares listings with what a look at every single call gives.
func TestWindowsAfterManyChanges(t *testing.T) {
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	dice := rand.New(rand.NewPCG(3, 4))
	hour := func(n int) time.Time { return begin.Add(time.Duration(dice.IntN(n)) * time.Hour) } // many at the same time
	now := begin
	s := New(Options{Clock: func() time.Time { return now }, PageSize: 7, Workspaces: []Workspace{{ID: "1"}, {ID: "2"}}})
	random := func(c *Call) {
		c.Started, c.Scheduled = hour(48), hour(48)
		c.Direction = []string{"", "Inbound", "Conference"}[dice.IntN(3)]
		c.WorkspaceID = []string{"", "1", "2"}[dice.IntN(3)]
		c.VisibleAt, c.DeletedAt, c.Edits = time.Time{}, time.Time{}, nil
		if dice.IntN(4) == 0 {
			c.VisibleAt = hour(96)
		}
		if dice.IntN(6) == 0 {
			c.DeletedAt = hour(96)
		}
		if dice.IntN(5) == 0 {
			to := hour(48)
			c.Edits = []Edit{{At: hour(96), Apply: func(c *Call) { c.Started, c.WorkspaceID = to, "2" }}}
		}
	}
	// expected filters and sorts all calls, as people would with a sheet of paper.
	expected := func(scheduled bool, from, to time.Time, workspace string) (ids []string, total int) {
		type row struct {
			at time.Time
			id string
		}
		var rows []row
		for _, c := range s.Calls() {
			if !c.DeletedAt.IsZero() && !now.Before(c.DeletedAt) {
				continue
			}
			for _, e := range c.Edits {
				if !now.Before(e.At) {
					e.Apply(&c)
				}
			}
			at := c.Started
			if scheduled && (c.Direction == "" || c.Direction == "Conference") {
				at = c.Scheduled
			}
			home := c.WorkspaceID
			if home == "" {
				home = "1"
			}
			if at.Before(from) || !at.Before(to) || workspace != "" && workspace != home {
				continue
			}
			total++
			if !now.Before(c.VisibleAt) {
				rows = append(rows, row{at, c.ID})
			}
		}
		slices.SortFunc(rows, func(a, b row) int {
			if c := a.at.Compare(b.at); c != 0 {
				return c
			}
			return strings.Compare(a.id, b.id) // all of the same length
		})
		for _, r := range rows {
			ids = append(ids, r.id)
		}
		if len(ids) == 0 {
			total = 0 // nothing to show is a 404
		}
		return ids, total
	}
	var known []string
	for range 60 {
		for range dice.IntN(12) {
			c := Call{}
			random(&c)
			known = append(known, s.AddCall(c))
		}
		if len(known) > 3 {
			s.Update(known[dice.IntN(len(known))], random)
			s.Delete(known[dice.IntN(len(known))])
		}
		now = now.Add(100 * time.Minute)
		from := hour(24)
		to, workspace := from.Add(time.Duration(1+dice.IntN(36))*time.Hour), []string{"", "1", "2"}[dice.IntN(3)]
		window := fmt.Sprintf(`"fromDateTime":%q,"toDateTime":%q`, from.Format(time.RFC3339), to.Format(time.RFC3339))
		if workspace != "" {
			window += fmt.Sprintf(`,"workspaceId":%q`, workspace)
		}
		listings := map[string]struct {
			scheduled bool
			request   func(cursor string) *http.Request
		}{
			"by start": {false, func(cursor string) *http.Request {
				body := `{"filter":{` + window + `}}`
				if cursor != "" {
					body = `{"cursor":"` + cursor + `",` + body[1:]
				}
				r := httptest.NewRequest(http.MethodPost, "/v2/calls/extensive", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				return r
			}},
			"by schedule": {true, func(cursor string) *http.Request {
				r := httptest.NewRequest(http.MethodGet, "/v2/calls", nil)
				q := r.URL.Query()
				q.Set("fromDateTime", from.Format(time.RFC3339))
				q.Set("toDateTime", to.Format(time.RFC3339))
				q.Set("workspaceId", workspace)
				q.Set("cursor", cursor)
				r.URL.RawQuery = q.Encode()
				return r
			}},
		}
		for name, l := range listings {
			ids, total := walk(t, s, l.request)
			wantIDs, wantTotal := expected(l.scheduled, from, to, workspace)
			if diff := cmp.Diff(wantIDs, ids); diff != "" || total != wantTotal {
				t.Fatalf("%s at %v, from %v to %v in %q: total %d, want %d (-want +got):\n%s", name, now, from, to, workspace, total, wantTotal, diff)
			}
		}
	}
}
