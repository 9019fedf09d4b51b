package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// world takes the place of the activities: a source with records, a destination that keeps what is written, and a ledger. A
// test says what goes wrong.
type world struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment

	plan    *plan.Plan
	records []activities.Pending
	old     []activities.Pending // before the window, to be looked at again
	from    time.Time
	to      time.Time

	// holders answer begin, one after the other, before the lock is granted.
	holders int

	// What goes wrong, by record id: answers to Create, one an attempt; the last one is repeated.
	create map[string][]answer
	// copyErr ends the first copy of a batch with the record.
	copyErr map[string]error
	// grants are answers to claims, one a claim, before the claim is granted.
	grants map[string][]activities.Grant
	// verdicts are what fetch says of a record.
	verdicts map[string]activities.Verdict
	// unresolved records have no account, unrendered ones fail to render.
	unresolved, unrendered map[string]bool
	connectErrs, findErrs  []error // one for each call, until there is none

	// What the namespace and the connections have.
	attributes []string
	limits     []activities.Limit
	notifyErr  error
	marks      *temporal.SearchAttributes // the only ones that are set
	prepare    func()                     // is called before the run starts, with env made

	// What happened.
	mu       sync.Mutex
	written  map[string]int // how often a record is in the destination
	order    []string       // in which records came there
	doubts   map[string][]bool
	settled  map[string]activities.SettleRecord
	finished []activities.Run
	revisits []activities.RevisitInput
	notices  []activities.NotifyInput
	fetches  []int // how many records each fetch was asked for
	renders  []int // likewise
	claims   []int
	settles  []int
	copies   []int
	begun    time.Time
}

// answer is what one Create does: write, or not, and then fail, or not.
type answer struct {
	writes bool
	err    error
	result activities.CreateResult
}

func newWorld(t *testing.T, ids ...string) *world {
	w := &world{
		t: t, from: epoch.Add(-week), to: epoch,
		create: map[string][]answer{}, grants: map[string][]activities.Grant{}, verdicts: map[string]activities.Verdict{},
		unresolved: map[string]bool{}, unrendered: map[string]bool{},
		written: map[string]int{}, doubts: map[string][]bool{}, settled: map[string]activities.SettleRecord{},
		plan: &plan.Plan{
			Version: plan.Version, Job: "meetings",
			Source:      plan.Source{Connection: "gong.acme", Connector: "gong", Stream: "calls", MaxRead: 25},
			Destination: plan.Destination{Connection: "totango.success", Object: "touchpoint", ResolvedBy: "account_id", MaxCreate: 1},
		},
	}
	for i, id := range ids {
		w.records = append(w.records, activities.Pending{ID: id, Time: w.from.Add(time.Duration(i) * time.Minute), Day: activities.Day(w.from)})
	}
	return w
}

// sync runs the job as its schedule does.
func (w *world) sync() (*SyncResult, error) {
	w.t.Helper()
	return w.start(SyncInput{Job: "meetings"})
}

// start runs the workflow in the world.
func (w *world) start(in SyncInput) (*SyncResult, error) {
	w.t.Helper()
	var suite testsuite.WorkflowTestSuite
	w.env = suite.NewTestWorkflowEnvironment()
	w.env.SetStartTime(epoch)
	w.env.SetTestTimeout(30 * time.Second)
	w.env.RegisterActivity(w)
	if w.marks != nil {
		w.env.OnUpsertTypedSearchAttributes(*w.marks).Return(nil).Once()
	}
	if w.prepare != nil {
		w.prepare()
	}
	w.env.ExecuteWorkflow(Sync, in)
	if !w.env.IsWorkflowCompleted() {
		w.t.Fatal("the run did not end")
	}
	if err := w.env.GetWorkflowError(); err != nil {
		return nil, err
	}
	var res SyncResult
	if err := w.env.GetWorkflowResult(&res); err != nil {
		w.t.Fatal(err)
	}
	return &res, nil
}

