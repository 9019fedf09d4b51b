package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidwall/gjson"
	"go.temporal.io/sdk/activity"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// Record is a record that is ready to be resolved and rendered.
type Record struct {
	Pending Pending         `json:"p"`
	URL     string          `json:"url,omitempty"`
	Title   string          `json:"title,omitempty"`
	Host    string          `json:"host,omitempty"`
	Data    json.RawMessage `json:"data"`

	// External are the addresses of the people who decide where the record belongs; empty if the object is not resolved.
	External []string `json:"external,omitempty"`
}

// Verdict is a record that will not be written by this run, and why.
type Verdict struct {
	Pending Pending `json:"p"`
	State   State   `json:"state"` // Rejected, Deferred or InDoubt
	Reason  Reason  `json:"reason"`
	Detail  string  `json:"detail,omitempty"` // for people

	// Title, Host and URL are the record's, as far as it was read, and External the addresses that were tried.
	Title    string   `json:"title,omitempty"`
	Host     string   `json:"host,omitempty"`
	URL      string   `json:"url,omitempty"`
	External []string `json:"external,omitempty"`
}

// Set makes the record's verdict.
func (r *Record) Set(s State, reason Reason, detail string) Verdict {
	return Verdict{
		Pending: r.Pending, State: s, Reason: reason, Detail: cutText(detail, maxDetailBytes),
		Title: r.Title, Host: r.Host, URL: r.URL, External: r.External,
	}
}

// FetchInput is the input of [Activities.Fetch].
type FetchInput struct {
	Plan    *plan.Plan `json:"plan"`
	Pending []Pending  `json:"pending"`
}

// FetchResult is the answer of [Activities.Fetch]. Every pending record is in exactly one of the three lists.
type FetchResult struct {
	Records  []Record  `json:"records,omitempty"`
	Verdicts []Verdict `json:"verdicts,omitempty"`

	// Rest are the records that would have made the result too big; the caller asks for them again.
	Rest []Pending `json:"rest,omitempty"`
}

// The bounds on a result that goes into a history.
const (
	maxBatchBytes  = 400 << 10
	maxRecordBytes = 96 << 10
	maxTextBytes   = 160
	maxDetailBytes = 1 << 10
)

// maxReadBytes bounds the data of a record that is looked at: decoded, it takes a hundred times the memory at worst.
const maxReadBytes = 1 << 20

// Fetch reads records and sets aside those that are not to be written: gone, filtered out, not ready yet, or without anyone
// who could tell where they belong.
func (a *Activities) Fetch(ctx context.Context, in FetchInput) (*FetchResult, error) {
	defer keepAlive(ctx)()
	renderer, err := a.deps.Evaluator.Renderer(in.Plan)
	if err != nil {
		return nil, planError(in.Plan, err)
	}
	f := fetch{plan: in.Plan, renderer: renderer, bounded: true}
	return &f.result, a.fetch(ctx, &f, in.Pending)
}

// fetch reads records and sorts them.
func (a *Activities) fetch(ctx context.Context, f *fetch, pending []Pending) error {
	src := &f.plan.Source
	req := plugin.ReadRequest{Stream: src.Stream, Fields: src.Fields}
	for _, p := range pending {
		req.IDs = append(req.IDs, p.ID)
	}
	var read *plugin.ReadResponse
	err := a.call(ctx, src.Connection, 1, func(c Connector) (requests int, err error) {
		if read, err = c.Read(ctx, &req); err != nil {
			return 0, err
		}
		return read.Requests, nil
	})
	if plugin.AsError(err) != nil && plugin.AsError(err).Code == plugin.CodeTooLarge {
		return a.fetchLess(ctx, f, pending, err)
	}
	if err != nil {
		return applicationError(src.Connection, err)
	}
	byID := make(map[string]plugin.Record, len(read.Records))
	for _, r := range read.Records {
		byID[r.ID] = r
	}
	f.now = activity.GetInfo(ctx).StartedTime
	for _, p := range pending {
		if r, ok := byID[p.ID]; ok {
			p.Time = r.Time // it may have been moved since it was noted
			f.sort(p, r)
		} else {
			f.set(&Record{Pending: p}, Rejected, ReasonGone, "it was deleted or made private after it was listed")
		}
	}
	return nil
}

