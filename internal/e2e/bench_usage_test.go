package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// usage is what processes have used since they began: processor time, and memory at most.
type usage struct {
	cpu  time.Duration
	peak int // bytes
}

// add adds another process. Their peaks may be at different times, so that together they have at most this.
func (u *usage) add(v usage) {
	u.cpu += v.cpu
	u.peak += v.peak
}

// used looks at a worker, its connectors, and the embedded server, if there is one.
func (s *system) used(worker *process) (program, connectors, server usage) {
	s.t.Helper()
	for _, pid := range children(s.t, worker.cmd.Process.Pid) {
		connectors.add(usageOf(s.t, pid))
	}
	if s.server != nil {
		server = usageOf(s.t, s.server.cmd.Process.Pid)
	}
	return usageOf(s.t, worker.cmd.Process.Pid), connectors, server
}

// usageOf looks at a running process (proc_pid_stat(5), proc_pid_status(5)).
func usageOf(t testing.TB, pid int) usage {
	t.Helper()
	const tick = time.Second / 100 // what Linux calls USER_HZ, on all its machines
	read := func(name string) string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	stat := read("stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) // from the third one, the state
	_, peak, _ := strings.Cut(read("status"), "VmHWM:")
	return usage{
		cpu:  time.Duration(number(fields[11])+number(fields[12])) * tick,
		peak: number(strings.Fields(peak)[0]) << 10,
	}
}

// TestUsageIsThatOfTheProcess looks at this process before and after it has worked and taken memory.
func TestUsageIsThatOfTheProcess(t *testing.T) {
	t.Parallel()
	const most = 64 << 20
	before := usageOf(t, os.Getpid())
	memory := make([]byte, most)
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
		for i := 0; i < most; i += 4096 {
			memory[i]++
		}
	}
	after := usageOf(t, os.Getpid())
	if after.cpu <= before.cpu || after.peak < most {
		t.Errorf("before %+v, after the work %+v", before, after)
	}
}
