package sandbox

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Size says how much there is of a company. Zero values are replaced by the default's, too small ones are raised.
type Size struct {
	Accounts int // 45 by default, at least 12
	Meetings int // 320 by default; below about 60, not every [Scenario] occurs
	Days     int // how far back the meetings go: 30 by default, at least 14
}

func (s Size) withDefaults() Size {
	return Size{
		Accounts: max(cmp.Or(s.Accounts, 45), firstOrdinaryCustomer+5),
		Meetings: max(cmp.Or(s.Meetings, 320), 1),
		Days:     max(cmp.Or(s.Days, 30), 14),
	}
}

// companyZone is where the vendor is. Gong gives times in the company's own offset.
var companyZone = time.FixedZone("", -5*60*60)

// Generate makes up a company whose meetings lie in the days before now. Equal arguments give equal companies, and the people
// depend on the seed and the size alone.
func Generate(seed uint64, now time.Time, size Size) *Company {
	size = size.withDefaults()
	g := &generator{
		rng:   rand.New(rand.NewPCG(seed, 0x6475726173796e63)),
		taken: map[int64]bool{}, addresses: map[string]bool{},
		c: &Company{
			Seed: seed, Now: now.In(companyZone), Name: vendorName, Domain: vendorLabel + domainTail,
		},
	}
	g.hire()
	g.sign(size.Accounts)
	g.enrol()
	g.meet(size)
	return g.c
}

type generator struct {
	rng *rand.Rand
	c   *Company

	taken     map[int64]bool  // ids given out
	addresses map[string]bool // of the customers' people

	accounts []*Account // in the order of the customers table

	// shared belongs to groupParent and groupChild, twin to twinOne and twinTwo.
	shared, twin person

	// shouting and nameless are the people whose Totango user id is their address in capitals, or no address at all.
	shouting, nameless []known

	// The vendor's people with a part of their own, besides the staff.
	sister, agency, avatar *Member

	weekdays []time.Time // midnights of the working days in question
	meetings []Meeting
}

// known is a person together with the account that decides.
type known struct {
	account *Account
	person  person
}

// id returns a new id of 19 digits that fits into 64 bits, as Gong's do.
func (g *generator) id() string {
	for {
		n := 1e18 + g.rng.Int64N(8e18)
		if !g.taken[n] {
			g.taken[n] = true
			return strconv.FormatInt(n, 10)
		}
	}
}

// chance is true in the given percentage of cases.
func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

func (g *generator) hire() {
	team := slices.Clone(staff)
	for i := range team {
		m := &team[i]
		m.GongID = g.id()
		m.Email = address(name{text: m.First}, name{text: m.Last}, g.c.Domain)
	}
	team = append(team,
		Member{First: "Orla", Last: "Fenwick", Email: "orla.fenwick@" + sisterDomain, Title: "Product Manager, Signals"},
		Member{First: "Dmitri", Last: "Alvarsson", Email: "dmitri.alvarsson@" + agencyDomain, Title: "Implementation Consultant", Totango: true},
		Member{GongID: g.id(), First: "Robin", Last: "Castle", Email: "robin.castle@gong-staff" + domainTail, Title: "Onboarding (Gong)", Avatar: true},
	)
	g.c.Team = team
	g.sister, g.agency, g.avatar = &team[len(staff)], &team[len(staff)+1], &team[len(staff)+2]
}

// fold turns the few letters of the vendor's names that are not ASCII into what addresses hold.
var fold = strings.NewReplacer("á", "a", " ", "", "'", "")

func address(given, family name, domain string) string {
	part := func(n name) string { return cmp.Or(n.ascii, fold.Replace(strings.ToLower(n.text))) }
	return part(given) + "." + part(family) + "@" + domain
}

// sign makes the accounts and their people.
func (g *generator) sign(n int) {
	for i := range n {
		c := customerAt(i)
		a := &Account{
			ID: fmt.Sprintf("acc-%04d", 1001+i*7), Name: c.name, Domain: c.domain + domainTail, Industry: c.industry, region: c.region,
			CSM: g.c.Team[i%customerSuccess].Email,
		}
		g.accounts = append(g.accounts, a)
		if i == house {
			continue // its people are the vendor's
		}
		for k := range 4 + g.rng.IntN(4) {
			p := g.person(a)
			g.addresses[p.email] = true
			p.key, p.contact = k == 0, k <= 1 || k > 2 && g.chance(50)
			a.people = append(a.people, p)
		}
	}
}

