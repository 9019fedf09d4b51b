package httpkit_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

func TestRetryAfter(t *testing.T) {
	const date = "Tue, 01 Sep 2026 10:00:00 GMT"
	tests := []struct {
		name   string
		header map[string]string
		want   time.Duration
	}{
		{"absent", nil, 0},
		{"seconds", map[string]string{"Retry-After": "30"}, 30 * time.Second},
		{"blank around", map[string]string{"Retry-After": " 30 "}, 30 * time.Second},
		{"fraction", map[string]string{"Retry-After": "1.5"}, 1500 * time.Millisecond},
		{"date by the server's clock", map[string]string{"Retry-After": "Tue, 01 Sep 2026 10:02:00 GMT", "Date": date}, 2 * time.Minute},
		{"time by the server's clock", map[string]string{"Retry-After": "2026-09-02T00:00:00Z", "Date": date}, 14 * time.Hour},
		{"past date", map[string]string{"Retry-After": "Tue, 01 Sep 2026 09:00:00 GMT", "Date": date}, 0},
		{"negative", map[string]string{"Retry-After": "-5"}, 0},
		{"nonsense", map[string]string{"Retry-After": "soon"}, 0},
		{"not a number", map[string]string{"Retry-After": "NaN"}, 0},
		{"absurd", map[string]string{"Retry-After": "999999999"}, 7 * 24 * time.Hour},
		{"reset", map[string]string{"RateLimit-Reset": "37"}, 37 * time.Second},
		{"reset as Unix time", map[string]string{"RateLimit-Reset": "1788256860", "Date": "Tue, 01 Sep 2026 10:00:00 GMT"}, time.Minute},
		{"both", map[string]string{"Retry-After": "60", "RateLimit-Reset": "37"}, time.Minute},
		{"reset after nonsense", map[string]string{"Retry-After": "soon", "RateLimit-Reset": "37"}, 37 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for name, value := range tt.header {
				h.Set(name, value)
			}
			if got := httpkit.RetryAfter(h); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestExcerptsAreShortPlainAndWithoutCredentials(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"JSON", "{\"errors\":[\n  \"too bad\"]}", `{"errors":[ "too bad"]}`},
		{"page of a proxy", "<html><head><title>502</title><style>p{color:red}</style></head><body>\r\n<h1>Bad&nbsp;Gateway</h1><!-- x --></body></html>",
			"Bad Gateway"},
		{"control characters", "a\x1b[31mb\x00c\u202ed", "a [31mb c d"},
		{"broken encoding", "caf\xe9 closed", "caf closed"},
		{"echoed header", "got Authorization: Basic a2V5LW9mLWFjbWU6czNjcmV0LW9mLWFjbWU= from you", "got Authorization: [redacted] from you"},
		{"echoed password", "password s3cret-of-acme is wrong", "password [redacted] is wrong"},
		{"password behind entities", "<p>s3cret&#45;of-acme</p>", "[redacted]"},
		{"comparison, not markup", "1 < 2 and 3 > 2", "1 < 2 and 3 > 2"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.body) })
			resp, err := newClient(t, httpkit.Options{BaseURL: base}).Do(t.Context(), &httpkit.Request{Method: "GET", Path: "/x"})
			if err != nil {
				t.Fatal(err)
			}
			if got := resp.Excerpt(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSecretAtTheEndOfAnExcerptIsNotCutInHalf(t *testing.T) {
	bodies := make(chan string, 1)
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, <-bodies)
	})
	c := newClient(t, httpkit.Options{BaseURL: base})
	for _, before := range []string{strings.Repeat("x", 235) + " ", strings.Repeat(" ", 64<<10-5)} {
		bodies <- before + password
		if e := do(t, c, &httpkit.Request{Method: "GET", Path: "/x"}); strings.Contains(e.Message, "s3c") {
			t.Errorf("message: %s", e.Message)
		}
	}
}

func TestDecodeTellsBrokenFromForeign(t *testing.T) {
	tests := []struct {
		name, body string
		code       plugin.Code
		retryable  bool
	}{
		{"a page instead of JSON", "<html><body>maintenance</body></html>", plugin.CodeUnavailable, true},
		{"half a document", `{"id":1`, plugin.CodeUnavailable, true},
		{"nothing", "", plugin.CodeUnavailable, true},
		{"two documents", `{"id":"1"} {}`, plugin.CodeUnavailable, true},
		{"another shape", `{"id":["1"]}`, plugin.CodeInternal, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.body) })
			resp, err := newClient(t, httpkit.Options{BaseURL: base}).Do(t.Context(),
				&httpkit.Request{Method: "POST", Path: "/x", Write: true})
			if err != nil {
				t.Fatal(err)
			}
			var v struct {
				ID string `json:"id"`
			}
			e := plugin.AsError(resp.Decode(&v))
			if e == nil || e.Code != tt.code || e.Retryable != tt.retryable || !e.Uncertain {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add("<html>"+password+"</html>", "Basic")
	f.Add(strings.Repeat("<b>", 100)+"s3cret&#45;of-acme", "x")
	f.Add("s3cret-\x00of-acme", "\u200b")
	f.Fuzz(func(t *testing.T, a, b string) {
		body := a + password + b
		c := newClient(t, httpkit.Options{BaseURL: "http://127.0.0.1", Transport: roundTrip(func(*http.Request) *http.Response {
			return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		})})
		e := do(t, c, &httpkit.Request{Method: "GET", Path: "/x"})
		if len(e.Message) > 400 || !utf8.ValidString(e.Message) || strings.ContainsFunc(e.Message, unicode.IsControl) {
			t.Errorf("message: %q", e.Message)
		}
	})
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }
