//go:build !race

package workflows

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

const (
	forever      = 10_000 * day
	writeTimeout = 20 * time.Second
	lookTime     = 2 * time.Second
	updateTime   = 20 * time.Millisecond
	maxTransit   = 5 * time.Second // of a task from the server to a worker
)

var protocolPlan = &plan.Plan{
	Version: plan.Version, Job: "meetings",
	Source: plan.Source{
		Connection: "gong.acme", Connector: "gong", Stream: "calls", MaxRead: 25, RetryRejected: plan.Duration(30 * day),
	},
	Destination: plan.Destination{Connection: "totango.success", Object: "touchpoint", ResolvedBy: "account_id", MaxCreate: 1},
}

// outside is the world outside of the runs: a source, a destination with a search index that lags, and the ledgers. It notes
// every moment at which an invariant of the protocol is broken. Destinations have no way to change an item, so none is changed.
type outside struct {
	history
	began time.Time

	mu       sync.Mutex
	calm     bool           // nothing goes wrong any more
	used     map[string]int // how much of each fate has happened
	alive    map[string]bool
	attempts map[*attempt]bool
	ledgers  map[activities.LedgerRef][]*ledger

	items     map[string][]item          // by key
	delivered map[string]bool            // whether a ledger calls a key delivered
	settled   map[string]map[string]bool // the keys that a run has settled as delivered, by run

	sent   int
	log    []string
	broken []string
}

// item is something that was written, or is under way to the destination and cannot be stopped.
type item struct {
	id, target string
	by         activities.Owner
	landed     bool
	findable   time.Time // if it has landed
}

func newOutside(h history) *outside {
	return &outside{
		history: h, began: time.Now(), used: map[string]int{}, alive: map[string]bool{}, attempts: map[*attempt]bool{},
		ledgers: map[activities.LedgerRef][]*ledger{}, items: map[string][]item{}, delivered: map[string]bool{},
		settled: map[string]map[string]bool{},
	}
}

func recordID(n int) string { return fmt.Sprint("r", n) }

func recordKey(n int) string { return activities.Key(&protocolPlan.Source, recordID(n)) }

// fate says what happens to the record of a key.
func (o *outside) fate(key string) *fate {
	for i := range o.Records {
		if key == recordKey(i) {
			return &o.Records[i]
		}
	}
	panic("no record " + key)
}

// next returns what happens next; nothing after the last entry.
func next[T any](o *outside, kind, key string, all []T) (happens T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.used[kind+key]
	o.used[kind+key]++
	if n < len(all) && !o.calm {
		return all[n]
	}
	return happens
}

// note keeps what happened, for the reader of a failure.
func (o *outside) note(format string, args ...any) {
	o.log = append(o.log, fmt.Sprintf("%12v  ", time.Since(o.began))+fmt.Sprintf(format, args...))
}

func (o *outside) breaks(format string, args ...any) {
	o.note("BROKEN: "+format, args...)
	o.broken = append(o.broken, fmt.Sprintf(format, args...))
}

func (o *outside) setAlive(name string, alive bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.alive[name] != alive {
		o.note("%s is alive: %v", name, alive)
	}
	o.alive[name] = alive
}

// begin keeps an attempt, for its worker may die.
func (o *outside) begin(a *attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempts[a] = true
	context.AfterFunc(a.ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.attempts, a)
	})
}

// crash ends the worker and all attempts that it has under way. Another worker takes the next ones.
func (o *outside) crash() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.note("the worker dies with %d attempts", len(o.attempts))
	for a := range o.attempts {
		a.die()
	}
}

// errSilent is what an attempt gets whose words reach nobody.
var errSilent = errors.New("the attempt is over")

// pause lets time pass. It fails when the context ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func percent(d time.Duration, n int) time.Duration { return d * time.Duration(n) / 100 }

// services are what the real activities work with. They find the outside by the attempt that calls.
type services struct{ activities.Ledgers }

// twoSystems is the connector of both connections.
type twoSystems struct{ activities.Connector }

// realSteps are made once, for they keep a goroutine that no bubble may have.
var realSteps = sync.OnceValue(func() *activities.Activities {
	return activities.New(activities.Dependencies{Connectors: services{}, Ledgers: services{}, Runs: services{}, Quotas: services{}})
})

func (services) Alive(ctx context.Context, owner activities.Owner) (bool, error) {
	o := attemptOf(ctx).run.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.alive[owner.WorkflowID], nil
}

