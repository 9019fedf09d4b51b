//go:build unix

package plugin

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/durasync/durasync/plugin/internal/wire"
)

// endWithHost ends this process, and everything that it started, when the host is gone. The host holds the other end of a pipe
// and never writes to it, so the pipe ends when the host does, however that happens.
func endWithHost(logger hclog.Logger) {
	value, ok := os.LookupEnv(wire.EnvLifeFD)
	if !ok {
		return
	}
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 3 {
		logger.Warn("the host's life pipe is not usable", "variable", wire.EnvLifeFD, "value", value)
		return
	}
	syscall.CloseOnExec(fd)
	pipe := os.NewFile(uintptr(fd), "life pipe")
	go func() {
		// The goroutine holds the file, which the garbage collector would close otherwise.
		_, _ = pipe.Read(make([]byte, 1))
		killGroup()
		os.Exit(1)
	}()
}

// killGroup ends this process and all others in its group, if the group is its own, as it is when a host started it. Before
// that it removes the directory of its socket, which the host cannot do any more if it is gone.
func killGroup() {
	dir := os.Getenv(goplugin.EnvUnixSocketDir)
	if sockets, err := filepath.Glob(filepath.Join(dir, "plugin*")); dir != "" && err == nil {
		for _, path := range sockets {
			_ = os.Remove(path)
		}
		_ = os.Remove(dir)
	}
	if syscall.Getpgrp() == os.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
}
