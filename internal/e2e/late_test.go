package e2e

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/sandbox"
)

// clock is the time of a simulated Gong, which a test moves on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// readyWithClock is ready with a Gong that goes by a clock of its own. Runs go by the real one.
func readyWithClock(t *testing.T, opts gongtest.Options) (*system, *clock) {
	t.Helper()
	c := &clock{}
	opts.Clock = c.now
	s := newSystemWith(t, gongtest.New(opts), totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1}))
	s.worker()
	s.ok("apply", s.dir)
	return s, c
}

const extensive = "POST /v2/calls/extensive"

// Hours later, a company's calls that Gong had not shown yet, and those whose text was to come, are there as well.
func TestLateCallsOfACompanyAreDelivered(t *testing.T) {
	t.Parallel()
	s, clock := readyWithClock(t, gongtest.Options{})
	s.write("jobs.hcl", strings.Replace(jobFiles, `initial    = "30d"`, "initial = \"30d\"\n overlap = \"30d\"", 1))
	s.ok("apply", s.dir)
	c := s.company(sandbox.Size{Meetings: 120})
	first := s.sync("meetings")
	s.checkTruth(c, first)
	before := len(s.totango.Touchpoints())

	const later = 5 * time.Hour
	clock.forward(later)
	second := s.sync("meetings")
	want := c.Truth(second.To.Add(later), first.From, second.To, 24*time.Hour)
	for _, d := range sandbox.Diff(want, s.totango.Touchpoints()) {
		t.Error(d)
	}
	if n := len(s.totango.Touchpoints()); n < before+3 {
		t.Errorf("only %d of %d touchpoints came later: the company has too few late calls", n-before, n)
	}
}

// lateCall is a call with something about it that is not there from the beginning.
type lateCall struct {
	call func(*gongtest.Call)

	// want is the record's state after each of three runs, two hours of Gong's time apart; empty if no run has heard of it.
	want [3]activities.State

	// date is the touchpoint's; zero if it is the call's start as it is in the beginning.
	date time.Time

	// text is what the touchpoint's content holds.
	text []string
}

