package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	known := []string{"gong_meetings", "crm_notes", "gong"}
	for name, want := range map[string]string{
		"gong_meeting":  `; did you mean "gong_meetings"?`,
		"gongmeetings":  `; did you mean "gong_meetings"?`, // differs in style only
		"Gong-Meetings": `; did you mean "gong_meetings"?`,
		"gnog":          `; did you mean "gong"?`, // neighbours swapped
		"crm_nodes":     `; did you mean "crm_notes"?`,
		"salesforce":    "",
		"":              "",
	} {
		if got := didYouMean(name, known); got != want {
			t.Errorf("didYouMean(%q) = %q, want %q", name, got, want)
		}
	}
	if got := didYouMean("x", nil); got != "" {
		t.Errorf("without known names: %q", got)
	}
}

func TestNumbersAndSpans(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0:                                      "0.0s",
		1234 * time.Millisecond:                "1.2s",
		12 * time.Second:                       "12s",
		61 * time.Second:                       "1m01s",
		3*time.Hour + 5*time.Minute:            "3h05m",
		47*time.Hour + 59*time.Minute:          "47h59m",
		3*24*time.Hour + time.Hour:             "3 days",
		59*time.Second + 900*time.Millisecond:  "59s",
		9*time.Second + 1900*time.Millisecond:  "10s",
		1200*24*time.Hour + 30*time.Nanosecond: "1,200 days",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text, want string
	}{
		"fits":                   {"one two", "  one two"},
		"breaks at spaces":       {"one two three four", "  one two\n  three\n  four"},
		"long words stay whole":  {"a https://example.com b", "  a\n  https://example.com\n  b"},
		"width is in characters": {"ääää ää", "  ääää ää"},
		"nothing":                {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, wrap(tc.text, "  ", 9)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
