package activities

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// maxLosers is how many of the candidates that lost a decision names.
const maxLosers = 20

// Decision says where a record belongs, or why nowhere.
type Decision struct {
	Target string `json:"target,omitempty"`
	Name   string `json:"name,omitempty"`

	// Losers are the other candidates, best first; of very many, the first 20.
	Losers []Candidate `json:"losers,omitempty"`

	// Reason is set when there is no target.
	Reason Reason `json:"reason,omitempty"`

	// Detail is for people: why there is no target, or what is unusual about the one that was found.
	Detail string `json:"detail,omitempty"`
}

// undecided reports whether there is no target.
func (d *Decision) undecided() bool { return d.Target == "" }

// Candidate is a target that some of a record's participants belong to.
type Candidate struct {
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"`
	Matched     int    `json:"matched"` // how many participants belong to it
	KeyContacts int    `json:"key_contacts,omitempty"`
	Contacts    int    `json:"contacts,omitempty"`

	// Host says that the meeting's host looks after it. It is known only under [plan.HostTeam].
	Host bool `json:"host,omitempty"`
}

// decide chooses among the candidates of a record's addresses by the policy. An address that is there twice counts twice.
func decide(policy plan.Policy, addresses []string, host string, matches map[string]plugin.Match) Decision {
	candidates, internal := candidatesOf(addresses, host, matches)
	if len(candidates) == 0 {
		if internal == len(addresses) {
			return Decision{Reason: ReasonInternalOnly, Detail: "every participant is one of the destination's team members"}
		}
		return Decision{
			Reason: ReasonUnresolved,
			Detail: fmt.Sprintf("account id not resolved: the destination knows none of the %d participants from outside", len(addresses)-internal),
		}
	}
	slices.SortFunc(candidates, order(policy))
	if policy == plan.Skip && len(candidates) > 1 {
		d := Decision{Reason: ReasonAmbiguous}
		d.lost(candidates)
		d.Detail = join(fmt.Sprintf("%d accounts are possible and the job's policy is to skip", len(candidates)), d.Detail)
		return d
	}
	d := Decision{Target: candidates[0].ID, Name: candidates[0].Name}
	d.lost(candidates[1:])
	return d
}

// lost notes the candidates that were not taken.
func (d *Decision) lost(candidates []Candidate) {
	if more := len(candidates) - maxLosers; more > 0 {
		candidates = candidates[:maxLosers]
		d.Detail = fmt.Sprintf("%d more accounts were possible", more)
	}
	d.Losers = candidates
}

func candidatesOf(addresses []string, host string, matches map[string]plugin.Match) (candidates []Candidate, internal int) {
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
			c := &candidates[i]
			c.Matched++
			if t.KeyContact {
				c.KeyContacts++
			}
			if t.Contact {
				c.Contacts++
			}
			c.Host = c.Host || host != "" && slices.Contains(t.Team, host)
		}
	}
	return candidates, internal
}

// order returns how a policy orders candidates, the best first. Two of them are never equal, because their ids differ.
func order(policy plan.Policy) func(x, y Candidate) int {
	switch policy {
	case plan.First:
		return byName
	case plan.ContactFirst:
		return byContacts
	case plan.HostTeam:
		return func(x, y Candidate) int {
			return cmp.Or(-cmp.Compare(count(x.Host), count(y.Host)), byParticipants(x, y))
		}
	default:
		return byParticipants
	}
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

func byContacts(x, y Candidate) int {
	return cmp.Or(
		-cmp.Compare(x.KeyContacts, y.KeyContacts),
		-cmp.Compare(x.Contacts, y.Contacts),
		-cmp.Compare(x.Matched, y.Matched),
		byName(x, y),
	)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// join joins two remarks, either of which may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
