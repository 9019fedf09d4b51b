//go:build unix && !linux

package host

import "syscall"

// endWithParent does nothing where the kernel has no such service: the life pipe has to do.
func endWithParent(*syscall.SysProcAttr) {}
