package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/plugin/plugintest"
)

const pythonExample = "../../examples/connectors/python"

// secretAddress is the path of a calendar that only those know who may read it.
const secretAddress = "/private-5a1c0e/team.ics"

// TestPythonConnector builds the example of a connector that is not made with package plugin, and treats it as its users do.
func TestPythonConnector(t *testing.T) {
	t.Parallel()
	program := filepath.Join(buildPython(t), "durasync-connector-ical")
	t.Run("passes its own tests", func(t *testing.T) {
		t.Parallel()
		makePython(t, "test", filepath.Dir(program))
	})
	t.Run("keeps the contract", func(t *testing.T) {
		t.Parallel()
		examinePython(t, program)
	})
	t.Run("brings meetings to Totango", func(t *testing.T) {
		t.Parallel()
		syncPython(t, program)
	})
}

// buildPython builds the example and returns the directory that it is in.
func buildPython(t *testing.T) string {
	t.Helper()
	for _, check := range [][]string{
		{"/usr/bin/python3", "-c", "import cryptography, google.protobuf, grpc, zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin')"},
		{"protoc", "--version"},
		{"sh", "-c", "command -v make && command -v grpc_python_plugin && test -e /usr/include/google/protobuf/timestamp.proto"},
	} {
		if said, err := exec.CommandContext(t.Context(), check[0], check[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("the example in Python cannot be built here; install Debian's make, python3-cryptography, python3-grpcio, python3-protobuf, "+
				"protobuf-compiler, protobuf-compiler-grpc, libprotobuf-dev and tzdata: %v\n%s", err, said)
		}
	}
	dir := t.TempDir()
	makePython(t, filepath.Join(dir, "durasync-connector-ical"), dir)
	return dir
}

func makePython(t *testing.T, target, out string) {
	t.Helper()
	if said, err := exec.CommandContext(t.Context(), "make", "-C", pythonExample, target, "OUT="+out).CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, said)
	}
}

// examinePython has the conformance kit examine the program, with a calendar behind it.
func examinePython(t *testing.T, program string) {
	calendar := http.NewServeMux()
	calendar.HandleFunc("GET "+secretAddress, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, calendarOf(
			"UID:daily\nDTSTART;TZID=Europe/Berlin:20240101T090000\nDURATION:PT15M\nRRULE:FREQ=DAILY;COUNT=600\nSUMMARY:Stand-up",
			"UID:ours\nDTSTART:20240301T120000Z\nDTEND:20240301T123000Z\nSUMMARY:Review\nCLASS:PRIVATE",
			"UID:gone\nDTSTART:20240301T120000Z\nSUMMARY:Off\nSTATUS:CANCELLED",
			"UID:trip\nDTSTART;VALUE=DATE:20240301\nDTEND;VALUE=DATE:20240303\nSUMMARY:Offsite\nURL:https://trips.example/1",
		))
	})
	calendar.Handle("GET /moved", http.RedirectHandler(secretAddress, http.StatusFound))
	config := func(members map[string]any) json.RawMessage {
		b, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var log bytes.Buffer
	d, outcomes, err := plugintest.Examine(t.Context(), plugintest.Harness{
		Command: host.Command{Path: program},
		System:  calendar,
		Config: func(url string) json.RawMessage {
			return config(map[string]any{"url": url + "/moved?key=a-secret-key", "timezone": "Europe/Berlin"})
		},
		BadConfig: map[string]json.RawMessage{
			"url":      config(map[string]any{"url": "team-calendar", "timezone": "UTC"}),
			"path":     config(map[string]any{"path": "team.ics", "timezone": "UTC"}),
			"timezone": config(map[string]any{"path": "/team.ics", "timezone": "Europe/Berln"}),
		},
		Source: &plugintest.Source{
			Stream: "events", From: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC),
			Unknown: "daily#20240101T090000Z", Private: []string{"ours", "gone"}, BadToken: "1",
			Want: []plugin.Record{
				{
					ID: "daily#20240401T070000Z", Time: time.Date(2024, 4, 1, 7, 0, 0, 0, time.UTC),
					Data: []byte(`{"uid": "daily", "title": "Stand-up", "started": "2024-04-01T09:00:00+02:00", "duration": 900, "participants": []}`),
				},
				{
					ID: "trip", Time: time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC), URL: "https://trips.example/1",
					Data: []byte(`{"all_day": true, "started": "2024-03-01T00:00:00+01:00", "duration": 172800}`),
				},
			},
		},
	}, hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Trace}))
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "ical" {
		t.Errorf("the connector is called %q", d.Name)
	}
	var skipped []string
	for o := range outcomes {
		switch o.Result {
		case plugintest.Failed:
			t.Errorf("%s: %s\n- %s", o.Rule, o.Contract, strings.Join(o.Problems, "\n- "))
		case plugintest.Skipped:
			skipped = append(skipped, o.Rule)
		}
	}
	// The connector declares no limit, for it makes a request or two in a call.
	if diff := cmp.Diff([]string{"requests: limits"}, skipped); diff != "" {
		t.Errorf("the rules that were skipped (-want +got):\n%s", diff)
	}
	if t.Failed() {
		t.Logf("its log:\n%s", &log)
	}
}

