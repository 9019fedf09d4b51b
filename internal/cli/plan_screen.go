package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/durasync/durasync/internal/schedules"
)

// changeIndent is what stands before the values of a job's lines.
const changeIndent = "                   "

// unbroken stands for a space at which a line is not broken.
const unbroken = "\x00"

// marks are how actions look at the start of a line, and what they are called when they are done.
var marks = map[action]struct {
	mark, done string
	paint      func(style, string) string
}{
	actionCreate:    {"+", "created", style.green},
	actionChange:    {"~", "changed", style.yellow},
	actionPause:     {"~", "paused", style.yellow},
	actionResume:    {"~", "resumed", style.yellow},
	actionRemove:    {"-", "removed", style.red},
	actionUnchanged: {"=", "unchanged", style.dim},
	actionBlocked:   {"!", "not applied", style.red},
}

func (a *app) showPlan(set *changeSet, dir string, prune bool) {
	for i := range set.Jobs {
		c := &set.Jobs[i]
		a.showChange(c, string(c.Action))
		a.printf("\n")
	}
	a.showOthers(set.Others)
	a.printf("%s\n", wrap(set.tally(), "", a.opts.Width))
	if !set.Changed {
		return
	}
	command := "durasync apply --plan-hash " + set.Hash
	if prune {
		command += " --prune"
	}
	if dir != "." {
		command += " " + dir
	}
	a.printf("Plan %s. To apply exactly this:\n  %s\n", a.outStyle().bold(set.Hash), command)
}

// tally counts the actions.
func (s *changeSet) tally() string {
	var parts []string
	for _, t := range []struct {
		action action
		text   string
	}{
		{actionCreate, "to create"}, {actionChange, "to change"}, {actionPause, "to pause"}, {actionResume, "to resume"},
		{actionRemove, "to remove"}, {actionUnchanged, "unchanged"}, {actionBlocked, "that cannot be applied"},
	} {
		if n := s.count(t.action); n > 0 {
			parts = append(parts, number(n)+" "+t.text)
		}
	}
	if !s.Changed {
		return "No changes: " + strings.Join(parts, ", ") + "."
	}
	return "Jobs: " + strings.Join(parts, ", ") + "."
}

// showChange prints one job: what is done, what differs, when it runs.
func (a *app) showChange(c *change, word string) {
	s := a.outStyle()
	m := marks[c.Action]
	a.printf("%s %s: %s\n", m.paint(s, m.mark), s.bold(c.Job), m.paint(s, word))
	if c.Problem != "" {
		a.printf("%s\n", wrap(c.Problem, "    ", a.opts.Width))
		return
	}
	if c.Note != "" {
		a.printf("%s\n", wrap(c.Note, "    ", a.opts.Width))
	}
	switch c.Action {
	case actionRemove:
		a.printf("%s\n", wrap("its schedule; what is known about the job and its runs stays, and a run that goes on ends by itself", "    ", a.opts.Width))
		return
	case actionCreate:
		a.showField("source", c.Source)
		a.showField("destination", c.Destination)
	default:
		for _, d := range c.Changes {
			a.showDifference(d)
		}
	}
	if !c.has(schedules.FieldSchedule) {
		a.showField("schedule", c.Schedule)
	}
	a.showField("next runs", c.nextText())
	if c.Starts {
		a.showField("starts", "a run at once (sync_on_apply)")
	}
}

func (c *change) has(field string) bool {
	for _, d := range c.Changes {
		if d.Field == field {
			return true
		}
	}
	return false
}

// nextText are the next times of the schedule, in its time zone.
func (c *change) nextText() string {
	switch {
	case c.Held != "":
		return fmt.Sprintf("none: %s; to go on: durasync resume %s", c.Held, c.Job)
	case !c.Enabled:
		return "none: the schedule is paused (enabled = false)"
	case len(c.Next) == 0:
		return "none: the time of the schedule is over"
	}
	times := make([]string, len(c.Next))
	for i, t := range c.Next {
		times[i] = strings.ReplaceAll(t.Format("Mon 2006-01-02 15:04 MST"), " ", unbroken)
	}
	return strings.Join(times, ", ")
}

func (a *app) showField(name, value string) {
	text := wrap(value, changeIndent, a.opts.Width)
	text = strings.ReplaceAll(text, unbroken, " ")
	a.printf("    %-14s %s\n", name, strings.TrimPrefix(text, changeIndent))
}

// showDifference prints the old and the new value: beside each other, below each other, or line by line.
func (a *app) showDifference(d schedules.Difference) {
	if strings.Contains(d.Old, "\n") || strings.Contains(d.New, "\n") {
		a.printf("    %s\n", d.Field)
		for _, line := range changedLines(d.Old, d.New) {
			a.printf("      %s\n", a.paintLine(line))
		}
		return
	}
	old, now := orNone(d.Old), orNone(d.New)
	name := fmt.Sprintf("%-14s", d.Field)
	if utf8.RuneCountInString(name)+utf8.RuneCountInString(old)+utf8.RuneCountInString(now) <= a.opts.Width-9 {
		a.printf("    %s %s -> %s\n", name, old, now)
		return
	}
	a.printf("    %s %s\n%s-> %s\n", name, strings.TrimPrefix(wrap(old, changeIndent, a.opts.Width), changeIndent),
		changeIndent[3:], strings.TrimPrefix(wrap(now, changeIndent, a.opts.Width), changeIndent))
}

func (a *app) paintLine(line string) string {
	s := a.outStyle()
	if strings.HasPrefix(line, "-") {
		return s.red(line)
	}
	return s.green(line)
}

func (a *app) showOthers(others []string) {
	if len(others) == 0 {
		return
	}
	a.notef("%s\n", a.broken("hint:", a.errStyle().dim("hint:"), fmt.Sprintf(
		"%s not in the directory and left alone: %s; apply --prune ends them", are(len(others), "job"), strings.Join(others, ", "))))
}

// showApplied prints what was done.
func (a *app) showApplied(set *appliedSet) {
	for i := range set.Jobs {
		j := &set.Jobs[i]
		word := marks[j.Action].done
		if j.Error != "" && !j.Done {
			word = "failed"
		}
		if j.Action == actionUnchanged {
			s := a.outStyle()
			a.printf("%s %s: %s\n", s.dim("="), s.bold(j.Job), s.dim(word))
			continue
		}
		a.showChange(j.change, word)
		if j.Error != "" {
			a.printf("%s\n", wrap(j.Error, "    ", a.opts.Width))
		}
		if j.Run != nil {
			a.printf("    started %s\n", j.Run.WorkflowID)
			if j.Run.URL != "" {
				a.printf("    %s\n", j.Run.URL)
			}
		}
	}
	a.showOthers(set.Others)
}
