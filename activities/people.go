package activities

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/durasync/durasync/schema/plan"
)

const (
	// maxPeople is how many people of a record decide where it belongs; those behind them do not count.
	maxPeople = 500

	// maxAddressBytes is longer than any address that can get mail.
	maxAddressBytes = 320
)

// externals returns the addresses of the people from outside: normalised, each once, in the record's order. Inside are those
// whom the source says so of, those of the host's domain, and those of the job's internal domains. A person with an alias is
// whom the alias stands for.
func externals(res *plan.Resolve, data json.RawMessage) ([]string, error) {
	var record map[string]json.RawMessage
	if err := json.Unmarshal(data, &record); err != nil {
		return nil, fmt.Errorf("the record is not a JSON object: %w", err)
	}
	people, err := participants(res, record[res.Participants])
	if err != nil {
		return nil, fmt.Errorf("field %s: %w", res.Participants, err)
	}
	internal := slices.Clone(res.InternalDomains)
	if res.Host != "" {
		var host string
		if raw := record[res.Host]; len(raw) > 0 {
			if err := json.Unmarshal(raw, &host); err != nil {
				return nil, fmt.Errorf("field %s: %w", res.Host, err)
			}
		}
		for _, address := range []string{normalise(host), addressOf(res, host)} {
			if d := domain(address); d != "" {
				internal = append(internal, d)
			}
		}
	}
	var addresses []string
	for _, p := range people {
		address := addressOf(res, p.address)
		inside := p.affiliation == "Internal" || slices.Contains(internal, domain(address))
		if address == "" || len(address) > maxAddressBytes || inside || slices.Contains(addresses, address) {
			continue
		}
		if addresses = append(addresses, address); len(addresses) == maxPeople {
			break
		}
	}
	return addresses, nil
}

type participant struct{ address, affiliation string }

// participants decodes the field that holds the people: addresses, or structs with an address.
func participants(res *plan.Resolve, raw json.RawMessage) ([]participant, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var people []participant
	if res.Email == "" {
		var addresses []string
		if err := json.Unmarshal(raw, &addresses); err != nil {
			return nil, err
		}
		for _, address := range addresses {
			people = append(people, participant{address: address})
		}
		return people, nil
	}
	var structs []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &structs); err != nil {
		return nil, err
	}
	for _, s := range structs {
		var p participant
		for _, m := range []struct {
			name string
			to   *string
		}{{res.Email, &p.address}, {res.Affiliation, &p.affiliation}} {
			if v := s[m.name]; len(v) > 0 {
				if err := json.Unmarshal(v, m.to); err != nil {
					return nil, fmt.Errorf("member %s: %w", m.name, err)
				}
			}
		}
		people = append(people, p)
	}
	return people, nil
}

func normalise(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// addressOf returns the address by which the destination may know a person, given one that a source has.
func addressOf(res *plan.Resolve, address string) string {
	address = normalise(address)
	for _, alias := range res.Aliases {
		if alias.From == address {
			return alias.To
		}
	}
	return address
}

// domain returns what follows the last @.
func domain(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	return address[i+1:]
}
