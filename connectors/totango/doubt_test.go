package totango_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
)

const line = "[durasync gong/calls/7782342274025937895]"

// note is a touchpoint that is there before.
func note(content string) totangotest.Touchpoint {
	return totangotest.Touchpoint{AccountID: "acc-1", Content: content, Date: started}
}

func TestInDoubtLooksBeforeItWrites(t *testing.T) {
	tests := map[string]struct {
		opts    totangotest.Options
		config  map[string]any
		there   []totangotest.Touchpoint
		existed int64 // the note id of what is found; 0 if it is written
		looks   int   // requests of the event search
	}{
		"nothing there":      {looks: 1},
		"there":              {there: []totangotest.Touchpoint{note("other"), note("Brief\n\n" + line)}, existed: 981002, looks: 1},
		"in the text":        {there: []totangotest.Touchpoint{note("edited " + line + "\nand more")}, existed: 981001, looks: 1},
		"as HTML":            {there: []totangotest.Touchpoint{note(`<div class="html-parser-container"><div>` + line + `</div></div>`)}, existed: 981001, looks: 1},
		"longer id":          {there: []totangotest.Touchpoint{note("[durasync gong/calls/77823422740259378951]")}, looks: 1},
		"longer name":        {there: []totangotest.Touchpoint{note("[durasync xgong/calls/7782342274025937895]")}, looks: 1},
		"id alone":           {there: []totangotest.Touchpoint{note("gong/calls/7782342274025937895 " + callURL)}, looks: 1},
		"in another account": {there: []totangotest.Touchpoint{{AccountID: "acc-2", Content: line, Date: started}}, looks: 1},
		"in another account, in a search of all": {
			opts: totangotest.Options{Variants: totangotest.Variants{AllAccounts: true}}, there: []totangotest.Touchpoint{{AccountID: "acc-2", Content: line, Date: started}}, looks: 1,
		},
		"twice":                {there: []totangotest.Touchpoint{note("> " + line), note(line)}, existed: 981001, looks: 1},
		"meeting moved on":     {there: []totangotest.Touchpoint{{AccountID: "acc-1", Content: line, Date: started.AddDate(0, 0, -60)}}, existed: 981001, looks: 1},
		"meeting moved back":   {there: []totangotest.Touchpoint{{AccountID: "acc-1", Content: line, Date: started.AddDate(0, 0, 60)}}, existed: 981001, looks: 1},
		"without event search": {opts: totangotest.Options{Variants: totangotest.Variants{NoEventSearch: true}}, there: []totangotest.Touchpoint{note(line)}, existed: 981001, looks: 1},
		"without event search, nothing there": {
			opts: totangotest.Options{Variants: totangotest.Variants{NoEventSearch: true}}, there: []totangotest.Touchpoint{note("other")}, looks: 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, tt.opts, tt.config)
			for _, n := range tt.there {
				s.AddTouchpoint(n)
			}
			it := s.item(nil)
			it.InDoubt = true
			r := s.mustCreate(it)
			stored := s.Touchpoints()
			want := plugin.Result{Key: key, ID: noteID(stored[len(stored)-1])}
			written := len(stored) - len(tt.there)
			if tt.existed != 0 {
				want.ID, want.Existed = fmt.Sprint(tt.existed), true
				written++
			}
			if r != want || written != 1 {
				t.Errorf("result %+v, want %+v; %d touchpoints stored of which %d were there", r, want, len(stored), len(tt.there))
			}
			if n := s.Requests(totangotest.SearchEvents); n != tt.looks {
				t.Errorf("%d searches, want %d", n, tt.looks)
			}
		})
	}
}