func (services) Acquire(ctx context.Context, _ string, _ []plugin.RateLimit, _ int) error {
	a := attemptOf(ctx)
	err := pause(ctx, percent(activities.MaxSlotWait, a.try.Wait))
	if a.try.Fault == diesWaiting {
		a.die()
		return errSilent
	}
	return err
}

func (services) Spent(string, int) {}

func (services) Limited(context.Context, string, time.Duration) error { return nil }

func (services) Connector(context.Context, string) (activities.Connector, error) {
	return twoSystems{}, nil
}

func (twoSystems) Settings(context.Context) (*plugin.ConfigureResponse, error) {
	return &plugin.ConfigureResponse{}, nil
}

func (twoSystems) List(ctx context.Context, _ *plugin.ListRequest) (*plugin.ListResponse, error) {
	r := attemptOf(ctx).run
	res := &plugin.ListResponse{}
	for i, f := range r.Records {
		res.Entries = append(res.Entries, plugin.Entry{ID: recordID(i), Time: r.began.Add(-time.Hour - time.Duration(f.DaysAgo)*day)})
	}
	return res, nil
}

func (twoSystems) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	a := attemptOf(ctx)
	id, existed, err := a.run.create(ctx, a, &req.Items[0])
	if a.over() {
		return nil, errSilent
	}
	return &plugin.CreateResponse{Results: []plugin.Result{{Key: req.Items[0].Key, ID: id, Existed: existed, Err: err}}}, nil
}

// create looks for an item in doubt and writes it if it is not there, as connectors do.
func (o *outside) create(ctx context.Context, a *attempt, it *plugin.Item) (id string, existed bool, _ *plugin.Error) {
	if it.InDoubt {
		if pause(ctx, lookTime) != nil {
			return "", false, uncertain(plugin.CodeUnavailable)
		}
		switch a.try.Fault {
		case blind:
			return "", false, uncertain(plugin.CodeUnavailable)
		case unsearchable:
			return "", false, uncertain(plugin.CodeInvalidRecord)
		}
		if id, ok := o.find(it); ok {
			return id, true, nil
		}
	}
	switch fault := a.try.Fault; {
	case fault == down:
		return "", false, plugin.Errorf(plugin.CodeUnavailable, "down")
	case fault == throttled:
		e := plugin.Errorf(plugin.CodeRateLimited, "too many requests")
		e.RetryAfter = a.try.RetryAfter
		return "", false, e
	case fault == denied:
		return "", false, plugin.Errorf(plugin.CodePermissionDenied, "not allowed")
	case fault == refused || o.fate(it.Key).Refused:
		return "", false, plugin.Errorf(plugin.CodeInvalidRecord, "refused")
	}
	id, err := o.write(ctx, a, it)
	return id, false, err
}

// uncertain is the error of a write whose outcome is not known.
func uncertain(code plugin.Code) *plugin.Error {
	e := plugin.Errorf(code, "who knows")
	e.Uncertain = true
	return e
}

// write sends a write. What was sent lands whatever becomes of the sender, but before the write's deadline.
func (o *outside) write(ctx context.Context, a *attempt, it *plugin.Item) (string, *plugin.Error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(forever)
	}
	left := time.Until(deadline)
	lands, answers := percent(left, a.try.Lands), percent(left, a.try.Answers)
	id := o.send(a, it, deadline)
	if !a.try.Vanishes {
		time.AfterFunc(lands, func() { o.land(it.Key, id, percent(o.Lag, a.try.Lag)) })
	}
	switch {
	case a.try.Fault == lost:
		_ = pause(ctx, answers)
		return "", uncertain(plugin.CodeUnavailable)
	case a.try.Fault == lostForGood:
		_ = pause(ctx, answers)
		return "", uncertain(plugin.CodeInvalidRecord)
	case a.try.Fault == diesWriting:
		_ = pause(ctx, answers)
		a.die()
		return "", nil
	case a.try.Fault == silent || a.try.Vanishes || pause(ctx, max(lands, answers)) != nil:
		<-ctx.Done()
		return "", uncertain(plugin.CodeUnavailable)
	}
	return id, nil
}

// find looks into the search index.
func (o *outside) find(it *plugin.Item) (id string, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, have := range o.items[it.Key] {
		if have.landed && have.target == it.Target && !time.Now().Before(have.findable) {
			o.note("%s is found in %s", it.RecordID, it.Target)
			return have.id, true
		}
	}
	o.note("%s is not found in %s", it.RecordID, it.Target)
	return "", false
}

