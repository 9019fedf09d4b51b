package host

import "syscall"

// endWithParent has the kernel end the process when this one ends, for connectors that do not watch the life pipe. The signal
// is one that can be caught, so that those that do watch it can first end what they started.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }
