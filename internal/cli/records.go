package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/durasync/durasync/activities"
)

// openRecord is a record that is not in the destination.
type openRecord struct {
	ID     string            `json:"id"`
	Time   time.Time         `json:"time"`
	Title  string            `json:"title,omitempty"`
	State  activities.State  `json:"state"`
	Reason activities.Reason `json:"reason"`

	// ToDo says in words what the reason means and what to do; Detail what was said of this record.
	ToDo   string `json:"what_to_do"`
	Detail string `json:"detail,omitempty"`

	// RetriedUntil is until when runs look at the record again; empty if that is not known.
	RetriedUntil time.Time `json:"retried_until,omitzero"`

	// Participants are the addresses that were tried, URL is where the record can be opened, as far as the last runs tell.
	Participants []string `json:"participants,omitempty"`
	URL          string   `json:"url,omitempty"`
}

// recordOf is the record of a verdict.
func recordOf(v activities.Verdict) openRecord {
	return openRecord{
		ID: v.Pending.ID, Time: v.Pending.Time, Title: v.Title, State: v.State, Reason: v.Reason, ToDo: whatToDo(v.Reason),
		Detail: v.Detail, Participants: v.External, URL: v.URL,
	}
}

// sortRecords puts the newest record first.
func sortRecords(records []openRecord) {
	slices.SortStableFunc(records, func(x, y openRecord) int {
		return cmp.Or(y.Time.Compare(x.Time), strings.Compare(x.ID, y.ID))
	})
}

// whatToDo says what a reason means and what to do about it.
func whatToDo(reason activities.Reason) string {
	switch reason {
	case activities.ReasonRefused:
		return "the destination refused it; mend what it says, in the source or in the job's map block"
	case activities.ReasonRender:
		return "an expression of the job failed on it; mend the job file and apply it"
	}
	return hint(reason, "a later run looks at it again")
}

// own reports whether a record's detail says something that its reason does not.
func (r *openRecord) own() bool {
	return r.Detail != "" && (r.Reason == activities.ReasonRefused || r.Reason == activities.ReasonRender || r.Reason == activities.ReasonUncertain ||
		r.Reason == activities.ReasonUnavailable || r.Reason == activities.ReasonNotReady)
}

// givenUp reports whether no run looks at the record again.
func (r *openRecord) givenUp(now time.Time) bool {
	return !r.RetriedUntil.IsZero() && r.RetriedUntil.Before(now)
}

// givenUpText says why, and what helps.
const givenUpText = "no run looks at it again by itself, for it is older than the job's retry_rejected; durasync retry with its id does"

// showRecords prints records for people, those with the same reason together.
func showRecords(a *app, records []openRecord, indent string, now time.Time) {
	type group struct {
		state   activities.State
		reason  activities.Reason
		records []openRecord
	}
	var groups []*group
	for _, r := range records {
		i := slices.IndexFunc(groups, func(g *group) bool { return g.reason == r.Reason && g.state == r.State })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{state: r.State, reason: r.Reason})
		}
		groups[i].records = append(groups[i].records, r)
	}
	slices.SortStableFunc(groups, func(x, y *group) int { return len(y.records) - len(x.records) })
	st := a.outStyle()
	for i, g := range groups {
		if i > 0 {
			a.printf("\n")
		}
		a.printf("%s%s, %s: %s\n%s\n", indent, stateText(g.state), st.bold(string(g.reason)), plural(len(g.records), "record"),
			st.dim(wrap(whatToDo(g.reason), indent+"  ", a.opts.Width)))
		for _, r := range g.records {
			head := fmt.Sprintf("%s  %s  %s", indent, r.Time.UTC().Format("2006-01-02 15:04"), r.ID)
			a.printf("%s\n", fit(strings.TrimRight(head+"  "+oneLine(r.Title), " "), a.opts.Width))
			if r.own() {
				a.printf("%s\n", wrap(oneLine(r.Detail), indent+"      ", a.opts.Width))
			}
			if r.givenUp(now) {
				a.printf("%s\n", wrap(givenUpText, indent+"      ", a.opts.Width))
			}
			if len(r.Participants) > 0 && r.Reason == activities.ReasonUnresolved {
				a.printf("%s\n", st.dim(wrap("tried: "+oneLine(strings.Join(r.Participants, ", ")), indent+"      ", a.opts.Width)))
			}
		}
	}
}

func stateText(s activities.State) string {
	if s == activities.InDoubt {
		return "in doubt"
	}
	return string(s)
}

// oneLine is text without line breaks and other control characters: what comes from other systems may hold any, and a terminal obeys
// them.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
}

// fit cuts text to a width.
func fit(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:max(0, width-1)]) + "…"
	}
	return text
}