// send notes a write that is sent and cannot be stopped.
//
// Invariant: a run writes only under a claim that it holds, where the claim says, and before its deadline.
func (o *outside) send(a *attempt, it *plugin.Item, deadline time.Time) (id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent++
	id = fmt.Sprint("note", o.sent)
	owner := a.run.owner
	o.note("%s attempt %d sends %s for %s as %s", owner.WorkflowID, a.number, it.RecordID, it.Target, id)
	if !slices.ContainsFunc(o.entries(it.Key), func(e *activities.Entry) bool {
		return e.State == activities.Claimed && *e.Owner == owner && e.Target == it.Target && !deadline.After(e.Clear.Add(-o.Lag))
	}) {
		o.breaks("%s writes %s to %s until %v without a claim to do so: %s",
			owner.WorkflowID, it.RecordID, it.Target, deadline.Sub(o.began), show(o.entries(it.Key)))
	}
	if !a.try.Vanishes {
		o.items[it.Key] = append(o.items[it.Key], item{id: id, target: it.Target, by: owner})
		o.audit()
	}
	return id
}

func (o *outside) land(key, id string, lag time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.note("%s lands", id)
	for i := range o.items[key] {
		if it := &o.items[key][i]; it.id == id {
			it.landed, it.findable = true, time.Now().Add(lag)
		}
	}
	o.audit()
}

// entries returns the ledgers' entries of a key. A record that moves from one day to another can have several.
func (o *outside) entries(key string) (found []*activities.Entry) {
	for ref, shards := range o.ledgers {
		before := len(found)
		for _, l := range shards {
			if i, ok := l.index[key]; ok {
				found = append(found, &l.state.Entries[i])
			}
		}
		if len(found) > before+1 {
			o.breaks("%s is in two shards of the ledger of %s", key, ref.Day)
		}
	}
	return found
}

// audit checks what holds at every moment.
//
// Invariant: no key is written twice; what a ledger calls delivered is in the destination, where the ledger says, and stays so;
// and what may have been written is claimed or in doubt, for where it may be.
func (o *outside) audit() {
	for n := range o.Records {
		id, key := recordID(n), recordKey(n)
		items, entries := o.items[key], o.entries(key)
		if len(items) > 1 {
			o.breaks("%s is written twice", id)
		}
		known, delivered := len(items) == 0, false
		for _, e := range entries {
			if e.State == activities.Delivered {
				delivered = true
				if len(items) == 0 || !items[0].landed || items[0].target != e.Target || items[0].id != e.ID {
					o.breaks("%s is delivered as %s to %s, and the destination has %+v", id, e.ID, e.Target, items)
				}
			}
			known = known || (e.State == activities.Delivered || e.State == activities.Claimed || e.Doubt) && e.Target == items[0].target
		}
		if !known {
			o.breaks("%s may have been written to %s, and no ledger says so: %s", id, items[0].target, show(entries))
		}
		if o.delivered[key] && !delivered {
			o.breaks("%s was delivered, and is %s", id, show(entries))
		}
		o.delivered[key] = delivered
	}
}

func show(entries []*activities.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "[%s (doubt: %v) for %s]", e.State, e.Doubt, e.Target)
	}
	return b.String()
}

func (services) Claim(ctx context.Context, ref activities.LedgerRef, req activities.ClaimRequest) (*activities.ClaimResult, error) {
	o := attemptOf(ctx).run.outside
	res := &activities.ClaimResult{Grants: make([]activities.Grant, len(req.Items))}
	index := map[string]int{}
	for i, item := range req.Items {
		index[item.Key] = i
	}
	for shard := 0; len(req.Items) > 0; shard++ {
		sent := req
		part, err := post(ctx, "claim", req.Items[0].Key, o.fate(req.Items[0].Key).Claims, func() (activities.ClaimResult, error) {
			l := o.shard(ref, shard)
			before := slices.Clone(l.state.Entries)
			part, err := l.claim(workflowClock(), sent)
			o.checkTakeovers(before, l.state.Entries)
			for _, g := range part.Grants {
				o.note("%s claims %s: %s for %q (doubt: %v)", sent.Owner.WorkflowID, g.Key, g.State, g.Target, g.Doubt)
			}
			return part, err
		})
		if err != nil {
			return nil, err
		}
		for _, g := range part.Grants {
			res.Grants[index[g.Key]] = g
		}
		req.Items = part.Rest
	}
	return res, nil
}

