package gong

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// host is who held a call; empty strings where Gong does not know.
type host struct{ email, name string }

// people completes what the calls say of their people, and returns the hosts in the order of the calls. The company's users are
// asked for only if a call leaves something open that the fields of the projection show.
func (c *connection) people(ctx context.Context, p *projection, calls []*call) ([]host, error) {
	hosts := make([]host, len(calls))
	var lost []int // whose host is not among the participants
	if p.host {
		for i, one := range calls {
			hosts[i] = one.host()
			if hosts[i].email == "" && one.MetaData.PrimaryUserID != "" {
				lost = append(lost, i)
			}
		}
	}
	unknown := p.parties && c.config.readUsers && slices.ContainsFunc(calls, (*call).hasUnknown)
	if len(lost) == 0 && !unknown {
		return hosts, nil
	}
	leave, err := c.users.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if c.config.readUsers {
		if err := c.readUsers(ctx); err != nil {
			return nil, err
		}
	}
	for _, i := range lost {
		u, err := c.user(ctx, string(calls[i].MetaData.PrimaryUserID))
		if err != nil {
			return nil, err
		}
		hosts[i].email = string(u.Email)
		hosts[i].name = cmp.Or(hosts[i].name, strings.TrimSpace(string(u.FirstName)+" "+string(u.LastName)))
	}
	if unknown {
		for _, one := range calls {
			c.users.adopt(one.Parties)
		}
	}
	return hosts, nil
}

// host finds the host among the parties by the user id.
func (c *call) host() host {
	var h host
	id := c.MetaData.PrimaryUserID
	if id == "" {
		return h
	}
	for _, p := range c.Parties {
		if p.UserID == id {
			h.email = cmp.Or(h.email, string(p.Email))
			h.name = cmp.Or(h.name, string(p.Name))
		}
	}
	return h
}

// hasUnknown reports whether the company's users can tell more of a participant than the call does.
func (c *call) hasUnknown() bool {
	return slices.ContainsFunc(c.Parties, func(p party) bool { return p.unknown() })
}

// unknown reports whether Gong does not say whether a participant with an address is one of the company's own people.
func (p *party) unknown() bool {
	return p.Affiliation != affiliationInternal && p.Affiliation != affiliationExternal && p.Email != ""
}

// user returns a user; an empty one if there is none with the id, such as a synthetic user of Gong's own staff, which stays
// unknown. The caller is inside the directory.
func (c *connection) user(ctx context.Context, id string) (user, error) {
	if u, ok := c.users.byID[id]; ok {
		return u, nil
	}
	path := pathUsers + "/" + url.PathEscape(id)
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
	c.users.byID[id] = body.User
	return body.User, nil
}

// readUsers reads all users of the company, a hundred with each request, unless that was done in the last day. What was read stays
// if a page cannot be had, and the next call goes on there. A key that may not list users leaves unknown participants unknown.
// The caller is inside the directory.
func (c *connection) readUsers(ctx context.Context) error {
	d := &c.users
	d.expire()
	for !d.complete {
		page, err := c.userPage(ctx, d.at.Value)
		if e := plugin.AsError(err); e != nil && e.Code == plugin.CodePermissionDenied {
			hclog.FromContext(ctx).Warn("Gong's users cannot be read, so participants of unknown affiliation stay so", "error", e.Message)
			d.complete = true
			return nil
		} else if e != nil && e.Code == plugin.CodeExpired {
			d.restart() // with the next call
		}
		if err != nil {
			return err
		}
		if err := d.add(page); err != nil {
			return err
		}
	}
	return nil
}

// userPage is a page of users.
type userPage struct {
	Records struct {
		Cursor text `json:"cursor"` // absent on the last page
	} `json:"records"`
	Users []user `json:"users"`
}

func (c *connection) userPage(ctx context.Context, cursor string) (*userPage, error) {
	req := &httpkit.Request{Method: http.MethodGet, Path: pathUsers, Accept: handled}
	if cursor != "" {
		req.Query = url.Values{"cursor": {cursor}}
	}
	resp, err := c.api.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	page := new(userPage)
	switch {
	case isEmpty(resp):
		return page, nil
	case resp.Status/100 != 2:
		return nil, c.classify(resp, pathUsers, cursor != "")
	}
	if err := resp.Decode(page); err != nil {
		return nil, err
	}
	return page, nil
}
