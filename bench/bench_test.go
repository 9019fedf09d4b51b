package main

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseReadsSamplesAndNothingElse(t *testing.T) {
	got, err := parse(`goos: linux
BenchmarkDemo-2   	       1	3042817034 ns/op	       870.0 ms-to-first-touchpoint	         1.02 totango-calls/touchpoint
BenchmarkValidate/jobs=1-2   1   5 ns/op   31 ms
BenchmarkBody/default   10   7 ns/op
BenchmarkValidate
some words of a test
PASS
ok  	example	3.1s
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []sample{
		{name: "BenchmarkDemo", iterations: 1, metrics: map[string]float64{"ns/op": 3042817034, "ms-to-first-touchpoint": 870, "totango-calls/touchpoint": 1.02}},
		{name: "BenchmarkValidate/jobs=1", iterations: 1, metrics: map[string]float64{"ns/op": 5, "ms": 31}},
		{name: "BenchmarkBody/default", iterations: 10, metrics: map[string]float64{"ns/op": 7}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	if again, err := parse(got[0].String()); err != nil || !cmp.Equal(got[:1], again, cmp.AllowUnexported(sample{}), cmp.Comparer(near)) {
		t.Errorf("what is written reads as %v, %v", again, err)
	}
	if _, err := parse("BenchmarkDemo 1 870 ms and more"); err == nil {
		t.Error("a broken line is taken for a sample")
	}
}

func near(x, y float64) bool { return math.Abs(x-y) <= 1e-5*math.Abs(x) }

func TestSummary(t *testing.T) {
	tests := map[string]struct {
		a, b []float64
		want summary
	}{
		"one each":         {[]float64{100}, []float64{100}, summary{median: 100, least: 100, most: 100, n: 2, arms: [2]float64{100, 100}}},
		"even and odd":     {[]float64{3, 1, 2}, []float64{4, 2}, summary{median: 2, least: 1, most: 4, n: 5, arms: [2]float64{2, 3}, apart: 0.5}},
		"the order is not": {[]float64{4, 2}, []float64{3, 1, 2}, summary{median: 2, least: 1, most: 4, n: 5, arms: [2]float64{3, 2}, apart: 0.5}},
		"one arm":          {[]float64{3, 1, 2}, nil, summary{median: 2, least: 1, most: 3, n: 3, arms: [2]float64{2, 2}}},
		"nothing":          {[]float64{0}, []float64{0}, summary{n: 2}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summarize(tt.a, tt.b), cmp.AllowUnexported(summary{}), cmp.Comparer(near)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	tests := map[string]struct {
		figure figure
		a, b   float64
		want   string
	}{
		"quick enough":          {figure{atMost: 100}, 99, 100, "met"},
		"too slow":              {figure{atMost: 100}, 101, 102, "MISSED"},
		"enough":                {figure{atLeast: 100}, 100, 101, "met"},
		"too little":            {figure{atLeast: 100}, 95, 99, "MISSED"},
		"noisy":                 {figure{atMost: 100}, 90, 105, "too noisy to say"},
		"noisy, and far below":  {figure{atMost: 100}, 10, 12, "met"},
		"noisy, and far above":  {figure{atMost: 100}, 200, 300, "MISSED"},
		"counts have no noise":  {figure{atMost: 100, counted: true}, 50, 80, "met"},
		"figure without target": {figure{}, 50, 80, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.figure.verdict(summarize([]float64{tt.a}, []float64{tt.b})); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestOneSampleSaysNothingUnlessItIsCounted(t *testing.T) {
	one := summarize([]float64{99}, nil)
	for want, f := range map[string]figure{"too noisy to say": {atMost: 100}, "met": {atMost: 100, counted: true}} {
		if got := f.verdict(one); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}

// TestTableTellsApartWhatIsComparedAndWhatIsNot prints the same samples once as those of one program and once as those of two.
func TestTableTellsApartWhatIsComparedAndWhatIsNot(t *testing.T) {
	samples := func(a, b string) []sample {
		one := func(arm string, ms, calls float64) sample {
			return sample{arm: arm, name: "BenchmarkDemo", metrics: map[string]float64{"ms-to-first-touchpoint": ms, "totango-calls/touchpoint": calls}}
		}
		return []sample{one(a, 800, 1.02), one(b, 820, 1.04), one(a, 840, 1.02), one(b, 860, 1.04)}
	}
	same := measurement{arms: []arm{{name: "a", dir: "."}, {name: "b", dir: "."}}, samples: samples("a", "b")}
	want := `figure median spread samples noise target
start of the demo to its first touchpoint 830 ms 800–860 4 2% at most 1,000 met
demo, calls to Totango per touchpoint 1.03 totango-calls/touchpoint 1.02–1.04 4 counted at most 1.03 met
`
	if diff := cmp.Diff(want, squeeze(same.table())); diff != "" {
		t.Errorf("one program (-want +got):\n%s", diff)
	}
	two := measurement{arms: []arm{{name: "old", dir: "/old"}, {name: "new", dir: "."}}, samples: samples("old", "new")}
	want = `figure old new change target
start of the demo to its first touchpoint 820 840 ms +2.4% at most 1,000
demo, calls to Totango per touchpoint 1.02 1.04 totango-calls/touchpoint +2.0% at most 1.03
`
	if diff := cmp.Diff(want, squeeze(two.table())); diff != "" {
		t.Errorf("two programs (-want +got):\n%s", diff)
	}
}

// squeeze makes every run of spaces one.
func squeeze(text string) string {
	return regexp.MustCompile(` +(\n?)`).ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasSuffix(s, "\n") {
			return "\n"
		}
		return " "
	})
}

// TestBenchmarksExist finds each benchmark that is run, and each metric that a figure is of, in the source of its package.
func TestBenchmarksExist(t *testing.T) {
	for _, b := range benchmarks {
		files, err := filepath.Glob(filepath.Join("..", b.pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var source strings.Builder
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
		if !strings.Contains(source.String(), "func "+b.name+"(b *testing.B)") {
			t.Errorf("%s has no %s", b.pkg, b.name)
		}
		for _, f := range b.figures {
			if f.unit != "ns/op" && !strings.Contains(source.String(), `"`+f.unit+`")`) {
				t.Errorf("no benchmark of %s reports %s", b.pkg, f.unit)
			}
		}
	}
}
