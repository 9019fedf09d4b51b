// Package gate counts calls in flight, so that what serves them can be stopped once the last one has ended.
package gate

import "sync"

// Gate lets calls in until it is closed. Use [New] to make one; its methods may be called from any goroutine.
type Gate struct {
	mu     sync.Mutex
	calls  int
	closed bool
	idle   chan struct{} // closed once the gate is closed and no call is in flight
}

// New returns an open gate.
func New() *Gate { return &Gate{idle: make(chan struct{})} }

// Enter reports whether a call may begin; if so, Leave must be called at its end.
func (g *Gate) Enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.calls++
	return true
}

// Leave ends a call that Enter let in.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls--
	if g.closed && g.calls == 0 {
		close(g.idle)
	}
}

// Close lets no further call in. The channel that it returns is closed when the last call has left.
func (g *Gate) Close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		if g.calls == 0 {
			close(g.idle)
		}
	}
	return g.idle
}
