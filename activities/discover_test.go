package activities

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// noon is in the past, so that grace and retries, which go by the real clock, are over unless a test says otherwise.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

var (
	aSource      = plan.Source{Connection: "gong.acme", Connector: "gong", Stream: "calls", MaxRead: 25}
	aDestination = plan.Destination{Connection: "totango.success", Object: "touchpoint"}
)

func ledgerOf(day string) LedgerRef {
	return LedgerRef{Connection: "totango.success", Object: "touchpoint", Day: day}
}

// pages makes a source that lists the entries in pages of two.
func pages(entries []plugin.Entry) func(*plugin.ListRequest) (*plugin.ListResponse, error) {
	return func(req *plugin.ListRequest) (*plugin.ListResponse, error) {
		start := 0
		if req.PageToken != "" {
			if _, err := fmt.Sscan(req.PageToken, &start); err != nil {
				return nil, err
			}
		}
		end := min(start+2, len(entries))
		res := &plugin.ListResponse{Entries: entries[start:end], Requests: 1}
		if end < len(entries) {
			res.NextPageToken = fmt.Sprint(end)
		}
		return res, nil
	}
}

func runDiscover(t *testing.T, c *connector, l *ledgers, in DiscoverInput) (*DiscoverResult, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	acts := New(Dependencies{Connectors: c, Ledgers: l, Quotas: &meter{}})
	env.RegisterActivity(acts)
	v, err := env.ExecuteActivity(acts.Discover, in)
	if err != nil {
		return nil, err
	}
	var res DiscoverResult
	return &res, v.Get(&res)
}

func entry(id string, offset time.Duration) plugin.Entry {
	return plugin.Entry{ID: id, Time: noon.Add(offset)}
}

func pending(id string, offset time.Duration, day string) Pending {
	return Pending{ID: id, Time: noon.Add(offset), Day: day}
}

func again(p Pending) Pending { p.Again = true; return p }

func window(max int) DiscoverInput {
	return DiscoverInput{Source: aSource, Destination: aDestination, From: noon.Add(-48 * time.Hour), To: noon.Add(48 * time.Hour), Max: max}
}

func TestDiscoverDropsWhatIsKnown(t *testing.T) {
	recent := aSource
	recent.RetryRejected = plan.Duration(100 * 365 * 24 * time.Hour)
	state := func(id string, s State) Entry { return Entry{Key: "gong/calls/" + id, State: s, Time: noon} }
	l := &ledgers{entries: map[LedgerRef][]Entry{
		ledgerOf("2026-03-10"): {state("delivered", Delivered), state("claimed", Claimed), state("doubt", InDoubt), state("rejected", Rejected), state("deferred", Deferred)},
		ledgerOf("2026-03-09"): {state("moved and delivered", Delivered), state("moved and rejected", Rejected)},
	}}
	var entries []plugin.Entry
	for i, id := range []string{"new", "delivered", "claimed", "doubt", "rejected", "deferred", "moved and delivered", "moved and rejected", "new"} {
		entries = append(entries, entry(id, time.Duration(i)*time.Second))
	}
	in := window(100)
	in.Source = recent
	res, err := runDiscover(t, &connector{list: pages(entries)}, l, in)
	if err != nil {
		t.Fatal(err)
	}
	want := &DiscoverResult{
		Listed: 8, Known: 2, Until: in.To,
		New: []Pending{
			pending("new", 0, "2026-03-10"),
			pending("claimed", 2*time.Second, "2026-03-10"),
			pending("doubt", 3*time.Second, "2026-03-10"),
			again(pending("rejected", 4*time.Second, "2026-03-10")),
			pending("deferred", 5*time.Second, "2026-03-10"),
			again(pending("moved and rejected", 7*time.Second, "2026-03-09")),
		},
	}
	if diff := cmp.Diff(want, res); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	in.Source = aSource // rejected and deferred records of that day are past their time
	res, err = runDiscover(t, &connector{list: pages(entries)}, l, in)
	if err != nil {
		t.Fatal(err)
	}
	if res.Listed != 8 || res.Known != 5 || len(res.New) != 3 {
		t.Errorf("listed %d, known %d, new %d; want 8, 5, 3", res.Listed, res.Known, len(res.New))
	}
}

func TestDiscoverStopsBetweenTimes(t *testing.T) {
	entries := []plugin.Entry{entry("c", 2), entry("a", 1), entry("b", 1), entry("d", 3), entry("e", 3)}
	tests := []struct {
		max   int
		want  string
		until time.Time
	}{
		{1, "ab", noon.Add(2)}, // a and b share a time
		{2, "ab", noon.Add(2)},
		{3, "abc", noon.Add(3)},
		{4, "abcde", window(0).To},
		{9, "abcde", window(0).To},
	}
	for _, test := range tests {
		res, err := runDiscover(t, &connector{list: pages(entries)}, &ledgers{}, window(test.max))
		if err != nil {
			t.Fatal(err)
		}
		var ids strings.Builder
		for _, p := range res.New {
			ids.WriteString(p.ID)
		}
		if ids.String() != test.want || !res.Until.Equal(test.until) || res.Listed != len(test.want) {
			t.Errorf("max %d: %s until %v (listed %d), want %s until %v", test.max, &ids, res.Until, res.Listed, test.want, test.until)
		}
	}
}

