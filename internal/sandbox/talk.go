package sandbox

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// theme is a kind of meeting. Its texts hold slots such as {a}; see [slots].
type theme struct {
	titles   []string
	purposes []string
	agenda   []string
	opening  string // first sentence of the brief
	closing  string // last sentence of the brief
	scenes   []scene
}

// scene is one thing that was talked about: a sentence for the brief, a key point, and what somebody is to do about it.
type scene struct{ brief, point, step string }

// workspaceTopics are the topics that Gong looks for in every call.
var workspaceTopics = []string{
	"Call Setup", "Small Talk", "Onboarding", "Product Usage", "Integrations", "Support Issues", "Pricing", "Renewal", "Roadmap",
	"Security", "Next Steps", "Wrap-Up",
}

// slots are the values that texts are filled with: {a} the account, {v} the vendor, {c} and {o} the first names of the customer's
// people, {h} that of the host. {n}, {p}, {d}, {m} and {s} are a small number, a percentage, a weekday, a month and a site; they
// stay the same until drawn anew, so that the brief, the key point and the next step of a scene agree.
type slots struct {
	rng                           *rand.Rand
	account, contact, other, host string

	number, percent    int
	weekday, month, at string
}

var (
	weekdays = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}
	months   = []string{"January", "March", "April", "June", "September", "October", "November"}
	sites    = []string{"Rotterdam", "Gdańsk", "Savannah", "Osaka", "Málaga", "Duluth", "Göteborg", "Chennai", "Tacoma", "Lyon"}
)

// draw chooses new values for what is not about the meeting itself.
func (s *slots) draw() {
	s.number, s.percent = 2+s.rng.IntN(11), 8+s.rng.IntN(80)
	s.weekday, s.month, s.at = pick(s.rng, weekdays), pick(s.rng, months), pick(s.rng, sites)
}

// fill replaces the slots of a text.
func (s *slots) fill(text string) string {
	i := strings.IndexByte(text, '{')
	if i < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 48)
	for ; i >= 0; i = strings.IndexByte(text, '{') {
		b.WriteString(text[:i])
		b.WriteString(s.value(text[i+1]))
		text = text[i+3:] // a slot is one letter in braces
	}
	b.WriteString(text)
	return b.String()
}

