package sandbox

import (
	"strings"
	"time"
)

// Scenario says what is special about a meeting.
type Scenario string

// The scenarios. Unless it says otherwise, a meeting belongs to one account, is public, and its text is there soon after it.
const (
	Ordinary         Scenario = "ordinary"
	DialIns          Scenario = "dial_ins"          // some came by phone and have no address
	InviteeOnly      Scenario = "invitee_only"      // the one person whom Totango knows was invited and did not come
	CapitalsID       Scenario = "capitals_id"       // that person's Totango user id is the address in capitals
	EmailAttribute   Scenario = "email_attribute"   // that person's Totango user id is a number
	HostAbsent       Scenario = "host_absent"       // the host is not among the parties
	AvatarHost       Scenario = "avatar_host"       // the host is one of Gong's people, whom Gong's list of users lacks
	TwoAccounts      Scenario = "two_accounts"      // one person belongs to two accounts and is a key contact of one
	MostParticipants Scenario = "most_participants" // two accounts, one with more people
	TieKeyContacts   Scenario = "tie_key_contacts"  // two accounts with as many people, one with a key contact
	TieContacts      Scenario = "tie_contacts"      // no key contacts either, one with a contact
	TieName          Scenario = "tie_name"          // equal in all of that: the account's name decides
	TieID            Scenario = "tie_id"            // equal names: the account's id decides
	ListedTwice      Scenario = "listed_twice"      // somebody is among the parties twice, which counts once
	TeamGuest        Scenario = "team_guest"        // a Totango team member of another company, also a customer's contact
	Colleagues       Scenario = "colleagues"        // internal only
	NoAddress        Scenario = "no_address"        // internal only: nobody has an address
	PartiesMissing   Scenario = "parties_missing"   // internal only: Gong has no parties
	Strangers        Scenario = "strangers"         // unresolved: Totango knows nobody from outside
	Private          Scenario = "private"           // private
	VisibleLate      Scenario = "visible_late"      // Gong listed it a day or more after its end
	NotVisibleYet    Scenario = "not_visible_yet"   // recent, Gong is still processing it
	VisibleSoon      Scenario = "visible_soon"      // days old, and Gong lists it only after now
	TextLater        Scenario = "text_later"        // recent; its text comes after now
	TextPending      Scenario = "text_pending"      // recent; its text never comes
	TextNever        Scenario = "text_never"        // days old; its text never came
	Wordless         Scenario = "wordless"          // too short or without speech, so Gong writes nothing about it, and nobody waits
	LongText         Scenario = "long_text"         // the text is longer than a touchpoint can be
)

// recipe builds the meetings of a scenario, perMille of all meetings but at least one; the i-th of them is numbered i.
type recipe struct {
	scenario Scenario
	perMille int
	build    func(g *generator, d *draft, i int)
}

// recipes has all scenarios but Ordinary, which gets the rest.
var recipes = []recipe{
	{DialIns, 40, (*generator).withDialIns},
	{InviteeOnly, 20, (*generator).inviteeOnly},
	{CapitalsID, 20, func(g *generator, d *draft, _ int) { g.withKnown(d, pick(g.rng, g.shouting)) }},
	{EmailAttribute, 20, func(g *generator, d *draft, _ int) { g.withKnown(d, pick(g.rng, g.nameless)) }},
	{HostAbsent, 16, func(g *generator, d *draft, i int) { g.ordinary(d, i); d.m.Parties = d.m.Parties[1:] }},
	{AvatarHost, 8, func(g *generator, d *draft, i int) { g.ordinary(d, i); d.m.HostID, d.m.HostEmail = g.avatar.GongID, "" }},
	{TwoAccounts, 16, (*generator).twoAccounts},
	{MostParticipants, 20, (*generator).mostParticipants},
	{TieKeyContacts, 10, func(g *generator, d *draft, _ int) { g.tie(d, 1, 0, tieSecond) }},
	{TieContacts, 8, func(g *generator, d *draft, _ int) { g.tie(d, 2, 1, tieSecond) }},
	{TieName, 8, func(g *generator, d *draft, _ int) { g.tie(d, 1, 1, tieFirst) }},
	{TieID, 6, func(g *generator, d *draft, _ int) { g.between(d, twinOne, g.twin) }},
	{ListedTwice, 6, (*generator).listedTwice},
	{TeamGuest, 10, (*generator).teamGuest},
	{Colleagues, 70, (*generator).colleagues},
	{NoAddress, 10, (*generator).noAddress},
	{PartiesMissing, 10, (*generator).partiesMissing},
	{Strangers, 50, (*generator).strangers},
	{Private, 45, (*generator).private},
	{VisibleLate, 25, (*generator).visibleLate},
	{NotVisibleYet, 12, (*generator).notVisibleYet},
	{VisibleSoon, 8, (*generator).visibleSoon},
	{TextLater, 18, (*generator).textLater},
	{TextPending, 8, (*generator).textPending},
	{TextNever, 16, (*generator).textNever},
	{Wordless, 14, (*generator).wordless},
	{LongText, 1, func(g *generator, d *draft, i int) { g.ordinary(d, i); d.long = true }},
}

