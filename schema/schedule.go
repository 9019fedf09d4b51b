package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/schema/plan"
)

const (
	// leastEvery is the shortest interval of a schedule: runs of a job follow each other, and each costs requests.
	leastEvery = time.Minute

	// mostJitter bounds jitter whatever the interval is: a run that comes days late is no longer the one that was scheduled.
	mostJitter = day

	// lastCommonDay is the last day that all months have.
	lastCommonDay = 28
)

// scheduleKinds are the attributes that say when a job runs.
var scheduleKinds = []string{"every", "hourly", "daily", "workdays", "weekly", "monthly", "once", "cron"}

func (j *jobCompiler) schedule(b *hclsyntax.Block) {
	s := j.open(b)
	out := plan.Schedule{
		Timezone: "UTC", SyncOnApply: s.flag("sync_on_apply", false), Enabled: s.flag("enabled", true),
	}
	zone := time.UTC
	if name, ok := s.text("timezone"); ok {
		var err error
		if zone, err = loadZone(name); err != nil {
			s.diags = append(s.diags, problem(CodeInvalidSchedule, s.attr("timezone").Expr.Range(), "Unknown time zone",
				"%s.", sentence(err.Error())))
			zone = time.UTC
		}
		out.Timezone = name
	}
	var given []*hclsyntax.Attribute
	if b != nil {
		given = slices.DeleteFunc(inOrder(b.Body.Attributes), func(a *hclsyntax.Attribute) bool {
			return !slices.Contains(scheduleKinds, a.Name)
		})
	}
	if len(given) == 0 {
		out.Cron, _ = daily(defaultDaily)
	}
	for i, a := range given {
		if i > 0 {
			s.diags = append(s.diags, problem(CodeInvalidSchedule, a.NameRange, "More than one schedule",
				"The block has %s already: a job has one of %s.", given[0].Name, series(scheduleKinds, "and")))
		}
		s.when(a, zone, &out)
	}
	s.jitter(&out)
	j.report(s.diags...)
	j.plan.Schedule = out
}

// when reads the attribute that says when a job runs.
func (s *settings) when(a *hclsyntax.Attribute, zone *time.Location, out *plan.Schedule) {
	if a.Name == "every" {
		out.Every = plan.Duration(s.duration(a.Name, time.Hour, leastEvery))
		return
	}
	var err error
	if a.Name == "hourly" {
		v, diags := constant(a, cty.Number)
		s.diags = append(s.diags, diags...)
		if diags != nil {
			return
		}
		out.Cron, err = hourly(v)
	} else {
		text, ok := s.text(a.Name)
		if !ok {
			return
		}
		switch a.Name {
		case "daily":
			out.Cron, err = daily(text)
		case "workdays":
			out.Cron, err = onDays(text, "* * 1-5")
		case "weekly":
			out.Cron, err = weekly(text)
		case "monthly":
			out.Cron, err = monthly(text)
		case "once":
			out.Once, err = once(text, zone)
		case "cron":
			out.Cron, err = s.cron(a, text)
		}
	}
	if err == nil {
		return
	}
	d := problem(CodeInvalidSchedule, a.Expr.Range(), "Invalid schedule", "%s: %s.", a.Name, err)
	if e, ok := errors.AsType[*misspelling](err); ok {
		d.Extra = note{code: CodeInvalidSchedule, suggestion: e.suggestion}
	}
	s.diags = append(s.diags, d)
}

// misspelling is an error about a word that was probably meant to be another one.
type misspelling struct{ text, suggestion string }

func (e *misspelling) Error() string { return e.text }

// timeOfDay reads hours and minutes.
func timeOfDay(text string) (time.Time, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return t, fmt.Errorf(`%q is no time of day; write hours and minutes, such as "23:00" or "07:30"`, text)
	}
	return t, nil
}

// onDays makes a cron expression of a time of day and the fields of its days.
func onDays(text, days string) (string, error) {
	t, err := timeOfDay(text)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %d %s", t.Minute(), t.Hour(), days), nil
}

func daily(text string) (string, error) { return onDays(text, "* * *") }

// hourly makes a cron expression of a minute.
func hourly(v cty.Value) (string, error) {
	f := v.AsBigFloat()
	n, _ := f.Int64()
	if !f.IsInt() || n < 0 || n > 59 {
		return "", errors.New("it is the minute of each hour at which the job runs, from 0 to 59")
	}
	return fmt.Sprintf("%d * * * *", n), nil
}

