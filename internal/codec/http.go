package codec

import (
	"net/http"
	"slices"

	"go.temporal.io/sdk/converter"
)

// maxRequest bounds a request's body, in bytes: a page of a history in JSON.
const maxRequest = 64 << 20

// ServerOptions say who may call a codec server. Whoever can call it can read payloads.
type ServerOptions struct {
	// Origins are the pages that may call it from a browser, such as "http://127.0.0.1:8233", and no others. Callers that send no
	// Origin are no browsers and are let through.
	Origins []string

	// Authorize returns an error, whose text the caller sees, for a request that is not let through. Nil lets all through.
	Authorize func(*http.Request) error
}

// Handler is a codec server, as the web UI and Temporal's command-line tools call one: POST to a path that ends in /decode or
// /encode, with Payloads in JSON (Temporal's documentation, "Codec Server").
func (c *Codec) Handler(opts ServerOptions) http.Handler {
	next := http.MaxBytesHandler(converter.NewPayloadCodecHTTPHandler(c.chain...), maxRequest)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin != "" {
			h := w.Header()
			h.Set("Vary", "Origin")
			if !slices.Contains(opts.Origins, origin) {
				http.Error(w, "this codec server does not serve pages of "+origin, http.StatusForbidden)
				return
			}
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Allow-Methods", "POST")
			// X-Namespace is what the web UI sends along; Authorization only if it is told to pass its token on.
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
		}
		if r.Method == http.MethodOptions { // browsers ask without credentials
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if opts.Authorize != nil {
			if err := opts.Authorize(r); err != nil {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
