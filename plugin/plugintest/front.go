package plugintest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// front stands before the simulator: it notes when requests arrive, and can answer in the simulator's stead.
type front struct {
	url    string
	server *http.Server
	system http.Handler

	mu          sync.Mutex
	instead     http.Handler // of the system; nil for none
	arrivals    []time.Time
	inFlight    int
	credentials map[string]bool // what stood in Authorization headers
}

func newFront(system http.Handler) (*front, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{url: "http://" + listener.Addr().String(), system: system, credentials: map[string]bool{}}
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: time.Minute}
	go func() { _ = f.server.Serve(listener) }() // returns when the server is closed
	return f, nil
}

func (f *front) close() { _ = f.server.Close() }

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Only when the body has been read does the server see that a client gives up.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	f.arrivals = append(f.arrivals, time.Now())
	if _, c, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		f.credentials[c] = true
	}
	handler := f.instead
	f.inFlight++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.inFlight--
	}()
	if handler == nil {
		handler = f.system
	}
	handler.ServeHTTP(w, r)
}

// requests are the times at which the requests since the mark arrived.
func (f *front) requests(mark int) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.arrivals[mark:]
}

// mark is how many requests have arrived.
func (f *front) mark() int { return len(f.requests(0)) }

func (f *front) waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inFlight
}

// answer has the handler answer in the system's stead until the check ends; nil for the system itself.
func (f *front) answer(t *probe, handler http.Handler) {
	set := func(h http.Handler) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.instead = h
	}
	set(handler)
	t.Cleanup(func() { set(nil) })
}

// trouble answers with a status, and repeats the request's header in the body as some systems do.
func trouble(status int, header http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range header {
			w.Header().Set(name, header.Get(name))
		}
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		for name := range r.Header {
			_, _ = fmt.Fprintf(w, "%s: %s\n", name, r.Header.Get(name))
		}
	})
}

// unheard has the system handle a request and throws the answer away.
func (f *front) unheard(r *http.Request) { f.system.ServeHTTP(discard{http.Header{}}, r) }

type discard struct{ header http.Header }

// Header implements [http.ResponseWriter].
func (d discard) Header() http.Header { return d.header }

// Write implements [http.ResponseWriter].
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements [http.ResponseWriter].
func (d discard) WriteHeader(int) {}

// authorized is what stood in Authorization headers, after the scheme.
func (f *front) authorized() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.credentials))
}
