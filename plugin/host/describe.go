package host

import (
	"context"
	"encoding/json"
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

// Configure starts a connector's program, asks it whether it takes a configuration, which it does without asking anybody else, and ends
// it. Its error and its log are without the secrets of the configuration, as in a [Pool]. The logger may be nil.
func Configure(ctx context.Context, cmd Command, config json.RawMessage, logger hclog.Logger) error {
	c, err := Launch(ctx, cmd, logger)
	if err != nil {
		return err
	}
	defer c.Close()
	d, err := describe(ctx, c, cmd.Path)
	if err != nil {
		return err
	}
	_, err = c.configure(ctx, d, config)
	return err
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
