package schema

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	day = 24 * time.Hour

	// maxDuration keeps sums of durations far from overflow.
	maxDuration = 10 * 365 * day
)

var (
	durationForm = regexp.MustCompile(`^([0-9]{1,9}[wdhms])+$`)
	durationPart = regexp.MustCompile(`([0-9]+)([wdhms])`)
)

var durationUnits = map[string]time.Duration{
	"w": 7 * day, "d": day, "h": time.Hour, "m": time.Minute, "s": time.Second,
}

// ParseDuration reads texts such as "7d", "36h" and "1d12h". A day has 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	if !durationForm.MatchString(s) {
		if _, err := strconv.Atoi(s); err == nil {
			return 0, fmt.Errorf("%q has no unit; write %q, or use h, m or s", s, s+"d")
		}
		return 0, fmt.Errorf(`%q is no duration; use whole numbers with the units w, d, h, m and s, such as "7d" or "1d12h"`, s)
	}
	var total time.Duration
	seen := ""
	for _, m := range durationPart.FindAllStringSubmatch(s, -1) {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || n > int64(maxDuration/durationUnits[m[2]]) {
			return 0, errors.New("it is longer than 10 years")
		}
		if strings.Contains(seen, m[2]) {
			return 0, fmt.Errorf("%q has the unit %s twice", s, m[2])
		}
		seen += m[2]
		total += time.Duration(n) * durationUnits[m[2]]
	}
	if total > maxDuration {
		return 0, errors.New("it is longer than 10 years")
	}
	return total, nil
}

// formatDuration writes a duration the way ParseDuration reads it.
func formatDuration(d time.Duration) string {
	var b strings.Builder
	for _, unit := range []string{"d", "h", "m", "s"} {
		if n := d / durationUnits[unit]; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit)
			d -= n * durationUnits[unit]
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}