// ordinary is a meeting with one to three people of a customer.
func (g *generator) ordinary(d *draft, _ int) {
	a := g.account()
	g.withKnown(d, known{a, pick(g.rng, a.people)})
	for range g.rng.IntN(3) {
		d.invite(pick(g.rng, a.people))
	}
	if g.chance(25) {
		d.invite(g.stranger(a))
	}
	if g.chance(20) {
		d.join(&g.c.Team[customerSuccess+g.rng.IntN(len(staff)-customerSuccess)])
	}
}

// withKnown is a meeting with somebody whom Totango knows.
func (g *generator) withKnown(d *draft, k known) {
	d.open(k.account)
	d.invite(k.person)
}

// between is a meeting that belongs to the account of that number.
func (g *generator) between(d *draft, account int, people ...person) {
	d.open(g.accounts[account])
	for _, p := range people {
		d.invite(p)
	}
}

func (g *generator) withDialIns(d *draft, i int) {
	g.ordinary(d, i)
	for n := range 1 + g.rng.IntN(2) {
		d.dialIn(n + 1)
	}
}

func (g *generator) inviteeOnly(d *draft, _ int) {
	a := g.account()
	g.withKnown(d, known{a, a.people[0]})
	absent := &d.m.Parties[len(d.m.Parties)-1]
	absent.Attendee, absent.SpeakerID = false, ""
	d.invite(g.stranger(a))
}

func (g *generator) twoAccounts(d *draft, i int) {
	if i%2 == 0 {
		g.between(d, groupParent, g.shared) // a key contact there
		return
	}
	g.between(d, groupChild, g.shared, g.accounts[groupChild].people[1]) // two people there, one at the parent
}

func (g *generator) mostParticipants(d *draft, i int) {
	first, second := g.accounts[tieFirst], g.accounts[tieSecond]
	if i%2 == 0 {
		g.between(d, tieSecond, first.people[0], second.people[1], second.people[2]) // against a key contact
		return
	}
	g.between(d, tieFirst, second.people[0], first.people[1], first.people[2], g.stranger(second))
}

// tie is a meeting with one person from each of two accounts. Of each account, the first is a key contact, the second a contact,
// and the third neither.
func (g *generator) tie(d *draft, first, second, winner int) {
	g.between(d, winner, g.accounts[tieFirst].people[first], g.accounts[tieSecond].people[second])
}

// listedTwice has one person of tieFirst twice, and a key contact of tieSecond once: one each, so the key contact decides.
func (g *generator) listedTwice(d *draft, _ int) {
	twice, once := g.accounts[tieFirst].people[1], g.accounts[tieSecond].people[0]
	g.between(d, tieSecond, twice, once)
	again := g.party(twice)
	again.Email, again.Invitee = capitalised(twice.email), false
	d.m.Parties = append(d.m.Parties, again)
}

func (g *generator) teamGuest(d *draft, i int) {
	if i%3 == 2 {
		d.openInternal()
		d.guest(g.agency, "External")
		d.m.Scope = "External" // as Gong sees it
		d.reject(InternalOnly)
		return
	}
	g.withKnown(d, known{account: g.accounts[tieSecond], person: g.accounts[tieSecond].people[2]})
	d.guest(g.agency, "External")
}

func (g *generator) colleagues(d *draft, i int) {
	d.openInternal()
	for range 1 + g.rng.IntN(3) {
		d.join(&g.c.Team[g.rng.IntN(len(staff))])
	}
	switch i % 4 {
	case 1: // of the vendor's other company: Gong alone knows
		d.guest(g.sister, "Internal")
	case 2: // so new that only the domain tells
		given, family := pick(g.rng, anglo.given), pick(g.rng, anglo.family)
		p := person{name: given.text + " " + family.text, email: "new." + address(given, family, g.c.Domain), title: "Intern"}
		party := g.party(p)
		party.Affiliation = "Unknown"
		d.m.Parties = append(d.m.Parties, party)
	}
	d.reject(InternalOnly)
}

