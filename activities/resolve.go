package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"go.temporal.io/sdk/activity"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// matchKey is the key of the cache of matches. The run is part of it, so that a person who becomes known is known to the next
// run at once.
type matchKey struct{ run, connection, object, address string }

// ResolveInput is the input of [Activities.Resolve].
type ResolveInput struct {
	Destination plan.Destination `json:"destination"`
	Resolve     plan.Resolve     `json:"resolve"`

	// External has the addresses of the outside people of each record.
	External [][]string `json:"external"`
}

// ResolveResult has a decision for each record of the input, in its order.
type ResolveResult struct {
	Decisions []Decision `json:"decisions"`
}

// Decision says where a record belongs, or why nowhere.
type Decision struct {
	Target string `json:"target,omitempty"`
	Name   string `json:"name,omitempty"`

	// Losers are the other candidates, best first.
	Losers []Candidate `json:"losers,omitempty"`

	// Reason is set when there is no target.
	Reason Reason `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Candidate is a target that some of a record's participants belong to.
type Candidate struct {
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"`
	Matched     int    `json:"matched"` // how many participants belong to it
	KeyContacts int    `json:"key_contacts,omitempty"`
	Contacts    int    `json:"contacts,omitempty"`
}

// Resolve finds where records belong. Addresses are asked for once a run, as many in a call as the connector takes.
func (a *Activities) Resolve(ctx context.Context, in ResolveInput) (*ResolveResult, error) {
	defer keepAlive(ctx)()
	matches, err := a.match(ctx, in)
	if err != nil {
		return nil, applicationError(in.Destination.Connection, err)
	}
	res := &ResolveResult{Decisions: make([]Decision, 0, len(in.External))}
	for _, addresses := range in.External {
		res.Decisions = append(res.Decisions, decide(in.Resolve.OnAmbiguous, addresses, matches))
	}
	return res, nil
}

// match returns what the destination knows of the addresses.
func (a *Activities) match(ctx context.Context, in ResolveInput) (map[string]plugin.Match, error) {
	run := activity.GetInfo(ctx).WorkflowExecution.RunID
	key := func(address string) matchKey {
		return matchKey{run, in.Destination.Connection, in.Destination.Object, address}
	}
	matches := map[string]plugin.Match{}
	var ask []string
	for _, addresses := range in.External {
		for _, address := range addresses {
			if _, seen := matches[address]; seen {
				continue
			}
			m, cached := a.matches.Get(key(address))
			if !cached {
				ask = append(ask, address)
			}
			matches[address] = m
		}
	}
	for batch := range slices.Chunk(ask, max(1, in.Destination.MaxResolve)) {
		var res *plugin.ResolveResponse
		err := a.call(ctx, in.Destination.Connection, 1, func(c Connector) (requests int, err error) {
			if res, err = c.Resolve(ctx, &plugin.ResolveRequest{Object: in.Destination.Object, Addresses: batch}); err != nil {
				return 0, err
			}
			return res.Requests, nil
		})
		if err != nil {
			return nil, err
		}
		for _, m := range res.Matches {
			matches[m.Address] = m
		}
		for _, address := range batch {
			a.matches.Add(key(address), matches[address]) // those that nobody knows as well
		}
	}
	return matches, nil
}

// decide chooses among the candidates of a record's addresses by the policy.
func decide(policy plan.Policy, addresses []string, matches map[string]plugin.Match) Decision {
	candidates, internal := candidatesOf(addresses, matches)
	if len(candidates) == 0 {
		if internal == len(addresses) {
			return Decision{Reason: ReasonInternalOnly, Detail: "every participant is one of the destination's team members"}
		}
		return Decision{Reason: ReasonUnresolved, Detail: fmt.Sprintf("account id not resolved: the destination knows none of the %d participants from outside", len(addresses)-internal)}
	}
	if policy == plan.First {
		slices.SortFunc(candidates, byName)
	} else {
		slices.SortFunc(candidates, byParticipants)
	}
	best := candidates[0]
	if policy == plan.Skip && len(candidates) > 1 {
		return Decision{Losers: candidates, Reason: ReasonAmbiguous, Detail: fmt.Sprintf("%d accounts are possible and the job's policy is to skip", len(candidates))}
	}
	return Decision{Target: best.ID, Name: best.Name, Losers: candidates[1:]}
}

func candidatesOf(addresses []string, matches map[string]plugin.Match) (candidates []Candidate, internal int) {
	index := map[string]int{}
	for _, address := range addresses {
		m := matches[address]
		if m.Internal {
			internal++
			continue
		}
		for _, t := range m.Targets {
			i, ok := index[t.ID]
			if !ok {
				i = len(candidates)
				index[t.ID] = i
				candidates = append(candidates, Candidate{ID: t.ID, Name: t.Name})
			}
			candidates[i].Matched++
			if t.KeyContact {
				candidates[i].KeyContacts++
			}
			if t.Contact {
				candidates[i].Contacts++
			}
		}
	}
	return candidates, internal
}

func byName(x, y Candidate) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) }

func byParticipants(x, y Candidate) int {
	return cmp.Or(
		-cmp.Compare(x.Matched, y.Matched),
		-cmp.Compare(x.KeyContacts, y.KeyContacts),
		-cmp.Compare(x.Contacts, y.Contacts),
		byName(x, y),
	)
}
