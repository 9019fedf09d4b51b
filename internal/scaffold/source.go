package scaffold

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
)

// Source returns the directory of Durasync's source that this program was built from; empty if that is not on this machine.
func Source() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return ""
	}
	dir := filepath.Join(filepath.Dir(file), "..", "..")
	if !IsSource(dir) {
		return ""
	}
	return dir
}

// IsSource reports whether a directory is one of Durasync's source.
func IsSource(dir string) bool {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && bytes.HasPrefix(mod, []byte("module github.com/durasync/durasync\n"))
}
