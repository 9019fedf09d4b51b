package activities

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

func TestDecide(t *testing.T) {
	const host = "hana@ours.example"
	acme := plugin.Target{ID: "1", Name: "Acme"}
	bolt := plugin.Target{ID: "2", Name: "Bolt"}
	core := plugin.Target{ID: "3", Name: "Core"}
	contact := func(t plugin.Target) plugin.Target { t.Contact = true; return t }
	key := func(t plugin.Target) plugin.Target { t.KeyContact = true; return t }
	ours := func(t plugin.Target) plugin.Target { t.Team = []string{"other@ours.example", host}; return t }
	theirs := func(t plugin.Target) plugin.Target { t.Team = []string{"other@ours.example"}; return t }
	known := func(targets ...plugin.Target) plugin.Match { return plugin.Match{Targets: targets} }

	tests := map[string]struct {
		policy  plan.Policy
		matches []plugin.Match // of a, b, c, …
		want    string         // target id or reason, and the losers' ids
	}{
		"one account":                        {plan.MostParticipants, []plugin.Match{known(bolt), {}}, "2"},
		"most participants":                  {plan.MostParticipants, []plugin.Match{known(acme), known(bolt), known(bolt)}, "2 over 1"},
		"a person in two accounts":           {plan.MostParticipants, []plugin.Match{known(acme, bolt), known(bolt)}, "2 over 1"},
		"a tie goes to key contacts":         {plan.MostParticipants, []plugin.Match{known(contact(acme)), known(key(bolt))}, "2 over 1"},
		"then to contacts":                   {plan.MostParticipants, []plugin.Match{known(acme), known(contact(bolt))}, "2 over 1"},
		"then to the name":                   {plan.MostParticipants, []plugin.Match{known(bolt), known(acme)}, "1 over 2"},
		"then to the id":                     {plan.MostParticipants, []plugin.Match{known(plugin.Target{ID: "9", Name: "Acme"}), known(acme)}, "1 over 9"},
		"numbers outrank contacts":           {plan.MostParticipants, []plugin.Match{known(key(acme)), known(bolt), known(bolt)}, "2 over 1"},
		"no policy is most participants":     {"", []plugin.Match{known(key(acme)), known(bolt), known(bolt)}, "2 over 1"},
		"first takes the first name":         {plan.First, []plugin.Match{known(bolt), known(bolt), known(acme)}, "1 over 2"},
		"skip rejects several":               {plan.Skip, []plugin.Match{known(acme), known(bolt), known(bolt)}, "account_ambiguous over 2,1"},
		"skip takes one":                     {plan.Skip, []plugin.Match{known(acme), known(acme)}, "1"},
		"nobody known":                       {plan.MostParticipants, []plugin.Match{{}, {}}, "account_unresolved"},
		"only team members":                  {plan.MostParticipants, []plugin.Match{{Internal: true}, {Internal: true}}, "internal_only"},
		"a team member and a stranger":       {plan.MostParticipants, []plugin.Match{{Internal: true}, {}}, "account_unresolved"},
		"a team member's account is ignored": {plan.MostParticipants, []plugin.Match{{Internal: true, Targets: []plugin.Target{acme}}, known(bolt)}, "2"},

		"contacts: key contacts outrank numbers": {plan.ContactFirst, []plugin.Match{known(key(acme)), known(bolt), known(bolt)}, "1 over 2"},
		"contacts: two key contacts beat one":    {plan.ContactFirst, []plugin.Match{known(key(acme)), known(key(bolt)), known(key(bolt))}, "2 over 1"},
		"contacts: a key contact beats two contacts": {
			plan.ContactFirst, []plugin.Match{known(key(contact(acme))), known(contact(bolt)), known(contact(bolt))}, "1 over 2",
		},
		"contacts: then contacts":         {plan.ContactFirst, []plugin.Match{known(acme), known(acme), known(contact(bolt))}, "2 over 1"},
		"contacts: then numbers":          {plan.ContactFirst, []plugin.Match{known(contact(acme)), known(contact(bolt)), known(bolt)}, "2 over 1"},
		"contacts: then the name":         {plan.ContactFirst, []plugin.Match{known(contact(bolt)), known(contact(acme))}, "1 over 2"},
		"contacts: a person in both":      {plan.ContactFirst, []plugin.Match{known(contact(acme), key(bolt))}, "2 over 1"},
		"contacts: nobody is a contact":   {plan.ContactFirst, []plugin.Match{known(acme), known(bolt), known(bolt)}, "2 over 1"},
		"host: the host's account":        {plan.HostTeam, []plugin.Match{known(key(acme)), known(acme), known(ours(bolt))}, "2 over 1"},
		"host: another's account":         {plan.HostTeam, []plugin.Match{known(acme), known(acme), known(theirs(bolt))}, "1 over 2"},
		"host: most of the host's own":    {plan.HostTeam, []plugin.Match{known(acme), known(acme), known(acme), known(ours(bolt)), known(ours(core)), known(ours(core))}, "3 over 2,1"},
		"host: nobody's account":          {plan.HostTeam, []plugin.Match{known(acme), known(bolt), known(bolt)}, "2 over 1"},
		"host: ties as most participants": {plan.HostTeam, []plugin.Match{known(ours(contact(acme))), known(ours(key(bolt)))}, "2 over 1"},
		"host: only one account, not his": {plan.HostTeam, []plugin.Match{known(theirs(acme))}, "1"},
		"host: said of one person alone":  {plan.HostTeam, []plugin.Match{known(acme), known(bolt), known(bolt), known(ours(acme))}, "1 over 2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			matches := map[string]plugin.Match{}
			var addresses []string
			for i, m := range test.matches {
				address := string(rune('a' + i))
				addresses = append(addresses, address)
				matches[address] = m
			}
			d := decide(test.policy, addresses, host, matches)
			got := d.Target
			if d.Reason != "" {
				got = string(d.Reason)
			}
			var losers []string
			for _, c := range d.Losers {
				losers = append(losers, c.ID)
			}
			if len(losers) > 0 {
				got += " over " + strings.Join(losers, ",")
			}
			if got != test.want {
				t.Errorf("decided %s, want %s (%+v)", got, test.want, d)
			}
		})
	}
}

