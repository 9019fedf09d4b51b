package schema

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/robfig/cron/v3"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/schema/plan"
)

// leastEvery is the shortest interval of a schedule: runs of a job follow each other, and each costs requests.
const leastEvery = time.Minute

func (j *jobCompiler) schedule(b *hclsyntax.Block) {
	kinds := []string{"daily", "hourly", "every", "cron"}
	s := j.open(b, append(kinds, "timezone", "sync_on_apply", "enabled")...)
	out := plan.Schedule{
		Timezone: "UTC", SyncOnApply: s.flag("sync_on_apply", false), Enabled: s.flag("enabled", true),
	}
	if name, ok := s.text("timezone"); ok {
		if _, err := loadZone(name); err != nil {
			s.diags = append(s.diags, problem(CodeInvalidSchedule, s.attr("timezone").Expr.Range(), "Unknown time zone",
				"%s.", sentence(err.Error())))
		}
		out.Timezone = name
	}
	var given []*hclsyntax.Attribute
	if b != nil {
		for _, a := range inOrder(b.Body.Attributes) {
			for _, k := range kinds {
				if a.Name == k {
					given = append(given, a)
				}
			}
		}
	}
	for _, a := range given[min(1, len(given)):] {
		s.diags = append(s.diags, problem(CodeInvalidSchedule, a.NameRange, "More than one schedule",
			"The block has %s already: a job has one of daily, hourly, every and cron.", given[0].Name))
	}
	switch {
	case len(given) == 0:
		out.Cron, _ = daily(defaultDaily)
	default:
		for _, a := range given {
			when(s, a, &out)
		}
	}
	j.report(s.diags...)
	j.plan.Schedule = out
}

// when reads the attribute that says when a job runs.
func when(s *settings, a *hclsyntax.Attribute, out *plan.Schedule) {
	at := a.Expr.Range()
	bad := func(err error) {
		if err != nil {
			s.diags = append(s.diags, problem(CodeInvalidSchedule, at, "Invalid schedule", "%s: %s.", a.Name, err))
		}
	}
	var err error
	switch a.Name {
	case "every":
		out.Every = plan.Duration(s.duration(a.Name, time.Hour, leastEvery))
	case "hourly":
		v, diags := constant(a, cty.Number)
		s.diags = append(s.diags, diags...)
		if diags == nil {
			out.Cron, err = hourly(v)
			bad(err)
		}
	case "daily":
		if text, ok := s.text(a.Name); ok {
			out.Cron, err = daily(text)
			bad(err)
		}
	case "cron":
		text, ok := s.text(a.Name)
		if !ok {
			return
		}
		var both bool
		out.Cron, both, err = parseCron(text)
		bad(err)
		if both {
			d := doubt(CodeInvalidSchedule, at, "Day of the month and day of the week",
				"The job runs on days that match both. (The cron program of Unix runs on days that match either.)")
			s.diags = append(s.diags, d)
		}
	}
}

// daily makes a cron expression of a time of day.
func daily(text string) (string, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return "", fmt.Errorf(`%q is no time of day; write hours and minutes, such as "23:00" or "07:30"`, text)
	}
	return fmt.Sprintf("%d %d * * *", t.Minute(), t.Hour()), nil
}

// hourly makes a cron expression of a minute.
func hourly(v cty.Value) (string, error) {
	f := v.AsBigFloat()
	n, _ := f.Int64()
	if !f.IsInt() || n < 0 || n > 59 {
		return "", errors.New("it is the minute of each hour at which the job runs, from 0 to 59")
	}
	return fmt.Sprintf("%d * * * *", n), nil
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
	schedule, err := cron.ParseStandard(expr)
	if err != nil {
		return "", false, fmt.Errorf("%q: %w", text, err)
	}
	// Any leap year will do as a start: the parser looks five years ahead, which covers 29 February.
	if schedule.Next(time.Date(2023, 12, 31, 23, 59, 59, 0, time.UTC)).IsZero() {
		return "", false, fmt.Errorf("%q names a day that does not exist", text)
	}
	return expr, fields[2] != "*" && fields[4] != "*", nil
}
