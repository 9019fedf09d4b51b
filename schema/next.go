package schema

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/durasync/durasync/schema/plan"
)

// horizon bounds the search for the next time of a cron expression. 29 February falls on each day of the week within it.
const horizon = 30 * 366 * day

// NextRuns returns the next n times after from at which Temporal starts runs by a schedule, in order and in the schedule's time
// zone, before jitter and whether or not the schedule is enabled. It returns fewer if the schedule has fewer. The error says that
// [Load] did not make the schedule.
//
// Where clocks are put forward, a time that does not exist on that day is left out; where they are put back, one that exists twice
// counts twice. Temporal does the same, except that its calendars can miss one of the two.
func NextRuns(s plan.Schedule, from time.Time, n int) ([]time.Time, error) {
	zone, err := loadZone(s.Timezone)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Every > 0:
		return nextByInterval(time.Duration(s.Every), from.In(zone), n), nil
	case s.Once != "":
		at, err := time.Parse(time.RFC3339, s.Once)
		if err != nil {
			return nil, fmt.Errorf("once: %w", err)
		}
		if n < 1 || !at.After(from) {
			return nil, nil
		}
		return []time.Time{at.In(zone)}, nil
	}
	c, err := parseCalendar(s.Cron)
	if err != nil {
		return nil, fmt.Errorf("cron: %w", err)
	}
	var out []time.Time
	for at := from; len(out) < n; {
		if at = c.next(at, zone, horizon); at.IsZero() {
			break
		}
		out = append(out, at)
	}
	return out, nil
}

// nextByInterval counts as Temporal does: the times are multiples of the interval, from the start of Unix time on.
func nextByInterval(every time.Duration, from time.Time, n int) []time.Time {
	step := max(1, int64(every/time.Second))
	var out []time.Time
	for at := from.Unix()/step*step + step; len(out) < n; at += step {
		out = append(out, time.Unix(at, 0).In(from.Location()))
	}
	return out
}

// calendar is a cron expression: a set of bits for each field.
type calendar struct {
	minutes, hours, days, months, weekdays uint64
}

// parseCalendar parses a cron expression of five fields.
func parseCalendar(expr string) (*calendar, error) {
	parsed, err := cron.ParseStandard(expr)
	if err != nil {
		return nil, err
	}
	s, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("%q is no cron expression of five fields", expr)
	}
	return &calendar{s.Minute, s.Hour, s.Dom, s.Month, s.Dow}, nil
}

func has(set uint64, v int) bool { return set&(1<<v) != 0 }

// next returns the first time after from that matches all the fields in the time zone, or the zero time if there is none within
// limit. It steps through time itself rather than through the calendar, so that it passes over what a change of clocks skips and
// sees twice what one repeats.
func (c *calendar) next(from time.Time, zone *time.Location, limit time.Duration) time.Time {
	const late = 22 // early enough that a change of clocks on the way there does not lead into the next day
	end := from.Add(limit)
	for t := from.Truncate(time.Minute).Add(time.Minute).In(zone); t.Before(end); {
		today := has(c.months, int(t.Month())) && has(c.days, t.Day()) && has(c.weekdays, int(t.Weekday()))
		switch {
		case !today && t.Hour() < late:
			t = t.Add(time.Duration(late-t.Hour()) * time.Hour)
		case !today || !has(c.hours, t.Hour()):
			t = t.Add(time.Duration(60-t.Minute()) * time.Minute)
		case !has(c.minutes, t.Minute()):
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}

// shortestGap returns the least time between two runs of a schedule, without changes of clocks; zero for a single run.
func shortestGap(s plan.Schedule) time.Duration {
	if s.Every > 0 || s.Cron == "" {
		return time.Duration(s.Every)
	}
	c, err := parseCalendar(s.Cron)
	if err != nil {
		return 0
	}
	// Enough for every minute of a day and for every month of a year. The first years after this date have a 29 February.
	const runs, span = 24*60 + 1, 5 * 366 * day
	start := time.Date(2023, 12, 31, 23, 59, 0, 0, time.UTC)
	var gap time.Duration
	last := c.next(start, time.UTC, span)
	for i := 0; i < runs && !last.IsZero() && last.Sub(start) < span; i++ {
		next := c.next(last, time.UTC, span)
		if d := next.Sub(last); !next.IsZero() && (gap == 0 || d < gap) {
			gap = d
		}
		last = next
	}
	return gap
}
