package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Why a meeting is not in Totango: the engine's reason codes, and what keeps a meeting from being listed at all.
const (
	InternalOnly      = "internal_only"
	AccountUnresolved = "account_unresolved"
	NotReady          = "not_ready"

	IsPrivate     = "private"
	NotVisible    = "not_visible"
	OutsideWindow = "outside_window"
)

// draft is a meeting in the making.
type draft struct {
	g     *generator
	m     Meeting
	theme *theme
	words slots
	names *region // of those who are talked about

	long bool // the text is very long

	// silent meetings never get a text.
	silent bool
}

// meet makes the meetings: first what each recipe is due, then ordinary ones.
func (g *generator) meet(size Size) {
	g.weekdays = weekdaysBefore(g.c.Now, size.Days)
	g.meetings = make([]Meeting, 0, size.Meetings)
	for _, r := range recipes {
		n := min(max(1, size.Meetings*r.perMille/1000), size.Meetings-len(g.meetings))
		for i := range n {
			g.meetings = append(g.meetings, g.meeting(r.scenario, i, r.build))
		}
	}
	for i := len(g.meetings); i < size.Meetings; i++ {
		g.meetings = append(g.meetings, g.meeting(Ordinary, i, (*generator).ordinary))
	}
	slices.SortFunc(g.meetings, func(x, y Meeting) int { return cmp.Or(x.Started.Compare(y.Started), cmp.Compare(x.ID, y.ID)) })
	g.c.Meetings = g.meetings
}

func (g *generator) meeting(s Scenario, i int, build func(*generator, *draft, int)) Meeting {
	d := &draft{g: g, m: Meeting{ID: g.id(), Scenario: s, Media: "Video", Direction: "Conference", Language: "eng"}}
	d.m.Duration = time.Duration(pick(g.rng, []int{15, 25, 30, 30, 30, 45, 50, 60, 60, 90}))*time.Minute - time.Duration(g.rng.IntN(240))*time.Second
	d.start(g.workingHour(0))
	build(g, d, i)
	d.finish()
	return d.m
}

// account is any customer but those that scenarios are about.
func (g *generator) account() *Account {
	return g.accounts[firstOrdinaryCustomer+g.rng.IntN(len(g.accounts)-firstOrdinaryCustomer)]
}

// stranger is somebody at a company whom Totango does not know.
func (g *generator) stranger(a *Account) person {
	return g.person(a)
}

// open begins a meeting of a customer's with the host.
func (d *draft) open(a *Account) {
	rng := d.g.rng
	host := &d.g.c.Team[rng.IntN(customerSuccess)]
	for i := range d.g.c.Team[:customerSuccess] {
		if m := &d.g.c.Team[i]; m.Email == a.CSM && d.g.chance(75) {
			host = m
		}
	}
	d.m.AccountID, d.m.Scope, d.m.System = a.ID, "External", a.region.system
	if d.theme == nil {
		d.theme = themes[min(rng.IntN(len(themes)), rng.IntN(len(themes)))]
		if a.region.talk != nil && d.g.chance(40) {
			d.theme, d.m.Language = a.region.talk, a.region.language
		}
	}
	d.words, d.names = slots{rng: rng, account: a.Name, host: host.First}, a.region
	d.hostedBy(host)
}

// openInternal begins a meeting among the vendor's people.
func (d *draft) openInternal() {
	host := &d.g.c.Team[d.g.rng.IntN(customerSuccess)]
	d.m.Scope, d.m.System, d.theme = "Internal", "Zoom", &internalTalk
	d.words, d.names = slots{rng: d.g.rng, account: d.g.account().Name, host: host.First}, anglo
	d.hostedBy(host)
}

func (d *draft) hostedBy(m *Member) {
	d.m.HostID, d.m.HostEmail = m.GongID, m.Email
	d.m.Parties = []Party{d.g.member(m, "Internal")}
}

func (d *draft) reject(reason string) { d.m.AccountID, d.m.Reason = "", reason }

// invite adds one of the customer's people unless they are there already.
func (d *draft) invite(p person) {
	if slices.ContainsFunc(d.m.Parties, func(o Party) bool { return strings.EqualFold(o.Email, p.email) }) {
		return
	}
	switch {
	case d.words.contact == "":
		d.words.contact = p.first
	case d.words.other == "":
		d.words.other = p.first
	}
	d.m.Parties = append(d.m.Parties, d.g.party(p))
}

// join adds one of the vendor's Gong users unless they are there already.
func (d *draft) join(m *Member) {
	if !slices.ContainsFunc(d.m.Parties, func(o Party) bool { return o.Email == m.Email }) {
		d.guest(m, "Internal")
	}
}

// guest adds one of the vendor's people as Gong sees them.
func (d *draft) guest(m *Member, affiliation string) {
	d.words.other = cmp.Or(d.words.other, m.First)
	d.m.Parties = append(d.m.Parties, d.g.member(m, affiliation))
}

