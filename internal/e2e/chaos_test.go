package e2e

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
)

var (
	chaosMeetings = flag.Int("chaos.meetings", 300, "how many meetings TestChaos syncs; 5,000 are more than one shard of a ledger holds")
	chaosSeed     = flag.Uint64("chaos.seed", 0, "the seed of TestChaos; 0 runs those that are kept")
)

// keptSeeds are those that have found a bug; they run with every test.
var keptSeeds = []uint64{2}

// grace is how long the jobs wait for a text: the default.
const grace = 24 * time.Hour

// TestChaos syncs a company's meetings by two jobs, scheduled, by hand and as backfills, while workers, connectors and the Temporal
// server are killed and one call in ten to Gong and Totango fails in some way. When that has ended and a few runs could work in
// peace, Totango has to hold exactly what it should. What the runs say of themselves is not asked.
//
// The seed decides what happens: which fault the n-th call of an endpoint meets, and what is done, and to whom, after the n-th
// touchpoint. The rest is up to the machine.
func TestChaos(t *testing.T) {
	t.Parallel()
	seeds := keptSeeds
	if *chaosSeed != 0 {
		seeds = []uint64{*chaosSeed}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("again: make chaos MEETINGS=%d SEED=%d", *chaosMeetings, seed)
				}
			})
			x := newChaos(t, seed, *chaosMeetings)
			x.disturb()
			x.rest()
			x.judge()
			x.report()
		})
	}
}

// chaosJobs are two jobs over the same meetings, with what a changed plan changes: a description, and the time that a write may take,
// for which the connector is started anew.
func chaosJobs(revision int) string {
	_, body, _ := strings.Cut(jobFiles, `job "meetings"`)
	return strings.NewReplacer(
		`job "meetings" {`, fmt.Sprintf("job \"meetings\" {\n  description = \"Revision %d\"\n  schedule {\n    every = \"1m\"\n  }", revision),
		`write_timeout       = "2s"`, fmt.Sprintf(`write_timeout = "%dms"`, 2000+revision%2*500),
		"requests_per_second = 0", "requests_per_second = 500",
		`initial    = "30d"`, `initial = "30d"
    overlap = "30d"`, // for meetings of the busy day that appear late
	).Replace(jobFiles + `job "meetings_again"` + body)
}

var jobNames = []string{"meetings", "meetings_again"}

// chaos is a system in trouble.
type chaos struct {
	*system
	t        *testing.T
	seed     uint64
	company  *sandbox.Company
	steps    []step
	began    time.Time
	trouble  time.Duration // how long it lasted
	temporal client.Client

	server   *process
	ports    []string // the server's flags
	workers  []*process
	revision int
	commands []*process // that were not waited for

	done     map[deed]int
	refused  int // commands that failed
	edited   map[int64]totangotest.Touchpoint
	faults   []atomic.Int64 // of Totango, as totangoFaults
	findings map[sandbox.Fault]int
}

// touched is the finding that somebody's edit was changed.
const touched sandbox.Fault = "edit_lost"

func newChaos(t *testing.T, seed uint64, meetings int) *chaos {
	rng := rand.New(rand.NewPCG(seed, 0))
	x := &chaos{
		t: t, seed: seed, company: drawCompany(seed, rng, meetings), began: time.Now(), done: map[deed]int{},
		edited: map[int64]totangotest.Touchpoint{}, faults: make([]atomic.Int64, len(totangoFaults)), findings: map[sandbox.Fault]int{},
	}
	x.steps = drawSteps(rng, x.company)
	trouble := &totangotest.Chaos{Seed: seed}
	for i, f := range totangoFaults {
		f.fault.Strike = func() { x.faults[i].Add(1) }
		trouble.Rates = append(trouble.Rates, totangotest.Rate{Fault: f.fault, Probability: f.probability})
	}
	gong := &gongtest.Server{}
	gong.Chaos(seed, gongFaults(meetings >= 1000)...)
	x.system = newSimulators(t, gong, totangotest.New(totangotest.Options{
		Tokens: []string{token}, RequestsPerMinute: -1, SearchLag: 500 * time.Millisecond, Chaos: trouble,
	}))
	sandbox.Load(x.company, x.gong, x.totango)

	db := filepath.Join(t.TempDir(), "temporal.db")
	x.server = x.serveTemporal("--db", db, "--port", "0", "--ui-port", "0")
	_, port, err := net.SplitHostPort(x.address)
	if err != nil {
		t.Fatal(err)
	}
	ui, err := url.Parse(x.ui)
	if err != nil {
		t.Fatal(err)
	}
	x.ports = []string{"--db", db, "--port", port, "--ui-port", ui.Port()}
	x.env = append(x.env, "TEMPORAL_ADDRESS="+x.address)
	x.temporal = x.system.temporal()

	x.write("jobs.hcl", chaosJobs(0))
	for range 3 {
		x.workers = append(x.workers, x.worker())
	}
	x.ok("apply", x.dir)
	return x
}

