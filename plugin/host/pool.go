package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

// Spec says how to run a connection.
type Spec struct {
	// Name is the connection's name, such as "gong.acme".
	Name string

	// Connector is the name that the connector's description must bear, such as "gong".
	Connector string

	Command Command

	// Config is a JSON object for Configure, checked against the connector's description. It holds secrets.
	Config json.RawMessage
}

func (s Spec) equal(o Spec) bool {
	return s.Name == o.Name && s.Connector == o.Connector && bytes.Equal(s.Config, o.Config) && s.Command.equal(o.Command)
}

// Pool runs one connector process for each connection. A process is started and configured when it is first needed. One that
// dies is started again by the next call: at once the first time, then not before a delay that grows from 1 to 30 seconds, until
// a process has lasted a minute. All methods may be called from any goroutine.
//
// Where the values of a connection's sensitive attributes stand in the words of its connector, "(hidden)" takes their place: in its log,
// in errors, in what Check sums up, in why a record is pending, and in logged requests. Data is left as it is.
type Pool struct {
	log      hclog.Logger
	observer Observer
	now      func() time.Time

	mu      sync.Mutex
	closed  bool
	slots   map[string]*slot
	retired sync.WaitGroup // slots that are being stopped
}

// NewPool returns a pool without connections. Log lines, the pool's and those of the connectors, have the member connection with
// the connection's name. The logger and the observer may be nil. Call Close at the end.
func NewPool(logger hclog.Logger, observer Observer) *Pool {
	if logger == nil {
		logger = hclog.NewNullLogger()
	}
	if observer == nil {
		observer = nobody{}
	}
	return &Pool{log: logger, observer: observer, now: time.Now, slots: map[string]*slot{}}
}

// Apply sets the wanted connections. Those that are unchanged keep their process; those that have changed get a new one at the
// next call, and the old one ends, as do those that are not wanted any more, once its calls in flight have ended. Apply does
// not wait for that and starts nothing. It reports whether it changed anything, and changes nothing if it returns an error.
func (p *Pool) Apply(specs []Spec) (changed bool, err error) {
	seen := make(map[string]bool, len(specs))
	for _, s := range specs {
		if s.Name == "" || s.Connector == "" || s.Command.Path == "" {
			return false, fmt.Errorf("connection %q: name, connector and command must be set", s.Name)
		}
		if seen[s.Name] {
			return false, fmt.Errorf("connection %q stands there twice", s.Name)
		}
		seen[s.Name] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false, errClosed
	}
	for name, old := range p.slots {
		if !seen[name] {
			p.retire(old)
			changed = true
		}
	}
	for _, s := range specs {
		old := p.slots[s.Name]
		if old != nil && old.spec.equal(s) {
			continue
		}
		if old != nil {
			p.retire(old)
		}
		changed = true
		p.slots[s.Name] = newSlot(s, p.log.With("connection", s.Name), p.observer, p.now)
	}
	return changed, nil
}

var errClosed = errors.New("the pool of connector processes is closed")

// retire takes the slot out of the pool and stops it in the background; p.mu is held.
func (p *Pool) retire(s *slot) {
	delete(p.slots, s.spec.Name)
	p.retired.Go(s.drain)
}

// Names returns the names of the wanted connections, sorted.
func (p *Pool) Names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]string, 0, len(p.slots))
	for name := range p.slots {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Get returns the connection of the name, with its process running and configured. The error holds a [*plugin.Error], of
// [plugin.CodeNotFound] if there is no such connection and the connector's own if Configure fails, and is a [*LaunchError] if
// there is no process.
//
// A context that ends ends the wait, not the start.
func (p *Pool) Get(ctx context.Context, name string) (*Conn, error) {
	_, leave, err := p.enter(ctx, name)
	if err != nil {
		return nil, err
	}
	leave()
	return &Conn{pool: p, name: name}, nil
}

// enter begins a call: it returns the connection's running process, which stays until leave is called, unless it dies.
func (p *Pool) enter(ctx context.Context, name string) (s *session, leave func(), err error) {
	for {
		p.mu.Lock()
		slot, closed := p.slots[name], p.closed
		p.mu.Unlock()
		if closed {
			return nil, nil, plugin.Errorf(plugin.CodeUnavailable, "connection %s: %v", name, errClosed)
		}
		if slot == nil {
			return nil, nil, plugin.Errorf(plugin.CodeNotFound, "connection %s: this program has no such connection", name)
		}
		s, leave, err = slot.enter(ctx)
		if !errors.Is(err, errRetired) {
			return s, leave, err
		}
		// Between the look into the pool and the call the slot was replaced or removed.
	}
}

// Close ends all processes and waits for that. Calls in flight fail, and so does every later one: let the callers end first.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, s := range p.slots {
		delete(p.slots, s.spec.Name)
		p.retired.Go(s.stop)
	}
	p.mu.Unlock()
	p.retired.Wait()
}