func TestCallsThatComeLateOrChange(t *testing.T) {
	t.Parallel()
	const (
		unheard   = activities.State("")
		delivered = activities.Delivered
		deferred  = activities.Deferred
		rejected  = activities.Rejected
	)
	nepal := time.FixedZone("", (5*60+45)*60)
	s, clock := readyWithClock(t, gongtest.Options{Location: nepal})
	now := time.Now().UTC().Truncate(time.Millisecond)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	in := now.Add
	const day = 24 * time.Hour
	never := in(1000 * day)

	const nothing = "Meeting brief:\nnot set\n\nKey points:\nnot set\n\nAgenda items:\nnot set\n\nTopics discussed:\nnot set\n\nAction items:\nnot set"
	nextSteps := []gongtest.Highlight{{Title: "Next steps", Items: []string{"Send the offer."}}}
	midnight := ago(2 * day).In(nepal).Truncate(time.Hour)
	midnight = midnight.Add(-time.Duration(midnight.Hour())*time.Hour + 250*time.Microsecond)

	calls := map[string]lateCall{
		"seen minutes after its start": {
			call: func(c *gongtest.Call) { c.Started, c.VisibleAt = ago(10*time.Minute), in(time.Hour) },
			want: [3]activities.State{unheard, delivered, delivered},
		},
		"seen days after its start, far behind the watermark": {
			call: func(c *gongtest.Call) { c.Started, c.VisibleAt = ago(6*day), in(time.Hour) },
			want: [3]activities.State{unheard, delivered, delivered},
		},
		"seen after one that started later": {
			call: func(c *gongtest.Call) { c.Started, c.VisibleAt = ago(5*time.Hour), in(3*time.Hour) },
			want: [3]activities.State{unheard, unheard, delivered},
		},
		"seen when its start is behind the overlap": {
			call: func(c *gongtest.Call) { c.Started, c.VisibleAt = ago(8*day), in(time.Hour) },
			want: [3]activities.State{unheard, unheard, unheard},
		},
		"its text comes later": {
			call: func(c *gongtest.Call) { c.ContentAt, c.Highlights = in(time.Hour), nextSteps },
			want: [3]activities.State{deferred, delivered, delivered},
			text: []string{"Meeting brief:\nThey talked.", "Key points:\n- All is well.", "Action items:\n- Send the offer."},
		},
		"its key points and highlights come after its brief": {
			call: func(c *gongtest.Call) {
				c.KeyPoints = nil
				c.Edits = []gongtest.Edit{{At: in(time.Hour), Apply: func(c *gongtest.Call) { c.KeyPoints, c.Highlights = []string{"All is well."}, nextSteps }}}
			},
			want: [3]activities.State{delivered, delivered, delivered},
			text: []string{"Meeting brief:\nThey talked.\n\nKey points:\nnot set", "Action items:\nnot set"},
		},
		"its text never comes, and it was waited for": {
			call: func(c *gongtest.Call) { c.Started, c.ContentAt = ago(25*time.Hour), never },
			want: [3]activities.State{delivered, delivered, delivered},
			text: []string{nothing},
		},
		"its text never comes, and the wait ends": { // grace becomes nine hours before the third run
			call: func(c *gongtest.Call) { c.Started, c.ContentAt = ago(10*time.Hour), never },
			want: [3]activities.State{deferred, deferred, delivered},
			text: []string{nothing},
		},
		"made private while its text is waited for": {
			call: func(c *gongtest.Call) { c.ContentAt, c.PrivateAt = in(time.Hour), in(time.Hour) },
			want: [3]activities.State{deferred, deferred, deferred},
		},
		"deleted while its text is waited for": {
			call: func(c *gongtest.Call) { c.ContentAt, c.DeletedAt = in(time.Hour), in(time.Hour) },
			want: [3]activities.State{deferred, deferred, deferred},
		},
		"moved to another day after it was delivered": {
			call: func(c *gongtest.Call) {
				c.Started = ago(time.Hour)
				c.Edits = []gongtest.Edit{{At: in(time.Hour), Apply: func(c *gongtest.Call) { c.Started = ago(3 * day) }}}
			},
			want: [3]activities.State{delivered, delivered, delivered},
			date: ago(time.Hour),
		},
		"moved to another day while its text is waited for": {
			call: func(c *gongtest.Call) {
				c.Started, c.ContentAt = ago(time.Hour), in(time.Hour)
				c.Edits = []gongtest.Edit{{At: in(time.Hour), Apply: func(c *gongtest.Call) { c.Started = ago(3 * day) }}}
			},
			want: [3]activities.State{deferred, delivered, delivered},
			date: ago(3 * day),
		},
		"started a fraction after midnight of another zone": {
			call: func(c *gongtest.Call) { c.Started = midnight },
			want: [3]activities.State{delivered, delivered, delivered},
			date: midnight.Truncate(time.Millisecond),
		},
		"made private between list and read, and public at last": {
			want: [3]activities.State{rejected, rejected, delivered},
		},
		"deleted between list and read": {
			want: [3]activities.State{rejected, rejected, rejected},
		},
		"always private": {
			call: func(c *gongtest.Call) { c.Private = true },
			want: [3]activities.State{unheard, unheard, unheard},
		},
	}
	ids := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		one := calls[name]
		ids[name] = s.meeting("acme", func(c *gongtest.Call) {
			c.Title, c.Started = name, ago(2*time.Hour)
			if one.call != nil {
				one.call(c)
			}
			if one.date.IsZero() {
				one.date = c.Started
			}
		})
		calls[name] = one
	}
	hidden, gone := ids["made private between list and read, and public at last"], ids["deleted between list and read"]

	// check compares the store with what is wanted after a run, and with it what is said to be missing.
	check := func(run int) {
		t.Helper()
		var there []string
		want := map[string]activities.State{}
		for name, one := range calls {
			switch state := one.want[run]; state {
			case unheard:
			case delivered:
				there = append(there, ids[name])
			default:
				want[ids[name]] = state
			}
		}
		s.once(there...)
		got := map[string]activities.State{}
		for _, r := range s.rejects() {
			got[r.ID] = r.State
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("listed as not written after run %d (-want +got):\n%s", run+1, diff)
		}
	}
	s.gong.Inject(gongtest.Meanwhile(func() {
		s.gong.Update(hidden, func(c *gongtest.Call) { c.Private = true })
		s.gong.Delete(gone)
	}).On(extensive).After(1))
	s.sync("meetings")
	check(0)

	clock.forward(2 * time.Hour)
	s.sync("meetings")
	check(1)

	s.gong.Update(hidden, func(c *gongtest.Call) { c.Private = false })
	s.write("jobs.hcl", strings.Replace(jobFiles, `initial    = "30d"`, "initial = \"30d\"\n grace = \"9h\"", 1))
	s.ok("apply", s.dir)
	clock.forward(2 * time.Hour)
	s.sync("meetings")
	check(2)

	const late = "seen when its start is behind the overlap"
	s.ok("backfill", "meetings", "--from", ago(9*day).Format(time.DateOnly), "--to", ago(7*day).Format(time.DateOnly))
	if n := s.touchpoints()[ids[late]]; n != 1 {
		t.Errorf("there are %d touchpoints of the call that a backfill was for", n)
	}
	for _, tp := range s.totango.Touchpoints() {
		one := calls[tp.Subject]
		if !tp.Date.Equal(one.date) {
			t.Errorf("%s: the touchpoint's date is %v, want %v", tp.Subject, tp.Date, one.date)
		}
		for _, text := range one.text {
			if !strings.Contains(tp.Content, text) {
				t.Errorf("%s: the content does not hold %q:\n%s", tp.Subject, text, tp.Content)
			}
		}
	}
}

