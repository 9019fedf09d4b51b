package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

func progress(phase workflows.Phase, c activities.Counts) update {
	return update{Progress: &workflows.Progress{Job: "j", Phase: phase, Counts: c, Listed: true}}
}

// Elsewhere than on a terminal, a line is printed when something has changed, and only then.
func TestLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &lines{out: &out}
	l.update(update{}) // nobody has answered yet
	l.update(progress(workflows.PhaseWaiting, activities.Counts{}))
	l.update(progress(workflows.PhaseListing, activities.Counts{Listed: 1200, Known: 200, New: 1000}))
	l.update(progress(workflows.PhaseListing, activities.Counts{Listed: 1200, Known: 200, New: 1000}))
	l.update(progress(workflows.PhaseListing, activities.Counts{Listed: 1200, Known: 200, New: 1000, Created: 10, Rejected: 2}))
	l.update(update{note: "waiting for a worker"})
	l.update(update{note: "waiting for a worker"})
	l.end()
	want := "listing: listed 1,200, known 200, new 1,000\n" +
		"listing: listed 1,200, known 200, new 1,000, created 10, rejected 2\n" +
		"waiting for a worker\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := at("10:00:00")
	b := &bar{out: &out, width: 80, now: func() time.Time { return now }}
	b.update(progress(workflows.PhaseListing, activities.Counts{}))
	b.update(progress(workflows.PhaseListing, activities.Counts{Listed: 400, New: 300, Known: 100}))
	b.update(progress(workflows.PhaseListing, activities.Counts{Listed: 400, New: 300, Known: 100, Created: 100}))
	now = now.Add(4 * time.Second)
	b.update(progress(workflows.PhaseListing, activities.Counts{Listed: 400, New: 300, Known: 100, Created: 130, Rejected: 20}))
	now = now.Add(4 * time.Second)
	b.update(update{note: "waiting for a worker"})
	b.update(update{note: "waiting for a worker"})
	b.update(progress(workflows.PhaseHeld, activities.Counts{Listed: 400, New: 300, Known: 100, Created: 280, Rejected: 20}))
	b.end()
	// 50 records in 4 s are 12.5 a second, which leaves 150 records for 12 s.
	want := []string{
		"listing: listed 0",
		strings.Repeat("─", 30) + " 0/300",
		strings.Repeat("━", 10) + strings.Repeat("─", 20) + " 100/300",
		strings.Repeat("━", 15) + strings.Repeat("─", 15) + " 150/300  12/s  12s left  20 rejected",
		"waiting for a worker\n",
		strings.Repeat("━", 30) + " 300/300  25/s  20 rejected",
		"",
	}
	got := strings.Split(strings.TrimPrefix(out.String(), "\r\x1b[K"), "\r\x1b[K")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A line that wraps cannot be redrawn, however narrow the terminal and however large the numbers.
func TestBarFits(t *testing.T) {
	t.Parallel()
	for _, width := range []int{80, 40, 20, 10, 3} {
		var out bytes.Buffer
		now := at("10:00:00")
		b := &bar{out: &out, width: width, now: func() time.Time { return now }}
		b.update(progress(workflows.PhaseListing, activities.Counts{Listed: 123456, New: 123456, Created: 1}))
		now = now.Add(time.Minute)
		b.update(progress(workflows.PhaseListing, activities.Counts{Listed: 123456, New: 123456, Created: 5000, Rejected: 1000, Deferred: 1000, Failed: 1000}))
		for line := range strings.SplitSeq(out.String(), "\r\x1b[K") {
			if n := utf8.RuneCountInString(line); n >= width {
				t.Errorf("width %d: a line has %d columns: %q", width, n, line)
			}
		}
	}
}
