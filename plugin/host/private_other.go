//go:build !unix || aix || solaris

package host

import "os"

// privateDir makes a temporary directory that nobody but this user can look into.
func privateDir() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", copyPrefix)
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// sweep does nothing: without locks it cannot tell which copies are in use.
func sweep() {}
