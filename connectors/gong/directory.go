package gong

import (
	"context"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// usersAge is how long the company's users are kept before they are read again.
const usersAge = 24 * time.Hour

// directory holds the users of the company, for the life of the process. All but the gate belongs to whoever is inside.
type directory struct {
	gate    chan struct{} // holds an element while somebody is inside
	started time.Time     // of reading all users; zero if never
	roster
}

// roster is what was read of the users so far.
type roster struct {
	byID map[string]user // empty users for ids that Gong does not know
	own  map[string]bool // addresses of users, in lower case

	at       httpkit.Cursor // where reading goes on
	complete bool
}

func newDirectory() directory { return directory{gate: make(chan struct{}, 1), roster: newRoster()} }

func newRoster() roster { return roster{byID: map[string]user{}, own: map[string]bool{}} }

// enter waits until nobody else is inside. While somebody reads users it would only ask for the same ones.
func (d *directory) enter(ctx context.Context) (leave func(), err error) {
	select {
	case d.gate <- struct{}{}:
		return func() { <-d.gate }, nil
	case <-ctx.Done():
		return nil, plugin.Errorf(plugin.CodeUnavailable, "waiting for Gong's users: %v", ctx.Err())
	}
}

// expire forgets all users once they are too old.
func (d *directory) expire() {
	now := time.Now()
	if !d.started.IsZero() && now.Sub(d.started) < usersAge {
		return
	}
	d.started = now
	d.restart()
}

// restart forgets all users, to read them from the first page.
func (d *directory) restart() { d.roster = newRoster() }

// add adds a page of users. People who have left keep their id, and their addresses are no longer the company's.
func (r *roster) add(page *userPage) error {
	ids := make([]string, len(page.Users))
	for i, u := range page.Users {
		ids[i] = string(u.ID)
		r.byID[ids[i]] = u
		if u.Active != nil && !*u.Active {
			continue
		}
		for _, address := range append([]text{u.Email, u.Trusted}, u.Aliases...) {
			if a := normalise(address); a != "" {
				r.own[a] = true
			}
		}
	}
	var err error
	r.at, err = r.at.Next(system, string(page.Records.Cursor), ids)
	r.complete = err == nil && r.at.Value == ""
	return err
}

// adopt makes participants internal who have an address of one of the company's users, which may be an alias.
func (r *roster) adopt(parties []party) {
	for i := range parties {
		if p := &parties[i]; p.unknown() && r.own[normalise(p.Email)] {
			p.Affiliation = affiliationInternal
		}
	}
}

func normalise(address text) string { return strings.ToLower(strings.TrimSpace(string(address))) }
