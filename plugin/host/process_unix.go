//go:build unix

package host

import (
	"os"
	"strconv"
	"syscall"

	"github.com/durasync/durasync/plugin/internal/wire"
)

// prepare gives the process a group of its own and the life pipe. The function that it returns closes the process's end of the
// pipe, which only the process itself must hold.
func (p *process) prepare() (closeChildEnd func(), err error) {
	child, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.life = life // held until the process has ended: the garbage collector closes files that nobody holds
	p.cmd.ExtraFiles = []*os.File{child}
	p.cmd.Env = append(p.cmd.Env, wire.EnvLifeFD+"="+strconv.Itoa(3)) // the first of ExtraFiles
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(p.cmd.SysProcAttr)
	return func() { _ = child.Close() }, nil
}

// killGroup ends all processes of the group that the process leads.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
