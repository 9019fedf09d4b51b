package gongtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	okContentType    = "application/json;charset=UTF-8"
	errorContentType = "application/json; charset=utf-8"
	maxRequestBody   = 4 << 20
)

// The messages of errors. Gong's words for 429 are not known.
const (
	badCredentials  = "Validate credentials failed. Please check your credentials and try again."
	jsonParseError  = "Json parse error"
	noCalls         = "No calls found corresponding to the provided filters"
	noUsers         = "No users found corresponding to the provided filters"
	tooManyRequests = "Too many requests"
)

// apiError is an answer in the form of Gong's errors.
type apiError struct {
	status  int
	message string
	header  map[string]string
}

func (e *apiError) Error() string { return e.message }

func badRequest(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *apiError {
	return &apiError{status: http.StatusNotFound, message: fmt.Sprintf(format, args...)}
}

// exchange is one request and its answer.
type exchange struct {
	server   *Server
	request  *http.Request
	now      time.Time
	endpoint string
	body     []byte
	fault    Fault
	entry    Request
}

// endpointOf names the endpoint with its path as the API's reference writes it.
func endpointOf(r *http.Request) string {
	path := r.URL.Path
	for _, prefix := range []string{"/v2/calls/", "/v2/users/"} {
		if id, ok := strings.CutPrefix(path, prefix); ok && id != "extensive" && id != "transcript" && !strings.Contains(id, "/") {
			path = prefix + "{id}"
		}
	}
	return r.Method + " " + path
}

func (x *exchange) serve(w http.ResponseWriter) {
	x.entry = Request{At: x.now, Endpoint: x.endpoint, Target: x.request.URL.RequestURI()}
	defer func() {
		x.server.mu.Lock()
		defer x.server.mu.Unlock()
		x.server.journal.add(x.entry)
	}()
	body, err := io.ReadAll(http.MaxBytesReader(w, x.request.Body, maxRequestBody))
	if err != nil {
		x.writeError(w, badRequest(jsonParseError))
		return
	}
	x.body = body
	x.entry.Body = string(body[:min(len(body), 64<<10)])

	if x.fault = x.server.nextFault(x.endpoint, x.cursor() != ""); x.fault.kind != 0 {
		x.entry.Fault = x.fault.String()
		if x.misbehave(w) {
			return
		}
	}
	answer, err := x.answer()
	if err != nil {
		x.writeError(w, err)
		return
	}
	b, err := json.Marshal(answer)
	if err != nil {
		panic("gongtest: " + err.Error()) // answers are made of plain values, except for CRM values that a test chose
	}
	x.write(w, http.StatusOK, okContentType, b)
}

// misbehave applies the faults that come before an answer and reports whether the exchange is over.
func (x *exchange) misbehave(w http.ResponseWriter) bool {
	switch x.fault.kind {
	case faultStatus:
		for name, values := range x.fault.header {
			w.Header()[name] = values
		}
		x.entry.Status = x.fault.status
		w.WriteHeader(x.fault.status)
		_, _ = io.WriteString(w, x.fault.body) // a client that went away misses nothing
		return true
	case faultReset:
		cut(w)
		return true
	case faultSlow:
		t := time.NewTimer(x.fault.delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-x.request.Context().Done():
			return true
		}
	case faultHang:
		<-x.request.Context().Done()
		return true
	case faultVanish:
		x.server.Delete(x.fault.id)
	case faultMeanwhile:
		x.fault.change()
		x.now = x.server.opts.Clock()
	}
	return false
}

// cut ends the connection so that the client sees a reset.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // at worst the connection ends with FIN instead of RST
			}
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// answer checks the request in Gong's order, as far as that is known: credentials, address, path, limits, scope, content.
func (x *exchange) answer() (any, error) {
	k, err := x.authenticate()
	if err != nil {
		return nil, err
	}
	r, err := x.route()
	if err != nil {
		return nil, err
	}
	if err := x.throttle(); err != nil {
		return nil, err
	}
	if err := k.allows(r.scope); err != nil {
		return nil, err
	}
	if x.request.Method == http.MethodPost {
		if t, _, err := mime.ParseMediaType(x.request.Header.Get("Content-Type")); err != nil || t != "application/json" {
			return nil, &apiError{status: http.StatusUnsupportedMediaType, message: "Unsupported Media Type"}
		}
	}
	return r.handle(x, k)
}

