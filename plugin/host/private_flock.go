//go:build unix && !aix && !solaris

package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// privateDir makes a temporary directory that nobody but this user can look into. It stays locked until the function that it returns
// removes it, or until this process ends, however it ends: then sweep takes it for what it is.
func privateDir() (dir string, remove func(), err error) {
	for {
		dir, err = os.MkdirTemp("", copyPrefix)
		if err != nil {
			return "", nil, err
		}
		held, err := lockDir(dir)
		if err == nil {
			return dir, func() { _, _ = os.RemoveAll(dir), held.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, os.ErrNotExist) {
			return dir, func() { _ = os.RemoveAll(dir) }, nil // a file system without locks, where sweep does nothing either
		}
		// Another process's sweep was faster than the lock.
	}
}

// sweep removes the private copies of processes that did not live to do it themselves.
func sweep() {
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), copyPrefix) {
			continue
		}
		dir := filepath.Join(os.TempDir(), e.Name())
		if held, err := lockDir(dir); err == nil {
			_, _ = os.RemoveAll(dir), held.Close()
		}
	}
}

// lockDir locks a directory unless somebody else has. It fails if the directory is gone by then.
func lockDir(dir string) (held *os.File, err error) {
	held, err = os.OpenFile(dir, syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		_ = held.Close()
		return nil, err
	}
	return held, nil
}
