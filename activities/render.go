package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// RenderInput is the input of [Activities.Render].
type RenderInput struct {
	Plan    *plan.Plan `json:"plan"`
	Records []Record   `json:"records"`
}

// RenderResult has a rendering for each record of the input, in its order.
type RenderResult struct {
	Rendered []Rendered `json:"rendered"`
}

// Rendered is an object's attributes, or why there are none.
type Rendered struct {
	Attributes json.RawMessage `json:"attributes,omitempty"`
	Failure    string          `json:"failure,omitempty"`
}

// Render evaluates the plan's mappings. It is pure and short, and runs as a local activity.
func (a *Activities) Render(_ context.Context, in RenderInput) (*RenderResult, error) {
	renderer, err := a.deps.Evaluator.Renderer(in.Plan)
	if err != nil {
		return nil, planError(in.Plan, err)
	}
	res := &RenderResult{Rendered: make([]Rendered, 0, len(in.Records))}
	for _, r := range in.Records {
		var out Rendered
		out.Attributes, err = renderer.Attributes(plugin.Record{ID: r.Pending.ID, Time: r.Pending.Time, URL: r.URL, Data: r.Data})
		if err != nil {
			out.Failure = cutText(err.Error(), maxDetailBytes)
		}
		res.Rendered = append(res.Rendered, out)
	}
	return res, nil
}

// planError reports a plan that this worker cannot evaluate, as when it was compiled by a newer program.
func planError(p *plan.Plan, err error) error {
	return temporal.NewNonRetryableApplicationError(
		fmt.Sprintf("the plan of job %q cannot be evaluated by this worker; apply the job again with the worker's version: %v", p.Job, err),
		TypeInvalidPlan, err)
}