func TestInDoubtPagesToTheEnd(t *testing.T) {
	for name, variants := range map[string]totangotest.Variants{"record offset": {}, "page offset": {PageOffset: true}} {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{Variants: variants, RequestsPerMinute: -1}, nil)
			// Searches answer with the newest first, so the one that is looked for comes last.
			s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-1", Content: line, Date: started.Add(-time.Hour)})
			for range 2_400 {
				s.AddTouchpoint(note("other"))
			}
			it := s.item(nil)
			it.InDoubt = true
			if r := s.mustCreate(it); !r.Existed || r.ID != "981001" {
				t.Errorf("result %+v", r)
			}
		})
	}
	t.Run("more than a search can return", func(t *testing.T) {
		s := connect(t, totangotest.Options{RequestsPerMinute: -1}, nil)
		s.AddTouchpoint(note(line))
		for i := range 10_100 {
			s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-1", Content: "other", Date: started.AddDate(0, 0, 40).Add(time.Duration(i) * time.Second)})
		}
		it := s.item(nil)
		it.InDoubt = true
		if r := s.mustCreate(it); !r.Existed || r.ID != "981001" {
			t.Errorf("result %+v", r)
		}
	})
	t.Run("too many everywhere", func(t *testing.T) {
		s := connect(t, totangotest.Options{RequestsPerMinute: -1}, nil)
		for range 10_100 {
			s.AddTouchpoint(note("other"))
		}
		it := s.item(nil)
		it.InDoubt = true
		if _, e := s.create(t.Context(), it); e == nil || !e.Uncertain {
			t.Errorf("error %+v, want an uncertain one", e)
		}
		if n := s.Requests(totangotest.CreateTouchpoint); n != 0 {
			t.Errorf("%d writes after a look that was not complete", n)
		}
	})
}

func TestInDoubtStaysSoWhenTheLookFails(t *testing.T) {
	tests := map[string]struct {
		fault     totangotest.FaultKind
		code      plugin.Code
		retryable bool
	}{
		"rate limited":  {totangotest.RateLimited, plugin.CodeRateLimited, true},
		"server error":  {totangotest.ServerError, plugin.CodeUnavailable, true},
		"reset":         {totangotest.ResetBefore, plugin.CodeUnavailable, true},
		"garbled":       {totangotest.GarbledAfter, plugin.CodeUnavailable, true},
		"a web page":    {totangotest.HTML, plugin.CodeUnavailable, true},
		"bad token":     {totangotest.Unauthorized, plugin.CodeUnauthenticated, false},
		"answers late":  {totangotest.HangAfter, plugin.CodeUnavailable, true},
		"answer is cut": {totangotest.ResetAfter, plugin.CodeUnavailable, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := connect(t, totangotest.Options{}, nil)
			s.AddTouchpoint(note(line))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f := totangotest.Fault{Kind: tt.fault, Endpoint: totangotest.SearchEvents}
			if tt.fault == totangotest.HangAfter {
				f.Strike = cancel
			}
			s.Inject(f)
			it := s.item(nil)
			it.InDoubt = true
			_, e := s.create(ctx, it)
			if e == nil || e.Code != tt.code || !e.Uncertain || e.Retryable != tt.retryable {
				t.Fatalf("error %+v, want an uncertain %s", e, tt.code)
			}
			if n := s.Requests(totangotest.CreateTouchpoint); n != 0 {
				t.Errorf("%d writes were sent", n)
			}
			if r := s.mustCreate(it); !r.Existed {
				t.Errorf("the next attempt gave %+v", r)
			}
		})
	}
}

func TestInDoubtInAnAccountThatIsGone(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	it := s.item(nil)
	it.Target, it.InDoubt = "gone", true
	r, e := s.create(t.Context(), it)
	if e == nil || e.Code != plugin.CodeInvalidRecord || !e.Uncertain || r.Err != e {
		t.Errorf("error %+v, want an uncertain one of the item alone", e)
	}
}

func TestWritesWithoutAnswerAreFoundAfterTheSearchLag(t *testing.T) {
	c := &clock{now: started}
	s := connect(t, totangotest.Options{Clock: c.Now, SearchLag: 30 * time.Second}, nil)
	s.Inject(totangotest.Fault{Kind: totangotest.ResetAfter, Endpoint: totangotest.CreateTouchpoint})
	it := s.item(nil)
	if _, e := s.create(t.Context(), it); e == nil || !e.Uncertain {
		t.Fatalf("error %+v, want an uncertain one", e)
	}
	c.Advance(30 * time.Second) // what the host waits, by ConfigureResponse.SearchLag
	it.InDoubt = true
	if r := s.mustCreate(it); !r.Existed || r.ID != noteID(s.only()) {
		t.Errorf("result %+v", r)
	}
}

