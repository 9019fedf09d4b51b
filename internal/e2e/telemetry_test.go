package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
)

// reportingWorker starts a worker that listens, and returns it with its URL.
func (s *system) reportingWorker(args ...string) (*process, string) {
	s.t.Helper()
	p := start(s.t, s.env, append([]string{"worker", s.dir, "--listen", "127.0.0.1:0"}, args...)...)
	_, rest, _ := strings.Cut(p.line("gong.acme"), "metrics at ")
	url, _, _ := strings.Cut(rest, "/metrics")
	return p, url
}

// get asks a worker and returns the status and the body.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// metric returns the value of a series, as it is written in the text format of Prometheus; -1 if it is not there.
func metric(t testing.TB, url, series string) float64 {
	t.Helper()
	_, text := get(t, url+"/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return -1
}

func TestWorkersReportWhatTheyDo(t *testing.T) {
	t.Parallel()
	s := newSimulators(t, &gongtest.Server{}, unlimitedTotango())
	s.embed() // to be killed
	s.write("jobs.hcl", strings.Replace(jobFiles, "requests_per_minute = 0", "requests_per_minute = 6000", 1))
	worker, url := s.reportingWorker("--log-format", "json")
	s.meeting("acme", nil)
	s.meeting("bolt", nil)
	stranger := s.gong.AddCall(gongtest.Call{
		Title: "First talk", Started: time.Now().Add(-2 * time.Hour), Duration: time.Hour, Brief: "Hello.", PrimaryUserID: "1",
		Parties: []gongtest.Party{{Name: "Quentin", Email: "quentin@stranger.example", Affiliation: "External"}},
	})
	s.ok("apply", s.dir)
	before := time.Now()
	sum := s.sync("meetings")

	for series, want := range map[string]float64{
		`durasync_records_total{durasync_job="meetings",kind="sync",result="created"}`:                              2,
		`durasync_records_total{durasync_job="meetings",kind="sync",result="rejected"}`:                             1,
		`durasync_records_total{durasync_job="meetings",kind="sync",result="failed"}`:                               0,
		`durasync_runs_total{durasync_job="meetings",kind="sync",outcome="completed_with_rejects"}`:                 1,
		`durasync_run_duration_seconds_count{durasync_job="meetings",kind="sync",outcome="completed_with_rejects"}`: 1,
		`durasync_connector_exits_total{connection="totango.success"}`:                                              0,
		`durasync_connector_call_duration_seconds_count{code="ok",connection="totango.success",method="Create"}`:    2,
	} {
		if got := metric(t, url, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	for _, series := range []string{
		`durasync_api_requests_total{connection="gong.acme",method="List"}`,
		`durasync_quota_wait_seconds_count{connection="totango.success"}`,
	} {
		if got := metric(t, url, series); got < 1 {
			t.Errorf("%s is %v, want at least 1", series, got)
		}
	}
	// What is seen from outside follows with the worker's next look.
	const watermark = `durasync_job_watermark_timestamp_seconds{durasync_job="meetings"}`
	s.until("the watermark is reported", func() bool { return metric(t, url, watermark) > 0 })
	if got := time.UnixMilli(int64(metric(t, url, watermark) * 1000)); got.Sub(sum.To).Abs() > time.Second || got.Before(before.Add(-time.Minute)) {
		t.Errorf("the watermark is %v, want %v", got, sum.To)
	}
	if _, text := get(t, url+"/metrics"); !strings.Contains(text, "\ntemporal_activity_execution_latency_seconds_bucket{") {
		t.Error("the metrics of Temporal's SDK are missing")
	} else if taken := regexp.MustCompile(`.*[{,](job|instance)=".*`).FindString(text); taken != "" {
		t.Errorf("Prometheus has labels job and instance of its own for what it scrapes, and renames those of %s", taken)
	} else if strings.Contains(text, "quentin") || strings.Contains(text, token) {
		t.Error("the metrics show what they must not")
	}

	// The first run of any kind and outcome is an increase for a worker that has seen none.
	_, idle := s.reportingWorker()
	for _, kind := range []string{"sync", "backfill", "retry", "adopt"} {
		for _, outcome := range []string{"completed", "completed_with_rejects", "partial", "skipped", "failed", "cancelled"} {
			series := fmt.Sprintf(`durasync_runs_total{durasync_job="meetings",kind=%q,outcome=%q}`, kind, outcome)
			s.until(series+" is 0 at a worker that has seen no run", func() bool { return metric(t, idle, series) == 0 })
		}
		for _, result := range []string{"known", "created", "rejected", "deferred", "failed"} {
			series := fmt.Sprintf(`durasync_records_total{durasync_job="meetings",kind=%q,result=%q}`, kind, result)
			s.until(series+" is 0 at a worker that has seen no run", func() bool { return metric(t, idle, series) == 0 })
		}
	}

	// A dead process cannot be asked, and one without Temporal says so.
	if status, _ := get(t, url+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz answers %d", status)
	}
	if status, body := get(t, url+"/readyz"); status != http.StatusOK {
		t.Errorf("readyz answers %d: %s", status, body)
	}
	s.server.kill()
	s.until("readyz says that Temporal cannot be reached", func() bool {
		status, _ := get(t, url+"/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, _ := get(t, url+"/healthz"); status != http.StatusOK {
		t.Errorf("without Temporal, healthz answers %d", status)
	}

	// The log has JSON objects that name the run, and the record that was turned down.
	var ended, settled bool
	lines := bufio.NewScanner(strings.NewReader(worker.stderr.String()))
	for lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("a line of the log is no JSON: %s", lines.Text())
			continue
		}
		ended = ended || line["@message"] == "run ended" && line["job"] == "meetings" && line["outcome"] == "completed_with_rejects" &&
			fmt.Sprint(line["created"]) == "2" && strings.HasPrefix(fmt.Sprint(line["run"]), "sync/meetings")
		settled = settled || line["@message"] == "record settled" && strings.HasSuffix(fmt.Sprint(line["record"]), stranger) &&
			line["state"] == "rejected" && line["reason"] == "account_unresolved"
	}
	if !ended || !settled {
		t.Errorf("the log says that the run ended: %v, that a record was rejected: %v\n%s", ended, settled, &worker.stderr)
	}
}
