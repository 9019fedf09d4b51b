//go:build !race

package workflows

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// This file takes the place of the Temporal server in the protocol's tests. Workflows run in the SDK's test environment. It knows no
// attempt that dies without an answer, though, and has two clocks, one for workflows and one for activities. So interceptors give
// everything one clock, that of a synctest bubble, and run activities as the server does: with attempts that end by their answer
// or at their timeout, with retries, and with notes that an attempt leaves for the next one.

// run is a run of the job.
type run struct {
	*outside
	plan    runPlan
	owner   activities.Owner
	started time.Time

	options    sync.Map // activity id -> workflow.ActivityOptions
	activities atomic.Int64
	lifetime   context.Context // ends when the run is terminated
}

// start runs the workflow until it ends or is terminated.
func (o *outside) start(name string, p runPlan) {
	r := &run{outside: o, plan: p, owner: activities.Owner{WorkflowID: name}, started: time.Now()}
	var terminate context.CancelFunc
	r.lifetime, terminate = context.WithCancel(context.Background())
	defer terminate()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(forever)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: name})
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&temporalServer{run: r}}})
	env.RegisterActivity(&steps{Activities: realSteps(), run: r})

	o.setAlive(name, true)
	switch p.End {
	case terminated:
		time.AfterFunc(p.After, func() { o.setAlive(name, false); terminate() })
	case cancelled:
		time.AfterFunc(p.After+time.Millisecond, env.CancelWorkflow) // the environment wants a workflow that has begun
	}
	env.ExecuteWorkflow(Sync, SyncInput{Job: "meetings", From: o.began.Add(-3 * day), To: o.began})
	o.setAlive(name, false)
	if r.lifetime.Err() == nil { // a terminated run reports nothing
		o.ended(r, env)
	}
}

// attempt is one attempt at an activity.
type attempt struct {
	run     *run
	ctx     context.Context // ends with the attempt
	die     context.CancelFunc
	number  int32
	started time.Time
	input   any
	task    *task
	try     try // for an attempt to write
}

// task is what the server knows of an activity.
type task struct {
	mu    sync.Mutex
	note  *commonpb.Payloads
	hasty bool // the next attempt begins at once
}

type attemptKey struct{}

func attemptOf(ctx context.Context) *attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

// over reports whether nothing that the attempt says reaches the server any more.
func (a *attempt) over() bool { return a.ctx.Err() != nil }

// untilWorker waits for the end of an outage.
func (r *run) untilWorker() {
	if begins := r.started.Add(r.plan.Outage.Begins); !time.Now().Before(begins) {
		_ = pause(r.lifetime, time.Until(begins.Add(r.plan.Outage.Lasts)))
	}
}

var errTerminated = temporal.NewNonRetryableApplicationError("the run was terminated", "terminated", nil)

// execute runs an activity as the server does. The workflow learns of its end when there is a worker.
func (r *run) execute(
	ctx context.Context, o workflow.ActivityOptions, input any, call func(context.Context) (any, error),
) (any, error) {
	expires := time.Now().Add(forever)
	if o.ScheduleToCloseTimeout > 0 {
		expires = time.Now().Add(o.ScheduleToCloseTimeout)
	}
	defer r.untilWorker()
	t := &task{}
	for number := int32(1); ; number++ {
		r.untilWorker()
		if !time.Now().Before(expires) {
			return nil, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, nil)
		}
		res, err := r.attempt(ctx, t, number, min(o.StartToCloseTimeout, time.Until(expires)), input, call)
		if err == nil {
			return res, nil
		}
		delay := time.Duration(float64(o.RetryPolicy.InitialInterval) * math.Pow(o.RetryPolicy.BackoffCoefficient, float64(number-1)))
		delay = min(delay, o.RetryPolicy.MaximumInterval)
		var app *temporal.ApplicationError
		if errors.As(err, &app) {
			if app.NonRetryable() {
				return nil, err
			}
			if d := app.NextRetryDelay(); d > 0 {
				delay = d
			}
			if t.hasty {
				delay = 0
			}
		}
		if !time.Now().Add(delay).Before(expires) {
			if temporal.IsTimeoutError(err) {
				err = temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, nil)
			}
			return nil, err
		}
		_ = pause(r.lifetime, delay)
	}
}

