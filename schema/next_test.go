package schema

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/schema/plan"
)

const (
	newYork = "America/New_York" // 2026: forward at 02:00 on 8 March, back at 02:00 on 1 November
	berlin  = "Europe/Berlin"    // 2026: forward at 02:00 on 29 March, back at 03:00 on 25 October
)

// scheduleOf compiles a schedule block.
func scheduleOf(t testing.TB, lines string) plan.Schedule {
	t.Helper()
	job := minimalJob[:len(minimalJob)-2] + "  schedule {\n" + lines + "\n  }\n}\n"
	config, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", job), options())
	if len(config.Jobs) != 1 {
		t.Fatalf("%s\n%v", lines, diags)
	}
	return config.Jobs[0].Schedule
}

func TestScheduleForms(t *testing.T) {
	cron := func(expr string) plan.Schedule { return plan.Schedule{Cron: expr, Timezone: "UTC", Enabled: true} }
	every := func(d time.Duration) plan.Schedule {
		return plan.Schedule{Every: plan.Duration(d), Timezone: "UTC", Enabled: true}
	}
	once := func(at, zone string) plan.Schedule { return plan.Schedule{Once: at, Timezone: zone, Enabled: true} }
	for lines, want := range map[string]plan.Schedule{
		``:                                  cron("0 23 * * *"),
		`every = "15m"`:                     every(15 * time.Minute),
		`every = "1d12h"`:                   every(36 * time.Hour),
		`hourly = 0`:                        cron("0 * * * *"),
		`hourly = 59`:                       cron("59 * * * *"),
		`daily = "00:05"`:                   cron("5 0 * * *"),
		`workdays = "18:30"`:                cron("30 18 * * 1-5"),
		`weekly = "monday 09:00"`:           cron("0 9 * * 1"),
		`weekly = "Sunday,THU, mon  23:59"`: cron("59 23 * * 0,1,4"),
		`weekly = "sat,saturday 00:00"`:     cron("0 0 * * 6"),
		`monthly = "1 06:30"`:               cron("30 6 1 * *"),
		`monthly = "28  00:00"`:             cron("0 0 28 * *"),
		`cron = "*/20  6-18 * * mon-fri"`:   cron("*/20 6-18 * * mon-fri"),
		`cron = "0 9 29 2 *"`:               cron("0 9 29 2 *"),

		`once = "2026-12-01 09:00"`:                                    once("2026-12-01T09:00:00Z", "UTC"),
		"once = \"2026-12-01 09:00\"\ntimezone = \"America/New_York\"": once("2026-12-01T09:00:00-05:00", newYork),
		"once = \"2026-07-01 09:00\"\ntimezone = \"America/New_York\"": once("2026-07-01T09:00:00-04:00", newYork),
		// Right before and after the hour that does not exist, and the first of the hours that exist twice.
		"once = \"2026-03-08 01:59\"\ntimezone = \"America/New_York\"": once("2026-03-08T01:59:00-05:00", newYork),
		"once = \"2026-03-08 03:00\"\ntimezone = \"America/New_York\"": once("2026-03-08T03:00:00-04:00", newYork),
		"once = \"2026-11-01 01:30\"\ntimezone = \"America/New_York\"": once("2026-11-01T01:30:00-04:00", newYork),
		"once = \"2026-10-25 02:30\"\ntimezone = \"Europe/Berlin\"":    once("2026-10-25T02:30:00+02:00", berlin),
	} {
		if diff := cmp.Diff(want, scheduleOf(t, lines)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", lines, diff)
		}
	}
}

func TestJitterWithinTheInterval(t *testing.T) {
	for lines, want := range map[string]time.Duration{
		"every = \"15m\"\njitter = \"14m\"":                    14 * time.Minute,
		"hourly = 5\njitter = \"59m59s\"":                      59*time.Minute + 59*time.Second,
		"jitter = \"23h\"":                                     23 * time.Hour,
		"weekly = \"monday 09:00\"\njitter = \"24h\"":          24 * time.Hour,
		"monthly = \"1 09:00\"\njitter = \"24h\"":              24 * time.Hour,
		"once = \"2026-12-01 09:00\"\njitter = \"24h\"":        24 * time.Hour,
		"cron = \"0,10 9 * * *\"\njitter = \"9m\"":             9 * time.Minute,
		"cron = \"* * * * 1\"\njitter = \"59s\"":               59 * time.Second,
		"cron = \"59 23 * * *\"\njitter = \"0s\"":              0,
		"workdays = \"09:00\"\nenabled = false\njitter=\"1h\"": time.Hour,
	} {
		if got := time.Duration(scheduleOf(t, lines).Jitter); got != want {
			t.Errorf("%s: jitter %v, want %v", lines, got, want)
		}
	}
}

