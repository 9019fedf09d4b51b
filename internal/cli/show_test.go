package cli

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/schema"
)

func TestShowScreen(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// The Friday before clocks change.
	now := time.Date(2026, 10, 23, 12, 0, 0, 0, zone)
	for job, name := range map[string]string{"meetings": "show.txt", "plain": "show_plain.txt"} {
		a, out := screen(Options{})
		found := a.connectors("testdata/jobs", hclog.NewNullLogger())
		p, err := a.loadJob(t.Context(), "testdata/jobs", job, found)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		e, err := effective(t.Context(), p, found, now)
		if err != nil {
			t.Fatal(err)
		}
		e.show(a)
		golden(t, name, out.String())
		narrowEnough(t, out.String())
	}
}

func TestShowJSON(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := run(t.Context(), nil, nil, "show", "meetings", "--dir", "testdata/jobs", "--json")
	if code != ExitDone || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	var got effectiveJob
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	rows := map[string]schema.Row{}
	for _, r := range got.Attributes {
		rows[r.Attribute] = r
	}
	if r := rows["subject"]; r.Origin != "job" || !r.Overridden || r.File != "jobs.hcl" || r.Line == 0 {
		t.Errorf("subject: %+v", r)
	}
	if r := rows["account_id"]; r.Origin != "resolved" || !r.Required {
		t.Errorf("account_id: %+v", r)
	}
	if len(got.Next) != nextRuns || got.When != "workdays at 18:30, Europe/Berlin, up to 5m later" || got.Hash == "" {
		t.Errorf("%d next runs, %q, hash %q", len(got.Next), got.When, got.Hash)
	}
}
