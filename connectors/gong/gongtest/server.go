package gongtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Server is a company's Gong. Its methods may be called while it serves.
type Server struct {
	opts Options
	once sync.Once

	mu     sync.Mutex
	calls  map[string]*entry
	index  index
	users  map[string]User
	nextID int64

	faults  []Fault
	chaos   []Chance
	seed    uint64
	dice    map[string]*rand.Rand // by endpoint
	limiter limiter
	journal journal
}

var _ http.Handler = (*Server)(nil)

// New returns an empty company.
func New(opts Options) *Server { return &Server{opts: opts} }

// init prepares a server that may be a zero value.
func (s *Server) init() {
	s.once.Do(func() {
		s.opts = s.opts.withDefaults()
		s.calls = map[string]*entry{}
		s.users = map[string]User{}
		s.nextID = s.opts.FirstID
	})
}

// AddCall adds a call and returns its id. It panics if the call has no start time, or an id that is no number or is taken.
func (s *Server) AddCall(c Call) string {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Started.IsZero() {
		panic("gongtest: a call needs a start time")
	}
	if c.ID == "" {
		for s.calls[strconv.FormatInt(s.nextID, 10)] != nil {
			s.nextID++
		}
		c.ID = strconv.FormatInt(s.nextID, 10)
		s.nextID++
	}
	if _, err := strconv.ParseInt(c.ID, 10, 64); err != nil {
		panic(fmt.Sprintf("gongtest: call id %q is no 64-bit number", c.ID))
	}
	if s.calls[c.ID] != nil {
		panic("gongtest: there is a call " + c.ID + " already")
	}
	s.keep(&c)
	return c.ID
}

// keep makes a call the company's. The caller holds the lock.
func (s *Server) keep(c *Call) {
	e := s.newEntry(c)
	s.calls[c.ID] = e
	s.index.add(e)
}

// AddUser adds users or replaces those with the same id.
func (s *Server) AddUser(users ...User) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range users {
		s.users[u.ID] = u
	}
}

// Update changes a call and reports whether there is such a call. The id must stay.
func (s *Server) Update(id string, change func(*Call)) bool {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.calls[id]
	if e == nil {
		return false
	}
	next := *e.call
	change(&next)
	next.ID = id
	s.index.remove(e)
	s.keep(&next)
	return true
}

// Delete removes a call and reports whether there was one.
func (s *Server) Delete(id string) bool {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.calls[id]
	if ok {
		s.index.remove(e)
		delete(s.calls, id)
	}
	return ok
}

// Calls returns the calls as they were added and updated, by start time and id. What it returns is the caller's.
func (s *Server) Calls() []Call {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]Call, 0, len(s.calls))
	for _, e := range s.calls {
		calls = append(calls, *e.call)
	}
	slices.SortFunc(calls, func(a, b Call) int { return compareKeys(a.startKey(), b.startKey()) })
	return calls
}

// Start listens on addr, such as "127.0.0.1:0", and serves until stop is called, which ends open requests.
func (s *Server) Start(addr string) (baseURL string, stop func() error, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("gongtest: %w", err)
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends with http.ErrServerClosed, by Close
	}()
	return "http://" + l.Addr().String(), func() error {
		err := srv.Close()
		<-done
		return err
	}, nil
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	x := &exchange{server: s, request: r, now: s.opts.Clock(), endpoint: endpointOf(r)}
	x.serve(w)
}

// find returns a call as it is at a time.
func (s *Server) find(id string, now time.Time) (Call, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.calls[id]
	if e == nil || !e.call.existsAt(now) {
		return Call{}, false
	}
	return s.state(e.call, now), true
}

// allUsers returns the users by id.
func (s *Server) allUsers() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := slices.Collect(maps.Values(s.users))
	slices.SortFunc(users, func(a, b User) int { return compareIDs(a.ID, b.ID) })
	return users
}

// complete fills in what a call was added without.
func (s *Server) complete(c Call) Call {
	setDefault(&c.WorkspaceID, s.opts.Workspaces[0].ID)
	setDefault(&c.URL, s.opts.AppURL+"/call?id="+c.ID)
	setDefault(&c.Direction, "Conference")
	setDefault(&c.System, "Zoom")
	setDefault(&c.Scope, "External")
	setDefault(&c.Media, "Video")
	setDefault(&c.Language, "eng")
	if c.Scheduled.IsZero() && c.Direction == "Conference" {
		c.Scheduled = c.Started
	}
	return c
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

func (c *Call) existsAt(now time.Time) bool { return c.DeletedAt.IsZero() || now.Before(c.DeletedAt) }

func (c *Call) visibleAt(now time.Time) bool { return !now.Before(c.VisibleAt) }

// at returns the call with the edits of its past.
func (c *Call) at(now time.Time) Call {
	state := *c
	for _, e := range c.Edits {
		if !now.Before(e.At) {
			e.Apply(&state)
		}
	}
	if !c.PrivateAt.IsZero() && !now.Before(c.PrivateAt) {
		state.Private = true
	}
	if now.Before(state.ContentAt) {
		state.Brief, state.KeyPoints, state.Outline, state.Highlights = "", nil, nil, nil
	}
	state.ID = c.ID
	return state
}
