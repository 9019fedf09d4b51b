package cli

import (
	"time"

	"github.com/durasync/durasync/internal/sandbox"
)

// demoReport is what the demo prints with --json.
type demoReport struct {
	*summary
	Seed   uint64 `json:"seed"`
	Limits bool   `json:"limits"`

	// FirstTouchpointMS is how long after the start of the process Totango had the first touchpoint; null if it has none.
	FirstTouchpointMS *int64 `json:"first_touchpoint_ms"`

	// GongRequests and TotangoRequests are how many requests the simulators got.
	GongRequests    int `json:"gong_requests"`
	TotangoRequests int `json:"totango_requests"`

	Truth truth `json:"truth"`
}

// truth compares the simulated Totango's own store with what must be in it.
type truth struct {
	Expected    int          `json:"expected"` // touchpoints
	Found       int          `json:"found"`
	Rejected    int          `json:"rejected"` // meetings that belong to no account
	Deferred    int          `json:"deferred"` // meetings whose text is still to come
	Differences []difference `json:"differences"`
}

type difference struct {
	Fault  string `json:"fault"`
	CallID string `json:"call_id,omitempty"`
	Detail string `json:"detail"`
}

func (a *app) demoReport(s *stage, flags demoFlags, run *summary) *demoReport {
	r := &demoReport{summary: run, Seed: flags.sandbox.seed, Limits: flags.sandbox.limits, TotangoRequests: s.sandbox.Totango.TotalRequests()}
	for _, n := range s.sandbox.Gong.Counts() {
		r.GongRequests += n
	}
	touchpoints := s.sandbox.Totango.Touchpoints()
	for _, t := range touchpoints {
		if ms := t.Created.Sub(a.opts.Started).Milliseconds(); r.FirstTouchpointMS == nil || ms < *r.FirstTouchpointMS {
			r.FirstTouchpointMS = &ms
		}
	}
	want := s.sandbox.Company.Truth(run.To, run.From, run.To, time.Duration(s.plan.Source.Grace))
	r.Truth = truth{Found: len(touchpoints), Differences: []difference{}}
	for _, e := range want {
		switch e.Outcome {
		case sandbox.Delivered:
			r.Truth.Expected++
		case sandbox.Rejected:
			r.Truth.Rejected++
		case sandbox.Deferred:
			r.Truth.Deferred++
		}
	}
	for _, d := range sandbox.Diff(want, touchpoints) {
		r.Truth.Differences = append(r.Truth.Differences, difference{string(d.Fault), d.CallID, d.Detail})
	}
	return r
}

// show prints the report for people.
func (r *demoReport) show(a *app) {
	r.summary.URL = "" // the links stand together at the end
	r.summary.show(a)
	st := a.outStyle()
	if n := len(r.Truth.Differences); n > 0 {
		a.printf("\n  %s\n", st.red(plural(n, "difference")+" between Totango and what must be there:"))
		for _, d := range r.Truth.Differences {
			a.printf("    call %s: %s: %s\n", d.CallID, d.Fault, d.Detail)
		}
	} else {
		a.printf("\n  %s\n", st.green(plural(r.Truth.Found, "touchpoint")+" in Totango, just those that must be there"))
	}
	if r.FirstTouchpointMS != nil {
		a.printf("  the first one %s after the start\n", span(time.Duration(*r.FirstTouchpointMS)*time.Millisecond))
	}
}
