package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/durasync/durasync/connectors/gong/gongtest"
)

// receiver is somebody who is told about runs.
type receiver struct {
	mu      sync.Mutex
	status  int
	notices []notice
}

// notice is what a program reads of a notice.
type notice struct {
	Version    int
	ID         string
	Kind       string
	Job        string
	Outcome    string
	Error      string
	NewRejects int `json:"new_rejects"`
	Rejects    []struct{ ID, Title, Reason string }
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var n notice
	if err := json.NewDecoder(req.Body).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.notices = append(r.notices, n)
	w.WriteHeader(r.status)
}

// take returns the notices since the last call.
func (r *receiver) take() []notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.notices
	r.notices = nil
	return n
}

// TestNotices: people are told once of each run that they want to know of, and of no other.
func TestNotices(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	ops := &receiver{status: http.StatusOK}
	s.env = append(s.env, "OPS_URL="+serve(t, ops)+"/hooks/a-secret-path")
	files := jobFiles + `
notifier "webhook" "ops" {
  url    = env("OPS_URL")
  format = "json"
}
`
	files = strings.Replace(files, `job "meetings" {`, `job "meetings" {
  notify {
    to = notifier.webhook.ops
    on = ["failed", "rejected", "empty"]
  }
`, 1)
	s.write("jobs.hcl", files)
	w := s.worker()
	s.ok("apply", s.dir)
	told := func(kind, outcome string) notice {
		t.Helper()
		n := ops.take()
		if len(n) != 1 || n[0].Version != 1 || n[0].ID == "" || n[0].Kind != kind || n[0].Job != "meetings" || n[0].Outcome != outcome {
			t.Fatalf("told %+v, want one notice that the run was %s", n, kind)
		}
		return n[0]
	}

	s.sync("meetings")
	told("empty", "completed")

	id := s.meeting("acme", func(c *gongtest.Call) { c.Title, c.Parties[1].Email = "Somebody new", "nobody@unknown.example" })
	s.sync("meetings")
	if n := told("rejected", "completed_with_rejects"); n.NewRejects != 1 || len(n.Rejects) != 1 || n.Rejects[0].ID != id ||
		n.Rejects[0].Title != "Somebody new" || n.Rejects[0].Reason != "account_unresolved" {
		t.Errorf("told %+v of the record %s", n, id)
	}

	// The same record is rejected again, which is no news; one that is delivered is none either.
	s.meeting("acme", nil)
	s.sync("meetings")
	if n := ops.take(); len(n) > 0 {
		t.Errorf("told %+v, which nobody wants to know", n)
	}

	// A receiver that is in trouble may have got the notice. It is not told again, and the run is none the worse for it.
	ops.mu.Lock()
	ops.status = http.StatusInternalServerError
	ops.mu.Unlock()
	s.meeting("acme", func(c *gongtest.Call) { c.Parties[1].Email = "nobody@unknown.example" })
	s.sync("meetings")
	told("rejected", "completed_with_rejects")

	s.write("jobs.hcl", strings.Replace(files, `env("TOTANGO_APP_TOKEN")`, `"not-the-token"`, 1))
	w.kill()
	w = s.worker()
	if r := s.run("sync", "meetings"); r.code != 3 {
		t.Errorf("exit code %d with a wrong token, want 3", r.code)
	}
	if n := told("failed", "failed"); !strings.Contains(n.Error, "app_token") {
		t.Errorf("the error says %q", n.Error)
	}
	if strings.Contains(w.stderr.String(), "a-secret-path") {
		t.Errorf("the log shows the receiver's address:\n%s", &w.stderr)
	}
}
