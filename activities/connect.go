package activities

import (
	"context"
	"time"

	"github.com/durasync/durasync/plugin"
)

// ConnectInput is the input of [Activities.Connect].
type ConnectInput struct {
	Connection string `json:"connection"`
}

// ConnectResult is how a connection behaves, as far as a workflow needs to know.
type ConnectResult struct {
	Summary string `json:"summary,omitempty"`

	// Limits are the connection's rate limits; none if it has none.
	Limits []Limit `json:"limits,omitempty"`

	WriteTimeout time.Duration `json:"write_timeout"`
	SearchLag    time.Duration `json:"search_lag"`
}

// defaultWriteTimeout is used for connectors that do not say how long a write may take.
const defaultWriteTimeout = 20 * time.Second

// Connect starts the connection's connector if need be and checks its credentials, so that a run that cannot succeed ends
// before it has done anything.
func (a *Activities) Connect(ctx context.Context, in ConnectInput) (*ConnectResult, error) {
	res := &ConnectResult{}
	err := a.call(ctx, in.Connection, 1, func(c Connector) (int, error) {
		s, err := c.Settings(ctx)
		if err != nil {
			return 0, err
		}
		res.Limits, res.WriteTimeout, res.SearchLag = limitsOf(s.RateLimits), s.WriteTimeout, s.SearchLag
		if res.WriteTimeout == 0 {
			res.WriteTimeout = defaultWriteTimeout
		}
		check, err := c.Check(ctx, &plugin.CheckRequest{})
		if err != nil {
			if plugin.AsError(err).Code == plugin.CodeUnimplemented {
				return 0, nil
			}
			return 0, err
		}
		res.Summary = check.Summary
		return check.Requests, nil
	})
	if err != nil {
		return nil, applicationError(in.Connection, err)
	}
	return res, nil
}
