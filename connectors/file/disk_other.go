//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package file

import "os"

// tryLock does nothing: without flock, that only one worker serves the connection is up to who runs them.
func tryLock(*os.File) (bool, error) { return true, nil }

func unlock(*os.File) error { return nil }

// syncDir does nothing: a directory cannot be opened everywhere.
func syncDir(string) error { return nil }
