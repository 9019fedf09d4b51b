package workflows

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

const week = 7 * day

func aPlan() *plan.Plan {
	return &plan.Plan{Version: plan.Version, Job: "meetings", Source: plan.Source{Initial: plan.Duration(week), Overlap: plan.Duration(2 * day)}}
}

func applied(p *plan.Plan) ApplyRequest { return ApplyRequest{Plan: p, Hash: p.Hash()} }

// began is what a begin update answered, without the plan.
type began struct {
	Holder   *activities.Owner
	From, To time.Time
}

// jobScript drives a Job with a plan and collects the answers to its begin updates.
type jobScript struct {
	*script
	got []began
}

func newJobScript(t *testing.T) *jobScript {
	s := &jobScript{script: newScript(t)}
	s.at(0, func() { update[ApplyResult](s.script, UpdateApply, applied(aPlan()), nil) })
	return s
}

func (s *jobScript) begin(at time.Duration, owner activities.Owner, gone *activities.Owner) {
	s.ask(at, activities.BeginRequest{Owner: owner, Dead: gone})
}

func (s *jobScript) ask(at time.Duration, req activities.BeginRequest) {
	s.at(at, func() {
		update(s.script, UpdateBegin, req, func(res activities.BeginResult, err error) {
			if err != nil {
				s.t.Errorf("begin at %v: %v", at, err)
			}
			s.got = append(s.got, began{res.Holder, res.From, res.To})
		})
	})
}

func (s *jobScript) finish(at time.Duration, owner activities.Owner, outcome activities.Outcome) {
	s.at(at, func() {
		update[any](s.script, UpdateFinish, activities.FinishRequest{Run: activities.Run{Owner: owner, Outcome: outcome}}, func(_ any, err error) {
			if err != nil {
				s.t.Errorf("finish at %v: %v", at, err)
			}
		})
	})
}

func window(from, to time.Duration) began { return began{From: epoch.Add(from), To: epoch.Add(to)} }

