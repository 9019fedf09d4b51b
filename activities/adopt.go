package activities

import (
	"context"
	"time"

	"github.com/durasync/durasync/plugin"
)

// FindInput is the input of [Activities.Find].
type FindInput struct {
	Connection string   `json:"connection"`
	Object     string   `json:"object"`
	Items      []Sought `json:"items"`
}

// Sought is a record to look for in the destination.
type Sought struct {
	Key  string    `json:"key"`
	Time time.Time `json:"t"`

	// Targets are where the record may have been written, the most likely first.
	Targets []string `json:"targets"`
}

// FindResult has what was found, by key.
type FindResult struct {
	Found map[string]Found `json:"found,omitempty"`
}

// Found is where a record is in the destination, and what it is there.
type Found struct {
	Target string `json:"target,omitempty"`
	ID     string `json:"id,omitempty"`
}

// Find looks for records in the destination. What its result leaves out is not there: where that cannot be found out it fails.
func (a *Activities) Find(ctx context.Context, in FindInput) (*FindResult, error) {
	defer keepAlive(ctx)()
	res := &FindResult{Found: map[string]Found{}}
	left := in.Items
	for choice := 0; len(left) > 0; choice++ {
		byTarget := map[string][]plugin.FindItem{}
		var targets []string
		var next []Sought
		for _, s := range left {
			if _, ok := res.Found[s.Key]; ok || choice == len(s.Targets) {
				continue
			}
			t := s.Targets[choice]
			if byTarget[t] == nil {
				targets = append(targets, t)
			}
			byTarget[t] = append(byTarget[t], plugin.FindItem{Key: s.Key, Target: t, Time: s.Time})
			next = append(next, s)
		}
		for _, t := range targets {
			if err := a.findIn(ctx, &in, t, byTarget[t], res); err != nil {
				return nil, err
			}
		}
		left = next
	}
	return res, nil
}

// findIn looks for records in one target: that is a request or so for many of them.
func (a *Activities) findIn(ctx context.Context, in *FindInput, target string, items []plugin.FindItem, res *FindResult) error {
	err := a.call(ctx, in.Connection, 1, func(c Connector) (int, error) {
		found, err := c.Find(ctx, &plugin.FindRequest{Object: in.Object, Items: items})
		if err != nil {
			if plugin.AsError(err).Code == plugin.CodeUnimplemented {
				err = plugin.Errorf(plugin.CodeUnimplemented,
					"the connector cannot look up what it has written, so there is no way to tell which records the destination has")
			}
			return 0, err
		}
		for _, r := range found.Results {
			res.Found[r.Key] = Found{Target: target, ID: r.ID}
		}
		return found.Requests, nil
	})
	if err != nil {
		return applicationError(in.Connection, err)
	}
	return nil
}
