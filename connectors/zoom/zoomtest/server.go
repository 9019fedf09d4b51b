// Package zoomtest simulates the part of Zoom that a reader of meetings talks to: the token endpoint, the report on past meetings,
// their participants and their summaries, with pages, scopes, limits and faults. Where Zoom's documentation leaves something open, the
// simulator is the stricter one.
package zoomtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The credentials that a server takes.
const (
	AccountID    = "zoomtest-account"
	ClientID     = "zoomtest-client"
	ClientSecret = "zoomtest-secret-9f8e7d6c5b"
)

// The endpoints, as faults and the journal name them.
const (
	Token        = "POST /oauth/token"
	History      = "GET /v2/report/history_meetings"
	PastMeeting  = "GET /v2/past_meetings/{uuid}"
	Participants = "GET /v2/past_meetings/{uuid}/participants"
	Summaries    = "GET /v2/meetings/{uuid}/meeting_summary"
)

// Meeting is a meeting with what Zoom tells of it.
type Meeting struct {
	UUID                string
	Number              int64
	Topic               string
	HostName, HostEmail string
	Started             time.Time
	Ended               time.Time // zero while it goes on
	Participants        []Participant
	Summary             *Summary // nil until there is one
}

// Participant is one stay of a person in a meeting.
type Participant struct {
	ID, Name, Email string
	Internal        bool
	Duration        time.Duration
}

// Summary is what AI Companion wrote of a meeting.
type Summary struct {
	Overview  string
	Details   []Detail
	NextSteps []string
	Content   string // in Markdown
	DocURL    string
	Edited    map[string]any // edited_summary as it is sent
}

// Detail is a part of a summary.
type Detail struct {
	Label   string `json:"label"`
	Summary string `json:"summary"`
}

// Fault is an answer that requests get instead of the right one.
type Fault struct {
	Endpoint string // one of the constants
	Times    int    // how many requests; zero means one
	Status   int
	Header   http.Header
	Body     string
}

// Server is a simulated Zoom. The zero value is an empty account. It may be used from many goroutines at once.
type Server struct {
	// PageSize is how much a page holds at most; zero means as much as is asked for. It is set before the first request.
	PageSize int

	// Now is the server's clock; nil means the time. It is set before the first request.
	Now func() time.Time

	mu       sync.Mutex
	meetings []Meeting
	tokens   map[string]time.Time // with their ends
	issued   int
	pages    map[string]int    // page tokens and where they go on
	missing  map[string]string // scopes by endpoint
	faults   []Fault
	requests []string
}

// Add adds a meeting.
func (s *Server) Add(m Meeting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meetings = append(s.meetings, m)
}

// Update changes a meeting.
func (s *Server) Update(uuid string, change func(*Meeting)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.find(uuid); m != nil {
		change(m)
	}
}

// Delete deletes a meeting.
func (s *Server) Delete(uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meetings = slices.DeleteFunc(s.meetings, func(m Meeting) bool { return m.UUID == uuid })
}

// Inject queues faults. Each request takes the first one for its endpoint.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// TakeScope takes the scope of an endpoint away from the app.
func (s *Server) TakeScope(endpoint, scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missing == nil {
		s.missing = map[string]string{}
	}
	s.missing[endpoint] = scope
}

// RevokeTokens makes all access tokens invalid.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// ExpirePages makes all page tokens invalid.
func (s *Server) ExpirePages() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.pages)
}

// Requests returns what was asked for, oldest first: the method and the path and query as they were sent.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) find(uuid string) *Meeting {
	if i := slices.IndexFunc(s.meetings, func(m Meeting) bool { return m.UUID == uuid }); i >= 0 {
		return &s.meetings[i]
	}
	return nil
}

// ServeHTTP answers for the token endpoint and the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.RequestURI)
	endpoint, uuid := route(r)
	if f := s.fault(endpoint); f != nil {
		for name, values := range f.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body)) // the client may be gone
		return
	}
	if endpoint == Token {
		s.token(w, r)
		return
	}
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), "Bearer ")
	if end, ok := s.tokens[token]; !ok || !s.now().Before(end) {
		refuse(w, http.StatusUnauthorized, 124, "Invalid access token.")
		return
	}
	if scope := s.missing[endpoint]; scope != "" {
		refuse(w, http.StatusBadRequest, 4711, "Invalid access token, does not contain scopes:["+scope+"].")
		return
	}
	if endpoint == History {
		s.history(w, r.URL.Query())
		return
	}
	m := s.find(uuid)
	switch {
	case endpoint == "":
		refuse(w, http.StatusNotFound, 2300, "This API endpoint is not recognized.")
	case m == nil, endpoint == Participants && len(m.Participants) < 2, endpoint == Summaries && m.Summary == nil:
		refuse(w, http.StatusNotFound, 3001, "Meeting does not exist: "+uuid+".")
	case endpoint == PastMeeting:
		write(w, m.past())
	case endpoint == Participants:
		s.participants(w, m, r.URL.Query())
	default:
		write(w, m.Summary.document(m))
	}
}