func TestJobWindows(t *testing.T) {
	tests := map[string]struct {
		drive func(*jobScript)
		want  []began
	}{
		"the first run looks back by initial": {
			func(s *jobScript) { s.begin(time.Hour, alice, nil) },
			[]began{window(time.Hour-week, time.Hour)},
		},
		"the same run gets the same window again": {
			func(s *jobScript) {
				s.begin(time.Hour, alice, nil)
				s.begin(2*time.Hour, alice, nil)
			},
			[]began{window(time.Hour-week, time.Hour), window(time.Hour-week, time.Hour)},
		},
		"a later run looks back by the overlap behind the watermark": {
			func(s *jobScript) {
				s.begin(0, alice, nil)
				s.finish(time.Hour, alice, activities.CompletedWithRejects)
				s.begin(day, bob, nil)
			},
			[]began{window(-week, 0), window(-2*day, day)},
		},
		"but never before the first window": {
			func(s *jobScript) {
				s.at(0, func() {
					p := aPlan()
					p.Source.Initial, p.Source.Overlap = plan.Duration(day), plan.Duration(week)
					update[ApplyResult](s.script, UpdateApply, applied(p), nil)
				})
				s.begin(time.Hour, alice, nil)
				s.finish(2*time.Hour, alice, activities.Completed)
				s.begin(day, bob, nil)
			},
			[]began{window(time.Hour-day, time.Hour), window(time.Hour-day, day)},
		},
		"a run that did not complete moves nothing": {
			func(s *jobScript) {
				s.begin(0, alice, nil)
				s.finish(time.Hour, alice, activities.Partial)
				s.begin(2*time.Hour, bob, nil)
				s.finish(3*time.Hour, bob, activities.Failed)
				s.begin(4*time.Hour, alice, nil)
			},
			[]began{window(-week, 0), window(2*time.Hour-week, 2*time.Hour), window(4*time.Hour-week, 4*time.Hour)},
		},
		"a second run is told who holds the lock": {
			func(s *jobScript) {
				s.begin(0, alice, nil)
				s.begin(time.Hour, bob, nil)
			},
			[]began{window(-week, 0), {Holder: &alice}},
		},
		"the lock of a dead run is taken over": {
			func(s *jobScript) {
				s.begin(0, alice, nil)
				s.begin(time.Hour, bob, &alice)
				s.finish(2*time.Hour, alice, activities.Completed) // too late: it moves nothing
				s.finish(3*time.Hour, bob, activities.Failed)
				s.begin(4*time.Hour, alice, nil)
			},
			[]began{window(-week, 0), window(time.Hour-week, time.Hour), window(4*time.Hour-week, 4*time.Hour)},
		},
		"naming the wrong dead run takes nothing": {
			func(s *jobScript) {
				s.begin(0, alice, nil)
				s.begin(time.Hour, bob, &bob)
			},
			[]began{window(-week, 0), {Holder: &alice}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newJobScript(t)
			test.drive(s)
			s.run(Job, JobState{})
			if diff := cmp.Diff(test.want, s.got); diff != "" {
				t.Errorf("begin answers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJobApplySaysWhatChanged(t *testing.T) {
	s := newScript(t)
	var got []ApplyResult
	apply := func(p *plan.Plan) {
		update(s, UpdateApply, applied(p), func(res ApplyResult, err error) {
			if err != nil {
				t.Error(err)
			}
			got = append(got, res)
		})
	}
	s.at(0, func() {
		apply(aPlan())
		apply(aPlan())
		changed := aPlan()
		changed.Description = "another"
		apply(changed)
	})
	s.run(Job, JobState{})
	want := []ApplyResult{{Created: true, Changed: true}, {}, {Changed: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("apply answers (-want +got):\n%s", diff)
	}
}

// A backfill or a retry takes no lock, but would write again what a run that adopts has not noted yet.
func TestNoRunWritesWhileOneAdopts(t *testing.T) {
	for adopts, holder := range map[bool]*activities.Owner{true: &alice, false: nil} {
		s := newJobScript(t)
		s.ask(1*time.Hour, activities.BeginRequest{Owner: alice, Adopts: adopts})
		s.ask(2*time.Hour, activities.BeginRequest{Owner: bob, Lockless: true})
		s.ask(3*time.Hour, activities.BeginRequest{Owner: bob, Lockless: true, DryRun: true})
		s.ask(4*time.Hour, activities.BeginRequest{Owner: bob, Lockless: true, Dead: &alice})
		s.finish(5*time.Hour, alice, activities.Completed)
		s.ask(6*time.Hour, activities.BeginRequest{Owner: bob, Lockless: true})
		s.run(Job, JobState{})
		var holders []*activities.Owner
		for _, answer := range s.got[1:] {
			holders = append(holders, answer.Holder)
		}
		if diff := cmp.Diff([]*activities.Owner{holder, nil, nil, nil}, holders); diff != "" {
			t.Errorf("while a run has the lock that adopts or does not (%v), who is waited for by others (-want +got):\n%s", adopts, diff)
		}
	}
}

func TestJobWithoutPlanRefusesRuns(t *testing.T) {
	s := newScript(t)
	s.at(0, func() {
		update(s, UpdateBegin, activities.BeginRequest{Owner: alice}, func(_ activities.BeginResult, err error) {
			if err == nil {
				t.Error("a job without a plan let a run begin")
			}
		})
	})
	s.run(Job, JobState{})
}

func TestJobRemembersRuns(t *testing.T) {
	s := newJobScript(t)
	for i := range keptRuns + 5 {
		at := time.Duration(i+1) * time.Hour
		owner := activities.Owner{WorkflowID: "sync/meetings", FirstRunID: at.String()}
		s.begin(at, owner, nil)
		s.finish(at+time.Minute, owner, activities.Completed)
		s.finish(at+2*time.Minute, owner, activities.Failed) // the answer was lost and the activity retried
	}
	s.at(900*time.Hour, func() {
		state := query[JobState](s.script, QueryStatus)
		if len(state.Runs) != keptRuns || state.Lock != nil {
			t.Fatalf("%d runs and lock %v are kept, want %d and none", len(state.Runs), state.Lock, keptRuns)
		}
		last := state.Runs[keptRuns-1]
		if last.Outcome != activities.Completed || !last.Ended.Equal(last.Started.Add(time.Minute)) {
			t.Errorf("the last run is %+v, want one completed after a minute", last)
		}
	})
	s.run(Job, JobState{})
}
