package gongtest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// Fault is a misbehaviour that is applied to one request or several. The functions that return one name it.
type Fault struct {
	// Endpoint is the one that the fault is for, such as "POST /v2/calls/extensive"; empty means any.
	Endpoint string

	// Skip is how many requests that it is for pass unharmed before.
	Skip int

	// Times is how many requests it is applied to; zero means one.
	Times int

	kind   faultKind
	status int
	header http.Header
	body   string
	delay  time.Duration
	id     string
	change func()
}

type faultKind int

const (
	faultStatus faultKind = iota + 1
	faultReset
	faultSlow
	faultHang
	faultTruncate
	faultExtra
	faultDuplicate
	faultRepeat
	faultVanish
	faultMeanwhile
)

// On returns the fault for one endpoint only.
func (f Fault) On(endpoint string) Fault { f.Endpoint = endpoint; return f }

// Repeat returns the fault for the next n requests.
func (f Fault) Repeat(n int) Fault { f.Times = n; return f }

// After returns the fault with n requests that pass unharmed before.
func (f Fault) After(n int) Fault { f.Skip = n; return f }

// String names the fault in the journal.
func (f Fault) String() string {
	switch f.kind {
	case faultStatus:
		return fmt.Sprintf("status %d", f.status)
	case faultReset:
		return "reset"
	case faultSlow:
		return "slow"
	case faultHang:
		return "hang"
	case faultTruncate:
		return "truncated"
	case faultExtra:
		return "extra fields"
	case faultDuplicate:
		return "duplicate"
	case faultRepeat:
		return "repeated page"
	case faultVanish:
		return "vanish"
	case faultMeanwhile:
		return "meanwhile"
	}
	return "none"
}

// TooManyRequests answers 429 with the Retry-After header, or without one if it is empty.
func TooManyRequests(retryAfter string) Fault {
	f := Fault{kind: faultStatus, status: http.StatusTooManyRequests, header: http.Header{}, body: errorBody("fault", tooManyRequests)}
	f.header.Set("Content-Type", errorContentType)
	if retryAfter != "" {
		f.header.Set("Retry-After", retryAfter)
	}
	return f
}

// ServerError answers with the status and the HTML page of a proxy; 500 with Gong's own words.
func ServerError(status int) Fault {
	f := Fault{kind: faultStatus, status: status, header: http.Header{}}
	if status == http.StatusInternalServerError {
		f.header.Set("Content-Type", errorContentType)
		f.body = errorBody("fault", "Internal server error occurred")
		return f
	}
	f.header.Set("Content-Type", "text/html")
	f.body = fmt.Sprintf("<html>\r\n<head><title>%d %s</title></head>\r\n<body><center><h1>%[1]d %[2]s</h1></center></body>\r\n</html>\r\n",
		status, http.StatusText(status))
	return f
}

// Answer answers with the status and body as they are.
func Answer(status int, contentType, body string) Fault {
	return Fault{kind: faultStatus, status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// Redirect answers 307 to another place.
func Redirect(location string) Fault {
	return Fault{kind: faultStatus, status: http.StatusTemporaryRedirect, header: http.Header{"Location": {location}}}
}

// Reset cuts the connection after the request was received.
func Reset() Fault { return Fault{kind: faultReset} }

// Slow delays the answer, in real time; it ends early if the client goes away.
func Slow(d time.Duration) Fault { return Fault{kind: faultSlow, delay: d} }

// Hang gives no answer until the client goes away.
func Hang() Fault { return Fault{kind: faultHang} }

// Truncate cuts the answer in its middle.
func Truncate() Fault { return Fault{kind: faultTruncate} }

// ExtraFields adds members of every type that no client knows, on every level.
func ExtraFields() Fault { return Fault{kind: faultExtra} }

// Duplicate begins a page with the last item of the page before, as when an item is inserted while pages are walked. It waits
// for a request with a cursor.
func Duplicate() Fault { return Fault{kind: faultDuplicate} }

// RepeatFirstPage ignores the cursor, so that the first page comes again, with a new cursor. It waits for a request with one.
func RepeatFirstPage() Fault { return Fault{kind: faultRepeat} }

// Vanish deletes the call before the request is served.
func Vanish(callID string) Fault { return Fault{kind: faultVanish, id: callID} }

// Meanwhile makes a change before the request is served, as people do between a client's requests. The change may use the server.
func Meanwhile(change func()) Fault { return Fault{kind: faultMeanwhile, change: change} }

// Inject queues faults. Each request takes the first one that is for its endpoint.
func (s *Server) Inject(faults ...Fault) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Chance is a fault with the probability that a request meets it.
type Chance struct {
	Probability float64
	Fault       Fault
}

// Chaos makes requests that no injected fault is waiting for meet the given faults by chance, at most one each. The seed decides
// what happens to the n-th request of each endpoint, whatever the other endpoints get meanwhile. Without chances it ends.
func (s *Server) Chaos(seed uint64, chances ...Chance) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = slices.Clone(chances)
	s.seed, s.dice = seed, map[string]*rand.Rand{}
}

// ClearFaults forgets all faults that wait, and chaos.
func (s *Server) ClearFaults() {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.chaos = nil, nil
}

// nextFault returns the fault for a request, if any.
func (s *Server) nextFault(endpoint string, hasCursor bool) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	fits := func(f Fault) bool {
		return (f.Endpoint == "" || f.Endpoint == endpoint) && (hasCursor || f.kind != faultDuplicate && f.kind != faultRepeat)
	}
	for i := range s.faults {
		f := s.faults[i]
		if !fits(f) {
			continue
		}
		if f.Skip > 0 {
			s.faults[i].Skip--
			continue
		}
		if f.Times > 1 {
			s.faults[i].Times--
		} else {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	if len(s.chaos) == 0 {
		return Fault{}
	}
	draw := s.die(endpoint).Float64()
	for _, c := range s.chaos {
		if draw < c.Probability {
			if fits(c.Fault) {
				return c.Fault
			}
			return Fault{}
		}
		draw -= c.Probability
	}
	return Fault{}
}

// die is the endpoint's own source of chance. The caller holds mu.
func (s *Server) die(endpoint string) *rand.Rand {
	if s.dice[endpoint] == nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(endpoint)) // never fails
		s.dice[endpoint] = rand.New(rand.NewPCG(s.seed, h.Sum64()))
	}
	return s.dice[endpoint]
}
