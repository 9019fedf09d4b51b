//go:build !unix

package plugintest

import (
	"errors"
	"os"
)

func newPipe(string) (*os.File, error) { return nil, errors.ErrUnsupported }
