//go:build unix

package plugintest

import (
	"os"
	"syscall"
)

// newPipe makes a named pipe and opens it for reading.
func newPipe(path string) (*os.File, error) {
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // does not wait for a writer
}