// checkTakeovers compares a shard's entries before and after a claim.
//
// Invariant: nobody acts on another's claim before its owner is gone and no write of it can turn up any more.
func (o *outside) checkTakeovers(before, after []activities.Entry) {
	for i, b := range before {
		e := after[i]
		if e.State != activities.Claimed || b.Owner != nil && *b.Owner == *e.Owner {
			continue
		}
		if b.Owner != nil && o.alive[b.Owner.WorkflowID] || time.Now().Before(b.Clear) {
			o.breaks("%s takes %s, which is %s, %v before it is clear", e.Owner.WorkflowID, e.Key, b.State, time.Until(b.Clear))
		}
	}
}

func (services) Settle(ctx context.Context, ref activities.LedgerRef, req activities.SettleRequest) error {
	a := attemptOf(ctx)
	o := a.run.outside
	if _, ok := a.input.(activities.SettleInput); ok { // and not what a claim found delivered elsewhere
		o.keepSettled(&req)
	}
	for shard := 0; len(req.Items) > 0; shard++ {
		sent := req
		res, err := post(ctx, "settle", req.Items[0].Key, o.fate(req.Items[0].Key).Settles, func() (activities.SettleResult, error) {
			l := o.shard(ref, shard)
			res, err := l.settle(workflowClock(), sent)
			for _, item := range sent.Items {
				o.note("%s settles %s as %s %s", sent.Owner.WorkflowID, item.Key, item.State, item.Reason)
				// Invariant: what somebody has seen delivered the ledger calls delivered, whoever holds the claim.
				if i, ok := l.index[item.Key]; ok && item.State == activities.Delivered && l.state.Entries[i].State != activities.Delivered {
					o.breaks("the ledger does not take that %s is delivered", item.Key)
				}
			}
			return res, err
		})
		if err != nil {
			return err
		}
		req.Items = res.Rest
	}
	return nil
}

func (services) Lookup(ctx context.Context, ref activities.LedgerRef, keys []string) (entries []activities.Entry, _ error) {
	o := attemptOf(ctx).run.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.ledgers[ref] {
		res, err := l.lookup(keys)
		if err != nil {
			return nil, err
		}
		entries = append(entries, res.Entries...)
	}
	return entries, nil
}

// shard returns a shard of a ledger, starting it if need be.
func (o *outside) shard(ref activities.LedgerRef, n int) *ledger {
	for len(o.ledgers[ref]) <= n {
		state := LedgerState{Capacity: cmp.Or(o.Capacity, shardCapacity)}
		o.ledgers[ref] = append(o.ledgers[ref], &ledger{state: state, index: map[string]int{}})
	}
	return o.ledgers[ref][n]
}

// post sends an update to a shard. What was sent arrives whatever becomes of the sender, and perhaps twice.
func post[T any](ctx context.Context, kind, key string, fates []delivery, deliver func() (T, error)) (T, error) {
	type answer struct {
		res T
		err error
	}
	a := attemptOf(ctx)
	o := a.run.outside
	m := next(o, kind, key, fates)
	arrive := func() (got answer) {
		o.mu.Lock()
		defer o.mu.Unlock()
		got.res, got.err = deliver()
		o.audit()
		return got
	}
	answers := make(chan answer, 1)
	go func() {
		time.Sleep(updateTime + m.Late)
		if !m.Lost {
			answers <- arrive()
		}
		if m.Again > 0 {
			time.Sleep(m.Again)
			arrive()
		}
	}()
	var got answer
	select {
	case got = <-answers:
	case <-ctx.Done():
		return got.res, errSilent
	}
	switch m.Answer {
	case answerFails:
		return got.res, errors.New("the connection broke")
	case answerMeetsDead:
		a.die()
	}
	return got.res, got.err
}

// keepSettled keeps what a run says it has delivered.
func (o *outside) keepSettled(req *activities.SettleRequest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, item := range req.Items {
		if item.State == activities.Delivered {
			if o.settled[req.Owner.WorkflowID] == nil {
				o.settled[req.Owner.WorkflowID] = map[string]bool{}
			}
			o.settled[req.Owner.WorkflowID][item.Key] = true
		}
	}
}