// What happens to a listing between two pages of it loses no call and delivers none twice.
func TestListingsThatChangeWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	s, clock := readyWithClock(t, gongtest.Options{PageSize: 3})
	now := time.Now()
	minutes := 0
	add := func(visible time.Time) string {
		minutes++
		return s.meeting("acme", func(c *gongtest.Call) {
			c.Started, c.VisibleAt = now.Add(-24*time.Hour+time.Duration(minutes)*time.Minute), visible
		})
	}
	var ids []string
	for range 7 {
		ids = append(ids, add(now.Add(24*time.Hour)))
	}
	// Gong counts calls in the total that it does not show, and answers 404 if it shows none.
	if sum := s.sync("meetings"); sum.Outcome != activities.Completed || sum.Counts != (activities.Counts{}) {
		t.Errorf("the run of a time in which nothing is to be seen says %s, %+v", sum.Outcome, sum.Counts)
	}
	clock.forward(25 * time.Hour)

	tests := []struct {
		name  string
		fault func(added []string) gongtest.Fault
		exit  int // of the run that meets it
		now   int // how many more touchpoints there are after that run
		later int // after the next
	}{
		{"the cursor expires", func([]string) gongtest.Fault { return gongtest.Meanwhile(func() { clock.forward(61 * time.Minute) }) }, 0, 7, 7},
		{"the first page comes again", func([]string) gongtest.Fault { return gongtest.RepeatFirstPage() }, 1, 0, 7},
		{"a page begins with a call of the one before", func([]string) gongtest.Fault { return gongtest.Duplicate() }, 0, 7, 7},
		{"a call comes in behind the page", func([]string) gongtest.Fault {
			return gongtest.Meanwhile(func() {
				ids = append(ids, s.meeting("acme", func(c *gongtest.Call) { c.Started = now.Add(-48 * time.Hour) }))
			})
		}, 0, 7, 8},
		{"a call comes in before the page", func([]string) gongtest.Fault {
			return gongtest.Meanwhile(func() { ids = append(ids, add(time.Time{})) })
		}, 0, 8, 8},
		{"a call goes that was listed", func(added []string) gongtest.Fault {
			return gongtest.Meanwhile(func() { s.gong.Delete(added[0]) }).After(len(ids) / 3)
		}, 0, 6, 6},
	}
	for i, test := range tests {
		added := ids
		if i > 0 { // the first one meets those that were not to be seen
			added = nil
			for range 7 {
				added = append(added, add(time.Time{}))
			}
			ids = append(ids, added...)
		}
		before := len(s.totango.Touchpoints())
		f := test.fault(added).On(extensive)
		s.gong.Inject(f.After(max(1, f.Skip)))
		if r := s.run("sync", "meetings"); r.code != test.exit {
			t.Errorf("%s: exit code %d, want %d\n%s%s", test.name, r.code, test.exit, r.stdout, r.stderr)
		}
		if got := len(s.totango.Touchpoints()) - before; got != test.now {
			t.Errorf("%s: %d touchpoints are written, want %d", test.name, got, test.now)
		}
		s.sync("meetings")
		if got := len(s.totango.Touchpoints()) - before; got != test.later {
			t.Errorf("%s: after the next run %d touchpoints are written, want %d", test.name, got, test.later)
		}
	}
	for id, n := range s.touchpoints() {
		if n != 1 {
			t.Errorf("there are %d touchpoints of call %s", n, id)
		}
	}
	if n := s.gong.CountStatus(400); n != 1 {
		t.Errorf("Gong refused %d cursors, want the one that expired", n)
	}
}
