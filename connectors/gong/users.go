package gong

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/durasync/durasync/plugin/httpkit"
)

// host is who held a call; empty strings where Gong does not know.
type host struct{ email, name string }

// userCache holds the users that were asked for, for the life of the process: a host has many calls. Unknown users are held as
// empty ones: they are synthetic users of Gong's own staff, and stay unknown.
type userCache struct {
	mu    sync.Mutex
	users map[string]user
}

func (c *userCache) get(id string) (user, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u, ok := c.users[id]
	return u, ok
}

func (c *userCache) put(id string, u user) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = map[string]user{}
	}
	c.users[id] = u
}

// host finds the host among the parties by the user id, and asks for the user if that leaves the address open.
func (c *connection) host(ctx context.Context, call *call) (host, error) {
	var h host
	id := string(call.MetaData.PrimaryUserID)
	if id == "" {
		return h, nil
	}
	for _, p := range call.Parties {
		if string(p.UserID) == id {
			h.email = firstOf(h.email, string(p.Email))
			h.name = firstOf(h.name, string(p.Name))
		}
	}
	if h.email != "" {
		return h, nil
	}
	u, err := c.user(ctx, id)
	if err != nil {
		return h, err
	}
	h.email = string(u.Email)
	h.name = firstOf(h.name, strings.TrimSpace(string(u.FirstName)+" "+string(u.LastName)))
	return h, nil
}

// user returns a user; an empty one if there is none with the id.
func (c *connection) user(ctx context.Context, id string) (user, error) {
	if u, ok := c.users.get(id); ok {
		return u, nil
	}
	path := pathUsers + url.PathEscape(id)
	resp, err := c.api.Do(ctx, &httpkit.Request{Method: http.MethodGet, Path: path, Accept: handled})
	if err != nil {
		return user{}, err
	}
	var body struct {
		User user `json:"user"`
	}
	switch {
	case resp.Status == http.StatusNotFound:
	case resp.Status/100 != 2:
		return user{}, c.classify(resp, path, false)
	default:
		if err := resp.Decode(&body); err != nil {
			return user{}, err
		}
	}
	c.users.put(id, body.User)
	return body.User, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