func (x *exchange) authenticate() (Key, error) {
	refused := &apiError{status: http.StatusUnauthorized, message: badCredentials,
		header: map[string]string{"WWW-Authenticate": `Basic realm="Gong.io API"`}}
	if x.server.opts.WrongHost {
		return Key{}, refused
	}
	user, password, basic := x.request.BasicAuth()
	token, bearer := strings.CutPrefix(x.request.Header.Get("Authorization"), "Bearer ")
	i := slices.IndexFunc(x.server.opts.Keys, func(k Key) bool {
		switch {
		case !k.Expires.IsZero() && !x.now.Before(k.Expires):
			return false
		case basic:
			return k.AccessKey != "" && k.AccessKey == user && k.Secret == password
		default:
			return bearer && token != "" && k.Token == token
		}
	})
	if i < 0 {
		return Key{}, refused
	}
	k := x.server.opts.Keys[i]
	x.entry.Key = k.AccessKey
	if !basic {
		x.entry.Key = k.Token
	}
	if k.Forbidden {
		return Key{}, &apiError{status: http.StatusForbidden, message: "Access denied"}
	}
	return k, nil
}

func (k Key) allows(scope string) error {
	if k.Scopes == nil || slices.Contains(k.Scopes, scope) {
		return nil
	}
	return &apiError{status: http.StatusUnauthorized, message: fmt.Sprintf("You don't have permission to use '%s' in your app.", scope)}
}

func (x *exchange) throttle() error {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	wait, ok := x.server.limiter.take(x.now, x.server.opts.Limits)
	if ok {
		return nil
	}
	return &apiError{status: http.StatusTooManyRequests, message: tooManyRequests,
		header: map[string]string{"Retry-After": strconv.Itoa(retryAfter(wait))}}
}

// route is what an endpoint needs and does.
type route struct {
	scope  string
	handle func(*exchange, Key) (any, error)
}

var routes = map[string]map[string]route{
	"/v2/calls":            {http.MethodGet: {ScopeCallsBasic, (*exchange).listCalls}},
	"/v2/calls/{id}":       {http.MethodGet: {ScopeCallsBasic, (*exchange).getCall}},
	"/v2/calls/extensive":  {http.MethodPost: {ScopeCallsExtensive, (*exchange).extensive}},
	"/v2/calls/transcript": {http.MethodPost: {ScopeCallsTranscript, (*exchange).transcripts}},
	"/v2/users":            {http.MethodGet: {ScopeUsers, (*exchange).listUsers}},
	"/v2/users/{id}":       {http.MethodGet: {ScopeUsers, (*exchange).getUser}},
	"/v2/users/extensive":  {http.MethodPost: {ScopeUsers, (*exchange).extensiveUsers}},
	"/v2/workspaces":       {http.MethodGet: {ScopeWorkspaces, (*exchange).listWorkspaces}},
}

func (x *exchange) route() (route, error) {
	_, path, _ := strings.Cut(x.endpoint, " ")
	methods, ok := routes[path]
	if !ok {
		return route{}, notFound("Not Found")
	}
	r, ok := methods[x.request.Method]
	if !ok {
		return route{}, &apiError{status: http.StatusMethodNotAllowed, message: "Method Not Allowed"}
	}
	return r, nil
}

// requestID is unique as long as the server's clock moves, and looks like Gong's.
func (x *exchange) requestID() string { return "4al0" + strconv.FormatInt(x.now.UnixNano(), 36) }

func errorBody(requestID, message string) string {
	b, err := json.MarshalIndent(map[string]any{"requestId": requestID, "errors": []string{message}}, "", "  ")
	if err != nil {
		panic("gongtest: " + err.Error()) // strings
	}
	// Gong's errors have a space before the colon too.
	return strings.Replace(strings.Replace(string(b), `"errors":`, `"errors" :`, 1), `"requestId":`, `"requestId" :`, 1)
}

func (x *exchange) writeError(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{status: http.StatusInternalServerError, message: err.Error()}
	}
	for name, value := range e.header {
		w.Header().Set(name, value)
	}
	x.write(w, e.status, errorContentType, []byte(errorBody(x.requestID(), e.message)))
}

func (x *exchange) write(w http.ResponseWriter, status int, contentType string, body []byte) {
	if x.fault.kind == faultExtra {
		body = withExtraFields(body)
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Traceid", x.requestID())
	h.Set("X-Gong-Service-Version", "gongtest")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.entry.Status = status
	w.WriteHeader(status)
	if x.fault.kind == faultTruncate {
		_, _ = w.Write(body[:len(body)/2])        // a client that went away misses nothing
		_ = http.NewResponseController(w).Flush() // without it, not even the status would arrive
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // a client that went away misses nothing
}

// withExtraFields adds members that no client knows to all objects.
func withExtraFields(body []byte) []byte {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return body
	}
	addExtra(v)
	b, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return b
}

func addExtra(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			addExtra(member)
		}
		v["newText"], v["newNumber"], v["newNull"] = "text", json.Number("1e300"), nil
		v["newList"], v["newObject"] = []any{1, "two", nil}, map[string]any{"id": 1}
	case []any:
		for _, element := range v {
			addExtra(element)
		}
	}
}
