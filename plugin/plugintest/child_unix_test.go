//go:build unix

package plugintest_test

import (
	"os/exec"
	"syscall"
)

func init() {
	startChild = func() error {
		cmd := exec.Command("sleep", "10")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd.Start()
	}
}
