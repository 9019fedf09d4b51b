package httpkit_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// In a bubble of synctest time stands still until everybody waits, so that the pace can be measured exactly.
func TestRequestsArePacedEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		c := newClient(t, httpkit.Options{
			BaseURL: "http://127.0.0.1", Limits: []plugin.RateLimit{{Requests: 4, Per: time.Second}, {Requests: 6, Per: 24 * time.Hour}},
			Transport: roundTrip(func(*http.Request) *http.Response {
				at = append(at, time.Since(begin))
				return &http.Response{StatusCode: 200, Body: http.NoBody}
			}),
		})
		for range 6 {
			if _, err := c.Do(t.Context(), &httpkit.Request{Method: "GET", Path: "/x"}); err != nil {
				t.Fatal(err)
			}
		}
		ms := time.Millisecond
		if diff := cmp.Diff([]time.Duration{0, 275 * ms, 550 * ms, 825 * ms, 1100 * ms, 1375 * ms}, at); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}

		// The day's six are used up: the next one is due a sixth of a day after the first.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		before := time.Now()
		_, err := c.Do(ctx, &httpkit.Request{Method: "GET", Path: "/x", Write: true})
		e := plugin.AsError(err)
		if e == nil || e.Code != plugin.CodeRateLimited || e.Uncertain || e.Requests != 0 {
			t.Fatalf("got %+v", e)
		}
		if want := 4*time.Hour - 1375*ms; e.RetryAfter.Round(ms) != want {
			t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, want)
		}
		if waited := time.Since(before); waited != 0 {
			t.Errorf("waited %v for nothing", waited)
		}
		if len(at) != 6 {
			t.Errorf("%d requests were sent", len(at))
		}
		// What was given up took nothing of the budget.
		_, err = c.Do(ctx, &httpkit.Request{Method: "GET", Path: "/x"})
		if again := plugin.AsError(err); again == nil || again.RetryAfter.Round(ms) != e.RetryAfter.Round(ms) {
			t.Errorf("the next one has to wait %v", again)
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, httpkit.Options{
			BaseURL: "http://127.0.0.1", Limits: []plugin.RateLimit{{Requests: 1, Per: time.Minute}},
			Transport: roundTrip(func(*http.Request) *http.Response { return &http.Response{StatusCode: 200, Body: http.NoBody} }),
		})
		if _, err := c.Do(t.Context(), &httpkit.Request{Method: "GET", Path: "/x"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		_, err := c.Do(ctx, &httpkit.Request{Method: "GET", Path: "/x"})
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("waited %v, want 1s", waited)
		}
	})
}

func TestPerSecond(t *testing.T) {
	for requests, want := range map[float64][]plugin.RateLimit{
		0:   nil,
		3:   {{Requests: 3, Per: time.Second}},
		2.5: {{Requests: 1, Per: 400 * time.Millisecond}},
		0.1: {{Requests: 1, Per: 10 * time.Second}},
	} {
		got, err := httpkit.PerSecond(requests)
		if err != nil {
			t.Errorf("%v requests a second: %v", requests, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v requests a second (-want +got):\n%s", requests, diff)
		}
	}
	for _, requests := range []float64{-1, 1001} {
		_, err := httpkit.PerSecond(requests)
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeInvalidConfig || e.Attribute != "requests_per_second" {
			t.Errorf("%v requests a second: got error %v, want one about requests_per_second", requests, err)
		}
	}
}
