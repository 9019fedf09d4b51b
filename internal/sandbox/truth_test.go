package sandbox

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

const (
	day   = 24 * time.Hour
	month = 31 * day
)

// outcomes are what each scenario is made to lead to when everything before now is synced at now with a grace of a day.
var outcomes = map[Scenario]string{
	Ordinary: "", DialIns: "", InviteeOnly: "", CapitalsID: "", EmailAttribute: "", HostAbsent: "", AvatarHost: "", TwoAccounts: "",
	MostParticipants: "", TieKeyContacts: "", TieContacts: "", TieName: "", TieID: "", ListedTwice: "", VisibleLate: "",
	TextNever: "", Wordless: "", LongText: "",
	Colleagues: InternalOnly, NoAddress: InternalOnly, PartiesMissing: InternalOnly,
	Strangers:     AccountUnresolved,
	Private:       IsPrivate,
	NotVisibleYet: NotVisible, VisibleSoon: NotVisible,
	TextLater: NotReady, TextPending: NotReady,
}

func TestTruthOfScenarios(t *testing.T) {
	companies(t, func(t *testing.T, c *Company) {
		for i, e := range c.Truth(c.Now, c.Now.Add(-month), c.Now, day) {
			s := c.Meetings[i].Scenario
			want, one := outcomes[s]
			if !one && e.Reason != "" && e.Reason != InternalOnly || one && e.Reason != want { // TeamGuest has two outcomes
				t.Errorf("%s %s: %s (%s)", e.CallID, s, e.Outcome, e.Reason)
			}
		}
	})
}

