package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/durasync/durasync/schema/plan"
)

// window is what a backfill covers: from is inclusive, to exclusive. Both are in the job's time zone.
type window struct{ from, to time.Time }

// day is a time as it reads in the job's time zone.
func (w window) day(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// zoneOf is the time zone of a job's schedule; UTC if this machine does not know it.
func zoneOf(p *plan.Plan) *time.Location {
	zone, err := time.LoadLocation(p.Schedule.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// parseWindow reads a window. An empty end is now. One in the future is left as it is, so that the window is the same when it is typed
// again; the run ends it when it begins.
func parseWindow(from, to string, zone *time.Location, now time.Time) (w window, err error) {
	if w.from, err = parseMoment(from, zone, false); err != nil {
		return window{}, fmt.Errorf("--from: %w", err)
	}
	w.to = now.In(zone).Truncate(time.Second)
	if to != "" {
		if w.to, err = parseMoment(to, zone, true); err != nil {
			return window{}, fmt.Errorf("--to: %w", err)
		}
	}
	switch {
	case !w.from.Before(now):
		return window{}, errors.New("--from is in the future")
	case !w.from.Before(w.to):
		return window{}, errors.New("the window is empty: --from has to be before --to")
	}
	return w, nil
}

// parseMoment reads a day in a time zone, or a time as of RFC 3339. The end of a day is the beginning of the next one, which is not
// always 24 hours later.
func parseMoment(text string, zone *time.Location, end bool) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.In(zone), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a day such as 2026-01-31 nor a time such as 2026-01-31T08:00:00Z", text)
	}
	y, m, d := day.Date()
	if end {
		d++
	}
	return time.Date(y, m, d, 0, 0, 0, 0, zone), nil
}
