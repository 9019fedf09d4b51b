package e2e

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/workflows"
)

// arrivals notes when requests come in, and from which worker: each has a token of its own.
type arrivals struct {
	next http.Handler

	mu    sync.Mutex
	times []time.Time
	from  map[string]int
}

// before puts arrivals in front of a simulator that the environment names.
func (s *system) before(variable string) *arrivals {
	s.t.Helper()
	for _, kv := range s.env {
		if at, ok := strings.CutPrefix(kv, variable+"="); ok {
			target, err := url.Parse(at)
			if err != nil {
				s.t.Fatal(err)
			}
			a := &arrivals{next: httputil.NewSingleHostReverseProxy(target), from: map[string]int{}}
			s.env = with(s.env, variable, serve(s.t, a))
			return a
		}
	}
	s.t.Fatalf("the environment has no %s", variable)
	return nil
}

func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.times = append(a.times, time.Now())
	a.from[r.Header.Get("App-Token")]++
	a.mu.Unlock()
	a.next.ServeHTTP(w, r)
}

// most returns the largest number of requests in any window of a length.
func (a *arrivals) most(window time.Duration) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	most, first := 0, 0
	for i, at := range a.times {
		for at.Sub(a.times[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// Three workers share the limits of their connections: none is refused, and no part of a minute sees more than its part of the
// requests.
func TestWorkersShareTheLimits(t *testing.T) {
	t.Parallel()
	const perMinute, perSecond = 180, 2
	tokens := []string{"token-of-one", "token-of-two", "token-of-three"}
	s := newSystemWith(t, gongtest.New(gongtest.Options{}), totangotest.New(totangotest.Options{Tokens: tokens, RequestsPerMinute: perMinute}))
	gong, totango := s.before("GONG_BASE_URL"), s.before("TOTANGO_BASE_URL")
	files := strings.NewReplacer(
		"requests_per_second = 0", fmt.Sprintf("requests_per_second = %d", perSecond),
		"requests_per_minute = 0", fmt.Sprintf("requests_per_minute = %d", perMinute),
	).Replace(jobFiles)
	s.write("jobs.hcl", files)
	for _, token := range tokens {
		s.env = with(s.env, "TOTANGO_APP_TOKEN", token)
		s.worker()
	}
	s.ok("apply", s.dir)
	s.several(200)
	s.ok("sync", "meetings", "--detach")
	s.until("a quarter is written", func() bool { return len(s.totango.Touchpoints()) >= 50 })

	// A request that comes late on a busy machine and the next one that does not are closer than they were sent: one to spare. And a
	// worker's first write has to look things up, which is known only then; its next ones pay for that: one to spare for each worker.
	if n := totango.most(10 * time.Second); n > perMinute/6+1+len(tokens) {
		t.Errorf("Totango got %d requests within ten seconds; the limit of %d a minute allows %d", n, perMinute, perMinute/6)
	}
	if n := gong.most(4 * time.Second); n > 4*perSecond+1 {
		t.Errorf("Gong got %d requests within four seconds; the limit of %d a second allows %d", n, perSecond, 4*perSecond)
	}
	totango.mu.Lock()
	defer totango.mu.Unlock()
	for _, token := range tokens {
		if totango.from[token] == 0 {
			t.Errorf("no request came from the worker with %s: %v", token, totango.from)
		}
	}
}

// shownLimits is what status says of a job that a limit holds up.
type shownLimits struct {
	Jobs []struct {
		Others []struct {
			WorkflowID string `json:"workflow_id"`
			Progress   struct {
				Phase     workflows.Phase
				NotBefore time.Time `json:"not_before"`
				Because   string
			}
		}
		Quotas []struct {
			Connection    string
			Today, Budget int
		}
	}
}

// A system that wants no requests for hours ends the run, which is partial and keeps what it has written. Another run waits until
// the time has come, and says so; one that is started before delivers the rest if it can.
func TestLongWaitsEndTheRun(t *testing.T) {
	t.Parallel()
	const hours = 7200 * time.Second
	for name, test := range map[string]struct {
		fault func(*system)
		kept  int
	}{
		"Totango in the middle of the writes": {func(s *system) {
			s.totango.Inject(totangotest.Fault{
				Kind: totangotest.RateLimited, RetryAfter: hours, Endpoint: totangotest.CreateTouchpoint, Skip: 5, Times: 1000,
			})
		}, 5},
		"Gong when calls are listed": {func(s *system) {
			s.gong.Inject(gongtest.TooManyRequests("7200").On(extensive))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := ready(t)
			ids := s.several(30)
			test.fault(s)
			began := time.Now()
			r := s.run("sync", "meetings", "--json")
			if r.code != 1 {
				t.Fatalf("exit code %d, want 1\n%s%s", r.code, r.stdout, r.stderr)
			}
			s.totango.ClearFaults()
			sum := s.summary(r.stdout)
			if n := len(s.totango.Touchpoints()); sum.Outcome != activities.Partial || sum.Counts.Created != test.kept || n != test.kept {
				t.Errorf("the run says %s, %+v, and %d touchpoints are there; want it to be partial with %d", sum.Outcome, sum.Counts, n, test.kept)
			}
			if open := s.rejects(); test.kept == 0 && len(open) > 0 {
				t.Errorf("listed as not written: %+v", open)
			}

			next := decode[shownLimits](t, s.ok("status", "meetings", "--json")).Jobs[0].Others
			if len(next) != 1 {
				t.Fatalf("status shows %d further runs, want the one that goes on", len(next))
			}
			p := next[0].Progress
			if p.Phase != workflows.PhasePostponed || p.NotBefore.Before(began.Add(hours)) || p.NotBefore.After(time.Now().Add(hours+2*time.Minute)) || p.Because == "" {
				t.Errorf("the run that goes on says %+v, want it to wait for two hours from %v", p, began)
			}
			if out := s.ok("status", "meetings"); !strings.Contains(out, "postponed until ") || !strings.Contains(out, "another run goes on by itself at") {
				t.Errorf("status does not say that a run is postponed:\n%s", out)
			}

			sum = s.sync("meetings")
			if sum.Outcome != activities.Completed || sum.Counts.Created != len(ids)-test.kept {
				t.Errorf("the run that was started by hand says %s, %+v", sum.Outcome, sum.Counts)
			}
			s.once(ids...)
		})
	}
}

// A run that goes on after a limit begins when the limit allows, without anybody, and delivers what is left.
func TestPostponedRunBeginsByItself(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	ids := s.several(3)
	at := time.Now().Add(3 * time.Second)
	run, err := s.temporal().ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "sync/meetings-later", TaskQueue: workflows.TaskQueue},
		workflows.SyncType, workflows.SyncInput{Job: "meetings", NotBefore: at, Because: "a limit"})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s.once(ids...)
	for _, tp := range s.totango.Touchpoints() {
		if tp.Created.Before(at) {
			t.Errorf("a touchpoint was written at %v, before %v", tp.Created, at)
		}
	}
}

// A spent daily budget is shown, and ends the run; when there is more of it, the next run delivers the rest.
func TestSpentBudgetEndsTheRun(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	const budget = 8 // less than half of the requests that the run needs, so that it is spent on a day that begins meanwhile, too
	s.write("jobs.hcl", strings.Replace(jobFiles, "requests_per_day    = 0", fmt.Sprintf("requests_per_day = %d", budget), 1))
	s.worker()
	s.ok("apply", s.dir)
	ids := s.several(750)
	s.ok("sync", "meetings", "--detach")
	spent := func() bool {
		q := decode[shownLimits](t, s.ok("status", "meetings", "--json")).Jobs[0].Quotas
		return len(q) == 1 && q[0].Connection == "gong.acme" && q[0].Today == budget && q[0].Budget == budget
	}
	s.until("status --json shows that the budget is spent", spent)
	if out := s.ok("status", "meetings"); !strings.Contains(out, fmt.Sprintf("gong.acme: %d of %d on ", budget, budget)) {
		t.Errorf("status does not show that the budget is spent:\n%s", out)
	}
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	if time.Until(midnight) > activities.Patience+patience {
		run := s.ended(1)
		for _, r := range run {
			if n := len(s.totango.Touchpoints()); r.Outcome != activities.Partial || r.Counts.Created != n || n == len(ids) {
				t.Errorf("the run says %s, %+v, and %d touchpoints are there; want it to be partial", r.Outcome, r.Counts, n)
			}
		}
		next := decode[shownLimits](t, s.ok("status", "meetings", "--json")).Jobs[0].Others
		if len(next) != 1 || next[0].Progress.NotBefore.Before(midnight) {
			t.Errorf("status shows %+v, want a run that waits for %v", next, midnight)
		}
	} else {
		s.ok("cancel", "meetings") // it keeps the lock: a few minutes are waited out, not postponed
	}
	s.write("jobs.hcl", jobFiles)
	s.until("the worker has the new budget", func() bool { return s.run("sync", "meetings").code == 0 })
	s.once(ids...)
}