func TestTruthFollowsTime(t *testing.T) {
	start := noon.Add(-10 * time.Hour)
	m := Meeting{
		ID: "1000000000000000001", Title: "Review", Started: start.Add(1234567 * time.Nanosecond), Duration: time.Hour, AccountID: "acc-1", HostEmail: "h@v.example",
		VisibleAt: start.Add(2 * time.Hour), TextAt: start.Add(5 * time.Hour), Text: Text{Brief: "They met. It went well."},
		Parties: []Party{{Email: "Pat@A.example"}, {Email: "h@v.example"}, {Name: "Phone"}, {Email: "pat@a.example"}},
	}
	beep := m
	beep.TextAt, beep.Text, beep.Wordless = time.Time{}, Text{}, true
	stranger := m
	stranger.AccountID, stranger.Reason = "", AccountUnresolved
	secret := m
	secret.Private = true
	whole := Touchpoint{
		AccountID: "acc-1", Subject: "Review", Date: start.Add(time.Millisecond), CreatedBy: "h@v.example",
		Participants: []string{"h@v.example", "pat@a.example"}, Text: "They met",
	}
	bare := whole
	bare.Text = ""
	for _, tt := range []struct {
		name     string
		meeting  Meeting
		at       time.Duration // since the start
		from, to time.Duration
		grace    time.Duration
		want     Expectation
	}{
		{"not processed", m, 2*time.Hour - 1, 0, day, day, Expectation{Outcome: NotListed, Reason: NotVisible}},
		{"processed, text pending", m, 2 * time.Hour, 0, day, day, Expectation{Outcome: Deferred, Reason: NotReady}},
		{"text there", m, 5 * time.Hour, 0, day, day, Expectation{Outcome: Delivered, Touchpoint: whole}},
		{"grace over first", m, 4 * time.Hour, 0, day, 3 * time.Hour, Expectation{Outcome: Delivered, Touchpoint: bare}},
		{"no text to wait for", beep, 2 * time.Hour, 0, day, day, Expectation{Outcome: Delivered, Touchpoint: bare}},
		{"before the window", m, 5 * time.Hour, 2 * time.Millisecond, day, day, Expectation{Outcome: NotListed, Reason: OutsideWindow}},
		{"at the window's end", m, 5 * time.Hour, 0, 1234567, day, Expectation{Outcome: NotListed, Reason: OutsideWindow}},
		{"unresolved, but deferred first", stranger, 3 * time.Hour, 0, day, day, Expectation{Outcome: Deferred, Reason: NotReady}},
		{"unresolved", stranger, 6 * time.Hour, 0, day, day, Expectation{Outcome: Rejected, Reason: AccountUnresolved}},
		{"private", secret, 6 * time.Hour, 0, day, day, Expectation{Outcome: NotListed, Reason: IsPrivate}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Company{Meetings: []Meeting{tt.meeting}}
			got := c.Truth(start.Add(tt.at), start.Add(tt.from), start.Add(tt.to), tt.grace)[0]
			tt.want.CallID = m.ID
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// touchpoint is what a right sync writes for an expectation.
func touchpoint(e Expectation) totangotest.Touchpoint {
	return totangotest.Touchpoint{
		AccountID: e.Touchpoint.AccountID, Subject: e.Touchpoint.Subject, Date: e.Touchpoint.Date, CreatedBy: e.Touchpoint.CreatedBy,
		Participants: e.Touchpoint.Participants,
		Content:      "<div>Meeting brief:\n" + e.Touchpoint.Text + ".</div>\n[durasync gong/calls/" + e.CallID + "]",
	}
}

func right(all []Expectation) []totangotest.Touchpoint {
	var list []totangotest.Touchpoint
	for _, e := range all {
		if e.Outcome == Delivered {
			list = append(list, touchpoint(e))
		}
	}
	return list
}

func TestDiffFindsFaults(t *testing.T) {
	c := Generate(4, noon, Size{})
	want := c.Truth(noon, noon.Add(-month), noon, day)
	if diffs := Diff(want, right(want)); len(diffs) > 0 {
		t.Fatalf("what is right differs: %v", diffs)
	}
	with := func(o Outcome, reason string) Expectation {
		for _, e := range want {
			if e.Outcome == o && e.Reason == reason {
				return e
			}
		}
		t.Fatalf("no meeting is %s (%s)", o, reason)
		return Expectation{}
	}
	one := with(Delivered, "")
	// plant adds what a wrong sync would have written; change alters what a right one wrote for the first meeting.
	plant := func(e Expectation) func([]totangotest.Touchpoint) []totangotest.Touchpoint {
		return func(list []totangotest.Touchpoint) []totangotest.Touchpoint { return append(list, touchpoint(e)) }
	}
	change := func(alter func(*totangotest.Touchpoint)) func([]totangotest.Touchpoint) []totangotest.Touchpoint {
		return func(list []totangotest.Touchpoint) []totangotest.Touchpoint { alter(&list[0]); return list }
	}
	for _, tt := range []struct {
		name string
		harm func([]totangotest.Touchpoint) []totangotest.Touchpoint
		want []Difference // Detail is for people and not compared
	}{
		{"lost", func(l []totangotest.Touchpoint) []totangotest.Touchpoint { return l[1:] }, []Difference{{Fault: Lost, CallID: one.CallID}}},
		{"duplicated", plant(one), []Difference{{Fault: Duplicated, CallID: one.CallID}}},
		{"wrong account", change(func(p *totangotest.Touchpoint) { p.AccountID = "acc-9999" }), []Difference{{Fault: WrongAccount, CallID: one.CallID}}},
		{"wrong subject", change(func(p *totangotest.Touchpoint) { p.Subject += "!" }), []Difference{{Fault: WrongContent, CallID: one.CallID}}},
		{"wrong date", change(func(p *totangotest.Touchpoint) { p.Date = p.Date.Add(time.Millisecond) }), []Difference{{Fault: WrongContent, CallID: one.CallID}}},
		{"wrong creator", change(func(p *totangotest.Touchpoint) { p.CreatedBy = "x@y.example" }), []Difference{{Fault: WrongContent, CallID: one.CallID}}},
		{"participant leaked", change(func(p *totangotest.Touchpoint) {
			p.Participants = append([]string{"spy@other.example"}, p.Participants...)
		}), []Difference{{Fault: WrongContent, CallID: one.CallID}}},
		{"text missing", change(func(p *totangotest.Touchpoint) { p.Content = "[durasync gong/calls/" + one.CallID + "]" }), []Difference{{Fault: WrongContent, CallID: one.CallID}}},
		{"too early", plant(with(Deferred, NotReady)), []Difference{{Fault: TooEarly, CallID: with(Deferred, NotReady).CallID}}},
		{"private", plant(with(NotListed, IsPrivate)), []Difference{{Fault: PrivateLeak, CallID: with(NotListed, IsPrivate).CallID}}},
		{"not visible", plant(with(NotListed, NotVisible)), []Difference{{Fault: Unexpected, CallID: with(NotListed, NotVisible).CallID}}},
		{"internal", plant(with(Rejected, InternalOnly)), []Difference{{Fault: Unexpected, CallID: with(Rejected, InternalOnly).CallID}}},
		{"unresolved", plant(with(Rejected, AccountUnresolved)), []Difference{{Fault: Unexpected, CallID: with(Rejected, AccountUnresolved).CallID}}},
		{"unknown call", plant(Expectation{CallID: "42"}), []Difference{{Fault: Stray, CallID: "42"}}},
		{"no reference", change(func(p *totangotest.Touchpoint) { p.Content = "Meeting brief" }), []Difference{{Fault: Unmarked}, {Fault: Lost, CallID: one.CallID}}},
		{"edited by a person", change(func(p *totangotest.Touchpoint) { p.Subject, p.Edited = "Mine", noon }), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Diff(want, tt.harm(right(want)))
			for i := range got {
				if got[i].String() == "" || got[i].Detail == "" {
					t.Errorf("%+v says nothing", got[i])
				}
				got[i].Detail = ""
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
