package schema

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // time zones are checked and used wherever the program runs

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var timeFunctions = []Function{
	{"format_time", groupTime, "format_time(layout, time[, timezone])", "A time as text, in its own offset or in a time zone by its IANA name. The " +
		"layout has `YYYY` `YY` years, `MMMM` `MMM` `MM` `M` months, `EEEE` `EEE` weekdays, `DD` `D` days, `hh` `h` hours of 24, `HH` `H` hours " +
		"of 12, `AA` `aa` AM and am, `mm` `m` minutes, `ss` `s` seconds, `ZZZZZ` `ZZZZ` offsets, and `'text'`.",
		`format_time("EEE D MMM YYYY, hh:mm", "2026-09-01T16:02:11Z", "Europe/Berlin")`, `"Tue 1 Sep 2026, 18:02"`, formatTimeFunc},
	{"format_duration", groupTime, "format_duration(seconds)", "A number of seconds as people say it; from a minute up, rounded to minutes.",
		`format_duration(3925)`, `"1 h 5 min"`, formatDurationFunc},
	{"timeadd", groupTime, "timeadd(time, duration)", "A time so much later, or earlier for a duration that begins with `-`. Durations have whole " +
		"numbers with the units `w`, `d`, `h`, `m` and `s`.", `timeadd("2026-09-01T16:02:11Z", "-1d2h")`, `"2026-08-31T14:02:11Z"`, timeAddFunc},
}

// timeAddFunc keeps the time's offset.
var timeAddFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "time", Type: cty.String}, {Name: "duration", Type: cty.String}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if args[1].IsKnown() { // a mistake in a constant shows in the checks
			if _, err := ParseDuration(strings.TrimPrefix(args[1].AsString(), "-")); err != nil {
				return cty.NilType, function.NewArgError(1, err)
			}
		}
		return cty.String, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		t, err := time.Parse(time.RFC3339, args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "a time in RFC 3339 is needed, such as 2006-01-02T15:04:05Z")
		}
		text, back := strings.CutPrefix(args[1].AsString(), "-")
		d, err := ParseDuration(text)
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		if back {
			d = -d
		}
		return cty.StringVal(t.Add(d).Format(time.RFC3339)), nil
	},
})

// formatTimeFunc formats a time: format_time("YYYY-MM-DD hh:mm", call.started) in the time's own offset, or in the time zone
// that a third argument names. The layout is that of Terraform's formatdate.
var formatTimeFunc = function.New(&function.Spec{
	Params:   []function.Parameter{{Name: "layout", Type: cty.String}, {Name: "time", Type: cty.String}},
	VarParam: &function.Parameter{Name: "timezone", Type: cty.String},
	Type: func(args []cty.Value) (cty.Type, error) {
		if len(args) > 3 {
			return cty.NilType, errors.New("a layout, a time and at most one time zone are expected")
		}
		// The type function is called before the time is known, so that mistakes in the constant parts show in the checks.
		if layout := args[0]; layout.IsKnown() && !args[1].IsKnown() {
			if _, err := stdlib.FormatDate(layout, cty.StringVal("2006-01-02T15:04:05Z")); err != nil {
				return cty.NilType, function.NewArgError(0, err)
			}
		}
		if len(args) == 3 && args[2].IsKnown() {
			if _, err := loadZone(args[2].AsString()); err != nil {
				return cty.NilType, function.NewArgError(2, err)
			}
		}
		return cty.String, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		t, err := time.Parse(time.RFC3339, args[1].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(1, "a time in RFC 3339 is needed, such as 2006-01-02T15:04:05Z")
		}
		if len(args) == 3 {
			zone, err := loadZone(args[2].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(2, err)
			}
			t = t.In(zone)
		}
		text, err := stdlib.FormatDate(args[0], cty.StringVal(t.Format(time.RFC3339)))
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		return text, nil
	},
})

// formatDurationFunc makes "1 h 5 min" of a number of seconds.
var formatDurationFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "seconds", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		seconds, _ := args[0].AsBigFloat().Float64()
		if seconds < 0 || seconds > 1e12 {
			return cty.NilVal, function.NewArgErrorf(0, "a number of seconds is needed")
		}
		return cty.StringVal(durationText(int64(seconds))), nil
	},
})

// durationText rounds to minutes from a minute up: "40 s", "45 min", "1 h 5 min", "2 h".
func durationText(seconds int64) string {
	if seconds < 60 {
		return fmt.Sprintf("%d s", seconds)
	}
	minutes := (seconds + 30) / 60
	switch h, m := minutes/60, minutes%60; {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	default:
		return fmt.Sprintf("%d h %d min", h, m)
	}
}

// zones holds the time zones that loadZone has found, by name: the standard library reads and parses a zone each time.
var zones sync.Map

// loadZone finds a time zone by its IANA name. The machine's own zone is refused: a job means the same everywhere.
func loadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("%q is no time zone; use a name such as UTC or America/New_York", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		text := fmt.Sprintf("there is no time zone %q; use a name such as UTC or America/New_York", name)
		if s := suggest(name, commonZones); s != "" {
			text = fmt.Sprintf("there is no time zone %q; did you mean %q?", name, s)
		}
		return nil, errors.New(text)
	}
	zones.Store(name, zone)
	return zone, nil
}

// commonZones are the zones that are suggested for misspelled ones; all others are accepted just as well.
var commonZones = []string{
	"UTC", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "America/Argentina/Buenos_Aires",
	"America/Bogota", "America/Chicago", "America/Denver", "America/Halifax", "America/Los_Angeles", "America/Mexico_City",
	"America/New_York", "America/Phoenix", "America/Santiago", "America/Sao_Paulo", "America/Toronto", "America/Vancouver",
	"Asia/Bangkok", "Asia/Dubai", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Jerusalem", "Asia/Karachi", "Asia/Kolkata",
	"Asia/Manila", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Taipei", "Asia/Tokyo", "Australia/Brisbane",
	"Australia/Melbourne", "Australia/Perth", "Australia/Sydney", "Europe/Amsterdam", "Europe/Athens", "Europe/Berlin",
	"Europe/Brussels", "Europe/Copenhagen", "Europe/Dublin", "Europe/Helsinki", "Europe/Istanbul", "Europe/Kyiv",
	"Europe/Lisbon", "Europe/London", "Europe/Madrid", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Rome",
	"Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland", "Pacific/Honolulu",
}