func TestDecideWithoutAHost(t *testing.T) {
	matches := map[string]plugin.Match{
		"a": {Targets: []plugin.Target{{ID: "1", Name: "Acme", Team: []string{""}}}},
		"b": {Targets: []plugin.Target{{ID: "2", Name: "Bolt"}}},
		"c": {Targets: []plugin.Target{{ID: "2", Name: "Bolt"}}},
	}
	if d := decide(plan.HostTeam, []string{"a", "b", "c"}, "", matches); d.Target != "2" {
		t.Errorf("a record without a host went to %s", d.Target)
	}
}

func TestDecideNamesTheLosers(t *testing.T) {
	matches := map[string]plugin.Match{
		"a": {Targets: []plugin.Target{{ID: "1", Name: "Acme", Team: []string{"h@ours.example"}}}},
		"b": {Targets: []plugin.Target{{ID: "2", Name: "Bolt"}}},
		"c": {Targets: []plugin.Target{{ID: "2", Name: "Bolt"}, {ID: "3", Name: "Core", Contact: true}}},
	}
	d := decide(plan.MostParticipants, []string{"a", "b", "c"}, "h@ours.example", matches)
	want := []Candidate{{ID: "3", Name: "Core", Matched: 1, Contacts: 1}, {ID: "1", Name: "Acme", Matched: 1, Host: true}}
	if diff := cmp.Diff(want, d.Losers); d.Target != "2" || diff != "" {
		t.Errorf("target %s, losers (-want +got):\n%s", d.Target, diff)
	}
}

// A consultant can be a user of thousands of accounts: what goes into a history stays small.
func TestDecideNamesNotAllOfVeryManyLosers(t *testing.T) {
	var m plugin.Match
	for i := range 2_500 {
		m.Targets = append(m.Targets, plugin.Target{ID: fmt.Sprintf("%04d", i), Name: fmt.Sprintf("Account %04d", i)})
	}
	d := decide(plan.MostParticipants, []string{"a"}, "", map[string]plugin.Match{"a": m})
	if d.Target != "0000" || len(d.Losers) != 20 || d.Losers[19].ID != "0020" || d.Detail != "2479 more accounts were possible" {
		t.Errorf("target %s, %d losers, detail %q", d.Target, len(d.Losers), d.Detail)
	}
	d = decide(plan.Skip, []string{"a"}, "", map[string]plugin.Match{"a": m})
	want := "2500 accounts are possible and the job's policy is to skip; 2480 more accounts were possible"
	if d.Reason != ReasonAmbiguous || len(d.Losers) != 20 || d.Detail != want {
		t.Errorf("reason %s, %d losers, detail %q", d.Reason, len(d.Losers), d.Detail)
	}
}

func TestIsFreeMail(t *testing.T) {
	for domain, want := range map[string]bool{
		"gmail.com": true, "googlemail.com": true, "outlook.com": true, "outlook.de": true, "hotmail.co.uk": true, "yahoo.com": true,
		"yahoo.co.jp": true, "icloud.com": true, "gmx.net": true, "gmx.at": true, "web.de": true, "proton.me": true, "qq.com": true,
		"privaterelay.appleid.com": true, "resource.calendar.google.com": true,
		"acme.example": false, "google.com": false, "microsoft.com": false, "mygmail.com": false, "gmail-tools.com": false, "apple.com": false,
	} {
		if got := isFreeMail(domain); got != want {
			t.Errorf("isFreeMail(%s) = %t", domain, got)
		}
	}
	for i, d := range freeMailDomains {
		if !strings.Contains(d, ".") || d != strings.ToLower(d) {
			t.Errorf("%q is no domain", d)
		}
		for _, other := range freeMailDomains[:i] {
			if d == other {
				t.Errorf("%s is there twice", d)
			}
		}
	}
}