// TestEveryKeyIsWrittenOnce plays a host that follows the contract against an instance in which much goes wrong: after an uncertain
// failure an item is in doubt until a result is known.
func TestEveryKeyIsWrittenOnce(t *testing.T) {
	const items = 60
	fault := func(k totangotest.FaultKind, e totangotest.Endpoint, p float64) totangotest.Rate {
		return totangotest.Rate{Fault: totangotest.Fault{Kind: k, Endpoint: e}, Probability: p}
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			variants := totangotest.Variants{PlainText: seed%3 == 1, NoEventSearch: seed%3 == 2}
			s := connect(t, totangotest.Options{RequestsPerMinute: -1, Variants: variants, Chaos: &totangotest.Chaos{Seed: seed, Rates: []totangotest.Rate{
				fault(totangotest.ResetAfter, totangotest.CreateTouchpoint, 0.15), fault(totangotest.BadGatewayAfter, totangotest.CreateTouchpoint, 0.15),
				fault(totangotest.GarbledAfter, totangotest.CreateTouchpoint, 0.15), fault(totangotest.ResetBefore, "", 0.1),
				fault(totangotest.ServerError, "", 0.1), fault(totangotest.RateLimited, "", 0.1),
			}}}, map[string]any{"content_format": []string{"text", "html"}[seed%2]})
			for i := range items {
				it := s.item(nil)
				it.Key = fmt.Sprintf("gong/calls/%d", i+1) // 1 is the beginning of 10
				for attempt := 0; ; attempt++ {
					r, e := s.create(t.Context(), it)
					if e == nil {
						if r.ID == "" {
							t.Fatalf("%s: no id", it.Key)
						}
						break
					}
					if !e.Retryable || attempt > 100 {
						t.Fatalf("%s, attempt %d: %s: %s", it.Key, attempt, e.Code, e.Message)
					}
					it.InDoubt = it.InDoubt || e.Uncertain
				}
			}
			got := map[string]int{}
			for _, tp := range s.Touchpoints() {
				_, after, _ := strings.Cut(tp.Content, "[durasync ")
				k, _, _ := strings.Cut(after, "]")
				got[k]++
			}
			want := map[string]int{}
			for i := range items {
				want[fmt.Sprintf("gong/calls/%d", i+1)] = 1
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFind(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	first := s.mustCreate(s.item(nil))
	second := s.item(nil)
	second.Key, second.Target = "gong/calls/2", "acc-2"
	found := s.mustCreate(second)
	before := s.TotalRequests()
	resp, err := s.Find(t.Context(), &plugin.FindRequest{Object: "touchpoint", Items: []plugin.FindItem{
		{Key: "gong/calls/2", Target: "acc-1", Time: started},
		{Key: "gong/calls/2", Target: "acc-2", Time: started},
		{Key: "gong/calls/3", Target: "acc-2", Time: started},
		{Key: key, Target: "acc-1", Time: started.AddDate(0, 0, 5)},
		{Key: "gong/calls/7", Target: "acc-1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := &plugin.FindResponse{Requests: 2, Results: []plugin.Result{
		{Key: "gong/calls/2", ID: found.ID, Existed: true}, {Key: key, ID: first.ID, Existed: true},
	}}
	if diff := cmp.Diff(want, resp); diff != "" {
		t.Error(diff)
	}
	if n := s.TotalRequests() - before; n != resp.Requests {
		t.Errorf("%d requests were made, %d counted", n, resp.Requests)
	}
	s.Inject(totangotest.Fault{Kind: totangotest.BadGateway})
	_, err = s.Find(t.Context(), &plugin.FindRequest{Object: "touchpoint", Items: []plugin.FindItem{{Key: key, Target: "acc-1", Time: started}}})
	if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable || e.Requests != 1 {
		t.Errorf("error %+v", e)
	}
}