func TestNextRuns(t *testing.T) {
	tests := map[string]struct {
		schedule plan.Schedule
		from     string
		want     []string
	}{
		"the time itself is over": {
			plan.Schedule{Cron: "0 23 * * *", Timezone: "UTC"}, "2026-09-01T23:00:00Z",
			[]string{"2026-09-02T23:00:00Z", "2026-09-03T23:00:00Z"},
		},
		"seconds before": {
			plan.Schedule{Cron: "0 23 * * *", Timezone: "UTC"}, "2026-09-01T22:59:59.5Z",
			[]string{"2026-09-01T23:00:00Z", "2026-09-02T23:00:00Z"},
		},
		"in another zone than asked from": {
			plan.Schedule{Cron: "0 23 * * *", Timezone: newYork}, "2026-09-01T00:00:00Z",
			[]string{"2026-08-31T23:00:00-04:00", "2026-09-01T23:00:00-04:00"},
		},
		"a zone off by half an hour": {
			plan.Schedule{Cron: "15 9 * * *", Timezone: "Asia/Kolkata"}, "2026-09-01T00:00:00Z",
			[]string{"2026-09-01T09:15:00+05:30", "2026-09-02T09:15:00+05:30"},
		},
		"workdays, over a weekend": { // 4 September 2026 is a Friday
			plan.Schedule{Cron: "0 18 * * 1-5", Timezone: "UTC"}, "2026-09-04T12:00:00Z",
			[]string{"2026-09-04T18:00:00Z", "2026-09-07T18:00:00Z", "2026-09-08T18:00:00Z"},
		},
		"weekly": {
			plan.Schedule{Cron: "0 9 * * 0,4", Timezone: "UTC"}, "2026-09-04T12:00:00Z",
			[]string{"2026-09-06T09:00:00Z", "2026-09-10T09:00:00Z", "2026-09-13T09:00:00Z"},
		},
		"monthly, over the end of a year": {
			plan.Schedule{Cron: "30 6 1 * *", Timezone: "UTC"}, "2026-11-15T00:00:00Z",
			[]string{"2026-12-01T06:30:00Z", "2027-01-01T06:30:00Z"},
		},
		"a day that some months lack": {
			plan.Schedule{Cron: "0 0 31 * *", Timezone: "UTC"}, "2026-08-31T12:00:00Z",
			[]string{"2026-10-31T00:00:00Z", "2026-12-31T00:00:00Z"},
		},
		"both kinds of days": { // Fridays that are the 13th
			plan.Schedule{Cron: "0 0 13 * 5", Timezone: "UTC"}, "2026-04-01T00:00:00Z",
			[]string{"2026-11-13T00:00:00Z", "2027-08-13T00:00:00Z"},
		},
		"a Monday that is a 29 February": {
			plan.Schedule{Cron: "0 9 29 2 1", Timezone: "UTC"}, "2026-01-01T00:00:00Z", []string{"2044-02-29T09:00:00Z"},
		},
		"every 90 minutes": { // 16 times a day, so that midnight in UTC is one of them
			plan.Schedule{Every: plan.Duration(90 * time.Minute), Timezone: "UTC"}, "2026-09-01T00:10:00Z",
			[]string{"2026-09-01T01:30:00Z", "2026-09-01T03:00:00Z"},
		},
		"an interval counts from 1970": {
			plan.Schedule{Every: plan.Duration(7 * time.Hour), Timezone: "UTC"}, "1970-01-01T00:00:00Z",
			[]string{"1970-01-01T07:00:00Z", "1970-01-01T14:00:00Z"},
		},
		"an interval knows no clocks": {
			plan.Schedule{Every: plan.Duration(12 * time.Hour), Timezone: berlin}, "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00+01:00", "2026-03-29T14:00:00+02:00"},
		},
		"once": {
			plan.Schedule{Once: "2026-12-01T09:00:00-05:00", Timezone: newYork}, "2026-12-01T13:59:00Z",
			[]string{"2026-12-01T09:00:00-05:00"},
		},
		"once, over": {plan.Schedule{Once: "2026-12-01T09:00:00-05:00", Timezone: newYork}, "2026-12-01T14:00:00Z", nil},

		"New York, forward": {
			plan.Schedule{Cron: "0 23 * * *", Timezone: newYork}, "2026-03-07T12:00:00-05:00",
			[]string{"2026-03-07T23:00:00-05:00", "2026-03-08T23:00:00-04:00"},
		},
		"New York, forward, in the hour that does not exist": {
			plan.Schedule{Cron: "30 2 * * *", Timezone: newYork}, "2026-03-07T00:00:00-05:00",
			[]string{"2026-03-07T02:30:00-05:00", "2026-03-09T02:30:00-04:00"},
		},
		"New York, forward, hourly": {
			plan.Schedule{Cron: "15 * * * *", Timezone: newYork}, "2026-03-08T00:30:00-05:00",
			[]string{"2026-03-08T01:15:00-05:00", "2026-03-08T03:15:00-04:00", "2026-03-08T04:15:00-04:00"},
		},
		"New York, back": {
			plan.Schedule{Cron: "0 23 * * *", Timezone: newYork}, "2026-10-31T12:00:00-04:00",
			[]string{"2026-10-31T23:00:00-04:00", "2026-11-01T23:00:00-05:00"},
		},
		"New York, back, in the hour that exists twice": {
			plan.Schedule{Cron: "30 1 * * *", Timezone: newYork}, "2026-10-31T12:00:00-04:00",
			[]string{"2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"},
		},
		"Berlin, forward": {
			plan.Schedule{Cron: "0 6 * * *", Timezone: berlin}, "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T06:00:00+02:00", "2026-03-30T06:00:00+02:00"},
		},
		"Berlin, forward, in the hour that does not exist": {
			plan.Schedule{Cron: "0 2 * * *", Timezone: berlin}, "2026-03-28T01:00:00+01:00",
			[]string{"2026-03-28T02:00:00+01:00", "2026-03-30T02:00:00+02:00"},
		},
		"Berlin, back": {
			plan.Schedule{Cron: "0 6 * * *", Timezone: berlin}, "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T06:00:00+01:00", "2026-10-26T06:00:00+01:00"},
		},
		"Berlin, back, in the hour that exists twice": {
			plan.Schedule{Cron: "30 2 * * *", Timezone: berlin}, "2026-10-25T02:30:00+02:00",
			[]string{"2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"},
		},
		"Berlin, back, every 20 minutes": {
			plan.Schedule{Cron: "*/20 * * * *", Timezone: berlin}, "2026-10-25T02:30:00+02:00",
			[]string{"2026-10-25T02:40:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:20:00+01:00"},
		},
		"midnight that does not exist": { // Cairo goes from 00:00 to 01:00 on 24 April 2026
			plan.Schedule{Cron: "0 0,1 * * *", Timezone: "Africa/Cairo"}, "2026-04-23T12:00:00+02:00",
			[]string{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			from, err := time.Parse(time.RFC3339, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			runs, err := NextRuns(tt.schedule, from, max(1, len(tt.want)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range runs {
				got = append(got, r.Format(time.RFC3339))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("runs after %s (-want +got):\n%s", tt.from, diff)
			}
		})
	}
}

func TestNextRunsOfSchedulesThatNobodyCompiled(t *testing.T) {
	for _, s := range []plan.Schedule{
		{}, {Timezone: "UTC"}, {Cron: "0 23 * * *", Timezone: "Mars/Olympus"}, {Cron: "often", Timezone: "UTC"},
		{Cron: "@every 1h", Timezone: "UTC"}, {Once: "tomorrow", Timezone: "UTC"},
	} {
		if runs, err := NextRuns(s, time.Unix(0, 0), 5); err == nil {
			t.Errorf("%+v: %v", s, runs)
		}
	}
}
