package activities

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

func TestDecide(t *testing.T) {
	acme := plugin.Target{ID: "1", Name: "Acme"}
	bolt := plugin.Target{ID: "2", Name: "Bolt"}
	contact := func(t plugin.Target) plugin.Target { t.Contact = true; return t }
	key := func(t plugin.Target) plugin.Target { t.KeyContact = true; return t }
	known := func(targets ...plugin.Target) plugin.Match { return plugin.Match{Targets: targets} }

	tests := map[string]struct {
		policy  plan.Policy
		matches []plugin.Match // of a, b, c, …
		want    string         // target id or reason
	}{
		"one account":                        {plan.MostParticipants, []plugin.Match{known(bolt), {}}, "2"},
		"most participants":                  {plan.MostParticipants, []plugin.Match{known(acme), known(bolt), known(bolt)}, "2"},
		"a person in two accounts":           {plan.MostParticipants, []plugin.Match{known(acme, bolt), known(bolt)}, "2"},
		"a tie goes to key contacts":         {plan.MostParticipants, []plugin.Match{known(contact(acme)), known(key(bolt))}, "2"},
		"then to contacts":                   {plan.MostParticipants, []plugin.Match{known(acme), known(contact(bolt))}, "2"},
		"then to the name":                   {plan.MostParticipants, []plugin.Match{known(bolt), known(acme)}, "1"},
		"then to the id":                     {plan.MostParticipants, []plugin.Match{known(plugin.Target{ID: "9", Name: "Acme"}), known(acme)}, "1"},
		"numbers outrank contacts":           {plan.MostParticipants, []plugin.Match{known(key(acme)), known(bolt), known(bolt)}, "2"},
		"first takes the first name":         {plan.First, []plugin.Match{known(bolt), known(bolt), known(acme)}, "1"},
		"skip rejects several":               {plan.Skip, []plugin.Match{known(acme), known(bolt)}, "account_ambiguous"},
		"skip takes one":                     {plan.Skip, []plugin.Match{known(acme), known(acme)}, "1"},
		"nobody known":                       {plan.MostParticipants, []plugin.Match{{}, {}}, "account_unresolved"},
		"only team members":                  {plan.MostParticipants, []plugin.Match{{Internal: true}, {Internal: true}}, "internal_only"},
		"a team member and a stranger":       {plan.MostParticipants, []plugin.Match{{Internal: true}, {}}, "account_unresolved"},
		"a team member's account is ignored": {plan.MostParticipants, []plugin.Match{{Internal: true, Targets: []plugin.Target{acme}}, known(bolt)}, "2"},
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
			d := decide(test.policy, addresses, matches)
			got := d.Target
			if d.Reason != "" {
				got = string(d.Reason)
			}
			if got != test.want {
				t.Errorf("decided %s, want %s (%+v)", got, test.want, d)
			}
		})
	}
}

func TestDecideNamesTheLosers(t *testing.T) {
	matches := map[string]plugin.Match{
		"a": {Targets: []plugin.Target{{ID: "1", Name: "Acme"}}},
		"b": {Targets: []plugin.Target{{ID: "2", Name: "Bolt"}}},
		"c": {Targets: []plugin.Target{{ID: "2", Name: "Bolt"}, {ID: "3", Name: "Core", Contact: true}}},
	}
	d := decide(plan.MostParticipants, []string{"a", "b", "c"}, matches)
	want := []Candidate{{ID: "3", Name: "Core", Matched: 1, Contacts: 1}, {ID: "1", Name: "Acme", Matched: 1}}
	if diff := cmp.Diff(want, d.Losers); d.Target != "2" || diff != "" {
		t.Errorf("target %s, losers (-want +got):\n%s", d.Target, diff)
	}
}

func TestResolveAsksForEachAddressOnce(t *testing.T) {
	var asked [][]string
	c := &connector{resolve: func(req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
		asked = append(asked, req.Addresses)
		res := &plugin.ResolveResponse{Requests: 1}
		for _, address := range req.Addresses {
			if address != "stranger" {
				res.Matches = append(res.Matches, plugin.Match{Address: address, Targets: []plugin.Target{{ID: "acc of " + address}}})
			}
		}
		return res, nil
	}}
	m := &meter{}
	acts := New(Dependencies{Connectors: c, Quotas: m})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(acts)
	in := ResolveInput{
		Destination: plan.Destination{Connection: "totango.success", Object: "touchpoint", MaxResolve: 2},
		Resolve:     plan.Resolve{OnAmbiguous: plan.MostParticipants},
		External:    [][]string{{"a", "stranger"}, {"a", "b"}, {"stranger"}},
	}
	for range 2 {
		v, err := env.ExecuteActivity(acts.Resolve, in)
		if err != nil {
			t.Fatal(err)
		}
		var res ResolveResult
		if err := v.Get(&res); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range res.Decisions {
			got = append(got, d.Target+string(d.Reason))
		}
		if diff := cmp.Diff([]string{"acc of a", "acc of a", "account_unresolved"}, got); diff != "" {
			t.Errorf("decisions (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([][]string{{"a", "stranger"}, {"b"}}, asked); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	if m.acquired != 2 || m.spent != 0 {
		t.Errorf("acquired %d requests, corrected by %d; want 2 and 0", m.acquired, m.spent)
	}
}

func TestExternals(t *testing.T) {
	structs := plan.Resolve{Participants: "parties", Email: "email", Affiliation: "affiliation", Host: "host_email", InternalDomains: []string{"sister.example"}}
	tests := map[string]struct {
		res  plan.Resolve
		data string
		want []string
		fail bool
	}{
		"outside people, once, normalised": {structs, `{"parties":[{"email":" Pat@Acme.example ","affiliation":"External"},{"email":"pat@acme.example"}]}`, []string{"pat@acme.example"}, false},
		"unknown affiliation is outside":   {structs, `{"parties":[{"email":"x@acme.example","affiliation":"Unknown"}]}`, []string{"x@acme.example"}, false},
		"internal affiliation":             {structs, `{"parties":[{"email":"x@freelance.example","affiliation":"Internal"}]}`, nil, false},
		"the host's domain":                {structs, `{"host_email":"h@Ours.example","parties":[{"email":"y@ours.example"},{"email":"z@acme.example"}]}`, []string{"z@acme.example"}, false},
		"internal domains":                 {structs, `{"parties":[{"email":"y@SISTER.example"}]}`, nil, false},
		"a sub-domain is another company":  {structs, `{"host_email":"h@ours.example","parties":[{"email":"y@eu.ours.example"}]}`, []string{"y@eu.ours.example"}, false},
		"people without an address":        {structs, `{"parties":[{"name":"Phone Caller #1"},{"email":null},{"email":""}]}`, nil, false},
		"no parties at all":                {structs, `{}`, nil, false},
		"null parties":                     {structs, `{"parties":null}`, nil, false},
		"plain addresses":                  {plan.Resolve{Participants: "people"}, `{"people":["a@acme.example","a@acme.example"]}`, []string{"a@acme.example"}, false},
		"the wrong shape is an error":      {structs, `{"parties":"pat@acme.example"}`, nil, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := externals(&test.res, []byte(test.data))
			if (err != nil) != test.fail || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v; want %v, failure %v", got, err, test.want, test.fail)
			}
		})
	}
}