// attempt runs one attempt and returns what the server learns of it. An attempt of a run that is terminated goes on.
func (r *run) attempt(
	ctx context.Context, t *task, number int32, timeout time.Duration, input any, call func(context.Context) (any, error),
) (any, error) {
	if r.lifetime.Err() != nil {
		return nil, errTerminated
	}
	a := &attempt{run: r, number: number, started: time.Now(), input: input, task: t}
	ctx, a.die = context.WithTimeout(context.WithoutCancel(ctx), timeout)
	a.ctx = ctx
	if in, ok := input.(activities.CreateInput); ok {
		a.try = next(r.outside, "create", in.Key, r.fate(in.Key).Creates)
		t.hasty = a.try.Hasty && !a.try.NoteLost
	}
	r.begin(a)
	type answer struct {
		res any
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		defer a.die()
		_ = pause(ctx, percent(maxTransit, a.try.Transit))
		res, err := call(context.WithValue(ctx, attemptKey{}, a))
		if !a.over() && a.try.Fault != diesAnswering {
			answers <- answer{res, err}
		}
	}()
	select {
	case a := <-answers:
		return a.res, a.err
	case <-time.After(timeout):
		return nil, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil)
	case <-r.lifetime.Done():
		return nil, errTerminated
	}
}

// temporalServer gives the workflow and its activities the bubble's clock, and executes the activities.
type temporalServer struct {
	interceptor.WorkerInterceptorBase
	run *run
}

func (s *temporalServer) InterceptWorkflow(
	_ workflow.Context, next interceptor.WorkflowInboundInterceptor,
) interceptor.WorkflowInboundInterceptor {
	return &workflowIn{interceptor.WorkflowInboundInterceptorBase{Next: next}, s.run}
}

func (s *temporalServer) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	return &activityIn{interceptor.ActivityInboundInterceptorBase{Next: next}, s.run}
}

type workflowIn struct {
	interceptor.WorkflowInboundInterceptorBase
	run *run
}

func (w *workflowIn) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return w.Next.Init(&workflowOut{interceptor.WorkflowOutboundInterceptorBase{Next: out}, w.run})
}

// timer is the name of [steps.Timer].
const timer = "Timer"

type workflowOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	run *run
}

func (*workflowOut) Now(workflow.Context) time.Time { return time.Now() } //workflowcheck:ignore it takes the place of the server

// NewTimerWithOptions is behind all waiting. A timer is an activity, for the environment's own timers skip time.
func (w *workflowOut) NewTimerWithOptions(ctx workflow.Context, d time.Duration, _ workflow.TimerOptions) workflow.Future {
	return workflow.ExecuteActivity(ctx, timer, d)
}

func (w *workflowOut) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	if name == timer {
		return w.Next.ExecuteActivity(once(ctx, ""), name, args...)
	}
	id := strconv.FormatInt(w.run.activities.Add(1), 10)
	w.run.options.Store("activity "+id, workflow.GetActivityOptions(ctx))
	return w.Next.ExecuteActivity(once(ctx, "activity "+id), name, args...)
}

// once are options that keep the environment from timeouts and retries of its own.
func once(ctx workflow.Context, id string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ActivityID: id, StartToCloseTimeout: forever, WaitForCancellation: workflow.GetActivityOptions(ctx).WaitForCancellation,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
}

type activityIn struct {
	interceptor.ActivityInboundInterceptorBase
	run *run
}

func (a *activityIn) Init(out interceptor.ActivityOutboundInterceptor) error {
	return a.Next.Init(&activityOut{interceptor.ActivityOutboundInterceptorBase{Next: out}})
}

func (a *activityIn) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	options, ok := a.run.options.Load(activity.GetInfo(ctx).ActivityID)
	if !ok { // a timer, or a local activity
		return a.Next.ExecuteActivity(ctx, in)
	}
	return a.run.execute(ctx, options.(workflow.ActivityOptions), in.Args[0], func(ctx context.Context) (any, error) {
		return a.Next.ExecuteActivity(ctx, in)
	})
}

type activityOut struct {
	interceptor.ActivityOutboundInterceptorBase
}

func (a *activityOut) GetInfo(ctx context.Context) activity.Info {
	info := a.Next.GetInfo(ctx)
	if at := attemptOf(ctx); at != nil {
		info.Attempt, info.StartedTime = at.number, at.started
	}
	return info
}

func (a *activityOut) RecordHeartbeat(ctx context.Context, details ...any) {
	at := attemptOf(ctx)
	if at.over() || at.try.NoteLost {
		return
	}
	note, err := converter.GetDefaultDataConverter().ToPayloads(details...)
	if err != nil {
		panic(err)
	}
	at.task.mu.Lock()
	defer at.task.mu.Unlock()
	at.task.note = note
}

func (a *activityOut) HasHeartbeatDetails(ctx context.Context) bool {
	at := attemptOf(ctx)
	at.task.mu.Lock()
	defer at.task.mu.Unlock()
	return at.task.note != nil
}

func (a *activityOut) GetHeartbeatDetails(ctx context.Context, d ...any) error {
	at := attemptOf(ctx)
	at.task.mu.Lock()
	defer at.task.mu.Unlock()
	return converter.GetDefaultDataConverter().FromPayloads(at.task.note, d...)
}

// workflowClock is a workflow's context in which it is always now, for handlers that are called without their workflow.
var workflowClock = sync.OnceValue(func() (clock workflow.Context) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&temporalServer{}}})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		clock = ctx
		return nil
	})
	return clock
})
