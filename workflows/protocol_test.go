//go:build !race

package workflows

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/durasync/durasync/activities"
)

// history is what goes wrong, and when, in a world in which runs write records.
type history struct {
	Lag      time.Duration // the search lag that the destination declares
	Limited  bool          // the destination has a rate limit
	Capacity int           // of a ledger's shard
	Records  []fate
	Runs     []runPlan
	Crashes  []time.Duration // when the worker dies
}

// fate is what happens to a record: an entry for each claim, attempt to write and settlement, whichever run makes it. After the
// last one all is well.
type fate struct {
	DaysAgo int  // it took place
	Refused bool // for good
	Claims  []delivery
	Creates []try
	Settles []delivery
}

// delivery is what happens to an update of a ledger.
type delivery struct {
	Late   time.Duration // how long it is under way
	Lost   bool
	Again  time.Duration // how much later it arrives once more; zero if it does not
	Answer string
}

// What becomes of the answer to an update; it arrives unless said.
const (
	answerFails     = "fails"
	answerMeetsDead = "the sender is dead"
)

// try is what happens to an attempt to write. The zero value writes at once.
type try struct {
	Fault      string
	RetryAfter time.Duration // of throttled
	NoteLost   bool          // the attempt's note for the next one is lost
	Hasty      bool          // the next attempt begins at once after an error, as when the server dispatches it twice

	// In percent: the way of the task to the worker and the wait for a turn, of the longest; when the write lands and is answered,
	// of the time until its deadline; and when it can be found afterwards, of the search lag.
	Transit, Wait, Lands, Answers, Lag int

	// Vanishes says that the write does not land.
	Vanishes bool
}

// The faults of an attempt to write.
const (
	down          = "down"               // nothing can be sent
	throttled     = "throttled"          // too many requests
	denied        = "denied"             // a person has to do something
	refused       = "refused"            // the record, this time
	blind         = "blind"              // the look-up fails
	unsearchable  = "unsearchable"       // for good
	lost          = "the answer is lost" // and the sender told so
	lostForGood   = "the answer is lost for good"
	silent        = "no answer"      // until the write's deadline
	diesWaiting   = "dies waiting"   // for its turn
	diesWriting   = "dies writing"   // after the write was sent
	diesAnswering = "dies answering" // when all is done
)

// runPlan is a run: when it starts, where it thinks that records belong, and how it ends.
type runPlan struct {
	Start   time.Duration
	Targets []string // by record; an empty one is not resolved
	End     string   // by itself, unless said
	After   time.Duration
	Outage  outage
}

// outage is a time of the run in which no worker takes up anything of it. What is under way goes on.
type outage struct{ Begins, Lasts time.Duration }

// How a run ends before its time.
const (
	terminated = "terminated"
	cancelled  = "cancelled"
)

// simulate lets a history happen, in virtual time, and returns the world after it: when all runs of the history have ended, two
// more runs meet no faults.
//
// The code under test is the real one: the workflow, the activities Discover, Claim, Create and Settle, and the ledgers' state.
func simulate(t *testing.T, h history) (o *outside) {
	t.Helper()
	realSteps()
	workflowClock()
	synctest.Test(t, func(*testing.T) {
		o = newOutside(h)
		for _, at := range h.Crashes {
			time.AfterFunc(at, o.crash)
		}
		var runs sync.WaitGroup
		for i, p := range h.Runs {
			runs.Go(func() {
				time.Sleep(p.Start + time.Duration(i)*time.Millisecond)
				o.start(fmt.Sprint("run", i), p)
			})
		}
		runs.Wait()
		o.mu.Lock()
		o.calm = true
		o.mu.Unlock()
		o.start("calm1", runPlan{})
		time.Sleep(time.Hour)
		o.start("calm2", runPlan{})
		o.finally()
	})
	return o
}

// TestProtocolTraps has the ways to write twice that are known best.
func TestProtocolTraps(t *testing.T) {
	const lag = 30 * time.Second
	late := try{Fault: diesWriting, Transit: 99, Wait: 99, Lands: 99, Lag: 100}
	clear := claimTTL(&activities.ConnectResult{WriteTimeout: writeTimeout, SearchLag: lag}) + lag
	tests := map[string]history{
		"an attempt dies, and its write lands and is indexed as late as can be": {
			Records: []fate{{Creates: []try{late}}},
			Runs:    []runPlan{{}},
		},
		"a run dies with its write under way, and the next day the participants belong to another account": {
			Records: []fate{{Creates: []try{late}}},
			Runs: []runPlan{
				{Targets: []string{"acme"}, End: terminated, After: 20 * time.Second},
				{Targets: []string{"globex"}, Start: day},
			},
		},
		"an answer is lost at once, and the index lags": {
			Records: []fate{{Creates: []try{{Fault: lost, Lands: 99, Lag: 100}}}},
			Runs:    []runPlan{{}},
		},
		"an answer is lost at once, and the server begins the next attempt too early": {
			Records: []fate{{Creates: []try{{Fault: lost, Hasty: true, Transit: 99, Lands: 99, Lag: 100}}}},
			Runs:    []runPlan{{}},
		},
		"a run dies between create and settle": {
			Records: []fate{{Settles: []delivery{{Lost: true}}}},
			Runs:    []runPlan{{End: terminated, After: 5 * time.Second}, {Start: 10 * time.Second}},
		},
		"a settlement arrives when its run is dead and another one holds the claim, which cannot look": {
			Records: []fate{{Creates: []try{{}, {Fault: blind}}, Settles: []delivery{{Late: clear + 10*time.Second}}}},
			Runs:    []runPlan{{End: terminated, After: 5 * time.Second}, {Start: 10 * time.Second}},
		},
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			h.Lag = lag
			o := simulate(t, h)
			if len(o.broken) > 0 || o.sent != 1 {
				t.Errorf("the record is written %d times, want 1; broken: %q\n%v", o.sent, o.broken, o)
			}
		})
	}
}

