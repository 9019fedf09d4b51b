package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// with returns the environment with a variable set anew.
func with(env []string, name, value string) []string {
	out := make([]string, 0, len(env)+1)
	for _, kv := range env {
		if !strings.HasPrefix(kv, name+"=") {
			out = append(out, kv)
		}
	}
	return append(out, name+"="+value)
}

// TestMistakesEndInOneSentence makes the mistakes that a newcomer makes and checks that each ends at once, in a sentence that
// names what is wrong, with nothing written.
func TestMistakesEndInOneSentence(t *testing.T) {
	t.Parallel()
	const wrong = "a-wrong-secret-value"
	tests := map[string]struct {
		variable, value string
		code            int
		want            []string // words of the sentence
	}{
		"a wrong Gong key":        {"GONG_ACCESS_KEY_SECRET", wrong, 3, []string{"gong.acme", "access_key"}},
		"a wrong Gong host":       {"GONG_BASE_URL", "http://127.0.0.1:1", 3, []string{"gong.acme", "127.0.0.1:1", "base_url"}},
		"a wrong Totango token":   {"TOTANGO_APP_TOKEN", wrong, 3, []string{"totango.success", "app_token"}},
		"a wrong Totango host":    {"TOTANGO_BASE_URL", "http://127.0.0.1:1", 3, []string{"totango.success", "127.0.0.1:1", "base_url"}},
		"Totango instead of Gong": {"GONG_BASE_URL", "", 2, []string{"gong.acme", "base_url"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			s.meeting("acme", nil)
			if test.value == "" {
				for _, kv := range s.env {
					if v, ok := strings.CutPrefix(kv, "TOTANGO_BASE_URL="); ok {
						test.value = v
					}
				}
			}
			s.env = with(s.env, test.variable, test.value)
			s.worker()
			s.ok("apply", s.dir)
			r := s.run("sync", "meetings")
			if r.code != test.code {
				t.Errorf("exit code %d, want %d", r.code, test.code)
			}
			sentence := lastLine(r.stderr)
			for _, w := range test.want {
				if !strings.Contains(sentence, w) {
					t.Errorf("%q does not say %q", sentence, w)
				}
			}
			if strings.Contains(r.stdout+r.stderr, wrong) {
				t.Errorf("a secret is shown:\n%s%s", r.stdout, r.stderr)
			}
			s.once()
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestUnknownJobIsNotStarted(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	r := s.run("sync", "meeting")
	if r.code != 2 || !strings.Contains(r.stderr, `"meetings"`) {
		t.Errorf("exit code %d, %q; want 2 and a hint at the job that is meant", r.code, r.stderr)
	}
	if _, err := runningSync(t.Context(), s.temporal()); err == nil {
		t.Error("a run was started")
	}
}

func TestMissingVariableStopsTheWorker(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	var env []string
	for _, kv := range s.env {
		if !strings.HasPrefix(kv, "TOTANGO_APP_TOKEN=") {
			env = append(env, kv)
		}
	}
	s.env = env
	r := s.run("worker", s.dir)
	if r.code != 3 || !strings.Contains(r.stderr, "TOTANGO_APP_TOKEN") || !strings.Contains(r.stderr, "jobs.hcl") {
		t.Errorf("exit code %d, %q; want 3 and the variable with its place", r.code, r.stderr)
	}
}

func TestNobodyServesTheConnection(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	r := s.run("apply", s.dir)
	if r.code != 3 || !strings.Contains(r.stderr, "worker") {
		t.Errorf("apply without a worker: exit code %d, %q; want 3 and a hint to start one", r.code, r.stderr)
	}
}

func TestInterruptedSyncGoesOn(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	id := s.meeting("acme", nil)
	entered, leave := make(chan struct{}), make(chan struct{})
	s.totango.Inject(totangotest.Fault{Kind: totangotest.Slow, Delay: time.Nanosecond, Endpoint: totangotest.CreateTouchpoint, Strike: func() {
		close(entered)
		<-leave
	}})
	p := start(t, s.env, "sync", "meetings")
	<-entered
	code := p.interrupt()
	close(leave)
	if code == 0 || !strings.Contains(p.stderr.String(), "goes on") {
		t.Errorf("exit code %d, %q; want a failure and the word that the run goes on", code, &p.stderr)
	}
	s.until("the touchpoint is written", func() bool { return s.touchpoints()[id] > 0 })
	s.once(id)
}

// TestWorkerFollowsTheDirectory mends a mistake in a connection while the worker runs.
func TestWorkerFollowsTheDirectory(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	id := s.meeting("acme", nil)
	s.write("jobs.hcl", strings.Replace(jobFiles, `env("TOTANGO_APP_TOKEN")`, `"not-the-token"`, 1))
	w := s.worker()
	s.ok("apply", s.dir)
	if r := s.run("sync", "meetings"); r.code != 3 {
		t.Fatalf("exit code %d with a wrong token, want 3", r.code)
	}
	s.write("jobs.hcl", "job {") // half written: the worker keeps what it has
	s.until("the worker says that the directory has errors", func() bool { return strings.Contains(w.stderr.String(), "has errors") })
	s.write("jobs.hcl", jobFiles)
	s.until("the worker follows", func() bool { return s.run("sync", "meetings").code == 0 })
	s.once(id)
}