// route returns a request's endpoint, and the meeting that it is about. Zoom decodes a path once, and what begins with a slash or
// holds two in a row only reaches it if it is encoded once more.
func route(r *http.Request) (endpoint, uuid string) {
	path := r.URL.EscapedPath()
	if r.Method+" "+path == Token || r.Method+" "+path == History {
		return r.Method + " " + path, ""
	}
	parts := strings.Split(strings.TrimPrefix(path, "/v2/"), "/")
	if r.Method != http.MethodGet || len(parts) < 2 {
		return "", ""
	}
	once, err := url.PathUnescape(parts[1])
	if err != nil {
		return "", ""
	}
	uuid = once
	if strings.HasPrefix(once, "/") || strings.Contains(once, "//") {
		uuid = ""
	} else if twice, err := url.PathUnescape(once); err == nil {
		uuid = twice
	}
	parts[1] = "{uuid}"
	endpoint = "GET /v2/" + strings.Join(parts, "/")
	if !slices.Contains([]string{PastMeeting, Participants, Summaries}, endpoint) {
		return "", ""
	}
	return endpoint, uuid
}

func (s *Server) fault(endpoint string) *Fault {
	i := slices.IndexFunc(s.faults, func(f Fault) bool { return f.Endpoint == endpoint })
	if i < 0 {
		return nil
	}
	f := s.faults[i]
	if s.faults[i].Times--; s.faults[i].Times < 1 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return &f
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	switch {
	case id != ClientID || secret != ClientSecret:
		w.WriteHeader(http.StatusBadRequest)
		write(w, map[string]any{"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
	case r.PostFormValue("grant_type") != "account_credentials" || r.PostFormValue("account_id") != AccountID:
		w.WriteHeader(http.StatusBadRequest)
		write(w, map[string]any{"reason": "Bad Request", "error": "invalid_request"})
	default:
		s.issued++
		token := "zoomtest-token-" + strconv.Itoa(s.issued)
		if s.tokens == nil {
			s.tokens = map[string]time.Time{}
		}
		s.tokens[token] = s.now().Add(time.Hour)
		write(w, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 3600})
	}
}

func (s *Server) history(w http.ResponseWriter, q url.Values) {
	from, err1 := time.Parse(time.DateOnly, q.Get("from"))
	to, err2 := time.Parse(time.DateOnly, q.Get("to"))
	switch {
	case err1 != nil || err2 != nil || to.Before(from):
		refuse(w, http.StatusBadRequest, 300, "Invalid date.")
		return
	case to.AddDate(0, -1, 0).After(from):
		refuse(w, http.StatusBadRequest, 300, "The date range must not be longer than a month.")
		return
	case from.Before(s.now().AddDate(0, -6, -1)):
		refuse(w, http.StatusBadRequest, 300, "Only the last six months are available.")
		return
	}
	var found []any
	for _, m := range s.meetings {
		asked := q.Get("date_type") == "start_time" && q.Get("meeting_type") == "meeting"
		if !asked || m.Started.Before(from) || !m.Started.Before(to.AddDate(0, 0, 1)) {
			continue
		}
		entry := map[string]any{
			"meeting_uuid": m.UUID, "meeting_id": m.Number, "topic": m.Topic, "host_email": m.HostEmail, "host_display_name": m.HostName,
			"type": "Meeting", "start_time": stamp(m.Started),
		}
		if !m.Ended.IsZero() {
			entry["end_time"] = stamp(m.Ended)
		}
		found = append(found, entry)
	}
	s.page(w, q, "history_meetings", found)
}

func (s *Server) participants(w http.ResponseWriter, m *Meeting, q url.Values) {
	var found []any
	for _, p := range m.Participants {
		found = append(found, map[string]any{
			"id": p.ID, "name": p.Name, "user_email": p.Email, "internal_user": p.Internal, "duration": int(p.Duration.Seconds()),
		})
	}
	s.page(w, q, "participants", found)
}

// page writes the page of a list that a query asks for.
func (s *Server) page(w http.ResponseWriter, q url.Values, name string, list []any) {
	size, err := strconv.Atoi(q.Get("page_size"))
	if err != nil || size < 1 || size > 300 {
		refuse(w, http.StatusBadRequest, 300, "Invalid page size.")
		return
	}
	begin := 0
	if token := q.Get("next_page_token"); token != "" {
		at, ok := s.pages[token]
		if !ok {
			refuse(w, http.StatusBadRequest, 300, "The next page token is invalid or expired.")
			return
		}
		begin = at
	}
	end := min(begin+min(size, cmp.Or(s.PageSize, size)), len(list))
	body := map[string]any{"page_size": size, "next_page_token": "", name: list[begin:end]}
	if end < len(list) {
		if s.pages == nil {
			s.pages = map[string]int{}
		}
		token := fmt.Sprintf("page-%d-%d", len(s.requests), end)
		s.pages[token] = end
		body["next_page_token"] = token
	}
	write(w, body)
}

func (m *Meeting) past() map[string]any {
	return map[string]any{
		"uuid": m.UUID, "id": m.Number, "topic": m.Topic, "type": 2, "user_name": m.HostName, "user_email": m.HostEmail,
		"start_time": stamp(m.Started), "end_time": stamp(m.Ended), "duration": int(m.Ended.Sub(m.Started).Minutes()), "participants_count": len(m.Participants),
	}
}

func (s *Summary) document(m *Meeting) map[string]any {
	d := map[string]any{
		"meeting_uuid": m.UUID, "meeting_id": m.Number, "meeting_topic": m.Topic, "summary_overview": s.Overview, "summary_details": s.Details,
		"next_steps": s.NextSteps, "summary_content": s.Content, "summary_doc_url": s.DocURL,
	}
	if s.Edited != nil {
		d["edited_summary"] = s.Edited
	}
	return d
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func refuse(w http.ResponseWriter, status, code int, message string) {
	w.WriteHeader(status)
	write(w, map[string]any{"code": code, "message": message})
}

func write(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) } // the client may be gone
