package totangotest

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// FaultKind is a way in which a request can go wrong.
type FaultKind int

// The kinds of faults. Those named After strike when the request has been carried out, so that its effect stays.
const (
	// RateLimited answers 429.
	RateLimited FaultKind = iota + 1
	// ServerError answers 500 with an HTML page and does nothing.
	ServerError
	// BadGateway answers 502 with an HTML page and does nothing.
	BadGateway
	// Unauthorized answers 401.
	Unauthorized
	// Slow waits for Fault.Delay, then goes on as usual.
	Slow
	// ResetBefore resets the connection and does nothing.
	ResetBefore
	// ResetAfter carries the request out and resets the connection.
	ResetAfter
	// HangAfter carries the request out and does not answer until the client goes away.
	HangAfter
	// BadGatewayAfter carries the request out and answers 502 with an HTML page.
	BadGatewayAfter
	// GarbledAfter carries the request out and answers 200 with a body that is not JSON.
	GarbledAfter
	// HTML answers 200 with a web page, as a host does that is not an API.
	HTML
)

// Fault is an entry of the script.
type Fault struct {
	// Kind is what happens.
	Kind FaultKind

	// Endpoint is the endpoint that it happens to; empty means any.
	Endpoint Endpoint

	// Skip is how many matching requests pass unharmed before.
	Skip int

	// Times is how many requests it happens to; 0 means 1.
	Times int

	// Delay is for Slow.
	Delay time.Duration

	// RetryAfter is for RateLimited: the header, in whole seconds; 0 leaves it out, as [Variants.NoRetryAfter] does.
	RetryAfter time.Duration

	// Strike, if set, is called when the fault happens: for the kinds named After once the effect is there, else before anything
	// else. It may be called from several goroutines.
	Strike func()
}

// Chaos injects faults at random. The seed decides what happens to the n-th request of each endpoint, whatever the other endpoints
// get meanwhile.
type Chaos struct {
	Seed  uint64
	Rates []Rate
}

// Rate is how likely a fault is.
type Rate struct {
	Fault Fault // Skip and Times are ignored

	// Probability of a matching request, between 0 and 1.
	Probability float64
}

// Inject appends faults to the script. A request takes the first fault that matches it and is not used up.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	for _, f := range faults {
		f.Times = max(1, f.Times)
		s.script = append(s.script, f)
	}
}

// ClearFaults forgets what is left of the script and ends the chaos.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	s.script, s.dice = nil, nil
}

// strike returns the fault that happens to this request, or nil. The caller holds mu.
func (s *Server) strike(e Endpoint) *Fault {
	for i := range s.script {
		f := &s.script[i]
		if f.Endpoint != "" && f.Endpoint != e {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
			hit := *f
			return &hit
		}
	}
	if s.dice == nil {
		return nil
	}
	for _, r := range s.opts.Chaos.Rates {
		if (r.Fault.Endpoint == "" || r.Fault.Endpoint == e) && s.die(e).Float64() < r.Probability {
			hit := r.Fault
			return &hit
		}
	}
	return nil
}

// die is the endpoint's own source of chance. The caller holds mu.
func (s *Server) die(e Endpoint) *rand.Rand {
	if s.dice[e] == nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(e)) // never fails
		s.dice[e] = rand.New(rand.NewPCG(s.opts.Chaos.Seed, h.Sum64()))
	}
	return s.dice[e]
}

// before lets a fault happen that strikes first. It returns the answer that the fault gives, or done if there is to be none.
func (s *Server) before(w http.ResponseWriter, r *http.Request, f *Fault) (a *answer, done bool) {
	if f == nil || f.Kind.after() {
		return nil, false
	}
	if f.Strike != nil {
		f.Strike()
	}
	switch f.Kind {
	case RateLimited:
		seconds := fmt.Sprint(int(f.RetryAfter / time.Second))
		a = s.tooMany(seconds)
		a.header.Set("RateLimit-Remaining", "0")
		if f.RetryAfter == 0 {
			a.header.Del("Retry-After")
		}
	case ServerError:
		a = htmlAnswer(http.StatusInternalServerError, "Internal Server Error")
	case BadGateway:
		a = htmlAnswer(http.StatusBadGateway, "Bad Gateway")
	case HTML:
		a = htmlAnswer(http.StatusOK, "Welcome")
	case Unauthorized:
		a = failure(http.StatusUnauthorized, "authentication_failed", "The app-token is missing or not valid")
	case ResetBefore:
		reset(w)
		return nil, true
	case Slow:
		return nil, !wait(r.Context(), f.Delay)
	}
	return a, false
}

// after lets a fault happen that strikes when the request has been carried out. It reports whether that was the end of it.
func (s *Server) after(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	if f == nil || !f.Kind.after() {
		return false
	}
	if f.Strike != nil {
		f.Strike()
	}
	switch f.Kind {
	case ResetAfter:
		reset(w)
	case HangAfter:
		<-r.Context().Done()
	case BadGatewayAfter:
		htmlAnswer(http.StatusBadGateway, "Bad Gateway").write(w)
	case GarbledAfter:
		(&answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(`{"note":{"id":`)}).write(w)
	}
	return true
}

func (k FaultKind) after() bool {
	switch k {
	case ResetAfter, HangAfter, BadGatewayAfter, GarbledAfter:
		return true
	default:
		return false
	}
}

// reset ends the connection with a TCP reset where the transport allows it, else by closing it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the connection is closed in the ordinary way, which is as good a fault
	}
	_ = conn.Close()
}

// wait returns after d, or false as soon as the client is gone.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
