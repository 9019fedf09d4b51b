package activities

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// day is where [Activities.Newest] begins to look.
const day = 24 * time.Hour

// PreviewRecord is a record as a run would treat it, for people.
type PreviewRecord struct {
	ID    string    `json:"id"`
	Time  time.Time `json:"time"`
	Title string    `json:"title,omitempty"`
	Host  string    `json:"host,omitempty"`
	URL   string    `json:"url,omitempty"`

	// State is Delivered if the record is in the destination already, Claimed if it would be written, and else as a run would
	// settle it, with the reason.
	State  State  `json:"state"`
	Reason Reason `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`

	// Participants are the addresses that were tried to find the target.
	Participants []string `json:"participants,omitempty"`

	// Target is where the record belongs, and Losers where else it could.
	Target     string      `json:"target,omitempty"`
	TargetName string      `json:"target_name,omitempty"`
	Losers     []Candidate `json:"losers,omitempty"`

	// Attributes is a JSON object with what would be written.
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

// NewestInput is the input of [Activities.Newest].
type NewestInput struct {
	Source plan.Source `json:"source"`

	// Count is how many records are wanted; Back is how far back they are looked for.
	Count int           `json:"count"`
	Back  time.Duration `json:"back"`
}

// NewestResult is the answer of [Activities.Newest].
type NewestResult struct {
	// Newest are the newest records, the newest first.
	Newest []Pending `json:"newest,omitempty"`
}

// Newest returns the source's newest records, looking back in growing steps, so that a busy source is not listed for weeks.
func (a *Activities) Newest(ctx context.Context, in NewestInput) (*NewestResult, error) {
	defer keepAlive(ctx)()
	to := activity.GetInfo(ctx).StartedTime
	var entries []plugin.Entry
	for back := min(day, in.Back); ; back = min(2*back, in.Back) {
		var err error
		entries, err = a.list(ctx, DiscoverInput{Source: in.Source, From: to.Add(-back), To: to})
		if err != nil {
			return nil, applicationError(in.Source.Connection, err)
		}
		if len(entries) >= in.Count || back == in.Back {
			break
		}
	}
	res := &NewestResult{}
	slices.Reverse(entries)
	for _, e := range entries[:min(in.Count, len(entries))] {
		res.Newest = append(res.Newest, Pending{ID: e.ID, Time: e.Time, Day: Day(e.Time)})
	}
	return res, nil
}

// KnownInput is the input of [Activities.Known].
type KnownInput struct {
	Source      plan.Source      `json:"source"`
	Destination plan.Destination `json:"destination"`
	Pending     []Pending        `json:"pending"`
}

// KnownResult tells which of the records are in the destination, in the order of the input.
type KnownResult struct {
	Delivered []bool `json:"delivered"`
}

// Known asks the ledgers which records are in the destination.
func (a *Activities) Known(ctx context.Context, in KnownInput) (*KnownResult, error) {
	entries := make([]plugin.Entry, 0, len(in.Pending))
	for _, p := range in.Pending {
		entries = append(entries, plugin.Entry{ID: p.ID, Time: p.Time})
	}
	known, err := a.known(ctx, DiscoverInput{Source: in.Source, Destination: in.Destination}, entries)
	if err != nil {
		return nil, err
	}
	res := &KnownResult{}
	for _, p := range in.Pending {
		res.Delivered = append(res.Delivered, known[Key(&in.Source, p.ID)].State == Delivered)
	}
	return res, nil
}

// ShowInput is the input of [Activities.Show].
type ShowInput struct {
	Connection string     `json:"connection"`
	Object     string     `json:"object"`
	Items      []ShowItem `json:"items"`
}

// ShowItem is a record that would be written.
type ShowItem struct {
	Key        string          `json:"key"`
	Pending    Pending         `json:"p"`
	URL        string          `json:"url,omitempty"`
	Target     string          `json:"target,omitempty"`
	Attributes json.RawMessage `json:"attributes"`
}

// ShowResult has a shown item for each item of the input, in its order.
type ShowResult struct {
	Shown []Shown `json:"shown"`
}

// Shown is what would be written of an item, or why it would not be.
type Shown struct {
	Attributes json.RawMessage `json:"attributes,omitempty"`
	Refused    string          `json:"refused,omitempty"`
}

// Show asks the destination what it would write. One that cannot say gets the attributes as they are.
func (a *Activities) Show(ctx context.Context, in ShowInput) (*ShowResult, error) {
	defer keepAlive(ctx)()
	req := &plugin.PreviewRequest{Object: in.Object}
	for _, item := range in.Items {
		req.Items = append(req.Items, plugin.Item{
			Key: item.Key, RecordID: item.Pending.ID, URL: item.URL, Time: item.Pending.Time, Target: item.Target, Attributes: item.Attributes,
		})
	}
	var answer *plugin.PreviewResponse
	err := a.call(ctx, in.Connection, 0, func(c Connector) (requests int, err error) {
		if answer, err = c.Preview(ctx, req); err != nil {
			return 0, err
		}
		return answer.Requests, nil
	})
	res := &ShowResult{}
	switch {
	case err != nil && plugin.AsError(err).Code == plugin.CodeUnimplemented:
		for _, item := range in.Items {
			res.Shown = append(res.Shown, Shown{Attributes: item.Attributes})
		}
		return res, nil
	case err != nil:
		return nil, applicationError(in.Connection, err)
	}
	if len(answer.Previews) != len(in.Items) {
		return nil, applicationError(in.Connection, plugin.Errorf(plugin.CodeInvalidRequest,
			"the connector showed %d of %d items; it is broken", len(answer.Previews), len(in.Items)))
	}
	for _, p := range answer.Previews {
		s := Shown{Attributes: p.Attributes}
		if p.Err != nil {
			s.Refused = p.Err.Message
		}
		res.Shown = append(res.Shown, s)
	}
	return res, nil
}
