package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/activities"
)

func (w *world) Newest(_ context.Context, in activities.NewestInput) (*activities.NewestResult, error) {
	newest := slices.Clone(w.records)
	slices.Reverse(newest)
	return &activities.NewestResult{Newest: newest[:min(in.Count, len(newest))]}, nil
}

func (w *world) Known(_ context.Context, in activities.KnownInput) (*activities.KnownResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	res := &activities.KnownResult{}
	for _, p := range in.Pending {
		res.Delivered = append(res.Delivered, w.written[p.ID] > 0)
	}
	return res, nil
}

func (w *world) Show(_ context.Context, in activities.ShowInput) (*activities.ShowResult, error) {
	res := &activities.ShowResult{}
	for _, item := range in.Items {
		s := activities.Shown{Attributes: json.RawMessage(fmt.Sprintf(`{"on":%q}`, item.Target))}
		if item.Pending.ID == "refused" {
			s = activities.Shown{Refused: "no such flow"}
		}
		res.Shown = append(res.Shown, s)
	}
	return res, nil
}

func preview(t *testing.T, w *world, in PreviewInput) (*PreviewResult, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(30 * time.Second)
	env.RegisterActivity(w)
	env.ExecuteWorkflow(Preview, in)
	if err := env.GetWorkflowError(); err != nil {
		return nil, err
	}
	var res PreviewResult
	return &res, env.GetWorkflowResult(&res)
}

func TestPreviewShowsWhatARunWouldDo(t *testing.T) {
	w := newWorld(t, "too old", "refused", "stranger", "young", "big1", "big2", "delivered", "good")
	w.unresolved["stranger"] = true
	w.verdicts["young"] = activities.Verdict{State: activities.Deferred, Reason: activities.ReasonNotReady}
	w.written["delivered"] = 1
	res, err := preview(t, w, PreviewInput{Plan: w.plan, Count: 7})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range res.Records {
		got = append(got, fmt.Sprintf("%s: %s %s %s", r.ID, r.State, r.Reason, r.Attributes))
	}
	want := []string{
		`good: claimed  {"on":"account of good"}`,
		`delivered: delivered  {"on":"account of delivered"}`,
		`big2: claimed  {"on":"account of big2"}`,
		`big1: claimed  {"on":"account of big1"}`,
		`young: deferred not_ready `,
		`stranger: rejected account_unresolved `,
		`refused: rejected refused `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(w.settled) > 0 || len(w.finished) > 0 || len(w.written) != 1 {
		t.Error("a preview left something behind")
	}
}

func TestPreviewOfNothing(t *testing.T) {
	res, err := preview(t, newWorld(t), PreviewInput{Plan: newWorld(t).plan, Count: 10})
	if err != nil || len(res.Records) > 0 {
		t.Errorf("got %+v, %v; want no records", res, err)
	}
	if _, err := preview(t, newWorld(t), PreviewInput{Count: 10}); err == nil {
		t.Error("a preview without a plan was not refused")
	}
}