func (w *world) Begin(_ context.Context, in activities.BeginInput) (*activities.BeginResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun = w.env.Now()
	if in.Lockless {
		return &activities.BeginResult{Plan: w.plan}, nil
	}
	if w.holders > 0 {
		w.holders--
		return &activities.BeginResult{Holder: &bob, Plan: w.plan}, nil
	}
	return &activities.BeginResult{Plan: w.plan, From: w.from, To: w.to, SearchAttributes: w.attributes}, nil
}

func (w *world) Finish(_ context.Context, in activities.FinishInput) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished = append(w.finished, in.Run)
	return nil
}

func (w *world) Connect(context.Context, activities.ConnectInput) (*activities.ConnectResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.connectErrs) > 0 {
		err := w.connectErrs[0]
		w.connectErrs = w.connectErrs[1:]
		return nil, err
	}
	return &activities.ConnectResult{Limits: w.limits, WriteTimeout: 20 * time.Second, SearchLag: 30 * time.Second}, nil
}

func (w *world) Discover(_ context.Context, in activities.DiscoverInput) (*activities.DiscoverResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	res := &activities.DiscoverResult{Until: in.To}
	for _, r := range w.records {
		if !r.Time.Before(in.From) && r.Time.Before(in.To) {
			res.Listed++
			res.New = append(res.New, r)
		}
	}
	return res, nil
}

func (w *world) Notify(_ context.Context, in activities.NotifyInput) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.notices) == 0 { // attempts after the first tell nothing new
		w.notices = append(w.notices, in)
	}
	return w.notifyErr
}

func (w *world) Revisit(_ context.Context, in activities.RevisitInput) (*activities.RevisitResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revisits = append(w.revisits, in)
	return &activities.RevisitResult{New: w.old}, nil
}

func (w *world) Fetch(_ context.Context, in activities.FetchInput) (*activities.FetchResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetches = append(w.fetches, len(in.Pending))
	res := &activities.FetchResult{}
	for i, p := range in.Pending {
		switch v, ok := w.verdicts[p.ID]; {
		case ok:
			v.Pending = p
			res.Verdicts = append(res.Verdicts, v)
		case strings.HasPrefix(p.ID, "big") && i > 0:
			res.Rest = append(res.Rest, p)
		default:
			res.Records = append(res.Records, activities.Record{Pending: p, Data: json.RawMessage(`{}`), External: []string{p.ID}})
		}
	}
	return res, nil
}

func (w *world) Copy(_ context.Context, in activities.CopyInput) (*activities.CopyResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.copies = append(w.copies, len(in.Pending))
	for _, p := range in.Pending {
		if err := w.copyErr[p.ID]; err != nil {
			delete(w.copyErr, p.ID)
			return nil, err
		}
	}
	res := &activities.CopyResult{}
	for _, p := range in.Pending {
		if v, ok := w.verdicts[p.ID]; ok {
			v.Pending = p
			res.Rejected++
			res.Verdicts = append(res.Verdicts, v)
			continue
		}
		w.written[p.ID]++
		res.Created++
	}
	return res, nil
}

func (w *world) Resolve(_ context.Context, in activities.ResolveInput) (*activities.ResolveResult, error) {
	res := &activities.ResolveResult{}
	for _, addresses := range in.External {
		d := activities.Decision{Target: "account of " + addresses[0]}
		if w.unresolved[addresses[0]] {
			d = activities.Decision{Reason: activities.ReasonUnresolved}
		}
		res.Decisions = append(res.Decisions, d)
	}
	return res, nil
}

func (w *world) Render(_ context.Context, in activities.RenderInput) (*activities.RenderResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.renders = append(w.renders, len(in.Records))
	res := &activities.RenderResult{}
	for _, r := range in.Records {
		out := activities.Rendered{Attributes: json.RawMessage(`{}`)}
		if w.unrendered[r.Pending.ID] {
			out = activities.Rendered{Failure: "no such field"}
		}
		res.Rendered = append(res.Rendered, out)
	}
	return res, nil
}

