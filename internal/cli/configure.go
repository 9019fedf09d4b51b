package cli

import (
	"context"
	"encoding/json"

	"github.com/durasync/durasync/plugin/host"
)

// Configure starts the connector of the name and asks it whether it takes a configuration, which it does without asking anybody else.
func (c *connectors) Configure(ctx context.Context, name string, config json.RawMessage) error {
	cmd, err := c.Command(name)
	if err != nil {
		return err
	}
	return host.Configure(ctx, cmd, config, c.log)
}