// pythonConnections are the connections of the example, to a calendar and a simulator.
const pythonConnections = `
connection "ical" "team" {
  url      = env("TEAM_CALENDAR_URL")
  timezone = "Europe/Berln"
}

connection "totango" "success" {
  app_token           = env("TOTANGO_APP_TOKEN")
  base_url            = env("TOTANGO_BASE_URL")
  requests_per_minute = 0
  write_timeout       = "2s"
  search_lag          = "1s"
}
`

// syncPython installs the program, makes a mistake and mends it, and runs the example's job.
func syncPython(t *testing.T, program string) {
	s := newSystem(t)
	began := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	stamp := func(at time.Time) string { return at.UTC().Format("20060102T150405Z") }
	guests := "\nORGANIZER;CN=Hana Host:mailto:hana@vendor.example\nATTENDEE;CN=Pat:mailto:" + contact("acme") +
		"\nATTENDEE;PARTSTAT=DECLINED:mailto:" + contact("other")
	events := []string{
		"UID:review\nSUMMARY:Quarterly review\\, Q4\nDESCRIPTION:The figures.\nURL:https://meet.example/7\nDTSTART:" + stamp(began) +
			"\nDURATION:PT45M" + guests,
		"UID:weekly\nSUMMARY:Weekly sync\nDTSTART:" + stamp(began.AddDate(0, 0, -7)) + "\nDURATION:PT30M\nRRULE:FREQ=WEEKLY" + guests,
		"UID:trip\nSUMMARY:Offsite\nDTSTART;VALUE=DATE:" + began.AddDate(0, 0, -2).Format("20060102") + guests,
		"UID:inner\nSUMMARY:Among ourselves\nDTSTART:" + stamp(began) + "\nORGANIZER:mailto:hana@vendor.example",
		"UID:off\nSUMMARY:Cancelled\nSTATUS:CANCELLED\nDTSTART:" + stamp(began) + guests,
	}
	var published atomic.Value
	published.Store(calendarOf(events...))
	calendar := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != secretAddress {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, published.Load().(string))
	}))
	s.env = append(s.env, "TEAM_CALENDAR_URL="+calendar+secretAddress)
	s.customer("acme")
	s.customer("other")
	s.totango.AddTeam(totangotest.TeamMember{Email: "hana@vendor.example", Name: "Hana Host"})
	s.example(pythonConnections, os.DirFS(filepath.Join(pythonExample, "jobs")), "calendar_meetings.hcl")

	config := filepath.Join(t.TempDir(), "calendar.json")
	if err := os.WriteFile(config, fmt.Appendf(nil, `{"url": %q}`, calendar+secretAddress), 0o600); err != nil {
		t.Fatal(err)
	}
	s.ok("connector", "test", program, "--config", config, "--stream", "events", "--from", began.AddDate(0, 0, -10).Format(time.DateOnly))
	s.ok("connector", "install", program, "--dir", s.dir)
	r := s.run("validate", s.dir)
	if at := "jobs.hcl:4:14,"; r.code != 2 || !strings.Contains(r.stderr, at) || !strings.Contains(r.stderr, "'Europe/Berln' is no time zone") {
		t.Errorf("validate ends with %d and does not say at %s that Europe/Berln is no time zone:\n%s", r.code, at, r.stderr)
	}
	s.example(strings.Replace(pythonConnections, "Berln", "Berlin", 1), os.DirFS(filepath.Join(pythonExample, "jobs")), "calendar_meetings.hcl")
	s.ok("validate", s.dir)
	w := start(t, s.env, "worker", s.dir)
	w.line("ical.team")
	s.ok("apply", s.dir)

	// The trip is not for the job, and nobody whom Totango knows was among themselves.
	if c := s.sync("calendar_meetings").Counts; c.Listed != 5 || c.Created != 3 || c.Rejected != 2 {
		t.Errorf("the run says %+v, want 5 listed, 3 created, 2 rejected", c)
	}
	type touchpoint struct {
		Account, Subject, CreatedBy string
		Date                        time.Time
		Participants                []string
	}
	check := func(when string, want ...touchpoint) {
		t.Helper()
		var got []touchpoint
		for _, p := range s.totango.Touchpoints() {
			got = append(got, touchpoint{p.AccountID, p.Subject, p.CreatedBy, p.Date.UTC(), p.Participants})
			for _, text := range []string{"The figures.", "45 min", "https://meet.example/7"} {
				if p.Subject != "Weekly sync" && !strings.Contains(p.Content, text) {
					t.Errorf("%s: the text of %q lacks %q:\n%s", when, p.Subject, text, p.Content)
				}
			}
		}
		slices.SortFunc(got, func(a, b touchpoint) int {
			return strings.Compare(a.Subject+a.Date.Format(time.RFC3339), b.Subject+b.Date.Format(time.RFC3339))
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the touchpoints (-want +got):\n%s", when, diff)
		}
	}
	people := []string{contact("acme"), "hana@vendor.example"}
	review := touchpoint{"acme", "Quarterly review, Q4", "hana@vendor.example", began, people}
	lastWeek := touchpoint{"acme", "Weekly sync", "hana@vendor.example", began.AddDate(0, 0, -7), people}
	thisWeek := touchpoint{"acme", "Weekly sync", "hana@vendor.example", began, people}
	check("after a run", review, lastWeek, thisWeek)

	published.Store(calendarOf(append(events, "UID:late\nSUMMARY:Written late\nDESCRIPTION:The figures.\nURL:https://meet.example/7\nDTSTART:"+
		stamp(began.Add(-time.Hour))+"\nDURATION:PT45M"+guests)...))
	s.sync("calendar_meetings")
	late := touchpoint{"acme", "Written late", "hana@vendor.example", began.Add(-time.Hour), people}
	check("after another run", review, lastWeek, thisWeek, late)
	if strings.Contains(w.stderr.String(), secretAddress) {
		t.Errorf("the worker's log shows the calendar's secret address:\n%s", &w.stderr)
	}
}

// calendarOf is a calendar with events, each given by its lines.
func calendarOf(events ...string) string {
	text := "BEGIN:VCALENDAR\nVERSION:2.0\n"
	for _, e := range events {
		text += "BEGIN:VEVENT\n" + e + "\nEND:VEVENT\n"
	}
	return strings.ReplaceAll(text+"END:VCALENDAR\n", "\n", "\r\n")
}