// fetchLess reads records by halves that do not fit into one answer, until those are alone that are too large by themselves.
func (a *Activities) fetchLess(ctx context.Context, f *fetch, pending []Pending, tooLarge error) error {
	if len(pending) == 1 {
		f.set(&Record{Pending: pending[0]}, Rejected, ReasonRender, plugin.AsError(tooLarge).Message)
		return nil
	}
	half := len(pending) / 2
	if err := a.fetch(ctx, f, pending[:half]); err != nil {
		return err
	}
	return a.fetch(ctx, f, pending[half:])
}

// fetch sorts the records of one read.
type fetch struct {
	plan     *plan.Plan
	renderer Renderer
	bounded  bool      // the result goes into a history
	now      time.Time // by server time
	bytes    int
	result   FetchResult
}

func (f *fetch) set(r *Record, s State, reason Reason, detail string) {
	f.result.Verdicts = append(f.result.Verdicts, r.Set(s, reason, detail))
}

func (f *fetch) sort(p Pending, r plugin.Record) {
	switch {
	case len(r.Data) > maxReadBytes:
		f.set(&Record{Pending: p, URL: r.URL}, Rejected, ReasonRender,
			fmt.Sprintf("the source's record has %d bytes; at most %d can be read", len(r.Data), maxReadBytes))
		return
	case !json.Valid(r.Data): // which also bounds how deep it is nested
		f.set(&Record{Pending: p, URL: r.URL}, Rejected, ReasonRender, "the source's record is not valid JSON")
		return
	}
	rec := &Record{Pending: p, URL: r.URL, Title: text(r.Data, f.plan.Source.Title), Host: text(r.Data, f.plan.Resolve.Host)}
	matches, err := f.renderer.Matches(r)
	if err != nil {
		f.set(rec, Rejected, ReasonRender, err.Error())
		return
	}
	if !matches {
		f.set(rec, Rejected, ReasonFiltered, "the job's where condition does not hold")
		return
	}
	grace := time.Duration(f.plan.Source.Grace)
	if r.Pending != "" && f.now.Before(r.Time.Add(grace)) {
		f.set(rec, Deferred, ReasonNotReady, fmt.Sprintf("%s; it is waited for until %s", r.Pending, r.Time.Add(grace).UTC().Format(time.DateTime+" MST")))
		return
	}
	if f.plan.Destination.ResolvedBy != "" {
		if rec.External, err = externals(&f.plan.Resolve, r.Data); err != nil {
			f.set(rec, Rejected, ReasonRender, err.Error())
			return
		}
		if len(rec.External) == 0 {
			f.set(rec, Rejected, ReasonInternalOnly, "nobody outside the company took part")
			return
		}
	}
	rec.Data = r.Data
	if f.bounded {
		rec.Data = shrink(r.Data, maxRecordBytes)
		if f.bytes += rec.size(); f.bytes > maxBatchBytes && len(f.result.Records) > 0 {
			f.result.Rest = append(f.result.Rest, p)
			return
		}
	}
	f.result.Records = append(f.result.Records, *rec)
}

// size is about how many bytes the record adds to a result.
func (r *Record) size() int {
	n := len(r.Data) + len(r.URL) + len(r.Title) + len(r.Host)
	for _, address := range r.External {
		n += len(address)
	}
	return n
}

// text returns a field that is a text, at most some hundred bytes of it; empty if the record has none.
func text(data json.RawMessage, field string) string {
	if field == "" {
		return ""
	}
	return cutText(gjson.GetBytes(data, gjson.Escape(field)).Str, maxTextBytes)
}
