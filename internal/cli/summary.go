package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

// summary is what a run came to, as printed with --json.
type summary struct {
	startedRun
	Job        string             `json:"job"`
	Kind       activities.RunKind `json:"kind"`
	Outcome    activities.Outcome `json:"outcome"`
	From       time.Time          `json:"from,omitzero"`
	To         time.Time          `json:"to,omitzero"`
	Counts     activities.Counts  `json:"counts"`
	DurationMS int64              `json:"duration_ms"`

	Error   string    `json:"error,omitempty"`  // what ended the run early
	Resumes time.Time `json:"resumes,omitzero"` // when another run goes on by itself

	// Rejects are the last records that were not written.
	Rejects []reject `json:"rejects"`

	// Ambiguous are the last records whose target was chosen among several.
	Ambiguous []workflows.Ambiguity `json:"ambiguous,omitempty"`
}

type reject struct {
	ID     string            `json:"id"`
	Time   time.Time         `json:"time"`
	State  activities.State  `json:"state"`
	Reason activities.Reason `json:"reason"`
	Detail string            `json:"detail,omitempty"`
}

func newSummary(run startedRun, res *workflows.SyncResult, took time.Duration) *summary {
	s := &summary{
		startedRun: run, Job: res.Job, Kind: res.Kind, Outcome: res.Outcome, From: res.From, To: res.To, Counts: res.Counts,
		DurationMS: took.Milliseconds(), Error: res.Error, Resumes: res.Resumes, Rejects: []reject{}, Ambiguous: res.Ambiguous,
	}
	for _, v := range res.Rejects {
		s.Rejects = append(s.Rejects, reject{v.Pending.ID, v.Pending.Time, v.State, v.Reason, v.Detail})
	}
	return s
}

// err is the error that a run which has ended without success comes to; nil for a success.
func (s *summary) err() error {
	var problem string
	switch {
	case s.Outcome == activities.Completed, s.Outcome == activities.CompletedWithRejects:
		return nil
	case s.Outcome == activities.Skipped:
		problem = fmt.Sprintf("the run of %s was skipped because another run of the job did not end in time; see durasync status %s", s.Job, s.Job)
	case !s.Resumes.IsZero():
		problem = fmt.Sprintf("the run of %s ended early: %s", s.Job, ending(s.Error, s.Resumes))
	case s.Outcome == activities.Partial:
		problem = fmt.Sprintf("%s of %s could not be written; the next run tries again", plural(s.Counts.Failed, "record"), s.Job)
	default:
		problem = fmt.Sprintf("the run of %s ended as %s", s.Job, s.Outcome)
	}
	return &failure{exit: ExitRunFailed, code: string(s.Outcome), err: fmt.Errorf("%s", problem)}
}

// show prints the summary for people.
func (s *summary) show(a *app) {
	st := a.outStyle()
	a.printf("%s: %s in %s\n", st.bold(s.Job), outcomeText(st, s.Outcome), span(time.Duration(s.DurationMS)*time.Millisecond))
	if !s.To.IsZero() && s.From.Before(s.To) {
		a.printf("  window     %s to %s\n", moment(s.From), moment(s.To))
	}
	showCounts(a, &s.Counts)
	s.showRejects(a)
	if n := len(s.Ambiguous); n > 0 {
		a.printf("\n  %s chosen among several; see durasync run show %s\n", were(n, "account"), s.Job)
	}
	if s.URL != "" {
		a.printf("\n  %s\n", s.URL)
	}
}

// showRejects prints why records were not written, grouped by reason.
func (s *summary) showRejects(a *app) {
	if len(s.Rejects) == 0 {
		return
	}
	type group struct {
		reason activities.Reason
		n      int
		detail string
	}
	var groups []group
	for _, r := range s.Rejects {
		i := slices.IndexFunc(groups, func(g group) bool { return g.reason == r.Reason })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{reason: r.Reason, detail: r.Detail})
		}
		groups[i].n++
	}
	slices.SortStableFunc(groups, func(x, y group) int { return y.n - x.n })
	title := "Not written:"
	if all := s.Counts.Rejected + s.Counts.Deferred + s.Counts.Failed; all > len(s.Rejects) {
		title = fmt.Sprintf("Not written (the last %d of %s):", len(s.Rejects), number(all))
	}
	st := a.outStyle()
	a.printf("\n  %s\n", title)
	const indent = "           "
	for _, g := range groups {
		text := hint(g.reason, g.detail)
		a.printf("  %7s  %s\n%s\n", number(g.n), st.bold(string(g.reason)), st.dim(wrap(text, indent, a.opts.Width)))
	}
}

// hint says what a reason means and what to do, if there is something to do.
func hint(reason activities.Reason, detail string) string {
	switch reason {
	case activities.ReasonInternalOnly:
		return "nobody from outside the company took part"
	case activities.ReasonUnresolved:
		return "account id not resolved: the destination knows none of the participants; add one of them there, and a later run delivers the record"
	case activities.ReasonAmbiguous:
		return "several accounts are possible and the job's policy is to skip; set on_ambiguous in its resolve block"
	case activities.ReasonFiltered:
		return "the job's where condition leaves it out"
	case activities.ReasonGone:
		return "it was listed, but was deleted or made private before it could be read"
	case activities.ReasonNotReady:
		return "the source is still working on its text; a later run delivers it"
	case activities.ReasonHeld:
		return "another run has it in hand, or had; a later run looks at it again"
	case activities.ReasonUncertain:
		return "the destination did not say whether it was written; a later run looks there first"
	case activities.ReasonMissing:
		return "it is not in the destination; the job's first run looks at it"
	case activities.ReasonUnavailable:
		return "the destination could not be reached for too long; a later run tries again"
	}
	return detail // render_failed and refused: the words are about this record
}
