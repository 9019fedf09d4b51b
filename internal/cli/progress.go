package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

// display shows a run's progress on standard error.
type display interface {
	// interval is how often it wants to hear.
	interval() time.Duration
	update(update)
	// end leaves the line on which something is being shown.
	end()
}

func (a *app) newDisplay() display {
	switch {
	case a.json:
		return silent{}
	case a.opts.StderrTerminal && a.env.get("TERM") != "dumb":
		return &bar{out: a.opts.Stderr, width: a.opts.Width, style: a.errStyle(), now: time.Now}
	default:
		return &lines{out: a.opts.Stderr}
	}
}

// silent shows nothing.
type silent struct{}

func (silent) interval() time.Duration { return time.Minute }
func (silent) update(update)           {}
func (silent) end()                    {}

// lines prints a line whenever something has changed.
type lines struct {
	out  io.Writer
	last string
}

func (*lines) interval() time.Duration { return progressPlain }

func (l *lines) update(u update) {
	text := u.note
	if text == "" && u.Progress != nil && u.Phase != workflows.PhaseWaiting {
		text = doing(u.Progress)
	}
	if text != "" && text != l.last {
		fmt.Fprintln(l.out, text)
		l.last = text
	}
}

func (*lines) end() {}

// counts is a run's numbers in one line, without those that are zero.
func counts(c *activities.Counts) string {
	parts := []string{fmt.Sprintf("listed %s", number(c.Listed))}
	for _, part := range []struct {
		n    int
		name string
	}{{c.Known, "known"}, {c.New, "new"}, {c.Created, "created"}, {c.Rejected, "rejected"}, {c.Deferred, "deferred"}, {c.Failed, "failed"}} {
		if part.n > 0 {
			parts = append(parts, part.name+" "+number(part.n))
		}
	}
	return strings.Join(parts, ", ")
}

// bar redraws one line of a terminal. What a run waits for stands on lines of its own.
type bar struct {
	out   io.Writer
	width int
	style style
	now   func() time.Time

	// began is when the first record was done, and with how many.
	began time.Time
	base  int

	shown bool   // the line holds something
	note  string // the last one
}

func (*bar) interval() time.Duration { return progressTerminal }

func (b *bar) update(u update) {
	switch {
	case u.note != "" && u.note != b.note:
		b.end()
		fmt.Fprintln(b.out, wrap(u.note, "", b.width))
	case u.note == "" && u.Progress != nil:
		fmt.Fprintf(b.out, "\r\x1b[K%s", b.line(u.Progress))
		b.shown = true
	}
	b.note = u.note
}

func (b *bar) end() {
	if b.shown {
		fmt.Fprint(b.out, "\r\x1b[K")
		b.shown = false
	}
}

// line is the bar with numbers, no wider than the terminal.
func (b *bar) line(p *workflows.Progress) string {
	c := &p.Counts
	done := c.Created + c.Rejected + c.Deferred + c.Failed
	if p.Phase == workflows.PhasePostponed || p.Phase == workflows.PhaseWaiting || c.New == 0 {
		return b.fit(doing(p))
	}
	if b.began.IsZero() && done > 0 {
		b.began, b.base = b.now(), done
	}
	numbers := fmt.Sprintf(" %s/%s", number(done), number(c.New))
	if elapsed := b.now().Sub(b.began); !b.began.IsZero() && elapsed > time.Second && done > b.base {
		rate := float64(done-b.base) / elapsed.Seconds()
		numbers += fmt.Sprintf("  %s/s", rateText(rate))
		if p.Listed && done < c.New {
			numbers += "  " + span(time.Duration(float64(c.New-done)/rate*float64(time.Second))) + " left"
		}
	}
	for _, part := range []struct {
		n    int
		name string
	}{{c.Rejected, "rejected"}, {c.Deferred, "deferred"}, {c.Failed, "failed"}} {
		if part.n > 0 {
			numbers += fmt.Sprintf("  %s %s", number(part.n), part.name)
		}
	}
	const widest, narrowest = 30, 5
	cells := min(widest, b.width-1-utf8.RuneCountInString(numbers))
	if cells < narrowest {
		return b.fit(strings.TrimSpace(numbers))
	}
	full := cells * min(done, c.New) / max(1, c.New)
	return b.style.green(strings.Repeat("━", full)) + b.style.dim(strings.Repeat("─", cells-full)) + numbers
}

// fit cuts text to the terminal's width: a line that wraps cannot be redrawn.
func (b *bar) fit(text string) string {
	if runes := []rune(text); len(runes) > b.width-1 {
		return string(runes[:max(0, b.width-2)]) + "…"
	}
	return text
}

func rateText(perSecond float64) string {
	if perSecond >= 10 {
		return number(int(perSecond))
	}
	return fmt.Sprintf("%.1f", perSecond)
}