func (g *generator) noAddress(d *draft, i int) {
	d.open(g.account())
	d.telephone()
	d.m.Parties = d.m.Parties[:1]
	if i%2 == 0 { // an import whose caller Gong does not know either
		d.m.Parties, d.m.HostID, d.m.HostEmail, d.m.Scope = nil, "", "", "Unknown"
		d.dialIn(2)
	}
	d.dialIn(1)
	d.reject(InternalOnly)
}

func (g *generator) partiesMissing(d *draft, i int) {
	g.ordinary(d, i)
	d.m.Parties = nil
	d.m.System = "Upload API"
	d.reject(InternalOnly)
}

func (g *generator) strangers(d *draft, i int) {
	a := g.account() // whose domain must not decide anything
	if i%3 > 0 {
		a = pick(g.rng, prospects)
		d.theme = &prospectTalk
	}
	d.open(a)
	for range 1 + g.rng.IntN(3) {
		d.invite(g.stranger(a))
	}
	d.reject(AccountUnresolved)
}

func (g *generator) private(d *draft, i int) {
	if i%5 == 4 {
		g.colleagues(d, i)
	} else {
		g.ordinary(d, i)
	}
	d.m.Private = true
	d.m.Title = pick(g.rng, []string{"Private: ", "Confidential - ", "[1:1] "}) + d.title()
}

func (g *generator) visibleLate(d *draft, i int) {
	g.ordinary(d, i)
	d.start(g.workingHour(6 * 24 * time.Hour))
	d.visible(d.m.End().Add(24*time.Hour + time.Duration(g.rng.IntN(4*24*60))*time.Minute))
}

// soon spreads moments over the hours that come, the first of them within minutes, so that a demo sees some of them.
func soon(i int) time.Duration {
	return []time.Duration{2, 5, 9, 20, 45, 90, 150, 230}[i%8] * time.Minute
}

// recent moves a meeting into the hours before now, whatever the hour of the day, so that there always are some. It is over, and
// long enough for Gong to have listed it.
func (d *draft) recent(i int) {
	minutes := 80 + i%12*70 + d.g.rng.IntN(60)
	d.m.Duration = min(d.m.Duration, 40*time.Minute)
	d.start(d.g.c.Now.Add(-time.Duration(minutes) * time.Minute))
}

func (g *generator) notVisibleYet(d *draft, i int) {
	g.ordinary(d, i)
	d.recent(i)
	d.visible(g.c.Now.Add(soon(i)))
}

func (g *generator) visibleSoon(d *draft, i int) {
	g.ordinary(d, i)
	d.start(g.workingHour(3 * 24 * time.Hour))
	d.visible(g.c.Now.Add(soon(i + 1)))
}

func (g *generator) textLater(d *draft, i int) {
	g.ordinary(d, i)
	d.recent(i)
	d.m.TextAt = g.c.Now.Add(soon(i))
}

func (g *generator) textPending(d *draft, i int) {
	g.ordinary(d, i)
	d.recent(i)
	d.m.TextAt, d.silent = time.Time{}, true
}

func (g *generator) textNever(d *draft, i int) {
	g.ordinary(d, i)
	d.start(g.workingHour(3 * 24 * time.Hour))
	d.m.TextAt, d.silent = time.Time{}, true
}

// wordless are calls that nobody waits for, however recent they are.
func (g *generator) wordless(d *draft, i int) {
	a := g.account()
	g.withKnown(d, known{a, pick(g.rng, a.people)})
	if i%3 < 2 {
		d.telephone()
		d.m.Duration = time.Duration(4+g.rng.IntN(25)) * time.Second
	}
	if i%3 == 1 {
		d.start(g.workingHour(3 * 24 * time.Hour))
	} else {
		d.recent(i)
	}
	if i%3 == 2 {
		d.m.Language = "zxx" // ISO 639: no linguistic content
	}
	d.m.TextAt, d.m.Wordless, d.silent = time.Time{}, true, true
}

// capitalised is the address as some mail programs write it.
func capitalised(email string) string {
	local, domain, _ := strings.Cut(email, "@")
	given, family, _ := strings.Cut(local, ".")
	return upperFirst(given) + "." + upperFirst(family) + "@" + upperFirst(domain)
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