func (w *world) Claim(_ context.Context, in activities.ClaimInput) (*activities.ClaimGrants, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims = append(w.claims, len(in.Records))
	res := &activities.ClaimGrants{}
	for _, r := range in.Records {
		g := activities.Grant{State: activities.Claimed, Target: r.Target, Deadline: w.env.Now().Add(in.TTL)}
		if q := w.grants[r.Pending.ID]; len(q) > 0 {
			g, w.grants[r.Pending.ID] = q[0], q[1:]
			if g.State == activities.Claimed {
				g.Deadline = w.env.Now().Add(in.TTL)
			}
		}
		if w.settled[r.Pending.ID].State == activities.Delivered {
			g = activities.Grant{State: activities.Delivered}
		}
		res.Grants = append(res.Grants, g)
	}
	return res, nil
}

func (w *world) Create(ctx context.Context, in activities.CreateInput) (*activities.CreateResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := in.Pending.ID
	look := in.InDoubt || activity.GetInfo(ctx).Attempt > 1 // as the real one does
	w.doubts[id] = append(w.doubts[id], in.InDoubt)
	if want := "account of " + id; in.Target != want && in.Target != "pinned" {
		w.t.Errorf("record %s is written to %q, want %q", id, in.Target, want)
	}
	q := w.create[id]
	if len(q) == 0 {
		w.write(id, look)
		return &activities.CreateResult{ID: "note of " + id}, nil
	}
	a := q[min(int(activity.GetInfo(ctx).Attempt)-1, len(q)-1)]
	if len(q) > 1 {
		w.create[id] = q[1:]
		a = q[0]
	}
	if a.writes {
		w.write(id, look)
	}
	if a.err != nil {
		return nil, a.err
	}
	return &a.result, nil
}

// write writes unless it is told to look first and finds the record.
func (w *world) write(id string, look bool) {
	if !look || w.written[id] == 0 {
		w.written[id]++
		w.order = append(w.order, id)
	}
}

func (w *world) Settle(_ context.Context, in activities.SettleInput) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settles = append(w.settles, len(in.Records))
	for _, r := range in.Records {
		w.settled[r.Pending.ID] = r
	}
	return nil
}

// check compares the counts and the destination, and checks that the counts add up.
func (w *world) check(res *SyncResult, outcome activities.Outcome, want activities.Counts, written string) {
	w.t.Helper()
	if res.Outcome != outcome || res.Counts != want {
		w.t.Errorf("%s with %+v, want %s with %+v", res.Outcome, res.Counts, outcome, want)
	}
	c := res.Counts
	if c.Listed != c.Known+c.New || c.New != c.Created+c.Rejected+c.Deferred+c.Failed {
		w.t.Errorf("the counts do not add up: %+v", c)
	}
	var got []string
	for id, n := range w.written {
		for range n {
			got = append(got, id)
		}
	}
	slices.Sort(got)
	if s := strings.Join(got, " "); s != written {
		w.t.Errorf("the destination has %q, want %q", s, written)
	}
	if len(w.finished) != 1 || w.finished[0].Outcome != outcome || w.finished[0].Counts != want {
		w.t.Errorf("the job was told %+v", w.finished)
	}
}

func (w *world) settledAs(want map[string]string) {
	w.t.Helper()
	for id, s := range want {
		r := w.settled[id]
		if got := strings.TrimSuffix(fmt.Sprintf("%s %s", r.State, r.Reason), " "); got != s {
			w.t.Errorf("the ledger was told that %s is %q, want %q", id, got, s)
		}
	}
}

// syncOf runs the workflow with an input of its own and no world.
func syncOf(t *testing.T, in SyncInput) (*SyncResult, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.ExecuteWorkflow(Sync, in)
	var res SyncResult
	if err := env.GetWorkflowError(); err != nil {
		return nil, err
	}
	return &res, env.GetWorkflowResult(&res)
}
