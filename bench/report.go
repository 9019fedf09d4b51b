package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// write prints the table, and writes it with the samples into a file. A comparison makes a file of samples for each arm instead.
func (m *measurement) write(stdout io.Writer, dir string) error {
	text := m.before.String() + fmt.Sprintf("load-after: %s\ntook: %s\n\n", m.after, m.took.Round(time.Second)) + m.table()
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string]string{m.before.at.UTC().Format("2006-01-02T1504Z") + "-" + m.before.revision + ".txt": text + "\n" + m.lines("")}
	if !m.same() {
		files = map[string]string{}
		for _, a := range m.arms {
			files[a.name+".txt"] = m.lines(a.name)
		}
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "\nwritten to %s", path); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(stdout)
	return err
}

// same reports whether both arms are the same program.
func (m *measurement) same() bool { return m.arms[0].dir == m.arms[1].dir }

// lines are the samples of an arm, or all, in the format of Go benchmarks.
func (m *measurement) lines(arm string) string {
	var b strings.Builder
	for _, s := range m.samples {
		if arm == "" || s.arm == arm {
			fmt.Fprintln(&b, s)
		}
	}
	return b.String()
}

// table has a line for each figure that was measured.
func (m *measurement) table() string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	header := "figure\tmedian\t\tspread\tsamples\tnoise\ttarget\t"
	if !m.same() {
		header = "figure\told\tnew\t\tchange\ttarget\t"
	}
	_, _ = fmt.Fprintln(t, header) // to memory
	for _, bench := range benchmarks {
		for _, f := range bench.figures {
			a, b := m.values(bench, f, m.arms[0]), m.values(bench, f, m.arms[1])
			if len(a) == 0 || !m.same() && len(b) == 0 {
				continue
			}
			s := summarize(a, b)
			what, unit := f.what, cmp.Or(f.as, f.unit)
			if bench.postgres {
				what += ", on PostgreSQL"
			}
			if m.same() {
				_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s–%s\t%d\t%s\t%s\t%s\n",
					what, number(s.median), unit, number(s.least), number(s.most), s.n, f.noise(s), f.target(), f.verdict(s))
			} else {
				_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%+.1f%%\t%s\n",
					what, number(s.arms[0]), number(s.arms[1]), unit, (s.arms[1]/s.arms[0]-1)*100, f.target())
			}
		}
	}
	_ = t.Flush()
	return b.String()
}

// values are the samples of a figure for an arm, as they are printed.
func (m *measurement) values(b benchmark, f figure, a arm) []float64 {
	name := b.name + f.sub
	if b.postgres {
		name += onPostgres
	}
	var all []float64
	for _, s := range m.samples {
		if v, ok := s.metrics[f.unit]; ok && s.name == name && s.arm == a.name {
			all = append(all, v*cmp.Or(f.scale, 1))
		}
	}
	return all
}

func (f *figure) noise(s summary) string {
	switch {
	case f.counted:
		return "counted"
	case s.n == 1:
		return "unknown"
	}
	return fmt.Sprintf("%.0f%%", s.apart*100)
}

func (f *figure) target() string {
	switch {
	case f.atMost != 0:
		return "at most " + number(f.atMost)
	case f.atLeast != 0:
		return "at least " + number(f.atLeast)
	}
	return ""
}

// number prints three digits that count.
func number(v float64) string {
	if v >= 100 {
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
