package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// What a message shows at most: characters, and records.
const (
	maxTitle   = 140
	maxText    = 1500
	maxDetail  = 400
	maxRejects = 10
)

// message is a notice in words, without the markup of any format. All of its strings are single lines.
type message struct {
	title   string
	summary string // what the job is for; may be empty
	problem string // the run's error; may be empty
	advice  string // what happens next, or what to do
	facts   []fact
	rejects []reject
	more    string // how to see all rejects; empty without rejects
	url     string // of the run; may be empty
}

type fact struct{ name, value string }

// reject is a record that was not written.
type reject struct {
	title  string // the record's title, or its id
	when   string
	why    string // reason and detail
	url    string // may be empty
	reason activities.Reason
}

func compose(n *activities.Notice) *message {
	m := &message{
		title: line(titleOf(n), maxTitle), summary: line(n.Summary, maxText), problem: line(n.Run.Error, maxText), advice: adviceOf(n),
		facts: factsOf(&n.Run), url: link(n.URL),
	}
	for _, v := range n.Rejects[:min(len(n.Rejects), maxRejects)] {
		title := line(v.Title, maxTitle)
		if title == "" {
			title = line(v.Pending.ID, maxTitle)
		}
		why := string(v.Reason)
		if v.Detail != "" {
			why += ": " + line(v.Detail, maxDetail)
		}
		m.rejects = append(m.rejects, reject{title: title, when: moment(v.Pending.Time), why: why, url: link(v.URL), reason: v.Reason})
	}
	if len(m.rejects) > 0 {
		m.more = "durasync rejects " + n.Job
	}
	return m
}

func titleOf(n *activities.Notice) string {
	c := &n.Run.Counts
	switch {
	case n.Kind == plan.NoticeEmpty:
		return n.Job + " found nothing"
	case n.Kind == plan.NoticeRejected:
		return n.Job + " rejected " + records(n.NewRejects)
	case n.Run.Outcome == activities.Failed:
		return n.Job + " failed"
	case n.Run.Outcome == activities.Skipped:
		return n.Job + " was skipped"
	case n.Run.Outcome == activities.Partial:
		return n.Job + " gave up on " + records(c.Failed)
	}
	return n.Job + ": " + strings.ReplaceAll(string(n.Run.Outcome), "_", " ")
}

func adviceOf(n *activities.Notice) string {
	switch {
	case n.Kind == plan.NoticeEmpty:
		return "The source has nothing at all in the window. If there should be something, check what its credentials are allowed to see."
	case n.Kind == plan.NoticeRejected:
		return "No run had rejected them before. Later runs look at them again for as long as the job says (retry_rejected)."
	case n.Run.Outcome == activities.Failed && n.Run.Kind == activities.KindBackfill:
		return "Start the backfill again when the cause is gone: what was delivered is not delivered twice."
	case n.Run.Outcome == activities.Failed:
		return "Nothing is lost: the next run goes on from the end of the last one that completed."
	case n.Run.Outcome == activities.Skipped:
		return "Another run of the job did not end in time. Nothing is lost: the next run covers the same window."
	case n.Run.Outcome == activities.Partial:
		return "The next run tries again."
	}
	return ""
}

func factsOf(r *activities.Run) []fact {
	var facts []fact
	if !r.To.IsZero() {
		facts = append(facts, fact{"Window", moment(r.From) + " to " + moment(r.To)})
	}
	c := &r.Counts
	if c.Listed == 0 {
		return facts
	}
	return append(facts,
		fact{"Listed", fmt.Sprintf("%d (%d known, %d new)", c.Listed, c.Known, c.New)},
		fact{"Created", fmt.Sprint(c.Created)},
		fact{"Rejected", fmt.Sprint(c.Rejected)},
		fact{"Deferred", fmt.Sprint(c.Deferred)},
		fact{"Failed", fmt.Sprint(c.Failed)},
	)
}

func records(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 MST") }

// line makes text one line of at most so many characters.
func line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		return strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return s
}

// link returns an address that may stand in a message: a whole one for a browser, or nothing.
func link(s string) string {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") || strings.ContainsFunc(s, unicode.IsControl) || strings.Contains(s, " ") {
		return ""
	}
	return s
}