func (d *draft) dialIn(n int) {
	d.m.Parties = append(d.m.Parties, Party{
		ID: d.g.id(), Name: fmt.Sprintf("Phone Caller #%d", n), Phone: fmt.Sprintf("+1 555-01%02d", d.g.rng.IntN(100)),
		Affiliation: "Unknown", SpeakerID: d.g.speaker(), Attendee: true,
	})
}

// telephone makes the meeting a call that nobody scheduled.
func (d *draft) telephone() {
	d.m.System, d.m.Media, d.m.Direction = "Gong Connect", "Audio", pick(d.g.rng, []string{"Inbound", "Outbound", "Outbound"})
	d.m.Duration = min(d.m.Duration, time.Duration(120+d.g.rng.IntN(900))*time.Second)
	d.start(d.m.Started)
}

func (g *generator) member(m *Member, affiliation string) Party {
	return Party{
		ID: g.id(), Name: m.Name(), Email: m.Email, Title: m.Title, UserID: m.GongID, SpeakerID: g.speaker(),
		Affiliation: affiliation, Invitee: true, Attendee: true,
	}
}

func (g *generator) party(p person) Party {
	party := Party{
		ID: g.id(), Name: p.name, Email: p.email, Title: p.title, SpeakerID: g.speaker(), Affiliation: "External", Invitee: true, Attendee: true,
	}
	switch n := g.rng.IntN(20); {
	case n == 0:
		party.Affiliation = "Unknown" // which does not mean internal
	case n < 3:
		party.Email = capitalised(p.email)
	case n < 6:
		party.Attendee, party.SpeakerID = false, ""
	case n == 6:
		party.Title = ""
	}
	return party
}

// speaker is the id of somebody who spoke; about a third do not.
func (g *generator) speaker() string {
	if g.chance(33) {
		return ""
	}
	return g.id()
}

// start sets when the meeting began, and with it when it was scheduled, listed and written about.
func (d *draft) start(at time.Time) {
	rng := d.g.rng
	d.m.Scheduled = at.Truncate(time.Minute)
	if d.m.Direction != "Conference" {
		d.m.Scheduled = time.Time{}
	}
	d.m.Started = at.Add(time.Duration(rng.IntN(300)-20) * time.Second)
	if d.g.chance(50) {
		d.m.Started = d.m.Started.Add(time.Duration(rng.IntN(1e6)) * time.Microsecond)
	}
	d.visible(d.m.End().Add(time.Duration(4+rng.IntN(20)) * time.Minute))
}

// visible sets when Gong lists the call; its text follows at once or soon.
func (d *draft) visible(at time.Time) {
	d.m.VisibleAt, d.m.TextAt = at, at
	if d.g.chance(40) {
		d.m.TextAt = at.Add(time.Duration(1+d.g.rng.IntN(25)) * time.Minute)
	}
}

// weekdaysBefore returns the midnights of the working days in the days before a moment.
func weekdaysBefore(now time.Time, days int) []time.Time {
	y, m, d := now.Date()
	var list []time.Time
	for i := range days {
		day := time.Date(y, m, d-i, 0, 0, 0, 0, now.Location())
		if wd := day.Weekday(); wd != time.Saturday && wd != time.Sunday {
			list = append(list, day)
		}
	}
	return list
}

// workingHour is a full or half hour on a working day, at least minAge ago and long enough for everything about the meeting to
// be over.
func (g *generator) workingHour(minAge time.Duration) time.Time {
	at := pick(g.rng, g.weekdays).Add(8*time.Hour + time.Duration(g.rng.IntN(20))*30*time.Minute)
	for at.After(g.c.Now.Add(-max(minAge, 4*time.Hour))) {
		at = at.AddDate(0, 0, -7)
	}
	return at
}

// finish writes the title and the text.
func (d *draft) finish() {
	d.m.Title = cmp.Or(d.m.Title, d.title())
	if d.g.chance(30) {
		d.m.Purpose = d.words.fill(pick(d.g.rng, d.theme.purposes))
	}
	if d.long {
		d.m.Title, d.m.Duration = d.words.account+" - solution design workshop, day 1", 6*time.Hour+11*time.Minute
		d.start(d.g.workingHour(24 * time.Hour))
	}
	if !d.silent {
		d.m.Text = d.text()
	}
}

// title names the meeting. Everybody must have been invited by then: those whom texts mention may be people who were not there.
func (d *draft) title() string {
	d.words.contact = cmp.Or(d.words.contact, d.names.first(d.g.rng))
	d.words.other = cmp.Or(d.words.other, d.names.first(d.g.rng))
	d.words.draw()
	if d.m.Direction != "Conference" {
		return d.words.fill("Call with {c} ({a})")
	}
	return d.words.fill(pick(d.g.rng, d.theme.titles))
}
