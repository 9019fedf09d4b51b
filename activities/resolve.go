package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/activity"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// matchKey is the key of the cache of matches. The run is part of it, so that a person who becomes known is known to the next
// run at once, and that what one job asked for is not taken for the answer to another.
type matchKey struct{ run, connection, object, address string }

// ResolveInput is the input of [Activities.Resolve].
type ResolveInput struct {
	Destination plan.Destination `json:"destination"`
	Resolve     plan.Resolve     `json:"resolve"`

	// External has the addresses of the outside people of each record, normalised.
	External [][]string `json:"external"`

	// Hosts has the host's address of each record, in the order of External, as the source has it; empty where it has none.
	// Only [plan.HostTeam] needs it: without it that policy is [plan.MostParticipants].
	Hosts []string `json:"hosts,omitempty"`
}

// host returns the normalised address of the host of a record.
func (in *ResolveInput) host(record int) string {
	if record >= len(in.Hosts) {
		return ""
	}
	return addressOf(&in.Resolve, in.Hosts[record])
}

// ResolveResult has a decision for each record of the input, in its order.
type ResolveResult struct {
	Decisions []Decision `json:"decisions"`
}

// Resolve finds where records belong. Addresses are asked for once a run, as many in a call as the connector takes. If the job
// allows it, a record whose people nobody knows is then decided by the domains of their addresses.
func (a *Activities) Resolve(ctx context.Context, in ResolveInput) (*ResolveResult, error) {
	defer keepAlive(ctx)()
	matches, err := a.match(ctx, &in, slices.Concat(in.External...))
	if err != nil {
		return nil, applicationError(in.Destination.Connection, err)
	}
	res := &ResolveResult{Decisions: make([]Decision, len(in.External))}
	for i, addresses := range in.External {
		res.Decisions[i] = decide(in.Resolve.OnAmbiguous, addresses, in.host(i), matches)
	}
	if in.Resolve.DomainFallback {
		if err := a.fallBack(ctx, &in, matches, res.Decisions); err != nil {
			return nil, applicationError(in.Destination.Connection, err)
		}
	}
	return res, nil
}

// match returns what the destination knows of the addresses. Those that it does not know have an empty match.
func (a *Activities) match(ctx context.Context, in *ResolveInput, addresses []string) (map[string]plugin.Match, error) {
	run := activity.GetInfo(ctx).WorkflowExecution.RunID
	key := func(address string) matchKey {
		return matchKey{run, in.Destination.Connection, in.Destination.Object, address}
	}
	matches := make(map[string]plugin.Match, len(addresses))
	var ask []string
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
	for batch := range slices.Chunk(ask, max(1, in.Destination.MaxResolve)) {
		req := &plugin.ResolveRequest{
			Object: in.Destination.Object, Addresses: batch, Team: in.Resolve.OnAmbiguous == plan.HostTeam,
		}
		var res *plugin.ResolveResponse
		err := a.call(ctx, in.Destination.Connection, 1, func(c Connector) (requests int, err error) {
			if res, err = c.Resolve(ctx, req); err != nil {
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

// fallBack decides anew on the records whose people nobody knows: a participant then stands for everybody of the own domain. Team
// members of the destination and addresses of providers that anybody can have decide nothing.
func (a *Activities) fallBack(ctx context.Context, in *ResolveInput, matches map[string]plugin.Match, decisions []Decision) error {
	domains := make([][]string, len(in.External))
	for i, addresses := range in.External {
		if decisions[i].Reason == ReasonUnresolved {
			domains[i] = companies(addresses, matches)
		}
	}
	known, err := a.match(ctx, in, slices.Concat(domains...))
	if err != nil {
		return err
	}
	for i, asked := range domains {
		if len(asked) > 0 {
			decisions[i] = byDomain(decisions[i], decide(in.Resolve.OnAmbiguous, asked, in.host(i), known), asked, known)
		}
	}
	return nil
}

// companies returns the domain of each address that can tell where a record belongs, as "@domain"; colleagues give the same one.
func companies(addresses []string, matches map[string]plugin.Match) []string {
	var out []string
	for _, address := range addresses {
		if d := domain(address); d != "" && !matches[address].Internal && !isFreeMail(d) {
			out = append(out, "@"+d)
		}
	}
	return out
}

// byDomain returns the decision by domains, marked as such, or the one before if the domains decide nothing.
func byDomain(before, found Decision, asked []string, known map[string]plugin.Match) Decision {
	var names []string
	for _, d := range asked {
		if name := d[1:]; !slices.Contains(names, name) && (found.undecided() || belongs(known[d], found.Target)) {
			names = append(names, name)
		}
	}
	list := strings.Join(names, ", ")
	switch {
	case found.Target != "":
		found.Detail = join(fmt.Sprintf("by domain: nobody who took part is known, but others of %s are", list), found.Detail)
		return found
	case found.Reason == ReasonAmbiguous:
		found.Detail = "by domain: " + found.Detail
		return found
	}
	before.Detail += ", nor anybody of " + list
	return before
}

// belongs reports whether the target is among those of the match.
func belongs(m plugin.Match, target string) bool {
	return !m.Internal && slices.ContainsFunc(m.Targets, func(t plugin.Target) bool { return t.ID == target })
}
