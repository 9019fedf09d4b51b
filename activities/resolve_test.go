package activities

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

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
	aliases := structs
	aliases.Aliases = []plan.Alias{
		{From: "pat@mail.example", To: "pat@acme.example"}, {From: "hana@mail.example", To: "hana@ours.example"},
		{From: "guest@ours.example", To: "bo@bolt.example"}, {From: "bo@bolt.example", To: "never@twice.example"},
	}
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
		"an alias":                         {aliases, `{"parties":[{"email":"PAT@mail.example"}]}`, []string{"pat@acme.example"}, false},
		"a person under both addresses":    {aliases, `{"parties":[{"email":"pat@acme.example"},{"email":"pat@mail.example"}]}`, []string{"pat@acme.example"}, false},
		"an alias of one of ours":          {aliases, `{"host_email":"x@ours.example","parties":[{"email":"hana@mail.example"}]}`, nil, false},
		"an alias of a guest of ours":      {aliases, `{"host_email":"x@ours.example","parties":[{"email":"guest@ours.example"}]}`, []string{"bo@bolt.example"}, false},
		"both domains of a host":           {aliases, `{"host_email":"Hana@mail.example","parties":[{"email":"y@ours.example"},{"email":"y@mail.example"}]}`, nil, false},
		"aliases do not change the source": {aliases, `{"parties":[{"email":"pat@mail.example","affiliation":"Internal"}]}`, nil, false},
		"a quoted @ in an address":         {structs, `{"host_email":"h@ours.example","parties":[{"email":"\"a@b\"@ours.example"}]}`, nil, false},
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

// directory is a destination that knows people and companies.
func directory(asked *[]*plugin.ResolveRequest, known map[string]plugin.Match) *connector {
	return &connector{resolve: func(req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
		*asked = append(*asked, req)
		res := &plugin.ResolveResponse{Requests: 1}
		for _, address := range req.Addresses {
			if m, ok := known[address]; ok {
				m.Address = address
				res.Matches = append(res.Matches, m)
			}
		}
		return res, nil
	}}
}

// resolveAll runs the activity, twice if asked, in one run of a workflow.
func resolveAll(t *testing.T, c *connector, times int, in ResolveInput) []Decision {
	t.Helper()
	acts := New(Dependencies{Connectors: c, Quotas: &meter{}})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(acts)
	var res ResolveResult
	for range times {
		v, err := env.ExecuteActivity(acts.Resolve, in)
		if err != nil {
			t.Fatal(err)
		}
		res = ResolveResult{}
		if err := v.Get(&res); err != nil {
			t.Fatal(err)
		}
	}
	return res.Decisions
}

