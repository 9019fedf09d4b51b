//go:build !unix

package host

// prepare does nothing: there are no process groups, and files are not passed on by number.
func (p *process) prepare() (closeChildEnd func(), err error) { return func() {}, nil }

// killGroup does nothing: the process itself is killed, what it started is not.
func killGroup(int) {}
