package e2e

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/examples"
)

// fileConnections are the connections of the example that keeps Gong meetings in a file, and a file for another job.
const fileConnections = `
connection "gong" "acme" {
  access_key          = env("GONG_ACCESS_KEY")
  access_key_secret   = env("GONG_ACCESS_KEY_SECRET")
  base_url            = env("GONG_BASE_URL")
  requests_per_second = 0
  requests_per_day    = 0
}

connection "file" "meetings" {
  path = env("MEETINGS_FILE")
}

connection "file" "table" {
  path = env("TABLE_FILE")
}

job "table" {
  source {
    connection = connection.file.meetings
    stream     = "rows"
  }
  destination {
    connection = connection.file.table
    object     = "row"
  }
  map {
    values = { title = upper(row.values.title), time = row.time, minutes = row.values.minutes, participants = row.values.participants }
  }
}
`

// TestGongMeetingsAreKeptInAFile runs the example, and a job that takes the lines on into a table.
func TestGongMeetingsAreKeptInAFile(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	meetings, table := filepath.Join(t.TempDir(), "meetings.jsonl"), filepath.Join(t.TempDir(), "table.csv.gz")
	s.example(fileConnections, examples.GongToFile(), "gong_meetings.hcl")
	s.env = append(s.env, "MEETINGS_FILE="+meetings, "TABLE_FILE="+table)
	s.worker()
	s.ok("apply", s.dir)

	began := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour)
	lines, cells := map[string]map[string]any{}, map[string][]string{} // by key
	add := func(title string) {
		id := s.gong.AddCall(gongtest.Call{
			Title: title, URL: "https://gong.example/" + title[:1], Started: began, Duration: 29*time.Minute + 30*time.Second, Brief: "They talked.",
			PrimaryUserID: "1", Parties: []gongtest.Party{
				{Name: "Hana", Email: "hana@vendor.example", UserID: "1", Affiliation: "Internal"}, {Name: "Phone"}, {Name: "Pat", Email: contact("acme")},
			},
		})
		key := "gong/calls/" + id
		lines[key] = map[string]any{
			"key": key, "id": id, "time": began.Format(time.RFC3339), "title": title, "url": "https://gong.example/" + title[:1], "minutes": 30.0,
			"host": "hana@vendor.example", "participants": []any{"hana@vendor.example", contact("acme")}, "brief": "They talked.",
		}
		key = "file/rows/" + id
		cells[key] = []string{key, "30", fmt.Sprintf(`["hana@vendor.example",%q]`, contact("acme")), began.Format(time.RFC3339), strings.ToUpper(title)}
	}
	check := func(when string) {
		t.Helper()
		if diff := cmp.Diff(lines, linesOf(t, meetings)); diff != "" {
			t.Errorf("%s: the meetings (-want +got):\n%s", when, diff)
		}
		if diff := cmp.Diff(cells, tableOf(t, table)); diff != "" {
			t.Errorf("%s: the table (-want +got):\n%s", when, diff)
		}
	}
	for _, title := range []string{"Review", "Kick-off, \"big\"", "Weekly\nsync"} {
		add(title)
	}
	s.gong.AddCall(gongtest.Call{Title: "Among ourselves", Scope: "Internal", Started: began, Duration: time.Hour, Brief: "They talked."})
	for range 2 { // the second time, nothing is new
		s.sync("gong_to_file")
		s.sync("table")
		check("after two runs")
	}

	// A crash has left half a line and half a packed batch.
	appendTo(t, meetings, `{"key":"gong/calls/1","id":"1","ti`)
	appendTo(t, table, "\x1f\x8b\x08\x00\x00\x00")
	add("Late")
	s.sync("gong_to_file")
	s.sync("table")
	check("after a crash")
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// linesOf returns the lines of a file by their keys. Times are in UTC.
func linesOf(t *testing.T, path string) map[string]map[string]any {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]map[string]any{}
	for line := range strings.Lines(string(b)) {
		m := decode[map[string]any](t, line)
		key, _ := m["key"].(string)
		if lines[key] != nil {
			t.Errorf("the key %q is there twice", key)
		}
		m["time"] = inUTC(t, m["time"])
		lines[key] = m
	}
	return lines
}

// tableOf returns the rows of a packed table by their keys. Times are in UTC.
func tableOf(t *testing.T, path string) map[string][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"key", "minutes", "participants", "time", "title"}, rows[0]); diff != "" {
		t.Errorf("the header (-want +got):\n%s", diff)
	}
	cells := map[string][]string{}
	for _, row := range rows[1:] {
		if cells[row[0]] != nil {
			t.Errorf("the key %q is there twice", row[0])
		}
		row[3] = inUTC(t, row[3])
		cells[row[0]] = row
	}
	return cells
}
