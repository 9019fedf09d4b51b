package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

// show prints a run for people.
func (d *runDetails) show(a *app) {
	st := a.outStyle()
	a.printf("%s\n", st.bold(d.WorkflowID))
	line := func(name, format string, args ...any) { a.printf("  %-11s%s\n", name, fmt.Sprintf(format, args...)) }
	if d.Job != "" {
		line("job", "%s", d.Job)
	}
	line("kind", "%s", d.Kind)
	if d.Outcome != "" {
		line("outcome", "%s", outcomeText(st, d.Outcome))
	} else {
		line("outcome", "%s", strings.TrimLeft(wrap("none yet: "+d.doing(), statusIndent, a.opts.Width), " "))
	}
	if text := ending(d.Error, d.Resumes); text != "" {
		a.printf("%s\n", wrap(text, statusIndent, a.opts.Width))
	}
	line("started", "%s", moment(d.Started))
	took := time.Duration(d.DurationMS) * time.Millisecond
	if d.Outcome == "" {
		line("so far", "%s", span(took))
	} else {
		line("took", "%s", span(took))
	}
	if !d.To.IsZero() && d.From.Before(d.To) {
		line("window", "%s to %s", moment(d.From), moment(d.To))
	}
	if d.RecordsPerSecond > 0 {
		line("rate", "%s records a second", rateText(d.RecordsPerSecond))
	}
	if d.Executions > 1 {
		line("history", "in %d parts: it continued as new", d.Executions)
	}
	a.printf("\n")
	showCounts(a, &d.Counts)
	if d.Estimate != nil {
		a.printf("\n")
		showEstimate(a, d.Estimate, "the source", "the destination")
	}
	switch {
	case d.History && len(d.Steps) > 0:
		d.showSteps(a)
	case !d.History:
		a.printf("\n%s\n", wrap("Temporal has forgotten this run's history, as it does after the namespace's retention. This is what the job remembers.", "  ", a.opts.Width))
	}
	d.showRecords(a)
	showAmbiguous(a, d.Ambiguous)
	if d.URL != "" && d.History {
		a.printf("\n  %s\n", d.URL)
	}
}

// doing says what a run does that goes on.
func (d *runDetails) doing() string {
	switch d.Phase {
	case "":
		return "it goes on; how far it is, no worker says"
	case workflows.PhaseWaiting, workflows.PhasePostponed:
		return doing(d.progress)
	}
	return string(d.Phase)
}

// showCounts prints the numbers of a run, one a line.
func showCounts(a *app, c *activities.Counts) {
	for _, line := range []struct {
		name string
		n    int
	}{
		{"listed", c.Listed}, {"known", c.Known}, {"new", c.New}, {"  created", c.Created}, {"  rejected", c.Rejected},
		{"  deferred", c.Deferred}, {"  failed", c.Failed},
	} {
		a.printf("  %-10s %7s\n", line.name, number(line.n))
		if line.name == "known" && c.Adopted > 0 {
			a.printf("  %-10s %7s\n", "  adopted", number(c.Adopted))
		}
	}
}

func (d *runDetails) showSteps(a *app) {
	st := a.outStyle()
	a.printf("\n  %s\n", st.dim(fmt.Sprintf("%-12s %8s %8s %8s %9s", "step", "times", "retries", "failed", "longest")))
	for _, s := range d.Steps {
		longest := ""
		if s.LongestMS > 0 {
			longest = shortSpan(time.Duration(s.LongestMS) * time.Millisecond)
		}
		retries, failed := fmt.Sprintf("%8s", number(s.Retries)), fmt.Sprintf("%8s", number(s.Failed))
		if s.Retries > 0 {
			retries = st.yellow(retries)
		}
		if s.Failed > 0 {
			failed = st.red(failed)
		}
		a.printf("%s\n", strings.TrimRight(fmt.Sprintf("  %-12s %8s %s %s %9s", s.Activity, number(s.Times), retries, failed, longest), " "))
		if s.LastError != "" {
			a.printf("%s\n", st.dim(wrap("last error: "+oneLine(s.LastError), "    ", a.opts.Width)))
		}
	}
}

// shortSpan is span with milliseconds.
func shortSpan(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return span(d)
}

func (d *runDetails) showRecords(a *app) {
	if len(d.Records) == 0 {
		return
	}
	title := "Not written:"
	if all := d.Counts.Rejected + d.Counts.Deferred + d.Counts.Failed; all > len(d.Records) {
		title = fmt.Sprintf("Not written (the last %d of %s; all: durasync rejects %s):", len(d.Records), number(all), d.Job)
	}
	a.printf("\n%s\n\n", wrap(title, "  ", a.opts.Width))
	showRecords(a, d.Records, "  ", time.Now())
}

// showAmbiguous prints the records whose target was chosen among several.
func showAmbiguous(a *app, list []workflows.Ambiguity) {
	if len(list) == 0 {
		return
	}
	st := a.outStyle()
	a.printf("\n  Chosen among several:\n")
	for _, v := range list {
		a.printf("    %s to %s\n", v.ID, st.bold(named(v.Name, v.Target)))
		losers := make([]string, len(v.Losers))
		for i, c := range v.Losers {
			losers[i] = fmt.Sprintf("%s with %s", named(c.Name, c.ID), plural(c.Matched, "participant"))
		}
		a.printf("%s\n", st.dim(wrap("rather than "+strings.Join(losers, ", "), "      ", a.opts.Width)))
	}
}

// named is a name with the id, or the id alone.
func named(name, id string) string {
	if name == "" || name == id {
		return id
	}
	return fmt.Sprintf("%s (%s)", name, id)
}
