package e2e

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
)

// deed is something that happens while the runs go on.
type deed string

const (
	killWorker    deed = "workers killed"
	killConnector deed = "connectors killed"
	killServer    deed = "servers killed"
	stopServer    deed = "servers stopped"
	terminateRun  deed = "runs terminated"
	cancelRuns    deed = "cancellations"
	pauseJob      deed = "pauses"
	resumeJob     deed = "resumptions"
	applyJobs     deed = "changed plans"
	syncByHand    deed = "syncs by hand"
	backfillJob   deed = "backfills"
	edit          deed = "edits by people"
	appear        deed = "meetings that appear late"
	becomeReady   deed = "texts that come late"
	hide          deed = "meetings hidden in time"
)

// step is a deed that is done once a number of touchpoints has been asked for. The pick chooses among the victims that there are then,
// but for those that are about a meeting: it is the meeting's number.
type step struct {
	after int
	deed  deed
	pick  int
}

// amounts says how often a deed is done among 5,000 meetings, and at least.
var amounts = []struct {
	deed          deed
	usual, lowest int
}{
	{killWorker, 24, 1},
	{killConnector, 40, 3},
	{killServer, 4, 1},
	{stopServer, 3, 0},
	{terminateRun, 2, 0},
	{cancelRuns, 5, 1},
	{pauseJob, 4, 1},
	{applyJobs, 8, 1},
	{syncByHand, 12, 1},
	{backfillJob, 4, 1},
	{edit, 30, 3},
}

// drawSteps draws what is done, and when, in the order of its times. All of it is done before what can be delivered from the
// beginning is.
func drawSteps(rng *rand.Rand, c *sandbox.Company) []step {
	deliverable := 0
	for _, e := range c.Truth(c.Now, time.Time{}, c.Now, grace) {
		if e.Outcome == sandbox.Delivered {
			deliverable++
		}
	}
	when := func(from int) int { return from + rng.IntN(max(1, deliverable*9/10-from)) }
	var steps []step
	add := func(after int, d deed, pick int) { steps = append(steps, step{after, d, pick}) }
	for _, a := range amounts {
		for range max(a.lowest, a.usual*len(c.Meetings)/5000) {
			after, pick := when(1), int(rng.Int32())
			add(after, a.deed, pick)
			if a.deed == pauseJob {
				add(when(after), resumeJob, pick)
			}
		}
	}
	for i := range c.Meetings {
		m := &c.Meetings[i]
		unseen, unready := m.VisibleAt.After(c.Now), m.TextAt.After(c.Now)
		switch fate := rng.IntN(16); {
		case !unseen && !unready, fate < 4: // some stay as they are
		case fate < 7: // nobody can have delivered it yet
			hidden := when(1)
			add(hidden, hide, i)
			add(when(hidden), appear, i)
		default:
			seen := 0
			if unseen {
				seen = when(1)
				add(seen, appear, i)
			}
			if unready {
				add(when(seen), becomeReady, i)
			}
		}
	}
	slices.SortStableFunc(steps, func(x, y step) int { return cmp.Compare(x.after, y.after) })
	return steps
}

// never is a time that does not come while a test runs.
const never = 30 * 24 * time.Hour

// drawCompany makes a company most of whose meetings were on one day, so many that a ledger's shard does not hold them if there are 5,000.
// Those that were to be seen, or to have their texts, later than now wait for a deed.
func drawCompany(seed uint64, rng *rand.Rand, meetings int) *sandbox.Company {
	c := *sandbox.Generate(seed, time.Now(), sandbox.Size{Meetings: meetings})
	c.Meetings = slices.Clone(c.Meetings)
	busy := c.Now.UTC().AddDate(0, 0, -8).Truncate(24 * time.Hour)
	for i := range c.Meetings {
		m := &c.Meetings[i]
		if m.Started.Before(c.Now.Add(-36*time.Hour)) && rng.IntN(100) < 96 {
			move(m, busy.Sub(m.Started.UTC().Truncate(24*time.Hour)))
		}
		for _, t := range []*time.Time{&m.VisibleAt, &m.TextAt} {
			if t.After(c.Now) {
				*t = c.Now.Add(never)
			}
		}
	}
	return &c
}

// move moves a meeting to another day.
func move(m *sandbox.Meeting, by time.Duration) {
	for _, t := range []*time.Time{&m.Started, &m.Scheduled, &m.TextAt} {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
	m.VisibleAt = m.VisibleAt.Add(by)
}

// gongFaults hit one request in ten, those without an answer only a long test: the client gives them half a minute.
func gongFaults(long bool) []gongtest.Chance {
	chances := []gongtest.Chance{
		{Probability: 0.01, Fault: gongtest.TooManyRequests("1")},
		{Probability: 0.01, Fault: gongtest.TooManyRequests("")},
		{Probability: 0.015, Fault: gongtest.ServerError(500)},
		{Probability: 0.015, Fault: gongtest.ServerError(502)},
		{Probability: 0.02, Fault: gongtest.Reset()},
		{Probability: 0.015, Fault: gongtest.Slow(300 * time.Millisecond)},
		{Probability: 0.015, Fault: gongtest.Truncate()},
	}
	if long {
		chances = append(chances, gongtest.Chance{Probability: 0.002, Fault: gongtest.Hang()})
	}
	return chances
}

// totangoFaults hit one request in ten, by name.
var totangoFaults = []struct {
	name        string
	probability float64
	fault       totangotest.Fault
}{
	{"429", 0.01, totangotest.Fault{Kind: totangotest.RateLimited}},
	{"429 with Retry-After", 0.01, totangotest.Fault{Kind: totangotest.RateLimited, RetryAfter: 2 * time.Second}},
	{"500", 0.01, totangotest.Fault{Kind: totangotest.ServerError}},
	{"502", 0.01, totangotest.Fault{Kind: totangotest.BadGateway}},
	{"reset before", 0.01, totangotest.Fault{Kind: totangotest.ResetBefore}},
	{"slow", 0.015, totangotest.Fault{Kind: totangotest.Slow, Delay: 300 * time.Millisecond}},
	{"reset after", 0.01, totangotest.Fault{Kind: totangotest.ResetAfter}},
	{"502 after", 0.01, totangotest.Fault{Kind: totangotest.BadGatewayAfter}},
	{"garbled after", 0.01, totangotest.Fault{Kind: totangotest.GarbledAfter}},
	{"no answer after", 0.005, totangotest.Fault{Kind: totangotest.HangAfter, Endpoint: totangotest.CreateTouchpoint}},
}
