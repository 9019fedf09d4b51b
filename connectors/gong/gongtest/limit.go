package gongtest

import (
	"math"
	"time"
)

// limiter counts a company's requests: those of the last second one by one, those of the day as a number. Whether Gong's
// second slides or is a bucket is not documented; sliding is the stricter one.
type limiter struct {
	recent []time.Time
	day    time.Time
	today  int
}

// take reports whether a request may pass, and else after how long. Refused requests do not count.
func (l *limiter) take(now time.Time, limits Limits) (wait time.Duration, ok bool) {
	day := now.UTC().Truncate(24 * time.Hour)
	if !day.Equal(l.day) {
		l.day, l.today = day, 0
	}
	if limits.PerDay > 0 && l.today >= limits.PerDay {
		return day.Add(24 * time.Hour).Sub(now), false
	}
	if limits.PerSecond > 0 {
		for len(l.recent) > 0 && now.Sub(l.recent[0]) >= time.Second {
			l.recent = l.recent[1:]
		}
		if len(l.recent) >= limits.PerSecond {
			return time.Second - now.Sub(l.recent[0]), false
		}
		l.recent = append(l.recent, now)
	}
	l.today++
	return 0, true
}

// retryAfter is a wait in whole seconds, as Gong sends it.
func retryAfter(wait time.Duration) int { return max(1, int(math.Ceil(wait.Seconds()))) }
