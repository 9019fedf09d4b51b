package sandbox

import (
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// Load puts the company into both simulators: users and calls into Gong; accounts, users and team members into Totango. Each
// simulator takes a company once.
func Load(c *Company, gong *gongtest.Server, totango *totangotest.Server) {
	for i := range c.Team {
		loadMember(&c.Team[i], gong, totango)
	}
	for i := range c.Accounts {
		a := &c.Accounts[i]
		totango.AddAccount(totangotest.Account{
			ID: a.ID, Name: a.Name, Team: []string{a.CSM}, LastActivity: c.Now, Attributes: map[string]string{"Industry": a.Industry},
		})
	}
	for _, u := range c.Users {
		totango.AddUser(totangotest.User{
			ID: u.ID, Email: u.Email, Name: u.Name, AccountID: u.AccountID, Contact: u.Contact, KeyContact: u.KeyContact,
			Attributes: map[string]string{"Title": u.Title},
		})
	}
	for i := range c.Meetings {
		gong.AddCall(c.Meetings[i].call())
	}
}

func loadMember(m *Member, gong *gongtest.Server, totango *totangotest.Server) {
	if m.GongID != "" {
		gong.AddUser(gongtest.User{ID: m.GongID, Email: m.Email, FirstName: m.First, LastName: m.Last, Title: m.Title, Avatar: m.Avatar})
	}
	if m.Totango {
		totango.AddTeam(totangotest.TeamMember{Email: m.Email, Name: m.Name(), Role: m.Title})
	}
}

// call is the meeting as the simulated Gong takes it.
func (m *Meeting) call() gongtest.Call {
	call := gongtest.Call{
		ID: m.ID, Title: m.Title, Started: m.Started, Scheduled: m.Scheduled, Duration: m.Duration, PrimaryUserID: m.HostID,
		Direction: m.Direction, System: m.System, Scope: m.Scope, Media: m.Media, Language: m.Language, Purpose: m.Purpose,
		Private: m.Private, VisibleAt: m.VisibleAt, ContentAt: m.TextAt,
		Brief: m.Text.Brief, KeyPoints: m.Text.KeyPoints, Structure: spans(m.Text.Agenda), Topics: spans(m.Text.Topics),
	}
	for _, p := range m.Parties {
		call.Parties = append(call.Parties, p.gong())
	}
	if len(m.Text.NextSteps) > 0 {
		call.Highlights = []gongtest.Highlight{{Title: "Next steps", Items: m.Text.NextSteps}}
	}
	for i, s := range m.Text.Outline {
		section := gongtest.Section{Name: s.Name, Duration: s.Duration, Items: s.Items}
		if i > 0 {
			before := call.Outline[i-1]
			section.Start = before.Start + before.Duration
		}
		call.Outline = append(call.Outline, section)
	}
	return call
}

func (p *Party) gong() gongtest.Party {
	party := gongtest.Party{
		ID: p.ID, Name: p.Name, Email: p.Email, Title: p.Title, UserID: p.UserID, SpeakerID: p.SpeakerID,
		Affiliation: p.Affiliation, Phone: p.Phone,
	}
	if p.Invitee {
		party.Methods = append(party.Methods, "Invitee")
	}
	if p.Attendee {
		party.Methods = append(party.Methods, "Attendee")
	}
	return party
}

func spans(sections []Section) []gongtest.Span {
	var list []gongtest.Span
	for _, s := range sections {
		list = append(list, gongtest.Span{Name: s.Name, Duration: s.Duration})
	}
	return list
}
