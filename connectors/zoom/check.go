package zoom

import (
	"context"
	"fmt"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Check implements [plugin.Checker] with what a run begins with: the report, of the last minute.
func (c *Connector) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	conn, err := c.conn.Get()
	if err != nil {
		return nil, err
	}
	ctx, n := httpkit.Count(ctx)
	now := time.Now()
	if _, err := conn.history(ctx, now.Add(-time.Minute), now, ""); err != nil {
		return nil, n.Fail(err)
	}
	return &plugin.CheckResponse{
		Summary: fmt.Sprintf("meetings of account %s at %s", conn.config.AccountID, conn.api.Host()), Requests: n.Requests(),
	}, nil
}
