// Command bench measures Durasync and prints one table: each figure with the median of its samples, their spread, the noise of this
// machine, and its target. The samples go to bench/results in the format of Go benchmarks, for benchstat, below the table.
//
// A benchmark runs again and again in a process of its own, for two arms in turn. Without -against both arms are the same program: the
// difference between their medians is noise, and a figure whose noise is above a tenth is neither called good nor bad, unless all of its
// samples are. With -against the second arm is another checkout, whose program, and whose packages where a benchmark is of a package, are
// measured instead. What runs the program is always the present checkout's, and so are the simulated systems.
//
// make bench builds the program and runs this; see docs/performance.md.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	against  string // a checkout
	only     string // a benchmark
	rounds   int
	full     bool
	postgres bool
	out      string
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.against, "against", "", "compare with this `checkout`, which has its program in bin")
	flags.StringVar(&o.only, "only", "", "run the figures of this `benchmark` alone, such as BenchmarkDemo")
	flags.IntVar(&o.rounds, "rounds", 1, "multiply the number of samples by this")
	flags.BoolVar(&o.full, "full", false, "backfill a hundred thousand meetings, and sync at the limits as they are, too")
	flags.BoolVar(&o.postgres, "postgres", false, "measure the engine on Temporal with PostgreSQL, too; the first time builds Temporal's server")
	flags.StringVar(&o.out, "out", filepath.Join("bench", "results"), "write the results into this `directory`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	present := arm{"a", root, os.Getenv("DURASYNC_BIN")}
	if present.program == "" {
		return errors.New("DURASYNC_BIN is not set; it is the program to measure")
	}
	arms := []arm{present, {"b", root, present.program}}
	if o.against != "" {
		if o.against, err = filepath.Abs(o.against); err != nil {
			return err
		}
		present.name = "new"
		arms = []arm{{"old", o.against, filepath.Join(o.against, "bin", "durasync")}, present}
	}
	m := &measurement{arms: arms, stderr: os.Stderr, before: lookAround(ctx, root)}
	if err := m.measure(ctx, root, o); err != nil {
		return err
	}
	m.took = time.Since(m.before.at)
	m.after = loadAverage()
	return m.write(stdout, o.out)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module's directory: %w", err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// arm is one side of a comparison: a checkout, and the program built from it.
type arm struct{ name, dir, program string }

// measurement is all that is measured in one go.
type measurement struct {
	arms    []arm
	before  machine
	after   string // the load average
	took    time.Duration
	samples []sample
	stderr  io.Writer
}

// measure runs the benchmarks.
func (m *measurement) measure(ctx context.Context, root string, o options) (err error) {
	bin, err := os.MkdirTemp("", "durasync-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	r := &runner{bin: bin, root: root, full: o.full}
	for _, b := range benchmarks {
		if b.postgres && !o.postgres || o.only != "" && b.name != o.only {
			continue
		}
		arms := m.arms
		if b.single && m.same() {
			arms = arms[:1]
		}
		for range b.pairs * o.rounds {
			for _, a := range arms {
				_, _ = fmt.Fprintf(m.stderr, "%s, %s\n", b.title(), a.name)
				samples, err := r.run(ctx, b, a)
				if err != nil {
					return err
				}
				if len(samples) == 0 {
					_, _ = fmt.Fprintf(m.stderr, "%s has no %s\n", a.dir, b.name)
				}
				m.samples = append(m.samples, samples...)
			}
		}
	}
	if len(m.samples) == 0 {
		return errors.New("nothing was measured; is the benchmark's name right?")
	}
	return nil
}