func TestDiscoverKeepsToTheWindow(t *testing.T) {
	in := window(10)
	c := &connector{list: pages([]plugin.Entry{{ID: "before", Time: in.From.Add(-1)}, {ID: "first", Time: in.From}, {ID: "end", Time: in.To}})}
	res, err := runDiscover(t, c, &ledgers{}, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.New) != 1 || res.New[0].ID != "first" {
		t.Errorf("got %+v, want the record at the window's start only", res.New)
	}
}

func TestDiscoverBeginsAgainWhenAPageTokenExpires(t *testing.T) {
	entries := []plugin.Entry{entry("a", 0), entry("b", 1), entry("c", 2)}
	expired := 0
	c := &connector{list: func(req *plugin.ListRequest) (*plugin.ListResponse, error) {
		if req.PageToken != "" && expired == 0 {
			expired++
			return nil, plugin.Errorf(plugin.CodeExpired, "cursor has expired")
		}
		return pages(entries)(req)
	}}
	res, err := runDiscover(t, c, &ledgers{}, window(10))
	if err != nil {
		t.Fatal(err)
	}
	if expired != 1 || res.Listed != 3 {
		t.Errorf("expired %d times, listed %d; want 1 and 3", expired, res.Listed)
	}
}

func TestDiscoverEndsABrokenListing(t *testing.T) {
	c := &connector{list: func(*plugin.ListRequest) (*plugin.ListResponse, error) {
		return &plugin.ListResponse{NextPageToken: "again", Requests: 1}, nil
	}}
	if _, err := runDiscover(t, c, &ledgers{}, window(10)); err == nil {
		t.Error("a listing that repeats its page token for ever came to an end without an error")
	}
}

func TestRevisitLooksBeforeTheWindow(t *testing.T) {
	now := time.Now().UTC()
	old, older := now.AddDate(0, 0, -10), now.AddDate(0, 0, -60)
	open := func(id string, at time.Time, s State, job string) Entry {
		return Entry{Key: "gong/calls/" + id, Time: at, State: s, Job: job}
	}
	l := &ledgers{entries: map[LedgerRef][]Entry{
		ledgerOf(Day(old)): {
			open("rejected", old, Rejected, "meetings"),
			open("delivered", old, Delivered, "meetings"),
			open("another job's", old, Rejected, "other"),
			{Key: "zoom/meetings/1", Time: old, State: Rejected, Job: "meetings"},
		},
		ledgerOf(Day(older)): {open("too old", older, Rejected, "meetings")},
		ledgerOf(Day(now)):   {open("in the window", now, Rejected, "meetings")},
	}}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	acts := New(Dependencies{Ledgers: l})
	env.RegisterActivity(acts)
	src := aSource
	src.RetryRejected = plan.Duration(30 * 24 * time.Hour)
	v, err := env.ExecuteActivity(acts.Revisit, RevisitInput{Job: "meetings", Source: src, Destination: aDestination, Before: now.AddDate(0, 0, -7)})
	if err != nil {
		t.Fatal(err)
	}
	var res RevisitResult
	if err := v.Get(&res); err != nil {
		t.Fatal(err)
	}
	want := []Pending{{ID: "rejected", Time: old, Day: Day(old), Again: true}}
	if diff := cmp.Diff(want, res.New); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A failure costs a page, not the listing.
func TestDiscoverAsksAgainForAPage(t *testing.T) {
	var entries []plugin.Entry
	for i := range 6 {
		entries = append(entries, entry(fmt.Sprint(i), time.Duration(i)*time.Second))
	}
	list, asked := pages(entries), map[string]int{}
	c := &connector{list: func(req *plugin.ListRequest) (*plugin.ListResponse, error) {
		if asked[req.PageToken]++; req.PageToken == "4" && asked["4"] < 3 {
			return nil, plugin.Errorf(plugin.CodeUnavailable, "bad gateway")
		}
		return list(req)
	}}
	res, err := runDiscover(t, c, &ledgers{}, window(100))
	if err != nil || len(res.New) != 6 {
		t.Errorf("got %+v, %v; want 6 records", res, err)
	}
	if diff := cmp.Diff(map[string]int{"": 1, "2": 1, "4": 3}, asked); diff != "" {
		t.Errorf("how often each page was asked for (-want +got):\n%s", diff)
	}
}