// disturb does the steps while the schedules start runs again and again.
func (x *chaos) disturb() {
	ctx, cancel := context.WithCancel(x.t.Context())
	var triggers sync.WaitGroup
	defer triggers.Wait()
	defer cancel()
	for _, job := range jobNames {
		triggers.Go(func() { x.trigger(ctx, job) })
	}
	for _, st := range x.steps {
		x.until(fmt.Sprintf("%d touchpoints are asked for", st.after), func() bool { return x.totango.Requests(totangotest.CreateTouchpoint) >= st.after })
		if x.do(st) {
			x.done[st.deed]++
		}
	}
}

// trigger makes a job's schedule start a run every few seconds, unless one waits already.
func (x *chaos) trigger(ctx context.Context, job string) {
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for {
		// It fails while there is no server.
		_ = x.temporal.ScheduleClient().GetHandle(ctx, job).Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// do does a step and reports whether there was something to do it to.
func (x *chaos) do(st step) bool {
	job := jobNames[st.pick%len(jobNames)]
	switch st.deed {
	case killWorker:
		i := st.pick % len(x.workers)
		x.workers[i].kill()
		x.workers[i] = x.worker()
	case killConnector:
		pids := children(x.t, x.workers[st.pick%len(x.workers)].cmd.Process.Pid)
		return len(pids) > 0 && syscall.Kill(pids[st.pick%len(pids)], syscall.SIGKILL) == nil
	case killServer:
		x.server.kill()
		x.server = x.serveTemporal(x.ports...)
	case stopServer:
		x.server.interrupt()
		x.server = x.serveTemporal(x.ports...)
	case terminateRun:
		return x.terminate(st.pick)
	case cancelRuns:
		x.commands = append(x.commands, start(x.t, x.env, "cancel", job)) // waits for the runs' ends
	case pauseJob:
		x.command("pause", job)
	case resumeJob:
		x.command("resume", job)
	case applyJobs:
		x.revision++
		x.write("jobs.hcl", chaosJobs(x.revision))
		x.command("apply", x.dir)
	case syncByHand:
		x.command("sync", job, "--detach")
	case backfillJob:
		from := x.company.Now.AddDate(0, 0, -14-st.pick%7)
		x.command("backfill", job, "--from", from.Format(time.DateOnly), "--detach")
	case edit:
		return x.edit(st.pick)
	case appear, becomeReady, hide:
		x.change(st)
	}
	return true
}

// command runs a command that may come at a bad moment.
func (x *chaos) command(args ...string) {
	if r := x.run(args...); r.code != 0 {
		x.refused++
		x.t.Logf("durasync %s: exit code %d: %s", strings.Join(args, " "), r.code, r.stderr)
	}
}

// change changes a meeting that no run can have delivered, in Gong and in the company.
func (x *chaos) change(st step) {
	m := &x.company.Meetings[st.pick]
	now := time.Now()
	switch st.deed {
	case hide:
		m.Private = true
	case appear:
		m.VisibleAt = now
		if m.TextAt.After(now) && m.Started.Add(grace).Before(now) { // it is too old to wait for a text
			m.TextAt = now
		}
	case becomeReady:
		m.TextAt = now
	}
	x.gong.Update(m.ID, func(c *gongtest.Call) { c.Private, c.VisibleAt, c.ContentAt = m.Private, m.VisibleAt, m.TextAt })
}

// edit lets a person change a touchpoint.
func (x *chaos) edit(pick int) bool {
	all := x.totango.Touchpoints()
	if len(all) == 0 {
		return false
	}
	note := all[pick%len(all)].NoteID
	if err := x.totango.Edit(note, "hana@vendor.example", func(t *totangotest.Touchpoint) {
		t.Subject, t.Content = "Edited by hand", "Corrected by Hana.\n"+t.Content
		x.edited[note] = *t
	}); err != nil {
		x.t.Error(err)
	}
	return true
}

// terminate ends a run for good.
func (x *chaos) terminate(pick int) bool {
	open := x.list(openRuns)
	if len(open) == 0 {
		return false
	}
	// It may have ended by now.
	return x.temporal.TerminateWorkflow(x.t.Context(), open[pick%len(open)].GetExecution().GetWorkflowId(), "", "chaos") == nil
}

// openRuns is the query for the runs that go on.
const openRuns = "WorkflowType = 'Sync' AND ExecutionStatus = 'Running'"

// awaitRuns waits until no run goes on.
func (x *chaos) awaitRuns() {
	x.t.Helper()
	x.until("all runs have ended", func() bool { return len(x.list(openRuns)) == 0 })
}

// list returns all executions that a query finds.
func (x *chaos) list(query string) []*workflowpb.WorkflowExecutionInfo {
	x.t.Helper()
	var all []*workflowpb.WorkflowExecutionInfo
	req := &workflowservice.ListWorkflowExecutionsRequest{Query: query}
	for {
		res, err := x.temporal.ListWorkflow(x.t.Context(), req)
		if err != nil {
			x.t.Fatal(err)
		}
		all = append(all, res.GetExecutions()...)
		if req.NextPageToken = res.GetNextPageToken(); len(req.NextPageToken) == 0 {
			return all
		}
	}
}

// rest ends the trouble and runs the jobs until they find nothing more to do.
func (x *chaos) rest() {
	x.trouble = time.Since(x.began)
	x.gong.ClearFaults()
	x.totango.ClearFaults()
	for _, p := range append([]*process{x.server}, x.workers...) {
		select {
		case <-p.ended:
			x.t.Errorf("%s ended by itself:\n%s", p.cmd, &p.stderr)
		default:
		}
	}
	for _, job := range jobNames {
		x.ok("pause", job)
	}
	for _, p := range x.commands {
		p.wait()
	}
	x.awaitRuns()
	const rounds = 8
	for range rounds {
		busy := false
		for _, job := range jobNames {
			c := x.summary(x.run("sync", job, "--json").stdout).Counts
			open := decode[struct{ Records []shownRecord }](x.t, x.ok("rejects", job, "--json"))
			doubtful := slices.ContainsFunc(open.Records, func(r shownRecord) bool {
				return r.State == activities.InDoubt || r.Reason == activities.ReasonHeld
			})
			if doubtful {
				x.run("retry", job)
			}
			busy = busy || doubtful || c.Created+c.Failed > 0
		}
		if !busy {
			x.awaitRuns() // the list follows what happens at a distance
			return
		}
	}
	x.t.Errorf("after %d rounds the runs still find something to do", rounds)
}

// judge compares what is in Totango with what should be, now and at the time at which it was written.
func (x *chaos) judge() {
	x.t.Helper()
	found := func(f sandbox.Fault, what any) {
		x.findings[f]++
		x.t.Error(what)
	}
	now := time.Now()
	touchpoints := x.totango.Touchpoints()
	for _, d := range sandbox.Diff(x.company.Truth(now, time.Time{}, now, grace), touchpoints) {
		found(d.Fault, d)
	}
	meetings := map[string]sandbox.Meeting{}
	for _, m := range x.company.Meetings {
		meetings[m.ID] = m
	}
	for _, tp := range touchpoints {
		one := sandbox.Company{Meetings: []sandbox.Meeting{meetings[callOf(&tp)]}}
		if e := one.Truth(tp.Created, time.Time{}, now, grace)[0]; e.Reason == sandbox.NotReady || e.Reason == sandbox.NotVisible {
			found(sandbox.TooEarly, fmt.Sprintf("call %s has a touchpoint of %v, when it was %s", e.CallID, tp.Created, e.Reason))
		}
		if want, ok := x.edited[tp.NoteID]; ok {
			delete(x.edited, tp.NoteID)
			want.Edited, want.EditedBy = tp.Edited, "hana@vendor.example"
			if diff := cmp.Diff(want, tp); diff != "" {
				found(touched, "a person's edit was changed (-want +got):\n"+diff)
			}
		}
	}
	for note := range x.edited {
		found(touched, fmt.Sprintf("touchpoint %d, which a person edited, is gone", note))
	}
	x.checkShards()
}

// checkShards checks that the ledger of a day goes on in another shard when one is full.
func (x *chaos) checkShards() {
	const capacity = 4000
	noted := map[string]int{}
	for _, m := range x.company.Meetings {
		if !m.Private && !m.VisibleAt.After(time.Now()) {
			noted[activities.Day(m.Started)]++
		}
	}
	ledgers := x.ledgers()
	for day, n := range noted {
		if want := 1 + (n-1)/capacity; ledgers[day] != want {
			x.t.Errorf("the ledger of %s has %d shards for %d records, want %d", day, ledgers[day], n, want)
		}
	}
}

// ledgers returns how many shards the ledger of each day has.
func (x *chaos) ledgers() map[string]int {
	shards := map[string]int{}
	for _, e := range x.list("WorkflowType = 'Ledger' AND ExecutionStatus = 'Running'") {
		parts := strings.Split(e.GetExecution().GetWorkflowId(), "/") // ledger, connection, object, day and perhaps the number
		shards[parts[3]]++
	}
	return shards
}

// report prints what has happened.
func (x *chaos) report() {
	took := time.Since(x.began)
	w := tabwriter.NewWriter(x.t.Output(), 0, 0, 2, ' ', 0)
	row := func(name string, values ...any) {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprint(values...))
	}
	row("seed", x.seed)
	row("meetings", len(x.company.Meetings))
	for _, d := range slices.Sorted(maps.Keys(x.done)) {
		row(string(d), x.done[d])
	}
	row("commands refused", x.refused)
	for _, f := range slices.Sorted(maps.Keys(x.gong.Faults())) {
		row("fault of Gong: "+f, x.gong.Faults()[f])
	}
	for i, f := range totangoFaults {
		row("fault of Totango: "+f.name, x.faults[i].Load())
	}
	row("requests to Gong", x.gong.Count(""))
	row("requests to Totango", x.totango.TotalRequests(), ", ", x.totango.Requests(totangotest.CreateTouchpoint), " to create")
	x.reportRuns(row)
	shards := 0
	for _, n := range x.ledgers() {
		shards += n
	}
	row("ledgers", len(x.ledgers()), " of ", shards, " shards")
	row("time", took.Round(time.Second), ", ", x.trouble.Round(time.Second), " of it in trouble")
	row("touchpoints", len(x.totango.Touchpoints()))
	known := []sandbox.Fault{sandbox.Lost, sandbox.Duplicated, sandbox.TooEarly, sandbox.PrivateLeak, touched}
	others := 0
	for f, n := range x.findings {
		if !slices.Contains(known, f) {
			others += n
		}
	}
	row("lost", x.findings[sandbox.Lost])
	row("duplicated", x.findings[sandbox.Duplicated])
	row("too early", x.findings[sandbox.TooEarly])
	row("private", x.findings[sandbox.PrivateLeak])
	row("edits lost", x.findings[touched])
	row("wrong otherwise", others)
	_ = w.Flush()
}

// reportRuns counts runs, those that went on as a new execution, and attempts beyond the first.
func (x *chaos) reportRuns(row func(name string, values ...any)) {
	outcomes, again := map[string]int{}, map[string]int{}
	retries := 0
	for _, e := range x.list("WorkflowType IN ('Sync','Job','Ledger','Quota')") {
		name := e.GetType().GetName()
		if e.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW {
			again[name]++
		} else if name == "Sync" {
			outcomes[strings.ToLower(e.GetStatus().String())]++
		}
		if name == "Sync" {
			h := history(x.t, x.temporal, execution{name, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()})
			for _, event := range h.GetEvents() {
				if a := event.GetActivityTaskStartedEventAttributes(); a != nil {
					retries += int(a.GetAttempt()) - 1
				}
			}
		}
	}
	for _, o := range slices.Sorted(maps.Keys(outcomes)) {
		row("runs "+o, outcomes[o])
	}
	for _, name := range slices.Sorted(maps.Keys(again)) {
		row("continued as new: "+name, again[name])
	}
	row("retries of activities", retries)
}
