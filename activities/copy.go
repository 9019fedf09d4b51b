package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// CopyInput is the input of [Activities.Copy].
type CopyInput struct {
	Plan    *plan.Plan `json:"plan"`
	Pending []Pending  `json:"pending"`

	// WriteTimeout bounds one write.
	WriteTimeout time.Duration `json:"write_timeout"`
}

// CopyResult is the answer of [Activities.Copy].
type CopyResult struct {
	Created int `json:"created"`

	// Rejected and Deferred count the records that were not written, and Verdicts are the last of them.
	Rejected int       `json:"rejected,omitempty"`
	Deferred int       `json:"deferred,omitempty"`
	Verdicts []Verdict `json:"verdicts,omitempty"`
}

const (
	// copyBytes is how much one write of a batch carries at most, so that a connector gets a few messages and not a flood.
	copyBytes = 1 << 20

	// copyVerdicts is how many verdicts a result holds, so that it stays small.
	copyVerdicts = 50
)

// Copy reads, renders and writes a batch of records, so that they never enter a history. It is for destinations to which a record
// can be written again without harm: a batch that fails anywhere is done again as a whole. The worker has to serve both connections.
func (a *Activities) Copy(ctx context.Context, in CopyInput) (*CopyResult, error) {
	defer keepAlive(ctx)()
	c := &copying{acts: a, in: &in, res: &CopyResult{}}
	renderer, err := a.deps.Evaluator.Renderer(in.Plan)
	if err != nil {
		return nil, planError(in.Plan, err)
	}
	for ids := range slices.Chunk(in.Pending, max(1, in.Plan.Source.MaxRead)) {
		f := fetch{plan: in.Plan, renderer: renderer}
		if err := a.fetch(ctx, &f, ids); err != nil {
			return nil, err
		}
		c.verdicts(f.result.Verdicts...)
		for i := range f.result.Records {
			if err := c.add(ctx, renderer, &f.result.Records[i]); err != nil {
				return nil, err
			}
		}
	}
	return c.res, c.flush(ctx)
}

// copying is a batch under way.
type copying struct {
	acts *Activities
	in   *CopyInput
	res  *CopyResult

	items   []plugin.Item
	records []*Record // of the items
	bytes   int
}

// add renders a record, and writes those before it if there is no room for one more.
func (c *copying) add(ctx context.Context, renderer Renderer, r *Record) error {
	attributes, err := renderer.Attributes(plugin.Record{ID: r.Pending.ID, Time: r.Pending.Time, URL: r.URL, Data: r.Data})
	if err != nil {
		c.verdicts(r.Set(Rejected, ReasonRender, err.Error()))
		return nil
	}
	if len(c.items) == max(1, c.in.Plan.Destination.MaxCreate) || len(c.items) > 0 && c.bytes+len(attributes) > copyBytes {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	c.items = append(c.items, plugin.Item{
		Key: Key(&c.in.Plan.Source, r.Pending.ID), RecordID: r.Pending.ID, URL: r.URL, Time: r.Pending.Time, Attributes: attributes,
	})
	c.records = append(c.records, r)
	c.bytes += len(attributes)
	return nil
}

// flush writes the items that have been added.
func (c *copying) flush(ctx context.Context) error {
	if len(c.items) == 0 {
		return nil
	}
	dst := &c.in.Plan.Destination
	var results []plugin.Result
	err := c.acts.call(ctx, dst.Connection, 1, func(conn Connector) (int, error) {
		ctx, cancel := context.WithTimeout(ctx, c.in.WriteTimeout)
		defer cancel()
		res, err := conn.Create(ctx, &plugin.CreateRequest{Object: dst.Object, Items: c.items})
		if err != nil {
			return 0, err
		}
		if len(res.Results) != len(c.items) {
			return res.Requests, plugin.Errorf(plugin.CodeInternal, "the connector answered for %d items instead of %d; it is broken", len(res.Results), len(c.items))
		}
		results = res.Results
		return res.Requests, nil
	})
	if err != nil {
		return applicationError(dst.Connection, err)
	}
	for i, r := range results {
		switch {
		case r.Err == nil:
			c.res.Created++
		case r.Err.Code == plugin.CodeInvalidRecord:
			c.verdicts(c.records[i].Set(Rejected, ReasonRefused, r.Err.Message))
		default:
			return applicationError(dst.Connection, fmt.Errorf("record %s: %w", c.records[i].Pending.ID, r.Err))
		}
	}
	c.items, c.records, c.bytes = c.items[:0], c.records[:0], 0
	return nil
}

func (c *copying) verdicts(list ...Verdict) {
	for _, v := range list {
		if v.State == Deferred {
			c.res.Deferred++
		} else {
			c.res.Rejected++
		}
		c.res.Verdicts = append(c.res.Verdicts, v)
	}
	if n := len(c.res.Verdicts) - copyVerdicts; n > 0 {
		c.res.Verdicts = slices.Delete(c.res.Verdicts, 0, n)
	}
}
