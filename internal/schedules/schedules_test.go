package schedules

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/schema/plan"
)

// server keeps schedules as Temporal does: cron expressions become calendars with the comment that stood behind them, and
// arguments and memos become payloads.
type server struct {
	client.ScheduleClient
	t         *testing.T
	schedules map[string]*client.Schedule
	writes    int
	down      error
}

func newServer(t *testing.T) *server { return &server{t: t, schedules: map[string]*client.Schedule{}} }

func (s *server) Create(_ context.Context, o client.ScheduleOptions) (client.ScheduleHandle, error) {
	if s.down != nil {
		return nil, s.down
	}
	if s.schedules[o.ID] != nil {
		return nil, temporal.ErrScheduleAlreadyRunning
	}
	s.store(o.ID, &client.Schedule{
		Spec: &o.Spec, Action: o.Action, Policy: &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: o.CatchupWindow},
		State: &client.ScheduleState{Paused: o.Paused, Note: o.Note},
	})
	return nil, nil
}

func (s *server) store(id string, in *client.Schedule) {
	s.writes++
	spec, policy, state, action := *in.Spec, *in.Policy, *in.State, *in.Action.(*client.ScheduleWorkflowAction)
	for _, c := range spec.CronExpressions {
		_, comment, _ := strings.Cut(c, "#")
		spec.Calendars = append(spec.Calendars, client.ScheduleCalendarSpec{Comment: strings.TrimSpace(comment)})
	}
	spec.CronExpressions = nil
	action.Args = s.payloads(action.Args)
	memo := map[string]any{}
	for name, v := range action.Memo {
		memo[name] = s.payloads([]any{v})[0]
	}
	action.Memo = memo
	s.schedules[id] = &client.Schedule{Spec: &spec, Policy: &policy, State: &state, Action: &action}
}

func (s *server) payloads(values []any) []any {
	out := make([]any, len(values))
	for i, v := range values {
		p, err := payloads.DataConverter().ToPayload(v)
		if err != nil {
			s.t.Fatal(err)
		}
		out[i] = p
	}
	return out
}

func (s *server) GetHandle(_ context.Context, id string) client.ScheduleHandle {
	return &handle{s: s, id: id}
}

func (s *server) List(context.Context, client.ScheduleListOptions) (client.ScheduleListIterator, error) {
	if s.down != nil {
		return nil, s.down
	}
	it := &iterator{}
	for id, sch := range s.schedules {
		it.entries = append(it.entries, &client.ScheduleListEntry{
			ID: id, Paused: sch.State.Paused, Note: sch.State.Note, NextActionTimes: next,
			WorkflowType: workflow.Type{Name: sch.Action.(*client.ScheduleWorkflowAction).Workflow.(string)},
		})
	}
	return it, nil
}

// payloads is the codec of the tests' payloads.
var payloads = codec.New(nil)

// next are the times of the next runs of every schedule.
var next = []time.Time{time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC), time.Date(2026, 11, 25, 23, 0, 0, 0, time.UTC)}

type iterator struct{ entries []*client.ScheduleListEntry }

func (i *iterator) HasNext() bool { return len(i.entries) > 0 }

func (i *iterator) Next() (*client.ScheduleListEntry, error) {
	e := i.entries[0]
	i.entries = i.entries[1:]
	return e, nil
}

type handle struct {
	client.ScheduleHandle
	s  *server
	id string
}

func (h *handle) Describe(context.Context) (*client.ScheduleDescription, error) {
	if h.s.down != nil {
		return nil, h.s.down
	}
	sch := h.s.schedules[h.id]
	if sch == nil {
		return nil, serviceerror.NewNotFound("no such schedule")
	}
	return &client.ScheduleDescription{Schedule: *sch, Info: client.ScheduleInfo{NextActionTimes: next}}, nil
}

func (h *handle) Update(ctx context.Context, o client.ScheduleUpdateOptions) error {
	desc, err := h.Describe(ctx)
	if err != nil {
		return err
	}
	u, err := o.DoUpdate(client.ScheduleUpdateInput{Description: *desc})
	switch {
	case errors.Is(err, temporal.ErrSkipScheduleUpdate):
		return nil
	case err != nil:
		return err
	}
	h.s.store(h.id, u.Schedule)
	return nil
}

