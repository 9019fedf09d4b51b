package main

import (
	"math"
	"slices"
)

// tooNoisy is the noise above which a figure is neither called good nor bad, unless all of its samples are.
const tooNoisy = 0.10

// summary is what the samples of a figure come to.
type summary struct {
	median, least, most float64
	n                   int

	// arms are the medians of both arms, and apart is how far they are from each other, over the smaller one. For two arms of the same
	// program that is noise.
	arms  [2]float64
	apart float64
}

// summarize sums up the samples of both arms, of which the second one may have none.
func summarize(a, b []float64) summary {
	if len(b) == 0 {
		s := summarize(a, a)
		s.n = len(a)
		return s
	}
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	s := summary{median: median(all), least: all[0], most: all[len(all)-1], n: len(all), arms: [2]float64{median(a), median(b)}}
	if low, high := min(s.arms[0], s.arms[1]), max(s.arms[0], s.arms[1]); low > 0 {
		s.apart = high/low - 1
	} else if high > 0 {
		s.apart = math.Inf(1)
	}
	return s
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// verdict says whether a figure meets its target.
func (f *figure) verdict(s summary) string {
	agree := f.meets(s.least) == f.meets(s.most)
	switch {
	case f.atMost == 0 && f.atLeast == 0:
		return ""
	case !f.counted && (s.apart > tooNoisy && !agree || s.n == 1):
		return "too noisy to say"
	case f.meets(s.median):
		return "met"
	}
	return "MISSED"
}

func (f *figure) meets(value float64) bool {
	return (f.atMost == 0 || value <= f.atMost) && (f.atLeast == 0 || value >= f.atLeast)
}
