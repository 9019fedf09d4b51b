package activities

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/plugin"
)

func createInput() CreateInput {
	return CreateInput{
		Connection: "totango.success", Object: "touchpoint", Key: "gong/calls/1", Pending: Pending{ID: "1"}, Target: "acc",
		Attributes: []byte(`{}`), Deadline: time.Now().Add(time.Hour), WriteTimeout: 20 * time.Second, SearchLag: 30 * time.Second,
	}
}

// create runs the activity once, as an attempt that may have the note of the one before.
func create(t *testing.T, c *connector, in CreateInput, note *attemptNote) (*CreateResult, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	if note != nil {
		env.SetHeartbeatDetails(*note)
	}
	acts := New(Dependencies{Connectors: c, Quotas: &meter{}})
	env.RegisterActivity(acts)
	v, err := env.ExecuteActivity(acts.Create, in)
	if err != nil {
		return nil, err
	}
	var res CreateResult
	if err := v.Get(&res); err != nil {
		t.Fatal(err)
	}
	return &res, nil
}

func answer(r plugin.Result) func(context.Context, *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	return func(_ context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
		r.Key = req.Items[0].Key
		return &plugin.CreateResponse{Results: []plugin.Result{r}, Requests: 1}, nil
	}
}

func TestCreateOutcomes(t *testing.T) {
	lost := plugin.Errorf(plugin.CodeUnavailable, "connection reset")
	lost.Uncertain = true
	lostForGood := plugin.Errorf(plugin.CodeInvalidRecord, "the account is gone")
	lostForGood.Uncertain = true
	limited := plugin.Errorf(plugin.CodeRateLimited, "too many requests")
	limited.RetryAfter = 42 * time.Second
	tomorrow := plugin.Errorf(plugin.CodeRateLimited, "too many requests")
	tomorrow.RetryAfter = 10 * time.Hour

	type failure struct {
		Type      string
		Final     bool
		Delay     time.Duration
		Clean     bool
		HasDetail bool
	}
	tests := map[string]struct {
		err  *plugin.Error
		in   func(*CreateInput)
		want failure
	}{
		"an unknown outcome is looked up when it can be found": {err: lost, want: failure{Type: TypeUncertain, Delay: 55 * time.Second}},
		"one that cannot be looked up stays unknown":           {err: lostForGood, want: failure{Type: TypeUncertain, Final: true, Delay: 55 * time.Second}},
		"a refused connection wrote nothing":                   {err: plugin.Errorf(plugin.CodeUnavailable, "refused"), want: failure{Type: "unavailable", Clean: true, HasDetail: true}},
		"the other system's wait is kept":                      {err: limited, want: failure{Type: "rate_limited", Delay: 42 * time.Second, Clean: true, HasDetail: true}},
		"a wait of hours ends the run":                         {err: tomorrow, want: failure{Type: "rate_limited", Final: true, Delay: 10 * time.Hour, Clean: true, HasDetail: true}},
		"wrong credentials end the run":                        {err: plugin.Errorf(plugin.CodeUnauthenticated, "bad token"), want: failure{Type: "unauthenticated", Final: true, Clean: true, HasDetail: true}},
		"an item in doubt stays in doubt": {err: plugin.Errorf(plugin.CodeUnavailable, "refused"), in: func(in *CreateInput) { in.InDoubt = true },
			want: failure{Type: "unavailable", HasDetail: true}},
		"nothing is written near the claim's deadline": {in: func(in *CreateInput) { in.Deadline = time.Now().Add(10 * time.Second) },
			want: failure{Type: TypeClaimExpired, Final: true, Clean: true, HasDetail: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := createInput()
			if test.in != nil {
				test.in(&in)
			}
			called := false
			c := &connector{create: func(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
				called = true
				return answer(plugin.Result{Err: test.err})(ctx, req)
			}}
			_, err := create(t, c, in, nil)
			var app *temporal.ApplicationError
			if !errors.As(err, &app) {
				t.Fatalf("got %v, want an application error", err)
			}
			got := failure{Type: app.Type(), Final: app.NonRetryable(), Delay: app.NextRetryDelay(), HasDetail: app.HasDetails()}
			if app.HasDetails() {
				if err := app.Details(&got.Clean); err != nil {
					t.Fatal(err)
				}
			}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if called != (test.err != nil) {
				t.Errorf("the connector was called: %v", called)
			}
		})
	}
}

func TestCreateRefusedRecordIsNoError(t *testing.T) {
	c := &connector{create: answer(plugin.Result{Err: plugin.Errorf(plugin.CodeInvalidRecord, "Account not found")})}
	res, err := create(t, c, createInput(), nil)
	if err != nil || res.Refused != "Account not found" {
		t.Errorf("got %+v, %v; want a refusal", res, err)
	}
}

func TestCreateInDoubtAfterAnotherAttempt(t *testing.T) {
	// The test environment runs every activity as attempt 1, so only the input's doubt and the note's reading are seen here;
	// attempts are exercised against a real server in package e2e.
	for _, doubt := range []bool{false, true} {
		var got bool
		c := &connector{create: func(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
			got = req.Items[0].InDoubt
			return answer(plugin.Result{ID: "7"})(ctx, req)
		}}
		in := createInput()
		in.InDoubt = doubt
		if _, err := create(t, c, in, nil); err != nil {
			t.Fatal(err)
		}
		if got != doubt {
			t.Errorf("in doubt %v was passed on as %v", doubt, got)
		}
	}
}

// The server may start an attempt at once, whatever delay the one before asked for.
func TestCreateThatComesTooEarlyWritesNothing(t *testing.T) {
	c := &connector{create: func(context.Context, *plugin.CreateRequest) (*plugin.CreateResponse, error) {
		t.Error("the connector was called before a write of the attempt before could be found")
		return nil, errors.New("unexpected")
	}}
	_, err := create(t, c, createInput(), &attemptNote{Findable: time.Now().Add(time.Minute)})
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != TypeUncertain || app.NonRetryable() || app.NextRetryDelay() < 50*time.Second || app.NextRetryDelay() > time.Minute {
		t.Errorf("got %v, want to come again in a minute", err)
	}
}

func TestWriteTimeoutReachesTheConnector(t *testing.T) {
	in := createInput()
	in.WriteTimeout = 3 * time.Second
	c := &connector{create: func(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > in.WriteTimeout {
			t.Errorf("the connector may write for %v, want at most %v", left, in.WriteTimeout)
		}
		return answer(plugin.Result{ID: "7"})(ctx, req)
	}}
	if _, err := create(t, c, in, nil); err != nil {
		t.Fatal(err)
	}
}

func TestBrokenConnectorAnswerIsUncertain(t *testing.T) {
	c := &connector{create: func(context.Context, *plugin.CreateRequest) (*plugin.CreateResponse, error) {
		return &plugin.CreateResponse{}, nil
	}}
	_, err := create(t, c, createInput(), nil)
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != TypeUncertain {
		t.Errorf("got %v, want an uncertain outcome", err)
	}
}