// weekdayNames are the days by the numbers that they have in cron expressions.
var weekdayNames = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// weekly makes a cron expression of days and a time, such as "monday,thursday 09:00".
func weekly(text string) (string, error) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return "", fmt.Errorf(`%q is not days and a time; write "monday 09:00" or "monday,thursday 09:00"`, text)
	}
	var numbers []int
	for name := range strings.SplitSeq(strings.Join(fields[:len(fields)-1], ""), ",") {
		n, err := weekday(name)
		if err != nil {
			return "", err
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var days []string
	for _, n := range slices.Compact(numbers) {
		days = append(days, strconv.Itoa(n))
	}
	return onDays(fields[len(fields)-1], "* * "+strings.Join(days, ","))
}

// weekday reads a day's name or its first three letters, in any case.
func weekday(name string) (int, error) {
	lower := strings.ToLower(name)
	for i, full := range weekdayNames {
		if lower == full || lower == full[:3] {
			return i, nil
		}
	}
	if s := suggest(name, weekdayNames); s != "" {
		return 0, &misspelling{fmt.Sprintf("%q is no day of the week; did you mean %q?", name, s), s}
	}
	return 0, fmt.Errorf("%q is no day of the week; there are %s", name, allOf(append(weekdayNames[1:7:7], weekdayNames[0])))
}

// monthly makes a cron expression of a day and a time, such as "1 06:30". Temporal's calendars count days from the start of the
// month only, and a job that is to run once a month must not leave months out.
func monthly(text string) (string, error) {
	dayText, at, ok := strings.Cut(strings.TrimSpace(text), " ")
	if !ok {
		return "", fmt.Errorf(`%q is not a day of the month and a time; write "1 06:30" for half past six on the first`, text)
	}
	at = strings.TrimSpace(at)
	n, err := strconv.Atoi(dayText)
	switch {
	case strings.EqualFold(dayText, "last") || err == nil && n > lastCommonDay && n <= 31:
		return "", lateDay(n, at)
	case err != nil || n < 1 || n > 31:
		return "", fmt.Errorf("%q is no day of the month; write a number from 1 to %d", dayText, lastCommonDay)
	}
	return onDays(at, fmt.Sprintf("%d * *", n))
}

// lateDay says what to write instead of a day that some months lack, or of the last one, which is 0.
func lateDay(n int, at string) error {
	if n == 0 {
		n = 31
	}
	expr, err := onDays(at, fmt.Sprintf("%d * *", n))
	if err != nil {
		return err
	}
	return fmt.Errorf(`only the days 1 to %d exist in every month, and Temporal knows no last day. Write "1 %s" to run when the month `+
		`is over, or cron = %q to run in those months alone that have a day %d`, lastCommonDay, at, expr, n)
}

// once makes an instant of a date and time in a zone. It does not look at a clock: the same files are valid tomorrow.
func once(text string, zone *time.Location) (string, error) {
	const layout = "2006-01-02 15:04"
	local, err := time.Parse(layout, text)
	if err != nil {
		return "", fmt.Errorf(`%q is no date and time; write them like "2026-12-01 09:00"`, text)
	}
	// The zone's offsets on the days around are all that can be in force: of an hour that clocks repeat, the first one counts.
	var found time.Time
	for _, around := range []time.Time{local.Add(-day), local.Add(day)} {
		_, offset := around.In(zone).Zone()
		t := local.Add(-time.Duration(offset) * time.Second).In(zone)
		if t.Format(layout) == local.Format(layout) && (found.IsZero() || t.Before(found)) {
			found = t
		}
	}
	if found.IsZero() {
		return "", fmt.Errorf("%s does not exist in %s: clocks pass over that time on that day", text, zone)
	}
	return found.Format(time.RFC3339), nil
}

// cron checks a cron expression.
func (s *settings) cron(a *hclsyntax.Attribute, text string) (string, error) {
	expr, both, err := parseCron(text)
	if both {
		s.diags = append(s.diags, doubt(CodeInvalidSchedule, a.Expr.Range(), "Day of the month and day of the week",
			"The job runs on days that match both. (The cron program of Unix runs on days that match either.)"))
	}
	return expr, err
}

// parseCron checks a cron expression of five fields and reports whether it restricts both kinds of days, which Temporal reads
// differently from Unix. What passes is understood by Temporal's schedules; their further forms (seconds, years, @every, a
// time zone in the text) are refused, because the block has its own attributes for that or a job has no use for it.
func parseCron(text string) (expr string, bothDays bool, err error) {
	fields := strings.Fields(text)
	if len(fields) != 5 || strings.ContainsAny(text, "@=?#") {
		return "", false, fmt.Errorf(
			`%q is not a cron expression of five fields: minute, hour, day of the month, month, day of the week, such as "30 6 * * 1-5"`, text)
	}
	expr = strings.Join(fields, " ")
	c, err := parseCalendar(expr)
	if err != nil {
		return "", false, fmt.Errorf("%q: %w", text, err)
	}
	if c.next(time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC), time.UTC, horizon).IsZero() {
		return "", false, fmt.Errorf("%q names a day that does not exist", text)
	}
	return expr, fields[2] != "*" && fields[4] != "*", nil
}

// jitter reads how much runs may be delayed.
func (s *settings) jitter(out *plan.Schedule) {
	d := s.duration("jitter", 0, 0)
	a := s.attr("jitter")
	if d == 0 || s.diags.HasErrors() {
		return
	}
	fail := func(detail string, args ...any) {
		s.diags = append(s.diags, problem(CodeInvalidSchedule, a.Expr.Range(), "Jitter too long", detail, args...))
	}
	gap := shortestGap(*out)
	switch {
	case gap > 0 && d >= gap:
		fail("The jitter is %s, and runs follow each other after %s: it must be shorter.", formatDuration(d), formatDuration(gap))
	case d > mostJitter:
		fail("jitter is at most %s.", formatDuration(mostJitter))
	default:
		out.Jitter = plan.Duration(d)
	}
}
