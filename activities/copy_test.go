package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// table is a destination that keeps items by key. It takes three at a time and refuses those that say so.
type table struct {
	rows    map[string]string
	batches []int
	fail    error // of the next write
}

func (d *table) create(_ context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	if err := d.fail; err != nil {
		d.fail = nil
		return nil, err
	}
	d.batches = append(d.batches, len(req.Items))
	res := &plugin.CreateResponse{Requests: 1}
	for _, item := range req.Items {
		r := plugin.Result{Key: item.Key}
		if strings.Contains(string(item.Attributes), "refuse") {
			r.Err = plugin.Errorf(plugin.CodeInvalidRecord, "no such column")
		} else {
			d.rows[item.Key] = string(item.Attributes)
		}
		res.Results = append(res.Results, r)
	}
	return res, nil
}

func runCopy(t *testing.T, d *table, records ...plugin.Record) (*CopyResult, error) {
	t.Helper()
	c := &connector{create: d.create, read: func(req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
		if len(req.IDs) > 4 {
			t.Errorf("%d records are read at once, at most 4 can be", len(req.IDs))
		}
		return &plugin.ReadResponse{Records: records, Requests: 1}, nil
	}}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	acts := New(Dependencies{Connectors: c, Quotas: &meter{}, Evaluator: renderer{}})
	env.RegisterActivity(acts)
	in := CopyInput{WriteTimeout: time.Second, Plan: &plan.Plan{
		Source:      plan.Source{Connection: "gong.acme", Connector: "gong", Stream: "calls", MaxRead: 4, Grace: plan.Duration(24 * time.Hour)},
		Destination: plan.Destination{Connection: "file.out", Object: "row", MaxCreate: 3, Idempotent: true},
	}}
	for _, r := range records {
		in.Pending = append(in.Pending, Pending{ID: r.ID})
	}
	v, err := env.ExecuteActivity(acts.Copy, in)
	if err != nil {
		return nil, err
	}
	var res CopyResult
	return &res, v.Get(&res)
}

func TestCopyWritesInBatches(t *testing.T) {
	var records []plugin.Record
	for i := range 10 {
		records = append(records, plugin.Record{ID: fmt.Sprint(i), Time: noon, Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))})
	}
	records[2].Data = json.RawMessage(`{"n":"refuse"}`)
	records[5].Data = json.RawMessage(`{"skip":true}`)
	records[8].Time, records[8].Pending = time.Now(), "no brief yet"
	d := &table{rows: map[string]string{}}
	res, err := runCopy(t, d, records...)
	if err != nil {
		t.Fatal(err)
	}
	if res.Created != 7 || res.Rejected != 2 || res.Deferred != 1 || len(res.Verdicts) != 3 {
		t.Errorf("the batch came to %+v; want 7 created, 2 rejected, 1 deferred", res)
	}
	for i := range 10 {
		key, want := fmt.Sprintf("gong/calls/%d", i), fmt.Sprintf(`{"n":%d}`, i)
		if i == 2 || i == 5 || i == 8 {
			want = ""
		}
		if d.rows[key] != want {
			t.Errorf("row %s holds %q, want %q", key, d.rows[key], want)
		}
	}
	for _, n := range d.batches {
		if n > 3 {
			t.Errorf("%d items are written at once, at most 3 can be", n)
		}
	}
}

func TestCopyFailsAsAWhole(t *testing.T) {
	d := &table{rows: map[string]string{}, fail: plugin.Errorf(plugin.CodeUnavailable, "disk full")}
	if _, err := runCopy(t, d, plugin.Record{ID: "1", Time: noon, Data: json.RawMessage(`{}`)}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v, want the connector's sentence", err)
	}
}

func TestCopyBoundsAWriteByBytes(t *testing.T) {
	big := json.RawMessage(`{"text":"` + strings.Repeat("x", 400<<10) + `"}`)
	d := &table{rows: map[string]string{}}
	if _, err := runCopy(t, d, plugin.Record{ID: "1", Time: noon, Data: big}, plugin.Record{ID: "2", Time: noon, Data: big}, plugin.Record{ID: "3", Time: noon, Data: big}); err != nil {
		t.Fatal(err)
	}
	if len(d.rows) != 3 || len(d.batches) != 2 {
		t.Errorf("%d rows in batches of %v; want 3 in two, each of at most a megabyte", len(d.rows), d.batches)
	}
}
