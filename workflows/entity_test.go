package workflows

import (
	"fmt"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"
)

// epoch is when the entities of these tests start.
var epoch = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// script drives an entity through updates and queries at given times, and ends it.
type script struct {
	t   *testing.T
	env *testsuite.TestWorkflowEnvironment
	n   int
}

// newScript prepares a run of an entity.
func newScript(t *testing.T) *script {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(epoch)
	return &script{t: t, env: env}
}

// at runs f at a time after the start.
func (s *script) at(d time.Duration, f func()) { s.env.RegisterDelayedCallback(f, d) }

// run runs the entity until nothing is left to do, which the test environment ends by its own timeout.
func (s *script) run(entity, state any) {
	s.at(1000*time.Hour, s.env.CancelWorkflow)
	s.env.SetTestTimeout(30 * time.Second)
	s.env.ExecuteWorkflow(entity, state)
	if !s.env.IsWorkflowCompleted() {
		s.t.Fatal("the entity did not end when it was cancelled")
	}
}

// update sends an update now; its result is there when the script's current step ends.
func update[T any](s *script, name string, arg any, check func(T, error)) {
	s.n++
	s.env.UpdateWorkflow(name, fmt.Sprint(s.n), &callbacks[T]{s: s, check: check}, arg)
}

// query asks now.
func query[T any](s *script, name string, args ...any) T {
	s.t.Helper()
	v, err := s.env.QueryWorkflow(name, args...)
	if err != nil {
		s.t.Fatalf("query %s: %v", name, err)
	}
	var out T
	if err := v.Get(&out); err != nil {
		s.t.Fatalf("query %s: %v", name, err)
	}
	return out
}

type callbacks[T any] struct {
	s     *script
	check func(T, error)
}

func (c *callbacks[T]) Accept() {}

func (c *callbacks[T]) Reject(err error) { c.s.t.Errorf("update rejected: %v", err) }

func (c *callbacks[T]) Complete(success any, err error) {
	var v T
	if t, ok := success.(T); ok {
		v = t
	} else if err == nil && success != nil {
		c.s.t.Errorf("the update answered with a %T", success)
	}
	if c.check != nil {
		c.check(v, err)
	}
}
