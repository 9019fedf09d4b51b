package e2e

import (
	"testing"

	"github.com/durasync/durasync/activities"
)

// demo is what the demo says of itself.
type demo struct {
	summary
	DurationMS        int64 `json:"duration_ms"`
	FirstTouchpointMS int64 `json:"first_touchpoint_ms"`
	GongRequests      int   `json:"gong_requests"`
	TotangoRequests   int   `json:"totango_requests"`
	Truth             struct {
		Expected, Found, Rejected, Deferred int
		Differences                         []string
	}
}

// TestDemo runs the demo as a program would. What it says was compared with the simulated Totango's own store, not with the run.
func TestDemo(t *testing.T) {
	t.Parallel()
	for _, seed := range []string{"0", "7"} {
		r := run(t, []string{"HOME=" + t.TempDir()}, "demo", "--once", "--json", "--seed", seed, "--port", "0", "--ui-port", "0")
		if r.code != 0 {
			t.Fatalf("seed %s: exit code %d\n%s%s", seed, r.code, r.stdout, r.stderr)
		}
		d := decode[demo](t, r.stdout)
		c := d.Counts
		if c.Listed != c.Known+c.New || c.New != c.Created+c.Rejected+c.Deferred+c.Failed || c.Failed != 0 {
			t.Errorf("seed %s: the counts do not add up: %+v", seed, c)
		}
		if d.Outcome != activities.CompletedWithRejects {
			t.Errorf("seed %s: %s, want completed with rejects", seed, d.Outcome)
		}
		if len(d.Truth.Differences) > 0 || d.Truth.Expected < 200 {
			t.Errorf("seed %s: differs from the truth of %d touchpoints: %v", seed, d.Truth.Expected, d.Truth.Differences)
		}
		if c.Created != d.Truth.Expected || c.Created != d.Truth.Found || c.Rejected != d.Truth.Rejected || c.Deferred != d.Truth.Deferred {
			t.Errorf("seed %s: the run says %+v, the truth is %+v", seed, c, d.Truth)
		}
	}
}
