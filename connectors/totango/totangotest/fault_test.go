package totangotest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// post sends one touchpoint and returns the status; 0 if there was no complete answer.
func post(ctx context.Context, t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", url+"/api/v3/touchpoints/", strings.NewReader(`{"account_id":"acc-1","content":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("app-token", "tok")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

func TestFaults(t *testing.T) {
	tests := map[string]struct {
		kind   totangotest.FaultKind
		status int
		stored int
	}{
		"rate limited":       {totangotest.RateLimited, 429, 0},
		"server error":       {totangotest.ServerError, 500, 0},
		"bad gateway":        {totangotest.BadGateway, 502, 0},
		"unauthorized":       {totangotest.Unauthorized, 401, 0},
		"web page":           {totangotest.HTML, 200, 0},
		"slow":               {totangotest.Slow, 200, 1},
		"reset before":       {totangotest.ResetBefore, 0, 0},
		"reset after":        {totangotest.ResetAfter, 0, 1},
		"bad gateway, after": {totangotest.BadGatewayAfter, 502, 1},
		"garbled after":      {totangotest.GarbledAfter, 200, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, totangotest.Options{})
			s.Inject(totangotest.Fault{Kind: tt.kind, Endpoint: totangotest.CreateTouchpoint, Delay: time.Microsecond})
			if got := post(t.Context(), t, s.url); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
			if got := len(s.Touchpoints()); got != tt.stored {
				t.Errorf("%d touchpoints stored, want %d", got, tt.stored)
			}
			if got := post(t.Context(), t, s.url); got != 200 {
				t.Errorf("status %d after the fault", got)
			}
			if n := s.Requests(totangotest.CreateTouchpoint); n != 2 {
				t.Errorf("%d requests counted, want 2", n)
			}
		})
	}
}

func TestHangAfterAnswersNothing(t *testing.T) {
	s := start(t, totangotest.Options{})
	committed := make(chan struct{})
	s.Inject(totangotest.Fault{Kind: totangotest.HangAfter, Endpoint: totangotest.CreateTouchpoint, Strike: func() { close(committed) }})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answered := make(chan int, 1)
	go func() { answered <- post(ctx, t, s.url) }()
	<-committed
	if n := len(s.Touchpoints()); n != 1 {
		t.Errorf("%d touchpoints are stored, want 1", n)
	}
	if got := post(t.Context(), t, s.url); got != 200 {
		t.Errorf("another request meanwhile: status %d", got)
	}
	cancel()
	if got := <-answered; got != 0 {
		t.Errorf("status %d, want no answer", got)
	}
}

func TestFaultWithoutConnection(t *testing.T) {
	s := totangotest.New(totangotest.Options{})
	s.Inject(totangotest.Fault{Kind: totangotest.ResetBefore})
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("panicked with %v, want http.ErrAbortHandler", err)
		}
	}()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/api/v3/touchpoint-types/", nil))
}

func TestScriptSkipsAndRepeats(t *testing.T) {
	s := start(t, totangotest.Options{})
	s.Inject(
		totangotest.Fault{Kind: totangotest.ServerError, Endpoint: totangotest.TouchpointTags},
		totangotest.Fault{Kind: totangotest.BadGateway, Endpoint: totangotest.CreateTouchpoint, Skip: 1, Times: 2},
		totangotest.Fault{Kind: totangotest.Unauthorized, Endpoint: totangotest.CreateTouchpoint},
	)
	var got []int
	for range 5 {
		got = append(got, post(t.Context(), t, s.url))
	}
	// The first is passed by the gateway fault and meets the next in the script.
	if diff := cmp.Diff([]int{401, 502, 502, 200, 200}, got); diff != "" {
		t.Error(diff)
	}
	s.ClearFaults()
	wantStatus(t, s.get("/api/v3/touchpoint-tags/"), 200)
}

func TestChaosFollowsItsSeed(t *testing.T) {
	run := func(seed uint64) []int {
		s := start(t, totangotest.Options{RequestsPerMinute: -1, Chaos: &totangotest.Chaos{Seed: seed, Rates: []totangotest.Rate{
			{Fault: totangotest.Fault{Kind: totangotest.ServerError, Endpoint: totangotest.CreateTouchpoint}, Probability: 0.3},
			{Fault: totangotest.Fault{Kind: totangotest.RateLimited, RetryAfter: 2 * time.Second}, Probability: 0.3},
		}}})
		var got []int
		for range 40 {
			got = append(got, post(t.Context(), t, s.url))
		}
		return got
	}
	first := run(7)
	if diff := cmp.Diff(first, run(7)); diff != "" {
		t.Errorf("the same seed gave another sequence: %s", diff)
	}
	if cmp.Equal(first, run(8)) {
		t.Error("another seed gave the same sequence")
	}
	seen := map[int]bool{}
	for _, status := range first {
		seen[status] = true
	}
	if diff := cmp.Diff(map[int]bool{200: true, 429: true, 500: true}, seen); diff != "" {
		t.Error(diff)
	}
}
