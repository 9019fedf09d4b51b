package gong

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Check implements [plugin.Checker] with GET /v2/workspaces, which answers 200 for any good key, also in an empty company. A key
// without the scope for it is asked for what the connector needs in earnest: calls, of the last minute.
func (c *Connector) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	conn, err := c.conn.Get()
	if err != nil {
		return nil, err
	}
	ctx, n := httpkit.Count(ctx)
	summary, err := conn.check(ctx)
	if err != nil {
		return nil, n.Fail(err)
	}
	return &plugin.CheckResponse{Summary: summary, Requests: n.Requests()}, nil
}

func (c *connection) check(ctx context.Context) (string, error) {
	workspaces, err := c.workspaces(ctx)
	var e *plugin.Error
	if errors.As(err, &e) && e.Code == plugin.CodePermissionDenied {
		now := time.Now()
		f := filter{From: formatTime(now.Add(-time.Minute)), To: formatTime(now), WorkspaceID: c.config.workspaceID}
		if _, err := c.calls(ctx, &extensiveRequest{Filter: f}); err != nil {
			return "", err
		}
		return fmt.Sprintf("calls at %s (the key may not list workspaces)", c.api.Host()), nil
	}
	if err != nil {
		return "", err
	}
	if id := c.config.workspaceID; id != "" {
		i := slices.IndexFunc(workspaces, func(w workspace) bool { return string(w.ID) == id })
		if i < 0 {
			return "", plugin.InvalidConfig("workspace_id", "is %s, which is no workspace of this company; it has %s", id, listed(workspaces))
		}
		workspaces = workspaces[i : i+1]
	}
	return fmt.Sprintf("%s at %s", listed(workspaces), c.api.Host()), nil
}

// listed names the first workspaces with their ids.
func listed(workspaces []workspace) string {
	const most = 5
	if len(workspaces) == 0 {
		return "no workspaces"
	}
	var names []string
	for _, w := range workspaces[:min(len(workspaces), most)] {
		names = append(names, fmt.Sprintf("%s (%s)", w.Name, w.ID))
	}
	if more := len(workspaces) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	if len(workspaces) == 1 {
		return "workspace " + names[0]
	}
	return "workspaces " + strings.Join(names, ", ")
}

func (c *connection) workspaces(ctx context.Context) ([]workspace, error) {
	resp, err := c.api.Do(ctx, &httpkit.Request{Method: http.MethodGet, Path: pathWorkspaces, Accept: handled})
	if err != nil {
		return nil, err
	}
	if resp.Status/100 != 2 {
		return nil, c.classify(resp, pathWorkspaces, false)
	}
	var body struct {
		Workspaces []workspace `json:"workspaces"`
	}
	if err := resp.Decode(&body); err != nil {
		return nil, err
	}
	return body.Workspaces, nil
}
