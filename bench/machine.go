package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine is where and when something was measured.
type machine struct {
	at       time.Time
	cpu      string
	cores    int
	memory   string
	kernel   string
	load     string
	revision string
}

// lookAround reads the facts that Linux tells (proc(5)). What is not to be had stays empty.
func lookAround(ctx context.Context, root string) machine {
	return machine{
		at: time.Now(), cpu: after("/proc/cpuinfo", "model name"), cores: runtime.NumCPU(), memory: after("/proc/meminfo", "MemTotal"),
		kernel: content("/proc/sys/kernel/osrelease"), load: loadAverage(), revision: revision(ctx, root),
	}
}

// String is a line for each fact, in the form of the configuration of Go benchmarks.
func (m machine) String() string {
	return fmt.Sprintf("goos: %s\ngoarch: %s\ngo: %s\ncpu: %s\ncores: %d\nmemory: %s\nkernel: %s\nrevision: %s\nat: %s\nload-before: %s\n",
		runtime.GOOS, runtime.GOARCH, runtime.Version(), m.cpu, m.cores, m.memory, m.kernel, m.revision, m.at.UTC().Format(time.RFC3339), m.load)
}

// loadAverage is how many processes wanted to run, on average of the last 1, 5 and 15 minutes.
func loadAverage() string {
	fields := strings.Fields(content("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func content(path string) string {
	b, _ := os.ReadFile(path)
	return strings.TrimSpace(string(b))
}

// after returns what stands behind a name and a colon on a line of a file.
func after(path, name string) string {
	scan := bufio.NewScanner(strings.NewReader(content(path)))
	for scan.Scan() {
		if key, value, ok := strings.Cut(scan.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// revision is the commit of the checkout, with a plus sign if something is changed.
func revision(ctx context.Context, root string) string {
	git := func(args ...string) string {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	rev := git("rev-parse", "--short=10", "HEAD")
	if rev == "" {
		return "unknown"
	}
	if git("status", "--porcelain", "--untracked-files=no") != "" {
		rev += "+"
	}
	return rev
}
