package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// Pending is a record that a run has to look at.
type Pending struct {
	ID   string    `json:"id"`
	Time time.Time `json:"t"`

	// Day is the ledger that the record belongs to. It is the day of the time at which the record was first noted, which may
	// differ from the day of Time when a meeting was moved.
	Day string `json:"d"`

	// Again says that an earlier run has rejected the record.
	Again bool `json:"again,omitempty"`
}

// Key returns the ledger's key of a record.
func Key(src *plan.Source, id string) string { return src.Connector + "/" + src.Stream + "/" + id }

// DiscoverInput is the input of [Activities.Discover].
type DiscoverInput struct {
	Source      plan.Source      `json:"source"`
	Destination plan.Destination `json:"destination"`
	From        time.Time        `json:"from"`
	To          time.Time        `json:"to"`

	// Max bounds the number of records returned, so that the result stays small.
	Max int `json:"max"`
}

// DiscoverResult is the answer of [Activities.Discover].
type DiscoverResult struct {
	// Listed and Known count the records before Until.
	Listed int `json:"listed"`
	Known  int `json:"known"`

	// New are the records to look at, oldest first.
	New []Pending `json:"new,omitempty"`

	// Until is the exclusive end of what the result covers: To, unless there were more records than Max.
	Until time.Time `json:"until"`
}

// maxPages bounds a listing: a source that pages for ever is broken, and its job fails instead of running for ever.
const maxPages = 10_000

const (
	// maxListed bounds the records of one listing, which are in memory all at once: a million a month are beyond any source.
	maxListed = 1_000_000

	// maxSimultaneous bounds the records of one time, which cannot be told apart by the window of the next listing.
	maxSimultaneous = 8_000
)

// Discover lists the window and drops the records that the ledgers know to be done. Page tokens never leave it: a listing
// whose token expires is begun again.
func (a *Activities) Discover(ctx context.Context, in DiscoverInput) (*DiscoverResult, error) {
	defer keepAlive(ctx)()
	listed, err := a.list(ctx, in)
	if err != nil {
		return nil, applicationError(in.Source.Connection, err)
	}
	known, err := a.known(ctx, in, listed)
	if err != nil {
		return nil, err
	}

	res := &DiscoverResult{Until: in.To}
	now := activity.GetInfo(ctx).StartedTime
	for _, e := range listed {
		p := Pending{ID: e.ID, Time: e.Time, Day: Day(e.Time)}
		if k, ok := known[Key(&in.Source, e.ID)]; ok {
			if done(k, now, time.Duration(in.Source.RetryRejected)) {
				res.Listed, res.Known = res.Listed+1, res.Known+1
				continue
			}
			p.Day, p.Again = k.day, k.State == Rejected
		}
		// Records of the same time stay together, so that the next call can begin where this one ends.
		if n := len(res.New); n >= in.Max && e.Time.After(res.New[n-1].Time) {
			res.Until = e.Time
			break
		}
		if len(res.New) == in.Max+maxSimultaneous {
			return nil, applicationError(in.Source.Connection, plugin.Errorf(plugin.CodeInvalidRequest,
				"more than %d %s have the time %s, and cannot be taken apart; give them more exact times", maxSimultaneous, in.Source.Stream, e.Time.UTC().Format(time.RFC3339)))
		}
		res.Listed++
		res.New = append(res.New, p)
	}
	return res, nil
}

// list returns the window's records, each once, oldest first.
func (a *Activities) list(ctx context.Context, in DiscoverInput) ([]plugin.Entry, error) {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		entries, err := a.listOnce(ctx, in)
		if err != nil && attempt < attempts && plugin.AsError(err).Code == plugin.CodeExpired {
			continue
		}
		return entries, err
	}
}

func (a *Activities) listOnce(ctx context.Context, in DiscoverInput) ([]plugin.Entry, error) {
	var entries []plugin.Entry
	seen := map[string]bool{}
	req := plugin.ListRequest{Stream: in.Source.Stream, From: in.From, To: in.To}
	for range maxPages {
		page, err := a.page(ctx, in.Source.Connection, &req)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			// A record that arrives while the listing pages can be listed twice.
			if !seen[e.ID] && !e.Time.Before(in.From) && e.Time.Before(in.To) {
				seen[e.ID] = true
				entries = append(entries, e)
			}
		}
		if len(entries) > maxListed {
			return nil, plugin.Errorf(plugin.CodeInvalidRequest, "listing %s of %s brought more than %d records; the connector is broken",
				in.Source.Stream, in.Source.Connection, maxListed)
		}
		switch page.NextPageToken {
		case "":
			slices.SortFunc(entries, func(x, y plugin.Entry) int { return cmp.Or(x.Time.Compare(y.Time), strings.Compare(x.ID, y.ID)) })
			return entries, nil
		case req.PageToken:
			return nil, plugin.Errorf(plugin.CodeInvalidRequest, "listing %s of %s returned the same page token twice; the connector is broken",
				in.Source.Stream, in.Source.Connection)
		}
		req.PageToken = page.NextPageToken
	}
	return nil, plugin.Errorf(plugin.CodeInvalidRequest, "listing %s of %s did not end after %d pages; the connector is broken",
		in.Source.Stream, in.Source.Connection, maxPages)
}

