package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/gate"
	"github.com/durasync/durasync/plugin/internal/shim"
)

const (
	// configureTimeout is how long Describe and Configure of a new process may take; they do no I/O.
	configureTimeout = 10 * time.Second

	// steady is how long a process must have lasted for its end not to count as one in a row.
	steady = time.Minute

	maxDelay = 30 * time.Second
)

// errRetired is what a slot answers once it is being stopped.
var errRetired = errors.New("the connection was replaced or removed")

// slot is the place of one connection's process: at any time it holds at most one.
type slot struct {
	spec     Spec
	log      hclog.Logger
	observer Observer
	now      func() time.Time

	calls  *gate.Gate
	ctx    context.Context // ended to give up a start
	cancel context.CancelFunc

	mu       sync.Mutex
	current  *session // nil if there is none that is alive
	starting *start   // nil if none is being started
	failures int      // ends in a row
	failure  string   // what the last one was
	retryAt  time.Time
}

// session is a running, configured process.
type session struct {
	*Client

	settings *plugin.ConfigureResponse
	began    time.Time
	noted    chan struct{} // closed when the slot has taken note of the process's end
}

func (s *session) ended() bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// start is an attempt to start a process, which any number of callers wait for.
type start struct {
	done chan struct{}
	err  error // once done is closed
}

func newSlot(spec Spec, log hclog.Logger, observer Observer, now func() time.Time) *slot {
	s := &slot{spec: spec, log: log, observer: observer, now: now, calls: gate.New()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// enter waits for a running process, which it starts if need be, and counts a call until leave.
func (s *slot) enter(ctx context.Context) (current *session, leave func(), err error) {
	if !s.calls.Enter() {
		return nil, nil, errRetired
	}
	defer func() {
		if err != nil {
			s.calls.Leave()
		}
	}()
	for {
		current, pending, err := s.look()
		if err != nil || current != nil {
			return current, s.calls.Leave, err
		}
		select {
		case <-pending.done:
			if pending.err != nil {
				return nil, nil, pending.err
			}
		case <-ctx.Done():
			return nil, nil, shim.Ended(ctx.Err(), fmt.Sprintf("connection %s: waiting for its connector to start", s.spec.Name))
		}
	}
}

// look returns the running process, or the start to wait for, or why there is neither.
func (s *slot) look() (*session, *start, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.current != nil && s.current.ended():
		return nil, &start{done: s.current.noted}, nil // and then look again
	case s.current != nil:
		return s.current, nil, nil
	case s.starting != nil:
		return nil, s.starting, nil
	case s.ctx.Err() != nil:
		return nil, nil, errRetired
	}
	if wait := s.retryAt.Sub(s.now()); wait > 0 {
		return nil, nil, s.backingOff(wait)
	}
	s.starting = &start{done: make(chan struct{})}
	go s.start(s.starting)
	return nil, s.starting, nil
}

func (s *slot) backingOff(wait time.Duration) *LaunchError {
	return &LaunchError{
		Reason: BackingOff, Name: s.spec.Name, Path: s.spec.Command.Path, RetryAt: s.retryAt, wait: wait,
		problem: fmt.Sprintf("it ended %d times in a row and is started again in %s, at %s; the last time: %s",
			s.failures, wait.Round(time.Second/10), s.retryAt.Format(time.TimeOnly), s.failure),
	}
}

// start starts and configures a process.
func (s *slot) start(st *start) {
	current, err := s.launch()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(st.done)
	s.starting, st.err = nil, err
	var failed *LaunchError
	if errors.As(err, &failed) {
		s.failed(failed.problem)
	}
	if err != nil {
		return
	}
	s.current = current
	go s.watch(current)
}

func (s *slot) launch() (*session, error) {
	began := s.now()
	c, err := Launch(s.ctx, s.spec.Command, s.log)
	if err != nil {
		return nil, s.named(err)
	}
	settings, err := s.configure(c)
	if err != nil {
		c.Close()
		return nil, s.named(err)
	}
	s.log.Debug("connector started", "pid", c.process.pid, "path", s.spec.Command.Path, "took", s.now().Sub(began))
	return &session{Client: c, settings: settings, began: s.now(), noted: make(chan struct{})}, nil
}

func (s *slot) configure(c *Client) (*plugin.ConfigureResponse, error) {
	ctx, cancel := context.WithTimeout(s.ctx, configureTimeout)
	defer cancel()
	d, err := describe(ctx, c, s.spec.Command.Path)
	if err != nil {
		return nil, err
	}
	if d.Name != s.spec.Connector {
		return nil, &LaunchError{
			Reason: NotConnector, Path: s.spec.Command.Path,
			problem: fmt.Sprintf("it is the connector %q, not %q; correct the path or the connection's type", d.Name, s.spec.Connector),
		}
	}
	return c.configure(ctx, d, s.spec.Config)
}

// named puts the connection's name into the error of a start.
func (s *slot) named(err error) error {
	if s.ctx.Err() != nil {
		return errRetired
	}
	var failed *LaunchError
	if errors.As(err, &failed) {
		failed.Name = s.spec.Name
		return failed
	}
	return fmt.Errorf("connection %s: %w", s.spec.Name, err)
}

// watch waits for the end of the process and clears the place for the next one.
func (s *slot) watch(current *session) {
	<-current.Done()
	how, ours := current.process.exit()
	s.mu.Lock()
	s.current = nil
	if s.ctx.Err() == nil && !ours {
		if s.now().Sub(current.began) >= steady {
			s.failures = 0
		}
		s.failed(how)
		s.observer.Exited(s.spec.Name)
		s.log.Warn("connector process ended; the next call starts it again",
			"pid", current.process.pid, "reason", how, "times", s.failures, "not_before", s.retryAt.Format(time.TimeOnly))
	}
	close(current.noted)
	s.mu.Unlock()
	current.Close() // frees what is left of it
}

// failed notes that a process ended by itself, or never served; s.mu is held.
func (s *slot) failed(how string) {
	s.failures++
	s.failure = how
	s.retryAt = s.now().Add(delay(s.failures))
}

// delay is how long after the n-th end in a row a process is started again.
func delay(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	if n > 6 {
		return maxDelay
	}
	return min(time.Second<<(n-2), maxDelay)
}

// drain stops the slot when its calls in flight have ended.
func (s *slot) drain() {
	<-s.calls.Close()
	s.stop()
}

// stop ends the slot's process, or its start, and waits for that.
func (s *slot) stop() {
	s.calls.Close()
	s.cancel()
	s.mu.Lock()
	current, pending := s.current, s.starting
	s.mu.Unlock()
	if pending != nil {
		<-pending.done
		s.mu.Lock()
		current = s.current
		s.mu.Unlock()
	}
	if current != nil {
		current.Close()
		s.log.Debug("connector stopped", "pid", current.process.pid)
	}
}