func TestResolveFallsBackToDomains(t *testing.T) {
	acme, bolt := plugin.Target{ID: "1", Name: "Acme"}, plugin.Target{ID: "2", Name: "Bolt"}
	known := map[string]plugin.Match{
		"pat@acme.example": {Targets: []plugin.Target{acme}},
		"csm@ours.example": {Internal: true},
		"@acme.example":    {Targets: []plugin.Target{acme}},
		"@bolt.example":    {Targets: []plugin.Target{bolt}},
		"@group.example":   {Targets: []plugin.Target{acme, bolt}},
		"@ours.example":    {Internal: true},
		"@gmail.com":       {Targets: []plugin.Target{bolt}}, // never asked for
	}
	const by = "by domain: nobody who took part is known, but others of "
	unknown := func(n string) string {
		return "account id not resolved: the destination knows none of the " + n + " participants from outside"
	}
	tests := map[string]struct {
		policy   plan.Policy
		off      bool
		external []string
		want     Decision
		asked    []string // domains
	}{
		"a known person": {external: []string{"pat@acme.example", "x@bolt.example"}, want: Decision{Target: "1", Name: "Acme"}},
		"a colleague of known people": {
			external: []string{"new@acme.example"}, want: Decision{Target: "1", Name: "Acme", Detail: by + "acme.example are"}, asked: []string{"@acme.example"},
		},
		"switched off": {off: true, external: []string{"new@acme.example"}, want: Decision{Reason: ReasonUnresolved, Detail: unknown("1")}},
		"free mail decides nothing": {
			external: []string{"bolt@gmail.com"}, want: Decision{Reason: ReasonUnresolved, Detail: unknown("1")},
		},
		"free mail next to a company": {
			external: []string{"bolt@gmail.com", "new@acme.example"}, want: Decision{Target: "1", Name: "Acme", Detail: by + "acme.example are"},
			asked: []string{"@acme.example"},
		},
		"most participants of two companies": {
			external: []string{"a@acme.example", "b@bolt.example", "c@bolt.example"},
			want:     Decision{Target: "2", Name: "Bolt", Losers: []Candidate{{ID: "1", Name: "Acme", Matched: 1}}, Detail: by + "bolt.example are"},
			asked:    []string{"@acme.example", "@bolt.example"},
		},
		"a company with two accounts": {
			external: []string{"a@group.example", "b@group.example"},
			want:     Decision{Target: "1", Name: "Acme", Losers: []Candidate{{ID: "2", Name: "Bolt", Matched: 2}}, Detail: by + "group.example are"},
			asked:    []string{"@group.example"},
		},
		"two domains of the account": {
			external: []string{"a@group.example", "b@acme.example"},
			want:     Decision{Target: "1", Name: "Acme", Losers: []Candidate{{ID: "2", Name: "Bolt", Matched: 1}}, Detail: by + "group.example, acme.example are"},
			asked:    []string{"@group.example", "@acme.example"},
		},
		"the policy is to skip": {
			policy: plan.Skip, external: []string{"a@group.example"},
			want: Decision{
				Reason: ReasonAmbiguous, Losers: []Candidate{{ID: "1", Name: "Acme", Matched: 1}, {ID: "2", Name: "Bolt", Matched: 1}},
				Detail: "by domain: 2 accounts are possible and the job's policy is to skip",
			},
			asked: []string{"@group.example"},
		},
		"nobody of the company": {
			external: []string{"a@void.example", "b@void.example"},
			want:     Decision{Reason: ReasonUnresolved, Detail: unknown("2") + ", nor anybody of void.example"},
			asked:    []string{"@void.example"},
		},
		"the destination's own domain": {
			external: []string{"a@ours.example"},
			want:     Decision{Reason: ReasonUnresolved, Detail: unknown("1") + ", nor anybody of ours.example"},
			asked:    []string{"@ours.example"},
		},
		"a team member's domain is not asked for": {
			external: []string{"csm@ours.example", "new@acme.example"}, want: Decision{Target: "1", Name: "Acme", Detail: by + "acme.example are"},
			asked: []string{"@acme.example"},
		},
		"team members alone": {
			external: []string{"csm@ours.example"},
			want:     Decision{Reason: ReasonInternalOnly, Detail: "every participant is one of the destination's team members"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var asked []*plugin.ResolveRequest
			in := ResolveInput{
				Destination: plan.Destination{Connection: "totango.success", Object: "touchpoint", MaxResolve: 50},
				Resolve:     plan.Resolve{OnAmbiguous: test.policy, DomainFallback: !test.off},
				External:    [][]string{test.external},
			}
			got := resolveAll(t, directory(&asked, known), 2, in)
			if diff := cmp.Diff([]Decision{test.want}, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			want := [][]string{test.external}
			if test.asked != nil {
				want = append(want, test.asked)
			}
			var batches [][]string
			for _, req := range asked {
				batches = append(batches, req.Addresses)
				if req.Team {
					t.Error("the team was asked for, which nobody needs")
				}
			}
			if diff := cmp.Diff(want, batches); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolveByTheHostsTeam(t *testing.T) {
	acme := plugin.Target{ID: "1", Name: "Acme", Team: []string{"ann@ours.example"}}
	bolt := plugin.Target{ID: "2", Name: "Bolt", Team: []string{"ben@ours.example"}}
	known := map[string]plugin.Match{
		"consultant@third.example": {Targets: []plugin.Target{acme, bolt}},
		"@third.example":           {Targets: []plugin.Target{acme, bolt}},
	}
	var asked []*plugin.ResolveRequest
	everybody := []string{"consultant@third.example"}
	got := resolveAll(t, directory(&asked, known), 1, ResolveInput{
		Destination: plan.Destination{Connection: "totango.success", Object: "touchpoint", MaxResolve: 50},
		Resolve: plan.Resolve{
			OnAmbiguous: plan.HostTeam, DomainFallback: true, Aliases: []plan.Alias{{From: "benjamin@mail.example", To: "ben@ours.example"}},
		},
		External: [][]string{everybody, everybody, everybody, everybody, {"other@third.example"}, everybody},
		Hosts:    []string{"ann@ours.example", " Ben@Ours.example", "Benjamin@mail.example", "", "ben@ours.example"}, // and none for the last
	})
	var targets []string
	for _, d := range got {
		targets = append(targets, d.Target)
	}
	if diff := cmp.Diff([]string{"1", "2", "2", "1", "2", "1"}, targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	for _, req := range asked {
		if !req.Team {
			t.Errorf("the team was not asked for: %v", req.Addresses)
		}
	}
}
