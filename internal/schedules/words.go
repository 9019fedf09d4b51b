package schedules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/schema/plan"
)

// Words says in one line when a job runs, such as "workdays at 07:30, Europe/Berlin, up to 10m later".
func Words(s *plan.Schedule) string {
	var text string
	switch {
	case s.Once != "":
		text = "once at " + s.Once
		if t, ok := onceAt(s); ok {
			if zone, err := time.LoadLocation(s.Timezone); err == nil {
				text = "once, " + t.In(zone).Format("Mon 2006-01-02 15:04")
			}
		}
		text += ", " + s.Timezone
	case s.Every > 0:
		text = "every " + Duration(time.Duration(s.Every))
	default:
		text = cronWords(s.Cron) + ", " + s.Timezone
	}
	if s.Jitter > 0 {
		text += fmt.Sprintf(", up to %s later", Duration(time.Duration(s.Jitter)))
	}
	return text
}

// cronWords puts the expressions into words that the job language has words for.
func cronWords(expr string) string {
	f := strings.Fields(expr)
	if len(f) != 5 || f[3] != "*" {
		return "cron " + expr
	}
	minute, okMinute := whole(f[0], 0, 59)
	hour, okHour := whole(f[1], 0, 23)
	if okMinute && f[1] == "*" && f[2] == "*" && f[4] == "*" {
		return fmt.Sprintf("hourly at minute %d", minute)
	}
	if !okMinute || !okHour {
		return "cron " + expr
	}
	at := fmt.Sprintf("at %02d:%02d", hour, minute)
	switch {
	case f[2] == "*" && f[4] == "*":
		return "daily " + at
	case f[2] == "*" && (f[4] == "1-5" || strings.EqualFold(f[4], "mon-fri")):
		return "workdays " + at
	case f[2] == "*":
		if days, ok := weekdays(f[4]); ok {
			return days + " " + at
		}
	case f[4] == "*":
		if day, ok := whole(f[2], 1, 31); ok {
			return fmt.Sprintf("monthly on day %d %s", day, at)
		}
	}
	return "cron " + expr
}

func whole(text string, low, high int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= low && n <= high
}

// weekdays names the days of a list, such as "Mondays and Thursdays".
func weekdays(list string) (string, bool) {
	var names []string
	for text := range strings.SplitSeq(list, ",") {
		day, ok := weekday(text)
		if !ok {
			return "", false
		}
		names = append(names, day.String()+"s")
	}
	last := len(names) - 1
	if last == 0 {
		return names[0], true
	}
	return strings.Join(names[:last], ", ") + " and " + names[last], true
}

func weekday(text string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if text == strconv.Itoa(int(d)) || strings.EqualFold(text, d.String()[:3]) {
			return d, true
		}
	}
	return 0, false
}

// Duration is a duration as job files write it, such as "15m", "36h" or "7d".
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = text[:len(text)-2]
	}
	if strings.HasSuffix(text, "h0m") {
		text = text[:len(text)-2]
	}
	return text
}