// nightly is a job as schema compiles it.
func nightly(change ...func(*plan.Plan)) *plan.Plan {
	p := &plan.Plan{
		Job:         "gong_meetings",
		Source:      plan.Source{Connection: "gong.acme"},
		Destination: plan.Destination{Connection: "totango.success"},
		Schedule:    plan.Schedule{Cron: "0 23 * * *", Timezone: "America/New_York", Enabled: true},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func mustApply(t *testing.T, s *server, p *plan.Plan) Change {
	t.Helper()
	c, err := Apply(t.Context(), s, payloads, p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The schedule is what design and documentation promise to people who look at it with Temporal's own tools.
func TestCreated(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	if got := mustApply(t, s, nightly()); got != Created {
		t.Errorf("change = %s, want %s", got, Created)
	}
	got := s.schedules["gong_meetings"]
	if got == nil {
		t.Fatal("the schedule's id is not the job's name")
	}
	a := got.Action.(*client.ScheduleWorkflowAction)
	if a.ID != "sync/gong_meetings" || a.Workflow != "Sync" || a.TaskQueue != "durasync" {
		t.Errorf("action: id %s, workflow %v, queue %s", a.ID, a.Workflow, a.TaskQueue)
	}
	var input map[string]any
	if !decode(payloads, a.Args[0], &input) || len(a.Args) != 1 {
		t.Fatalf("arguments %v", a.Args)
	}
	if diff := cmp.Diff(map[string]any{"job": "gong_meetings"}, input); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	if want := "gong_meetings: gong.acme to totango.success"; a.StaticSummary != want {
		t.Errorf("summary %q, want %q", a.StaticSummary, want)
	}
	if got.Policy.Overlap != enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE || got.Policy.PauseOnFailure {
		t.Errorf("policy %+v", got.Policy)
	}
	if got.Spec.TimeZoneName != "America/New_York" || len(got.Spec.Calendars) != 1 || got.Spec.Calendars[0].Comment != "0 23 * * *" {
		t.Errorf("spec %+v", got.Spec)
	}
	if got.State.Paused {
		t.Error("the schedule of an enabled job is paused")
	}
}

// An interval catches up the last missed run alone.
func TestInterval(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	mustApply(t, s, nightly(every(6*time.Hour)))
	got := s.schedules["gong_meetings"]
	if diff := cmp.Diff([]client.ScheduleIntervalSpec{{Every: 6 * time.Hour}}, got.Spec.Intervals); diff != "" {
		t.Errorf("intervals (-want +got):\n%s", diff)
	}
	if len(got.Spec.Calendars) > 0 || got.Policy.CatchupWindow != 6*time.Hour {
		t.Errorf("spec %+v, policy %+v", got.Spec, got.Policy)
	}
}

func every(d time.Duration) func(*plan.Plan) {
	return func(p *plan.Plan) { p.Schedule.Cron, p.Schedule.Every = "", plan.Duration(d) }
}

func TestSecondApplyTouchesNothing(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*plan.Plan{
		"cron":     nightly(),
		"interval": nightly(every(time.Hour)),
		"once":     nightly(func(p *plan.Plan) { p.Schedule.Cron, p.Schedule.Once = "", "2030-12-01T09:00:00Z" }),
		"jitter":   nightly(func(p *plan.Plan) { p.Schedule.Jitter = plan.Duration(time.Minute) }),
		"disabled": nightly(func(p *plan.Plan) { p.Schedule.Enabled = false }),
		"a long description, which is compressed": nightly(func(p *plan.Plan) { p.Description = strings.Repeat("long ", 400) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			mustApply(t, s, p)
			if got := mustApply(t, s, p); got != Unchanged || s.writes != 1 {
				t.Errorf("change = %s after %d writes, want %s after 1", got, s.writes, Unchanged)
			}
		})
	}
}

func TestChangesOfThePlan(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*plan.Plan){
		"cron":        func(p *plan.Plan) { p.Schedule.Cron = "0 22 * * *" },
		"interval":    every(time.Hour),
		"once":        func(p *plan.Plan) { p.Schedule.Cron, p.Schedule.Once = "", "2030-12-01T09:00:00Z" },
		"jitter":      func(p *plan.Plan) { p.Schedule.Jitter = plan.Duration(time.Minute) },
		"time zone":   func(p *plan.Plan) { p.Schedule.Timezone = "Europe/Berlin" },
		"disabled":    func(p *plan.Plan) { p.Schedule.Enabled = false },
		"description": func(p *plan.Plan) { p.Description = "Other words" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			mustApply(t, s, nightly())
			if got := mustApply(t, s, nightly(change)); got != Changed {
				t.Errorf("change = %s, want %s", got, Changed)
			}
			if got := mustApply(t, s, nightly(change)); got != Unchanged {
				t.Errorf("applied again: %s, want %s", got, Unchanged)
			}
			// And back.
			if got := mustApply(t, s, nightly()); got != Changed {
				t.Errorf("applied as before: %s, want %s", got, Changed)
			}
		})
	}
}

// What somebody changed with Temporal's own tools is put back.
func TestDriftIsPutBack(t *testing.T) {
	t.Parallel()
	action := func(s *client.Schedule) *client.ScheduleWorkflowAction {
		return s.Action.(*client.ScheduleWorkflowAction)
	}
	for name, drift := range map[string]func(*client.Schedule){
		"paused":           func(s *client.Schedule) { s.State.Paused = true },
		"another calendar": func(s *client.Schedule) { s.Spec.Calendars = []client.ScheduleCalendarSpec{{Comment: "0 1 * * *"}} },
		"a second calendar": func(s *client.Schedule) {
			s.Spec.Calendars = append(s.Spec.Calendars, client.ScheduleCalendarSpec{})
		},
		"an interval":     func(s *client.Schedule) { s.Spec.Intervals = []client.ScheduleIntervalSpec{{Every: time.Hour}} },
		"jitter":          func(s *client.Schedule) { s.Spec.Jitter = time.Hour },
		"exceptions":      func(s *client.Schedule) { s.Spec.Skip = []client.ScheduleCalendarSpec{{}} },
		"an end":          func(s *client.Schedule) { s.Spec.EndAt = next[0] },
		"limited actions": func(s *client.Schedule) { s.State.LimitedActions = true },
		"overlap":         func(s *client.Schedule) { s.Policy.Overlap = enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL },
		"catch-up window": func(s *client.Schedule) { s.Policy.CatchupWindow = time.Minute },
		"the queue":       func(s *client.Schedule) { action(s).TaskQueue = "other" },
		"the id of runs":  func(s *client.Schedule) { action(s).ID = "other" },
		"no input":        func(s *client.Schedule) { action(s).Args = nil },
		"the memo":        func(s *client.Schedule) { action(s).Memo = nil },
		"the summary":     func(s *client.Schedule) { action(s).StaticSummary = "" },
		"another job's run": func(s *client.Schedule) {
			action(s).Args = (&server{}).payloads([]any{map[string]string{"job": "other"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			mustApply(t, s, nightly())
			drift(s.schedules["gong_meetings"])
			if got := mustApply(t, s, nightly()); got != Changed {
				t.Errorf("change = %s, want %s", got, Changed)
			}
			if got := mustApply(t, s, nightly()); got != Unchanged {
				t.Errorf("applied again: %s, want %s", got, Unchanged)
			}
		})
	}
}

// A note that an operator left is no difference: only what has an effect is.
func TestNotesAreLeftAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	mustApply(t, s, nightly())
	s.schedules["gong_meetings"].State.Note = "Hana looks after this one"
	if got := mustApply(t, s, nightly()); got != Unchanged {
		t.Errorf("change = %s, want %s", got, Unchanged)
	}
}

func billing() *client.Schedule {
	return &client.Schedule{
		Spec: &client.ScheduleSpec{}, Policy: &client.SchedulePolicies{}, State: &client.ScheduleState{},
		Action: &client.ScheduleWorkflowAction{Workflow: "Billing", Memo: map[string]any{}},
	}
}

func TestForeignScheduleIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.store("gong_meetings", billing())
	var got *ForeignError
	if _, err := Apply(t.Context(), s, payloads, nightly()); !errors.As(err, &got) || got.ID != "gong_meetings" || got.Workflow != "Billing" {
		t.Errorf("Apply: %v, want a ForeignError", err)
	}
	if _, err := Compare(t.Context(), s, payloads, nightly()); !errors.As(err, &got) {
		t.Errorf("Compare: %v, want a ForeignError", err)
	}
	if err := Remove(t.Context(), s, "gong_meetings"); !errors.As(err, &got) || s.schedules["gong_meetings"] == nil {
		t.Errorf("Remove: %v, want a ForeignError", err)
	}
	if s.writes != 1 {
		t.Error("the schedule was written")
	}
	if st, err := Get(t.Context(), s, "gong_meetings"); st != nil || err != nil {
		t.Errorf("Get = %v, %v; want nothing", st, err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.store("billing", billing())
	for _, job := range []string{"b", "a"} {
		mustApply(t, s, nightly(func(p *plan.Plan) { p.Job, p.Schedule.Enabled = job, job == "a" }))
	}
	got, err := List(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	want := []Status{{Job: "a", Note: noteEnabled, Next: next[0]}, {Job: "b", Paused: true, Note: noteDisabled}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one, err := Get(t.Context(), s, "a")
	if err != nil {
		t.Fatal(err)
	}
	want[0].Summary = "a: gong.acme to totango.success"
	if diff := cmp.Diff(&want[0], one); diff != "" {
		t.Errorf("Get (-want +got):\n%s", diff)
	}
	if none, err := Get(t.Context(), s, "c"); none != nil || err != nil {
		t.Errorf("Get of an unknown job = %v, %v", none, err)
	}
}

// An error of Temporal's is passed on with what was tried, and is not taken for a schedule that does not exist.
func TestTemporalDown(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.down = serviceerror.NewUnavailable("connection refused")
	_, apply := Apply(t.Context(), s, payloads, nightly())
	_, list := List(t.Context(), s)
	_, get := Get(t.Context(), s, "gong_meetings")
	_, compare := Compare(t.Context(), s, payloads, nightly())
	for name, err := range map[string]error{"Apply": apply, "List": list, "Get": get, "Compare": compare} {
		if !errors.Is(err, s.down) {
			t.Errorf("%s: %v, want it to hold %v", name, err, s.down)
		}
	}
	if len(s.schedules) > 0 {
		t.Error("a schedule was made")
	}
}
