package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

func runFetch(t *testing.T, records []plugin.Record, ids ...string) *FetchResult {
	t.Helper()
	return runFetchFrom(t, func(*plugin.ReadRequest) (*plugin.ReadResponse, error) {
		return &plugin.ReadResponse{Records: records, Requests: 1}, nil
	}, ids...)
}

func runFetchFrom(t *testing.T, read func(*plugin.ReadRequest) (*plugin.ReadResponse, error), ids ...string) *FetchResult {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	c := &connector{read: read}
	acts := New(Dependencies{Connectors: c, Quotas: &meter{}, Evaluator: renderer{}})
	env.RegisterActivity(acts)
	in := FetchInput{Plan: &plan.Plan{
		Source:      plan.Source{Connection: "gong.acme", Connector: "gong", Stream: "calls", Grace: plan.Duration(24 * time.Hour)},
		Destination: plan.Destination{Connection: "totango.success", Object: "touchpoint", ResolvedBy: "account_id"},
		Resolve:     plan.Resolve{Participants: "people"},
	}}
	for _, id := range ids {
		in.Pending = append(in.Pending, Pending{ID: id})
	}
	v, err := env.ExecuteActivity(acts.Fetch, in)
	if err != nil {
		t.Fatal(err)
	}
	var res FetchResult
	if err := v.Get(&res); err != nil {
		t.Fatal(err)
	}
	return &res
}

func TestFetchSortsRecords(t *testing.T) {
	now := time.Now()
	const people = `{"people":["pat@acme.example"]}`
	res := runFetch(t, []plugin.Record{
		{ID: "good", Time: now, Data: json.RawMessage(people), URL: "https://gong.example/good"},
		{ID: "young and incomplete", Time: now.Add(-23 * time.Hour), Pending: "no brief yet", Data: json.RawMessage(people)},
		{ID: "old and incomplete", Time: now.Add(-25 * time.Hour), Pending: "no brief yet", Data: json.RawMessage(people)},
		{ID: "filtered", Time: now, Data: json.RawMessage(`{"skip":true,"people":["pat@acme.example"]}`)},
		{ID: "filtered and incomplete", Time: now, Pending: "no brief yet", Data: json.RawMessage(`{"skip":true}`)},
		{ID: "internal", Time: now, Data: json.RawMessage(`{"people":[]}`)},
		{ID: "broken", Time: now, Data: json.RawMessage(`{"people":7}`)},
		{ID: "torn", Time: now, Data: json.RawMessage(`{"people":["pat@acme.example"]`)},
		{ID: "deep", Time: now, Data: json.RawMessage(`{"people":["pat@acme.example"],"brief":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`)},
	}, "good", "young and incomplete", "old and incomplete", "filtered", "filtered and incomplete", "internal", "broken", "torn", "deep", "gone")

	got := map[string]string{}
	for _, r := range res.Records {
		got[r.Pending.ID] = "record for " + strings.Join(r.External, ",")
		if r.Pending.Time.IsZero() { // as it was noted
			t.Errorf("record %s has not the time that it was read with", r.Pending.ID)
		}
	}
	for _, v := range res.Verdicts {
		got[v.Pending.ID] = fmt.Sprintf("%s: %s", v.State, v.Reason)
	}
	want := map[string]string{
		"good":                    "record for pat@acme.example",
		"young and incomplete":    "deferred: not_ready",
		"old and incomplete":      "record for pat@acme.example",
		"filtered":                "rejected: filtered",
		"filtered and incomplete": "rejected: filtered",
		"internal":                "rejected: internal_only",
		"broken":                  "rejected: render_failed",
		"torn":                    "rejected: render_failed",
		"deep":                    "rejected: render_failed",
		"gone":                    "rejected: gone",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What does not fit into one answer is asked for in parts. A record that does not fit alone is turned down; the others are read.
func TestFetchAsksForLessOfWhatIsTooLarge(t *testing.T) {
	const limit = 10
	size := map[string]int{"a": 4, "b": 4, "c": 4, "huge": 11, "d": 1}
	res := runFetchFrom(t, func(req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
		all := 0
		resp := &plugin.ReadResponse{Requests: 1}
		for _, id := range req.IDs {
			all += size[id]
			resp.Records = append(resp.Records, plugin.Record{ID: id, Time: time.Now(), Data: json.RawMessage(`{"people":["pat@acme.example"]}`)})
		}
		if all > limit {
			return nil, plugin.Errorf(plugin.CodeTooLarge, "%d records are too large", len(req.IDs))
		}
		return resp, nil
	}, "a", "b", "c", "huge", "d")
	var got []string
	for _, r := range res.Records {
		got = append(got, r.Pending.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if len(res.Verdicts) != 1 || res.Verdicts[0].Pending.ID != "huge" || res.Verdicts[0].State != Rejected || res.Verdicts[0].Detail != "1 records are too large" {
		t.Errorf("verdicts %+v, want one that turns huge down", res.Verdicts)
	}
}

func TestFetchKeepsResultsSmall(t *testing.T) {
	big := `{"people":["pat@acme.example"],"brief":"` + strings.Repeat("x", 80<<10) + `"}`
	var records []plugin.Record
	var ids []string
	for i := range 9 {
		ids = append(ids, fmt.Sprint(i))
		records = append(records, plugin.Record{ID: ids[i], Data: json.RawMessage(big)})
	}
	seen := map[string]bool{}
	for calls := 0; len(ids) > 0; calls++ {
		if calls == 9 {
			t.Fatal("the rest does not get smaller")
		}
		res := runFetch(t, records, ids...)
		size := 0
		for _, r := range res.Records {
			size += len(r.Data)
			seen[r.Pending.ID] = true
		}
		if size > 480<<10 { // Temporal warns of results of 512 KiB
			t.Errorf("a result has %d bytes of records", size)
		}
		ids = ids[:0]
		for _, p := range res.Rest {
			ids = append(ids, p.ID)
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d of 9 records were returned", len(seen))
	}
}

func TestShrink(t *testing.T) {
	long := strings.Repeat("日本語", 50_000)
	tests := map[string]string{
		"one long string":   fmt.Sprintf(`{"id":"12345678901234567890","n":12345678901234567890,"brief":%q}`, long),
		"many long strings": `{"id":"12345678901234567890","n":12345678901234567890,"list":[` + strings.Repeat(fmt.Sprintf("%q,", long[:3000]), 200) + `"end"]}`,
		"a long list":       `{"id":"12345678901234567890","n":12345678901234567890,"list":[` + strings.Repeat(`"a",`, 100_000) + `"end"]}`,
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			out := shrink(json.RawMessage(data), maxRecordBytes)
			if len(out) > maxRecordBytes {
				t.Errorf("%d bytes are left, want at most %d", len(out), maxRecordBytes)
			}
			var v struct {
				ID    string
				N     json.Number
				Brief string
			}
			if err := json.Unmarshal(out, &v); err != nil {
				t.Fatal(err)
			}
			if v.ID != "12345678901234567890" || v.N != "12345678901234567890" {
				t.Errorf("short values changed: %s, %s", v.ID, v.N)
			}
			if v.Brief != "" && !strings.HasSuffix(v.Brief, cutMark) {
				t.Error("the cut is not marked")
			}
		})
	}
	small := json.RawMessage(`{"a":"b"}`)
	if got := shrink(small, maxRecordBytes); string(got) != string(small) {
		t.Errorf("a small record was changed to %s", got)
	}
}
