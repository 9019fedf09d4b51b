package sandbox

import (
	"cmp"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// Fault is a way in which Totango can differ from the truth.
type Fault string

// The faults.
const (
	Lost         Fault = "lost"          // a meeting that must be there is not
	Duplicated   Fault = "duplicated"    // a meeting is there more than once
	WrongAccount Fault = "wrong_account" // it is filed under another account
	WrongContent Fault = "wrong_content" // subject, date, creator, participants or text are not the meeting's
	TooEarly     Fault = "too_early"     // it is there although its text was still to come
	PrivateLeak  Fault = "private_leak"  // it is private
	Unexpected   Fault = "unexpected"    // it is there although it belongs nowhere, or was not to be seen
	Unmarked     Fault = "unmarked"      // a touchpoint does not say which call it comes from
	Stray        Fault = "stray"         // a touchpoint comes from a call that does not exist
)

// Difference is one thing that is wrong in Totango.
type Difference struct {
	Fault  Fault
	CallID string // empty if Unmarked
	Detail string
}

// String is a line for people.
func (d Difference) String() string {
	return strings.TrimSuffix(fmt.Sprintf("call %s: %s: %s", cmp.Or(d.CallID, "?"), d.Fault, d.Detail), ": ")
}

// reference is the line of the content that names the call.
var reference = regexp.MustCompile(`\[durasync gong/calls/(\d+)\]`)

// Diff compares what is in Totango with the truth, and returns nothing if it is right. The call that a touchpoint comes from is
// read from its reference, "[durasync gong/calls/ID]". Of touchpoints that a person has edited since, only the account is
// compared.
func Diff(want []Expectation, got []totangotest.Touchpoint) []Difference {
	var diffs []Difference
	report := func(f Fault, call, format string, args ...any) {
		diffs = append(diffs, Difference{f, call, fmt.Sprintf(format, args...)})
	}
	found := map[string][]totangotest.Touchpoint{}
	for _, t := range got {
		if m := reference.FindStringSubmatch(t.Content); m != nil {
			found[m[1]] = append(found[m[1]], t)
		} else {
			report(Unmarked, "", "touchpoint %d on %s, %q", t.NoteID, t.AccountID, t.Subject)
		}
	}
	for _, e := range want {
		touchpoints := found[e.CallID]
		delete(found, e.CallID)
		if len(touchpoints) > 1 {
			report(Duplicated, e.CallID, "%s", places(touchpoints))
		}
		switch {
		case e.Outcome == Delivered && len(touchpoints) == 0:
			report(Lost, e.CallID, "%q of %s is not on %s", e.Touchpoint.Subject, e.Touchpoint.Date.Format("2006-01-02 15:04"), e.Touchpoint.AccountID)
		case e.Outcome == Delivered:
			for _, t := range touchpoints {
				diffs = append(diffs, compare(e, t)...)
			}
		case len(touchpoints) > 0:
			report(fault(e), e.CallID, "%s (%s), but there is %s", e.Outcome, e.Reason, places(touchpoints))
		}
	}
	for call, touchpoints := range found {
		report(Stray, call, "%s", places(touchpoints))
	}
	slices.SortFunc(diffs, func(x, y Difference) int {
		return cmp.Or(cmp.Compare(x.CallID, y.CallID), cmp.Compare(x.Fault, y.Fault), cmp.Compare(x.Detail, y.Detail))
	})
	return diffs
}

// fault says what it means that a meeting is there which must not be.
func fault(e Expectation) Fault {
	switch {
	case e.Outcome == Deferred:
		return TooEarly
	case e.Reason == IsPrivate:
		return PrivateLeak
	default:
		return Unexpected
	}
}

func places(touchpoints []totangotest.Touchpoint) string {
	parts := make([]string, len(touchpoints))
	for i, t := range touchpoints {
		parts[i] = fmt.Sprintf("touchpoint %d on %s", t.NoteID, t.AccountID)
	}
	return strings.Join(parts, ", ")
}

// compare holds one touchpoint against what it must be.
func compare(e Expectation, got totangotest.Touchpoint) []Difference {
	want := e.Touchpoint
	var diffs []Difference
	check := func(ok bool, f Fault, what string, got, want any) {
		if !ok {
			diffs = append(diffs, Difference{f, e.CallID, fmt.Sprintf("%s is %q, not %q", what, fmt.Sprint(got), fmt.Sprint(want))})
		}
	}
	check(got.AccountID == want.AccountID, WrongAccount, "account", got.AccountID, want.AccountID)
	if !got.Edited.IsZero() {
		return diffs
	}
	participants := normalised(got.Participants)
	check(got.Subject == want.Subject, WrongContent, "subject", got.Subject, want.Subject)
	check(got.Date.Equal(want.Date), WrongContent, "date", got.Date.UTC(), want.Date.UTC())
	check(want.CreatedBy == "" || strings.EqualFold(got.CreatedBy, want.CreatedBy), WrongContent, "creator", got.CreatedBy, want.CreatedBy)
	check(slices.Equal(participants, want.Participants), WrongContent, "list of participants", participants, want.Participants)
	check(strings.Contains(spaced(got.Content), spaced(want.Text)), WrongContent, "content", excerpt(got.Content), want.Text)
	return diffs
}

func normalised(addresses []string) []string {
	list := make([]string, len(addresses))
	for i, a := range addresses {
		list[i] = strings.ToLower(strings.TrimSpace(a))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// spaced makes texts comparable whether they were written as markup or not.
func spaced(text string) string { return strings.Join(strings.Fields(html.UnescapeString(text)), " ") }

func excerpt(text string) string {
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return text
}