// page returns a page, asked for a few times if need be: a listing of a hundred pages would hardly ever end if one failure began it
// again.
func (a *Activities) page(ctx context.Context, connection string, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		var page *plugin.ListResponse
		err := a.call(ctx, connection, 1, func(c Connector) (requests int, err error) {
			if page, err = c.List(ctx, req); err != nil {
				return 0, err
			}
			return page.Requests, nil
		})
		e := plugin.AsError(err)
		if err == nil || attempt == attempts || !e.Retryable || e.Code == plugin.CodeExpired || e.RetryAfter > MaxSlotWait {
			return page, err
		}
		select {
		case <-time.After(max(e.RetryAfter, 100*time.Millisecond<<attempt)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// done reports whether a record needs no further look.
func done(e found, now time.Time, retry time.Duration) bool {
	switch e.State {
	case Delivered:
		return true
	case Rejected, Deferred:
		return e.Time.Before(now.Add(-retry))
	default:
		return false
	}
}

// known looks the records up in the ledgers of the whole window and of the days around it, for a start time can move.
func (a *Activities) known(ctx context.Context, in DiscoverInput, listed []plugin.Entry) (map[string]found, error) {
	if in.Destination.Idempotent || len(listed) == 0 {
		return nil, nil
	}
	all := make([]string, len(listed))
	for i, e := range listed {
		all[i] = Key(&in.Source, e.ID)
	}
	keys := map[string][]string{}
	for _, day := range around(in.From, in.To) {
		keys[day] = all
	}
	return a.lookup(ctx, &in.Destination, keys)
}

// RevisitInput is the input of [Activities.Revisit].
type RevisitInput struct {
	Job         string           `json:"job"`
	Source      plan.Source      `json:"source"`
	Destination plan.Destination `json:"destination"`

	// Before is the exclusive end of the times to look at: the start of the window that the run lists.
	Before time.Time `json:"before"`

	// Records are the only ids to look at; empty means all.
	Records []string `json:"records,omitempty"`
}

// RevisitResult is the answer of [Activities.Revisit].
type RevisitResult struct {
	New []Pending `json:"new,omitempty"`
}

// namedLookBack is how far back records are looked for that somebody names.
const namedLookBack = 2 * 365 * 24 * time.Hour

// Revisit returns the job's records before the window that were rejected, deferred or left in doubt, and may succeed by now. Those
// that are named are looked at again however old they are, up to two years.
func (a *Activities) Revisit(ctx context.Context, in RevisitInput) (*RevisitResult, error) {
	defer keepAlive(ctx)()
	if in.Destination.Idempotent {
		return &RevisitResult{}, nil
	}
	lookBack := time.Duration(in.Source.RetryRejected)
	if len(in.Records) > 0 {
		lookBack = max(lookBack, namedLookBack)
	}
	oldest := activity.GetInfo(ctx).StartedTime.Add(-lookBack)
	prefix := Key(&in.Source, "")
	open := map[string]found{}
	// A record noted on one day can have moved to the next, so the last day is the one of Before itself.
	for day := oldest; Day(day) <= Day(in.Before); day = day.AddDate(0, 0, 1) {
		ref := ledgerOfDay(&in.Destination, Day(day))
		entries, err := a.deps.Ledgers.Open(ctx, ref, in.Job)
		if err != nil {
			return nil, fmt.Errorf("look for open records in the ledger of %s: %w", ref.Day, err)
		}
		for _, e := range entries {
			id, ok := strings.CutPrefix(e.Key, prefix)
			if !ok || !e.Time.Before(in.Before) || e.Time.Before(oldest) || len(in.Records) > 0 && !slices.Contains(in.Records, id) {
				continue
			}
			if f := (found{e, ref.Day}); f.outranks(open, id) {
				open[id] = f
			}
		}
	}
	res := &RevisitResult{}
	for id, e := range open {
		res.New = append(res.New, Pending{ID: id, Time: e.Time, Day: e.day, Again: e.State == Rejected})
	}
	slices.SortFunc(res.New, func(x, y Pending) int { return cmp.Or(x.Time.Compare(y.Time), strings.Compare(x.ID, y.ID)) })
	return res, nil
}
