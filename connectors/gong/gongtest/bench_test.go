package gongtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// BenchmarkRequests measures single requests to a company of 100,000 calls in a week.
func BenchmarkRequests(b *testing.B) {
	const calls = 100_000
	end := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	s := New(Options{Clock: func() time.Time { return end }})
	var ids []string
	for i := range calls {
		c := Call{Started: end.Add(-time.Duration(i) * 6 * time.Second), Brief: "They met."}
		if i%1000 == 0 {
			c.Edits = []Edit{{At: end.Add(-time.Hour), Apply: func(c *Call) { c.Title = "edited" }}}
		}
		ids = append(ids, s.AddCall(c))
	}
	post := func(b *testing.B, body string) string {
		r := httptest.NewRequest(http.MethodPost, "/v2/calls/extensive", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth(AccessKey, AccessKeySecret)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("%d: %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	filter := fmt.Sprintf(`"filter":{"fromDateTime":%q,"toDateTime":%q}`, end.AddDate(0, 0, -7).Format(time.RFC3339), end.Format(time.RFC3339))
	b.Run("first page", func(b *testing.B) {
		for b.Loop() {
			post(b, "{"+filter+"}")
		}
	})
	b.Run("later page", func(b *testing.B) {
		_, rest, _ := strings.Cut(post(b, "{"+filter+"}"), `"cursor":"`)
		cursor, _, _ := strings.Cut(rest, `"`)
		for b.Loop() {
			post(b, "{"+filter+`,"cursor":"`+cursor+`"}`)
		}
	})
	b.Run("read", func(b *testing.B) {
		body := `{"filter":{"callIds":["` + strings.Join(ids[50_000:50_025], `","`) + `"]}}`
		for b.Loop() {
			post(b, body)
		}
	})
}
