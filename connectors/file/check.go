package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/durasync/durasync/plugin"
)

// Check implements [plugin.Checker]. Whether a missing file is a mistake depends on the end of the job that the connection stands at,
// which is not known here.
func (c *Connector) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	conn, err := c.conn.Get()
	if err != nil {
		return nil, err
	}
	summary, err := conn.config.check(ctx)
	if err != nil {
		return nil, err
	}
	return &plugin.CheckResponse{Summary: summary}, nil
}

// check says what there is at the path.
func (c *config) check(ctx context.Context) (string, error) {
	paths, err := c.files()
	if err != nil {
		return "", err
	}
	var size int64
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		info, err := stat(path)
		if err != nil {
			e := plugin.AsError(err)
			if dir, err := os.Stat(filepath.Dir(path)); e.Code == plugin.CodeNotFound && err == nil && dir.IsDir() {
				return path + ", which is not there yet", nil
			}
			return "", e
		}
		size += info.Size()
	}
	if !isPattern(c.path) {
		return fmt.Sprintf("%s, %d bytes", c.path, size), nil
	}
	return fmt.Sprintf("%d files %s, %d bytes", len(paths), c.path, size), nil
}
