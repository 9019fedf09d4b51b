package gongtest

import (
	"maps"
	"slices"
	"time"
)

// journalSize is how many requests are remembered in full. The counts go on for ever.
const journalSize = 2000

// Request is a request that the server answered.
type Request struct {
	At       time.Time // by the server's clock
	Endpoint string    // such as "GET /v2/users/{id}"; an unknown path stands as it is
	Key      string    // the access key or token; empty if it was not accepted
	Target   string    // path and query
	Body     string    // at most 64 KiB
	Status   int       // 0 if the connection was cut
	Fault    string    // the fault that was applied, if any
}

type journal struct {
	requests []Request
	counts   map[[2]string]int // endpoint, key
	statuses map[int]int
	faults   map[string]int
}

func (j *journal) add(r Request) {
	if j.counts == nil {
		j.counts, j.statuses, j.faults = map[[2]string]int{}, map[int]int{}, map[string]int{}
	}
	j.counts[[2]string{r.Endpoint, r.Key}]++
	j.statuses[r.Status]++
	if r.Fault != "" {
		j.faults[r.Fault]++
	}
	if len(j.requests) == journalSize {
		j.requests = slices.Delete(j.requests, 0, journalSize/2)
	}
	j.requests = append(j.requests, r)
}

// Requests returns the last requests, oldest first: at least the last thousand.
func (s *Server) Requests() []Request {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal.requests)
}

// Count returns how many requests came to an endpoint, such as "POST /v2/calls/extensive", with any key; to all of them if
// endpoint is empty. It counts refused ones too.
func (s *Server) Count(endpoint string) int {
	n := 0
	for key, count := range s.Counts() {
		if endpoint == "" || key[0] == endpoint {
			n += count
		}
	}
	return n
}

// Counts returns how many requests came, by endpoint and accepted key (empty if none was accepted).
func (s *Server) Counts() map[[2]string]int {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.journal.counts)
}

// CountStatus returns how many answers had the status.
func (s *Server) CountStatus(status int) int {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.statuses[status]
}

// Faults returns how often each fault was applied, by its name.
func (s *Server) Faults() map[string]int {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.journal.faults)
}

// ResetJournal forgets requests and counts.
func (s *Server) ResetJournal() {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = journal{}
}
