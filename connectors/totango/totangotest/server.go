package totangotest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is a simulated tenant. The zero value is ready to use and equals New(Options{}). All methods are safe for concurrent
// use.
type Server struct {
	opts Options

	mu           sync.Mutex
	ready        bool
	accounts     []Account
	accountIndex map[string]int
	usersByName  map[string][]int // by id and address, in lower case
	users        []User
	team         []TeamMember
	types, tags  []NamedID
	flows        []Flow
	touchpoints  []*stored // in the order of their note ids
	byNote       map[int64]*stored
	lastNote     int64
	searchLag    time.Duration

	windows  map[string]*rateWindow
	bearers  map[string]bool
	requests map[Endpoint]int
	script   []Fault
	dice     map[Endpoint]*rand.Rand // nil without chaos
}

type rateWindow struct {
	start time.Time
	used  int
}

// New returns a tenant without accounts.
func New(opts Options) *Server { return &Server{opts: opts} }

// init fills the zero value. The caller holds mu.
func (s *Server) init() {
	if s.ready {
		return
	}
	s.ready = true
	s.accountIndex = map[string]int{}
	s.usersByName = map[string][]int{}
	s.byNote = map[int64]*stored{}
	s.lastNote = 981_000
	s.searchLag = s.opts.SearchLag
	s.windows = map[string]*rateWindow{}
	s.bearers = map[string]bool{}
	s.requests = map[Endpoint]int{}
	s.types = s.named("type", s.opts.Types, defaultTypes())
	s.tags = s.named("tag", s.opts.Tags, defaultTags())
	s.flows = slices.Clone(s.opts.Flows)
	if s.flows == nil {
		s.flows = defaultFlows()
	}
	if s.opts.Chaos != nil {
		s.dice = map[Endpoint]*rand.Rand{}
	}
}

func (s *Server) named(kind string, names, otherwise []string) []NamedID {
	if names == nil {
		names = otherwise
	}
	out := make([]NamedID, 0, len(names))
	for _, n := range names {
		out = append(out, NamedID{ID: guid(s.serviceID(), kind, n), Name: n})
	}
	return out
}

// guid derives a stable GUID from its parts.
func guid(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func (s *Server) now() time.Time {
	if s.opts.Clock != nil {
		return s.opts.Clock()
	}
	return time.Now()
}

func (s *Server) serviceID() string {
	if s.opts.ServiceID != "" {
		return s.opts.ServiceID
	}
	return "12345"
}

func (s *Server) tokenUser() string {
	if s.opts.TokenUser != "" {
		return s.opts.TokenUser
	}
	return "integrations@vendor.example"
}

// Types returns the touchpoint types.
func (s *Server) Types() []NamedID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	return slices.Clone(s.types)
}

// Tags returns the touchpoint tags, also called reasons.
func (s *Server) Tags() []NamedID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	return slices.Clone(s.tags)
}

// Flows returns the SuccessFlows.
func (s *Server) Flows() []Flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	return slices.Clone(s.flows)
}

// AddType adds a touchpoint type, as an administrator does, and returns it.
func (s *Server) AddType(name string) NamedID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	t := NamedID{ID: guid(s.serviceID(), "type", name), Name: name}
	s.types = append(s.types, t)
	return t
}

// SetSearchLag changes how long touchpoints that are created from now on stay invisible to reads.
func (s *Server) SetSearchLag(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	s.searchLag = d
}

// Requests returns how many requests an endpoint got, faults and refusals included.
func (s *Server) Requests(e Endpoint) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[e]
}

// TotalRequests returns how many requests the API got, not counting the page for people.
func (s *Server) TotalRequests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.requests {
		n += c
	}
	return n
}

// ServeHTTP answers requests to the API and to the page for people.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, h := route(r)
	if h == nil {
		s.servePage(w, r)
		return
	}
	s.mu.Lock()
	s.init()
	s.requests[e]++
	fault := s.strike(e)
	s.mu.Unlock()

	c, bad := parseCall(r) // first of all: the server notices that a client is gone only when the body has been read
	if !wait(r.Context(), s.opts.Latency) {
		return
	}
	a, done := s.before(w, r, fault)
	if done {
		return
	}
	if a == nil {
		a = s.answer(r, e, h, c, bad)
	}
	if s.after(w, r, fault) {
		return
	}
	a.write(w)
}

// answer authenticates, counts against the rate limit and runs the handler.
func (s *Server) answer(r *http.Request, e Endpoint, h handler, c *call, bad error) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := tokenOf(r)
	header, limited := s.spend(token)
	var a *answer
	switch {
	case limited:
		a = s.tooMany(header.Get("RateLimit-Reset"))
	case !e.open() && !s.accepts(token):
		a = failure(http.StatusUnauthorized, "authentication_failed", "The app-token is missing or not valid")
	case bad != nil:
		a = failure(http.StatusBadRequest, "invalid_request", bad.Error())
	default:
		a = h(s, c)
	}
	for k, v := range header {
		a.header[k] = v
	}
	return a
}

// spend counts a request of the token and returns the RateLimit headers. The caller holds mu.
func (s *Server) spend(token string) (http.Header, bool) {
	limit := s.opts.RequestsPerMinute
	if limit < 0 {
		return http.Header{}, false
	}
	if limit == 0 {
		limit = defaultRate
	}
	now := s.now()
	win := s.windows[token]
	if win == nil || now.Sub(win.start) >= window || now.Before(win.start) {
		win = &rateWindow{start: now}
		s.windows[token] = win
	}
	win.used++
	reset := (win.start.Add(window).Sub(now) + time.Second - 1) / time.Second
	h := http.Header{}
	h.Set("RateLimit-Limit", fmt.Sprint(limit))
	h.Set("RateLimit-Remaining", fmt.Sprint(max(0, limit-win.used)))
	h.Set("RateLimit-Reset", fmt.Sprint(int(reset)))
	return h, win.used > limit
}

func (s *Server) tooMany(reset string) *answer {
	a := jsonAnswer(http.StatusTooManyRequests, "Too many requests")
	if s.opts.Variants.RateLimitObject {
		a = jsonAnswer(http.StatusTooManyRequests, map[string]any{"message": "Too many requests", "statusCode": 429})
	}
	if !s.opts.Variants.NoRetryAfter {
		a.header.Set("Retry-After", reset)
	}
	return a
}

// accepts reports whether a token is good. The caller holds mu.
func (s *Server) accepts(token string) bool {
	if token == "" {
		return false
	}
	return len(s.opts.Tokens) == 0 || slices.Contains(s.opts.Tokens, token) || s.bearers[token]
}

// tokenOf reads the token from the app-token header, or from Authorization in either of the forms seen in use.
func tokenOf(r *http.Request) string {
	if t := r.Header.Get("app-token"); t != "" {
		return t
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "app-token") || strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// answer is a response that has not been sent yet, so that a fault can still swallow it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) write(w http.ResponseWriter) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that is gone needs no answer
}

func jsonAnswer(status int, v any) *answer {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("totangotest: %v", err)) // every answer is made of JSON values
	}
	return &answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: b}
}

func htmlAnswer(status int, text string) *answer {
	body := fmt.Sprintf("<html>\n<head><title>%d %s</title></head>\n<body><center><h1>%d %s</h1></center></body>\n</html>\n",
		status, text, status, text)
	return &answer{status: status, header: http.Header{"Content-Type": {"text/html"}}, body: []byte(body)}
}

// failure has the shape that Totango's own Zendesk app handles.
func failure(status int, kind, message string) *answer {
	return jsonAnswer(status, map[string]any{"error": map[string]string{"type": kind, "message": message}})
}