func (s *slots) value(letter byte) string {
	switch letter {
	case 'a':
		return s.account
	case 'v':
		return vendorName
	case 'c':
		return s.contact
	case 'o':
		return s.other
	case 'h':
		return s.host
	case 'n':
		return strconv.Itoa(s.number)
	case 'p':
		return strconv.Itoa(s.percent) + "%"
	case 'd':
		return s.weekday
	case 'm':
		return s.month
	case 's':
		return s.at
	default:
		panic("sandbox: no such slot: " + string(letter))
	}
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// The themes of meetings with customers, the more usual ones first.
var themes = []*theme{&syncTalk, &onboardingTalk, &reviewTalk, &renewalTalk, &supportTalk, &trainingTalk, &integrationTalk, &roadmapTalk}

var syncTalk = theme{
	titles:   []string{"{a} / {v} weekly sync", "{a} - bi-weekly check-in", "{v} x {a}: status", "Catch-up with {c} ({a})"},
	purposes: []string{"Weekly status", "Check-in"},
	agenda:   []string{"Open items", "Usage since last time", "Carrier data", "Anything else"},
	opening:  "{h} and {c} went through the open items of {a}.",
	closing:  "They keep the rhythm and meet again on {d}.",
	scenes: []scene{
		{"The late-shipment alerts now reach the planners at {s}, who act on {p} of them.", "Alerts: planners at {s} act on {p} of the late-shipment alerts.", "{h} to share the alert tuning guide with the {s} team."},
		{"Two carriers still send milestones a day late, and {c} will raise it with them.", "Carrier data: two carriers report milestones with a day's delay.", "{c} to ask both carriers for hourly status files."},
		{"Logins have gone up by {p} since the dashboards were moved to the start page.", "Adoption: weekly logins are up {p} since the new start page.", ""},
		{"{o} asked for a view that shows only orders at risk, which {h} demonstrated.", "Feature: the \"Orders at risk\" view covers what {o} asked for.", "{h} to save the view as a default for all planners."},
		{"The customer-service desk would like to see ETAs in its own ticket system.", "Request: ETA in the ticket system, wanted by customer service.", "{h} to send the API examples for ETAs."},
		{"{c} is on leave for {n} days, and {o} takes over until then.", "People: {o} covers for {c} for {n} days.", ""},
	},
}

var onboardingTalk = theme{
	titles:   []string{"{a} onboarding: kick-off", "Onboarding session {n} - {a}", "{a} <> {v} implementation call", "Go-live readiness: {a}"},
	purposes: []string{"Onboarding kick-off", "Implementation", "Go-live"},
	agenda:   []string{"Introductions", "Goals and success criteria", "Data sources", "Timeline", "Roles"},
	opening:  "{h} walked {c} and the team of {a} through the onboarding plan.",
	closing:  "Go-live at {s} stays planned for {m}.",
	scenes: []scene{
		{"The first milestone is {p} of inbound orders tracked, starting with {s}.", "Goal: {p} of inbound orders tracked at {s} as the first milestone.", "{c} to confirm the list of lanes for {s}."},
		{"Master data will come from the ERP once a night, and order changes every hour.", "Data: nightly master data from the ERP, hourly order changes.", "{o} to provide a sample extract with {n} days of orders."},
		{"Single sign-on is wanted before the first planners get access.", "Access: single sign-on has to be ready before the pilot.", "{h} to send the SAML set-up sheet."},
		{"{n} key users were named; they get their training two weeks ahead of the others.", "People: {n} key users named for the pilot.", "{h} to invite the key users to the training on {d}."},
		{"{o} raised the quality of supplier addresses as the main risk.", "Risk: supplier addresses are incomplete for about {p} of suppliers.", "{c} to assign an owner for address clean-up."},
		{"Both sides agreed on a steering meeting every second {d}.", "Governance: steering meeting every second {d}.", ""},
	},
}

var reviewTalk = theme{
	titles:   []string{"{a} - quarterly business review", "QBR {a} & {v}", "{a}: executive review", "{a} success plan review"},
	purposes: []string{"Quarterly business review", "Executive review"},
	agenda:   []string{"Results of the quarter", "Value delivered", "Success plan", "Outlook"},
	opening:  "{h} presented the results of the quarter to {c} and the leadership of {a}.",
	closing:  "{c} called the quarter a good one and wants the same figures in {m}.",
	scenes: []scene{
		{"On-time delivery improved by {n} points, most of it on the {s} lanes.", "Results: on-time delivery up {n} points, led by the {s} lanes.", ""},
		{"Detention and demurrage cost fell by {p}, which finance has confirmed.", "Value: detention and demurrage down {p}, confirmed by finance.", "{h} to write up the savings as a one-page case."},
		{"Only one of the two regions uses the exception workflow; the other still works by e-mail.", "Adoption gap: one region handles exceptions by e-mail.", "{o} to nominate a champion for the second region."},
		{"{c} wants the carbon report to be part of the next review.", "Outlook: carbon reporting wanted for the next review.", "{h} to prepare the carbon report for {n} lanes."},
		{"The success plan gets two new goals: supplier scorecards and slot booking at {s}.", "Success plan: supplier scorecards, slot booking at {s}.", "{h} to update the success plan by {d}."},
		{"{o} asked how peers of the same size measure forecast accuracy.", "Question: how do peers measure forecast accuracy?", "{h} to arrange a reference call with a peer."},
	},
}

var renewalTalk = theme{
	titles:   []string{"{a} renewal discussion", "{v} / {a}: contract and pricing", "Renewal planning - {a}", "{a} - commercial review"},
	purposes: []string{"Renewal", "Commercial"},
	agenda:   []string{"Current contract", "Volume forecast", "Options", "Process"},
	opening:  "{h} and {c} talked about the contract of {a}, which is due for renewal in {m}.",
	closing:  "Both want a signature before the end of {m}.",
	scenes: []scene{
		{"{c} intends to renew for two years if volumes can grow by {p} at the same price.", "Renewal: two years likely, with room for {p} more volume.", "{h} to send a two-year quote by {d}."},
		{"Procurement will ask for a benchmark, and {o} is the person to convince.", "Stakeholders: {o} in procurement asks for a benchmark.", "{c} to introduce {h} to {o}."},
		{"The slot-booking module is used by {n} sites only and may be dropped.", "Risk: slot booking is used at {n} sites and is under review.", "{h} to offer an enablement session for slot booking."},
		{"A competitor has offered a lower price for tracking alone.", "Competition: a lower offer for tracking alone is on the table.", "{h} to prepare a comparison of total cost."},
		{"Legal needs the data processing agreement in its new version.", "Legal: new data processing agreement needed.", "{h} to send the agreement to legal."},
		{"Invoices should go to the shared service centre in {s} from now on.", "Billing: invoices go to the service centre in {s}.", "{c} to send the new billing address."},
	},
}

var supportTalk = theme{
	titles:   []string{"{a}: escalation call", "Incident review with {a}", "{a} - open tickets", "{a} / {v} root cause review"},
	purposes: []string{"Escalation", "Incident review"},
	agenda:   []string{"What happened", "Impact", "Root cause", "Measures"},
	opening:  "{h} explained to {c} what caused the delayed position updates at {a}.",
	closing:  "{c} accepts the explanation and wants a short note on {d} about the measures.",
	scenes: []scene{
		{"Position updates of {n} vessels were up to four hours old on {d}.", "Impact: {n} vessels had positions up to four hours old.", ""},
		{"A queue had filled up after a provider changed its file format without notice.", "Root cause: a provider changed its file format without notice.", "{h} to send the written root cause analysis."},
		{"{o} had to call customers by hand and lost most of a day.", "Impact: {o}'s team called customers by hand for a day.", ""},
		{"An alarm on queue age is in place since {d}, and files are now checked on arrival.", "Measure: alarm on queue age, check of files on arrival.", "{h} to show the new status page in the next call."},
		{"Three older tickets about duplicate stops are still open.", "Tickets: three on duplicate stops are still open.", "{h} to have support close or re-plan the three tickets."},
		{"{c} asked to be called, not mailed, when something like this happens again.", "Communication: {c} wants a phone call in the first hour.", "{h} to add {c}'s number to the incident contact list."},
	},
}

var trainingTalk = theme{
	titles:   []string{"{a} - planner training", "Training: exceptions and alerts ({a})", "{a} admin enablement", "{v} academy for {a}"},
	purposes: []string{"Training", "Enablement"},
	agenda:   []string{"Warm-up", "Dashboards", "Alerts", "Exercises", "Questions"},
	opening:  "{h} trained {c} and the planners of {a} in dashboards and alerts.",
	closing:  "The recording goes to those who could not come.",
	scenes: []scene{
		{"The group built its own dashboard for {s} and saved it for the team.", "Exercise: a dashboard for {s}, built and shared by the group.", ""},
		{"{o} was surprised that filters can be shared, and will clean up the old ones.", "Filters: shared filters replace {n} personal copies.", "{o} to delete the old personal filters."},
		{"Alert rules by customer tier raised most of the questions.", "Questions: most were about alert rules by customer tier.", "{h} to write a short guide on alert rules by tier."},
		{"Two people could not log in because their accounts had expired.", "Access: two expired accounts.", "{c} to have the two accounts extended."},
		{"{p} of the group found the exercises easy, so part two will go deeper.", "Feedback: {p} found the exercises easy.", "{h} to plan part two for {m}."},
	},
}

var integrationTalk = theme{
	titles:   []string{"{a}: integration workshop", "API working session - {a}", "{a} ERP interface review", "EDI mapping with {a}"},
	purposes: []string{"Technical workshop", "Integration"},
	agenda:   []string{"Architecture", "Message types", "Error handling", "Test plan"},
	opening:  "{h} and {c} designed the interface between {v} and the ERP of {a}.",
	closing:  "Testing starts on {d} with data from {s}.",
	scenes: []scene{
		{"Orders come as IDocs through the middleware; shipments go back as webhooks.", "Design: IDocs in, webhooks out.", "{o} to open the firewall for the webhook addresses."},
		{"Messages that fail are parked and shown to {o}'s team instead of being dropped.", "Error handling: failed messages are parked and listed.", "{h} to enable the error list for {o}."},
		{"Field `ref_no` holds two different things, depending on the plant: \"PO\" & \"delivery\".", "Mapping: `ref_no` means PO in one plant & delivery in another.", "{c} to decide which reference is the key."},
		{"The nightly load takes {n} hours and should be cut into parts.", "Performance: the nightly load takes {n} hours.", "{c} to test the load in parts of 5,000 orders."},
		{"Time zones of pick-up windows are missing in the extract.", "Data: pick-up windows come without a time zone.", "{o} to add the time zone to the extract."},
		{"A test system will be refreshed from production on {d}.", "Test: refresh of the test system on {d}.", ""},
	},
}

var roadmapTalk = theme{
	titles:   []string{"{a} - roadmap session", "Product feedback with {a}", "{v} roadmap for {a}", "{a}: early access to Signals"},
	purposes: []string{"Roadmap", "Product feedback"},
	agenda:   []string{"What is new", "What comes next", "Feedback", "Early access"},
	opening:  "{h} showed {c} what {v} plans for the next two quarters.",
	closing:  "{a} joins the early access group for Signals.",
	scenes: []scene{
		{"Predicted arrival times for rail come in {m} and were the most wanted item.", "Roadmap: rail ETAs in {m}, most wanted by {a}.", "{h} to sign {a} up for the rail pilot."},
		{"{o} would rather have fewer alerts than more, and likes the new grouping.", "Feedback: grouped alerts are what {o} needs.", ""},
		{"The mobile app is of no use in the yard without offline mode.", "Feedback: the mobile app needs an offline mode in the yard.", "{h} to file the offline mode as a product request."},
		{"{c} offered {n} planners for interviews with the design team.", "Research: {n} planners are ready for interviews.", "{c} to send the planners' names."},
		{"Slot booking will be merged with yard management, which {c} did not expect.", "Roadmap: slot booking merges with yard management.", "{h} to send the migration notes."},
	},
}

// internalTalk is for the vendor's people among themselves.
var internalTalk = theme{
	titles:   []string{"CS team stand-up", "Prep: {a}", "Renewals forecast", "Handover {a}", "Onboarding retro", "{v} all-hands rehearsal"},
	purposes: []string{"Internal", "Preparation"},
	agenda:   []string{"Round", "Accounts at risk", "Decisions"},
	opening:  "{h} and the team went through the week.",
	closing:  "Notes are in the team's channel.",
	scenes: []scene{
		{"{a} is at risk because its sponsor has left.", "Risk: {a} has lost its sponsor.", "{h} to find a new sponsor at {a}."},
		{"The renewals of {m} look good, with {n} still open.", "Forecast: {n} renewals of {m} still open.", ""},
		{"Support asked for a shorter template for root cause analyses.", "Process: shorter template for root cause analyses.", "{o} to draft the template by {d}."},
		{"Discount above {p} needs approval from finance from now on.", "Pricing: discounts above {p} need approval.", ""},
	},
}

// prospectTalk is for companies that are no customers yet.
var prospectTalk = theme{
	titles:   []string{"Intro: {v} / {a}", "{a} - discovery call", "Demo for {a}", "{v} partnership with {a}"},
	purposes: []string{"Discovery", "Demo"},
	agenda:   []string{"Introductions", "Situation", "Demo", "Next steps"},
	opening:  "{h} introduced {v} to {c} of {a}.",
	closing:  "{c} will talk to the team and come back in {m}.",
	scenes: []scene{
		{"{a} tracks its freight in spreadsheets and loses {n} hours a day to phone calls.", "Pain: {n} hours a day on the phone for freight status.", ""},
		{"The budget for next year is being made now.", "Timing: budget is made until {m}.", "{h} to send a price range."},
		{"{c} liked the map view and asked how carriers are connected.", "Interest: map view, carrier network.", "{h} to send the list of connected carriers."},
		{"A tender with {n} bidders is likely.", "Process: tender with {n} bidders.", "{c} to share the tender's timeline."},
	},
}
