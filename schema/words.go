package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// suggest returns the one of known that name is probably meant to be, or "".
func suggest(name string, known []string) string {
	limit := max(1, min(3, len(name)/3))
	best := ""
	for _, k := range known {
		if k == name {
			continue
		}
		d := distance(fold(name), fold(k))
		if d <= limit {
			best, limit = k, d-1
		}
	}
	for _, k := range known {
		if best == "" && k != name && len(k) > 2 && strings.HasPrefix(fold(name), fold(k)) {
			best = k
		}
	}
	return best
}

// fold makes names equal that differ in style only, such as startTime and start_time.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// oneOf lists names for a sentence: "a", "b" or "c".
func oneOf(names []string) string { return series(quoted(names), "or") }

// allOf lists names for a sentence: "a", "b" and "c".
func allOf(names []string) string { return series(quoted(names), "and") }

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strconv.Quote(n)
	}
	return out
}

func series(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// article returns noun with "a" or "an".
func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// distance counts the insertions, deletions, substitutions and swaps of neighbours that make b of a.
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	var before []int
	last, row := make([]int, len(rb)+1), make([]int, len(rb)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		row[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, make([]int, len(rb)+1)
	}
	return last[len(rb)]
}