// ended checks what a run reports.
//
// Invariant: what a run reports as created is delivered, what it reports as not written it has not written, and what it does not
// know it reports as in doubt.
func (o *outside) ended(r *run, env *testsuite.TestWorkflowEnvironment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := env.GetWorkflowError(); err != nil {
		var app *temporal.ApplicationError
		if errors.As(err, &app) && app.Type() == string(plugin.CodePermissionDenied) || temporal.IsCanceledError(err) {
			o.note("%s ends: %v", r.owner.WorkflowID, err)
		} else {
			o.breaks("%s fails: %v", r.owner.WorkflowID, err)
		}
		return
	}
	var res SyncResult
	if err := env.GetWorkflowResult(&res); err != nil {
		o.breaks("%s has no result: %v", r.owner.WorkflowID, err)
		return
	}
	o.note("%s ends %s with %+v", r.owner.WorkflowID, res.Outcome, res.Counts)
	if n := len(o.settled[r.owner.WorkflowID]); res.Counts.Created != n {
		o.breaks("%s reports %d records as created, and has delivered %d", r.owner.WorkflowID, res.Counts.Created, n)
	}
	if c := res.Counts; c.Listed != c.Known+c.New || c.New != c.Created+len(res.Rejects) {
		o.breaks("%s reports %+v and %d records that were not created", r.owner.WorkflowID, c, len(res.Rejects))
	}
	for _, v := range res.Rejects {
		key := activities.Key(&protocolPlan.Source, v.Pending.ID)
		if v.State == activities.InDoubt {
			if !slices.ContainsFunc(o.entries(key), func(e *activities.Entry) bool { return e.Doubt || e.State == activities.Delivered }) {
				o.breaks("%s reports %s as in doubt, and the ledger says %s", r.owner.WorkflowID, v.Pending.ID, show(o.entries(key)))
			}
			continue
		}
		for _, it := range o.items[key] {
			if it.by == r.owner {
				o.breaks("%s reports %s as %s %s, and has written it", r.owner.WorkflowID, v.Pending.ID, v.State, v.Reason)
			}
		}
	}
}

// finally checks that nothing is lost: every record is delivered, but for those that the destination refuses.
func (o *outside) finally() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, r := range o.Records {
		want := activities.Delivered
		if r.Refused {
			want = activities.Rejected
		}
		entries := o.entries(recordKey(n))
		if !slices.ContainsFunc(entries, func(e *activities.Entry) bool { return e.State == want }) {
			o.breaks("%s is lost: want it %s in the end, got %s", recordID(n), want, show(entries))
		}
	}
}

// steps are the activities: the real ones where the protocol is, and simple ones elsewhere.
type steps struct {
	*activities.Activities
	run *run
}

func (s *steps) Begin(context.Context, activities.BeginInput) (*activities.BeginResult, error) {
	return &activities.BeginResult{Plan: protocolPlan}, nil
}

func (s *steps) Finish(context.Context, activities.FinishInput) error { return nil }

func (s *steps) Connect(context.Context, activities.ConnectInput) (*activities.ConnectResult, error) {
	res := &activities.ConnectResult{WriteTimeout: writeTimeout, SearchLag: s.run.Lag}
	if s.run.Limited {
		res.Limits = []activities.Limit{{Requests: 100, Per: time.Minute}}
	}
	return res, nil
}

func (s *steps) Fetch(_ context.Context, in activities.FetchInput) (*activities.FetchResult, error) {
	res := &activities.FetchResult{}
	for _, p := range in.Pending {
		res.Records = append(res.Records, activities.Record{Pending: p, Data: json.RawMessage(`{}`), External: []string{p.ID}})
	}
	return res, nil
}

// Resolve sends a record to another account in another run.
func (s *steps) Resolve(_ context.Context, in activities.ResolveInput) (*activities.ResolveResult, error) {
	res := &activities.ResolveResult{}
	for _, addresses := range in.External {
		var n int
		if _, err := fmt.Sscanf(addresses[0], "r%d", &n); err != nil {
			return nil, err
		}
		d := activities.Decision{Target: "acme"}
		if n < len(s.run.plan.Targets) {
			d.Target = s.run.plan.Targets[n]
		}
		if d.Target == "" {
			d.Reason = activities.ReasonUnresolved
		}
		res.Decisions = append(res.Decisions, d)
	}
	return res, nil
}

func (s *steps) Render(_ context.Context, in activities.RenderInput) (*activities.RenderResult, error) {
	res := &activities.RenderResult{}
	for range in.Records {
		res.Rendered = append(res.Rendered, activities.Rendered{Attributes: json.RawMessage(`{}`)})
	}
	return res, nil
}

// Timer waits.
func (s *steps) Timer(_ context.Context, d time.Duration) error {
	err := pause(s.run.lifetime, d)
	s.run.untilWorker()
	return err
}

// String shows the story of a history.
func (o *outside) String() string { return strings.Join(o.log, "\n") }
