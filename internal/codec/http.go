package codec

import (
	"net/http"
	"slices"

	"go.temporal.io/sdk/converter"
)

// maxRequest bounds a request's body, in bytes: a page of a history in JSON.
const maxRequest = 64 << 20

// Handler is a codec server, as the web UI and Temporal's command-line tools call one: POST to a path that ends in /decode or
// /encode, with Payloads in JSON (Temporal's documentation, "Codec Server").
//
// Browsers may call it from pages of the given origins ("http://127.0.0.1:8233"), and from no other: whoever can call it can read
// payloads. Callers that send no Origin are not browsers and are let through.
func Handler(origins ...string) http.Handler {
	next := http.MaxBytesHandler(converter.NewPayloadCodecHTTPHandler(codecs()...), maxRequest)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin != "" {
			h := w.Header()
			h.Set("Vary", "Origin")
			if !slices.Contains(origins, origin) {
				http.Error(w, "this codec server does not serve pages of "+origin, http.StatusForbidden)
				return
			}
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Allow-Methods", "POST")
			// X-Namespace is what the web UI sends along; Authorization only if it is told to pass its token on.
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
