package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// sample is one run of a benchmark.
type sample struct {
	arm        string
	name       string // with the sub-benchmark, without the number of processors
	iterations int
	metrics    map[string]float64 // by unit
}

// parse reads the output of Go benchmarks (https://go.dev/design/14313-benchmark-format). Lines of other kinds are ignored, and so
// is what a benchmark with sub-benchmarks says of itself.
func parse(text string) ([]sample, error) {
	var all []sample
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "Benchmark") || len(fields) < 4 {
			continue
		}
		name := fields[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i]
			}
		}
		n, err := strconv.Atoi(fields[1])
		if err != nil || len(fields)%2 != 0 {
			return nil, fmt.Errorf("not a line of a benchmark: %q", line)
		}
		s := sample{name: name, iterations: n, metrics: map[string]float64{}}
		for pair := range slices.Chunk(fields[2:], 2) {
			if s.metrics[pair[1]], err = strconv.ParseFloat(pair[0], 64); err != nil {
				return nil, fmt.Errorf("not a line of a benchmark: %q", line)
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// String is the sample as a line of a Go benchmark.
func (s sample) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d", s.name, s.iterations)
	for _, unit := range slices.Sorted(maps.Keys(s.metrics)) {
		fmt.Fprintf(&b, " %s %s", strconv.FormatFloat(s.metrics[unit], 'g', 6, 64), unit)
	}
	return b.String()
}