// TestProtocol draws histories of crashes, of lost, late and repeated updates, and of several runs over the same records, and
// checks that claims, look-ups and ledgers together write each record exactly once.
func TestProtocol(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		if o := simulate(t, h); len(o.broken) > 0 {
			rt.Log(o)
			rt.Fatal("the protocol breaks an invariant") // in the same words for each, for rapid shrinks only what fails alike
		}
	})
}

func drawHistory(t *rapid.T) history {
	records := rapid.IntRange(1, 3).Draw(t, "records")
	return history{
		Lag:      time.Duration(rapid.IntRange(0, 60).Draw(t, "lag")) * time.Second,
		Limited:  rapid.Bool().Draw(t, "limited"),
		Capacity: rapid.IntRange(1, 3).Draw(t, "capacity"),
		Records:  rapid.SliceOfN(rapid.Custom(drawFate), records, records).Draw(t, "fates"),
		Runs:     rapid.SliceOfN(rapid.Custom(func(t *rapid.T) runPlan { return drawRun(t, records) }), 1, 3).Draw(t, "runs"),
		Crashes:  rapid.SliceOfN(seconds(900), 0, 2).Draw(t, "crashes"),
	}
}

func drawFate(t *rapid.T) fate {
	return fate{
		DaysAgo: rapid.IntRange(0, 1).Draw(t, "days ago"),
		Refused: rapid.IntRange(0, 9).Draw(t, "refused") == 9,
		Claims:  rapid.SliceOfN(rapid.Custom(drawDelivery), 0, 4).Draw(t, "claims"),
		Creates: rapid.SliceOfN(rapid.Custom(drawTry), 0, 6).Draw(t, "creates"),
		Settles: rapid.SliceOfN(rapid.Custom(drawDelivery), 0, 4).Draw(t, "settles"),
	}
}

func drawDelivery(t *rapid.T) delivery {
	const sec = time.Second
	return delivery{
		Late:   rapid.SampledFrom([]time.Duration{0, 0, sec, 10 * sec, 16 * sec, 6 * time.Minute}).Draw(t, "late"),
		Lost:   rapid.IntRange(0, 4).Draw(t, "lost") == 4,
		Again:  rapid.SampledFrom([]time.Duration{0, 0, sec, time.Minute, 10 * time.Minute}).Draw(t, "again"),
		Answer: rapid.SampledFrom([]string{"", "", answerFails, answerMeetsDead}).Draw(t, "answer"),
	}
}

func drawTry(t *rapid.T) try {
	percents := rapid.SampledFrom([]int{0, 10, 50, 99})
	return try{
		Fault: rapid.SampledFrom([]string{
			"", lost, lostForGood, diesWriting, silent, diesAnswering, blind, down, throttled, diesWaiting, unsearchable, denied, refused,
		}).Draw(t, "fault"),
		RetryAfter: seconds(int(activities.Patience.Seconds())).Draw(t, "retry after"),
		NoteLost:   rapid.Bool().Draw(t, "note lost"),
		Hasty:      rapid.IntRange(0, 4).Draw(t, "hasty") == 4,
		Transit:    percents.Draw(t, "transit"),
		Wait:       percents.Draw(t, "wait"),
		Lands:      percents.Draw(t, "lands"),
		Answers:    percents.Draw(t, "answers"),
		Lag:        rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "lag"),
		Vanishes:   rapid.IntRange(0, 4).Draw(t, "vanishes") == 4,
	}
}

func drawRun(t *rapid.T, records int) runPlan {
	return runPlan{
		Start:   seconds(900).Draw(t, "start"),
		Targets: rapid.SliceOfN(rapid.SampledFrom([]string{"acme", "globex", ""}), records, records).Draw(t, "targets"),
		End:     rapid.SampledFrom([]string{"", terminated, cancelled}).Draw(t, "end"),
		After:   seconds(600).Draw(t, "after"),
		Outage:  outage{Begins: seconds(60).Draw(t, "outage begins"), Lasts: seconds(900).Draw(t, "outage lasts")},
	}
}

func seconds(most int) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(0, most), func(n int) time.Duration { return time.Duration(n) * time.Second })
}
