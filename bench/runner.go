package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// runner runs benchmarks, each time in a process of its own.
type runner struct {
	bin  string // directory of the test programs
	root string // the present checkout
	full bool
}

// run runs a benchmark for an arm, and returns its samples. There are none if an older checkout does not have it.
func (r *runner) run(ctx context.Context, b benchmark, a arm) ([]sample, error) {
	dir := r.root
	if b.own {
		dir = a.dir
	}
	program, err := r.build(ctx, dir, b.pkg)
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.bench", "^"+b.name+"$", "-test.benchtime", b.time, "-test.timeout", "2h")
	if b.own {
		cmd.Args = append(cmd.Args, "-test.cpu", "1")
	}
	cmd.Dir = filepath.Join(dir, b.pkg)
	cmd.Env = append(os.Environ(), "DURASYNC_BIN="+a.program)
	if b.postgres {
		cmd.Env = append(cmd.Env, "DURASYNC_E2E_TEMPORAL=postgres")
	}
	if r.full {
		cmd.Env = append(cmd.Env, "DURASYNC_BENCH_FULL=1")
	}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s, %s: %w\n%s%s", b.title(), a.name, err, &stdout, &stderr)
	}
	samples, err := parse(stdout.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.title(), err)
	}
	for i := range samples {
		samples[i].arm = a.name
		if b.postgres {
			samples[i].name += onPostgres
		}
	}
	return samples, nil
}

// build compiles the tests of a package in a checkout, once.
func (r *runner) build(ctx context.Context, dir, pkg string) (string, error) {
	where := "new"
	if dir != r.root {
		where = "old"
	}
	program := filepath.Join(r.bin, where+strings.ReplaceAll(strings.TrimPrefix(pkg, "."), "/", "-")+".test")
	if _, err := os.Stat(program); !errors.Is(err, os.ErrNotExist) {
		return program, err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the tests of %s in %s: %w\n%s", pkg, dir, err, out)
	}
	return program, nil
}
