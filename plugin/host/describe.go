package host

import (
	"context"
	"fmt"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

// Describe starts a connector's program, asks what it offers, and ends it. The description is valid. The logger may be nil.
func Describe(ctx context.Context, cmd Command, logger hclog.Logger) (*plugin.DescribeResponse, error) {
	c, err := Launch(ctx, cmd, logger)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return describe(ctx, c, cmd.Path)
}

// describe asks a running connector what it offers and checks the answer.
func describe(ctx context.Context, c *Client, path string) (*plugin.DescribeResponse, error) {
	d, err := c.Describe(ctx, &plugin.DescribeRequest{})
	if err != nil {
		return nil, fmt.Errorf("connector %s: its description: %w", path, err)
	}
	if err := d.Validate(); err != nil {
		return nil, &LaunchError{
			Reason: NotConnector, Path: path, err: err,
			problem: fmt.Sprintf("its description is wrong; tell its author: %v", err),
		}
	}
	return d, nil
}