// customerAt is the i-th customer. Beyond the table, the names are combined from it.
func customerAt(i int) customer {
	if i < len(customers) {
		return customers[i]
	}
	c := customers[firstOrdinaryCustomer+i%(len(customers)-firstOrdinaryCustomer)]
	number := strconv.Itoa(i / len(customers))
	if site := sites[i%len(sites)]; c.region == anglo {
		c.name += " " + site
	}
	c.name += " " + number
	c.domain += "-" + strconv.Itoa(i)
	return c
}

// person makes up somebody at an account whom Totango does not know.
func (g *generator) person(a *Account) person {
	r := a.region
	given, family := pick(g.rng, r.given), pick(g.rng, r.family)
	email := address(given, family, a.Domain)
	for n := 2; g.addresses[email]; n++ {
		local, domain, _ := strings.Cut(address(given, family, a.Domain), "@")
		email = local + strconv.Itoa(n) + "@" + domain
	}
	p := person{name: given.text + " " + family.text, first: given.text, email: email, title: pick(g.rng, titles)}
	if r == japanese {
		p.name, p.first = family.text+" "+given.text, family.text+"さん"
	}
	return p
}

// enrol makes Totango's users out of the accounts' people.
func (g *generator) enrol() {
	for i, a := range g.accounts {
		for k, p := range a.people {
			u := User{AccountID: a.ID, ID: p.email, Name: p.name, Title: p.title, Contact: p.contact, KeyContact: p.key}
			if k == 1 && i >= firstOrdinaryCustomer {
				switch i % 5 {
				case 0:
					u.ID, u.Email = strings.ToUpper(p.email), p.email
					g.shouting = append(g.shouting, known{a, p})
				case 2:
					u.ID, u.Email = "CRM-"+strconv.Itoa(70000+i*11), p.email
					g.nameless = append(g.nameless, known{a, p})
				}
			}
			g.c.Users = append(g.c.Users, u)
		}
	}
	g.enrolSpecial()
	accounts := make([]Account, len(g.accounts))
	for i, a := range g.accounts {
		accounts[i] = *a
	}
	slices.SortFunc(accounts, func(x, y Account) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
	g.c.Accounts = accounts
}

// enrolSpecial adds the users that scenarios are about; see the comments at each.
func (g *generator) enrolSpecial() {
	user := func(account int, name, email, title string, contact, key bool) {
		g.c.Users = append(g.c.Users, User{
			AccountID: g.accounts[account].ID, ID: email, Name: name, Title: title, Contact: contact, KeyContact: key,
		})
	}
	// One person in two accounts of a group, a key contact of the parent only.
	s := person{name: "Sigrún Østlund", first: "Sigrún", email: "sigrun.ostlund@" + g.accounts[groupParent].Domain, title: "Group CFO"}
	g.shared = s
	user(groupParent, s.name, s.email, s.title, true, true)
	user(groupChild, s.name, s.email, s.title, true, false)

	// One person in two accounts that differ by their id alone.
	s = person{name: "Odile Prescott", first: "Odile", email: "odile.prescott@" + g.accounts[twinOne].Domain, title: "Operations Director"}
	g.twin = s
	user(twinOne, s.name, s.email, s.title, true, false)
	user(twinTwo, s.name, s.email, s.title, true, false)

	// The vendor's own people as users of the vendor's own account: internal all the same.
	for i := range 4 {
		m := &g.c.Team[i]
		user(house, m.Name(), m.Email, m.Title, true, i == 0)
	}
	// A Totango team member from an agency who is also a key contact of a customer: team members decide nothing.
	user(tieFirst, g.agency.Name(), g.agency.Email, g.agency.Title, true, true)

	// Somebody whom the account has twice, by address and by number: still one person.
	p := g.accounts[tieFirst].people[1]
	g.c.Users = append(g.c.Users, User{
		AccountID: g.accounts[tieFirst].ID, ID: "CRM-69001", Email: p.email, Name: p.name, Title: p.title, Contact: p.contact, KeyContact: p.key,
	})
}
