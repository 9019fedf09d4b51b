package plugintest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Result is what checking a rule came to.
type Result string

// The results.
const (
	OK      Result = "ok"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// Outcome is what a rule came to.
type Outcome struct {
	Rule string `json:"rule"`

	// Contract is what package plugin says that the host relies on.
	Contract string `json:"contract"`

	Result Result `json:"result"`

	// Problems say how the rule is broken, if it failed.
	Problems []string `json:"problems,omitempty"`

	// Reason says why the rule was skipped.
	Reason string `json:"reason,omitempty"`
}

// rule is one thing that the host relies on.
type rule struct {
	name     string
	contract string
	only     transport // the one transport through which it can be checked; empty for any
	check    func(*probe)
}

// rules are those that bind the connector, in the order in which its author wants to read about them. The last ones look back on
// all the others.
func (s *session) rules() []rule {
	all := slices.Clone(describeRules)
	if len(s.first.Streams) > 0 {
		all = append(all, sourceRules...)
	}
	if len(s.first.Objects) > 0 {
		all = append(all, destinationRules...)
		all = append(all, previewRules...)
	}
	all = append(all, troubleRules...)
	return slices.DeleteFunc(all, func(r rule) bool { return r.only != "" && r.only != s.transport })
}

// probe is one check of a rule. Errorf, Fatalf, Skipf and Cleanup are as those of [testing.T].
type probe struct {
	*session
	ctx context.Context

	mu       sync.Mutex
	problems []string
	skipped  string
	cleanups []func()
}

// check checks a rule.
func (s *session) check(ctx context.Context, r rule) Outcome {
	t := &probe{session: s, ctx: ctx}
	done := make(chan struct{})
	go func() { // which Fatalf and Skipf end
		defer close(done)
		defer func() {
			for _, f := range slices.Backward(t.cleanups) {
				f()
			}
		}()
		r.check(t)
	}()
	<-done
	o := Outcome{Rule: r.name, Contract: r.contract, Result: OK, Problems: t.problems}
	switch {
	case len(t.problems) > 0:
		o.Result = Failed
	case t.skipped != "":
		o.Result, o.Reason = Skipped, t.skipped
	}
	return o
}

// Errorf notes a problem.
func (t *probe) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

// Fatalf notes a problem and ends the check.
func (t *probe) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Skipf ends the check, which cannot be made.
func (t *probe) Skipf(format string, args ...any) {
	t.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// Cleanup calls f at the end of the check.
func (t *probe) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
