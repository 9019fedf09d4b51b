package notify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
)

// What no message may show.
const (
	secretPath   = "/services/T0000/B0000/hunter2hunter2"
	secretQuery  = "s3cr3t-signature"
	secretHeader = "header-s3cr3t"
)

// receiver is a webhook that posts to a server.
func receiver(t *testing.T, format string, h http.HandlerFunc) *Notifiers {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return webhookAt(t, srv.URL, format)
}

func webhookAt(t *testing.T, base, format string) *Notifiers {
	t.Helper()
	config, err := json.Marshal(map[string]any{
		"url": base + secretPath + "?sig=" + secretQuery, "format": format, "headers": map[string]string{"X-Key": secretHeader},
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := New(map[string]json.RawMessage{"webhook.ops": config})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRequestArrives(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"slack", "json"} {
		type arrived struct{ Method, Target, ContentType, Key, ID string }
		var got arrived
		var body map[string]any
		all := receiver(t, format, func(w http.ResponseWriter, r *http.Request) {
			got = arrived{r.Method, r.RequestURI, r.Header.Get("Content-Type"), r.Header.Get("X-Key"), r.Header.Get("Idempotency-Key")}
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusNoContent)
		})
		n := notices()["rejected"]
		if err := all.Notify(t.Context(), "webhook.ops", n); err != nil {
			t.Fatal(err)
		}
		want := arrived{"POST", secretPath + "?sig=" + secretQuery, "application/json", secretHeader, idOf(&n)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
		if format == "json" && (body["version"] != 1.0 || body["id"] != got.ID) || format == "slack" && body["blocks"] == nil {
			t.Errorf("%s: %v", format, body)
		}
	}
}

// outcome is what a caller goes by.
type outcome struct {
	Code                 plugin.Code
	Retryable, Uncertain bool
	RetryAfter           time.Duration
}

func outcomeOf(t *testing.T, err error) outcome {
	t.Helper()
	e := plugin.AsError(err)
	if e == nil {
		t.Fatal("no error")
	}
	for _, secret := range []string{"hunter2", secretQuery, secretHeader, "T0000"} {
		if strings.Contains(e.Message, secret) {
			t.Errorf("the message shows %q: %s", secret, e.Message)
		}
	}
	if !strings.HasPrefix(e.Message, "notifier ") || len(e.Message) > 700 || strings.ContainsAny(e.Message, "\r\n\x1b") {
		t.Errorf("message: %q", e.Message)
	}
	return outcome{e.Code, e.Retryable, e.Uncertain, e.RetryAfter}
}

func TestAnswersOfReceivers(t *testing.T) {
	t.Parallel()
	// Every refusal says back all that it was told, as a hostile or a helpful receiver does.
	refuse := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, "<html><b>Cannot POST %s</b> \x1b[31m key %s sig %s segment hunter2hunter2\r\n", r.RequestURI, r.Header.Get("X-Key"), r.URL.Query().Get("sig"))
		}
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		want    outcome // zero if delivered
	}{
		"200":              {refuse(200), outcome{}},
		"202":              {refuse(202), outcome{}},
		"400":              {refuse(400), outcome{Code: plugin.CodeInvalidRequest}},
		"401":              {refuse(401), outcome{Code: plugin.CodeUnauthenticated}},
		"403":              {refuse(403), outcome{Code: plugin.CodePermissionDenied}},
		"404":              {refuse(404), outcome{Code: plugin.CodeNotFound}},
		"410":              {refuse(410), outcome{Code: plugin.CodeInvalidRequest}},
		"429":              {refuse(429, "Retry-After", "7"), outcome{Code: plugin.CodeRateLimited, Retryable: true, RetryAfter: 7 * time.Second}},
		"500":              {refuse(500), outcome{Code: plugin.CodeUnavailable, Uncertain: true}},
		"502":              {refuse(502), outcome{Code: plugin.CodeUnavailable, Uncertain: true}},
		"503":              {refuse(503, "Retry-After", "30"), outcome{Code: plugin.CodeUnavailable, Retryable: true, RetryAfter: 30 * time.Second}},
		"redirect":         {refuse(307, "Location", "https://elsewhere.example"+secretPath), outcome{Code: plugin.CodeInvalidConfig}},
		"redirect by GET":  {refuse(302, "Location", "/login?next="+secretPath), outcome{Code: plugin.CodeInvalidConfig}},
		"huge refusal":     {huge(400), outcome{Code: plugin.CodeInvalidRequest}},
		"huge answer":      {huge(200), outcome{}},
		"endless answer":   {endless(200), outcome{}},
		"connection reset": {reset, outcome{Code: plugin.CodeUnavailable, Uncertain: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			all := receiver(t, "slack", func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				test.handler(w, r)
			})
			err := all.Notify(t.Context(), "webhook.ops", notices()["failed"])
			if n := calls.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
			if test.want == (outcome{}) {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if diff := cmp.Diff(test.want, outcomeOf(t, err)); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func huge(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Repeat("x", 4<<20)) // the client leaves before the end
	}
}

func endless(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.Close()
}

func TestReceiverIsNotThere(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	got := outcomeOf(t, webhookAt(t, gone.URL, "slack").Notify(t.Context(), "webhook.ops", notices()["failed"]))
	if diff := cmp.Diff(outcome{Code: plugin.CodeUnavailable, Retryable: true}, got); diff != "" {
		t.Errorf("nobody listens (-want +got):\n%s", diff)
	}
}

func TestReceiverIsNotTrusted(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
	srv.Config.ErrorLog = quiet
	srv.StartTLS()
	t.Cleanup(srv.Close)
	got := outcomeOf(t, webhookAt(t, srv.URL, "slack").Notify(t.Context(), "webhook.ops", notices()["failed"]))
	if diff := cmp.Diff(outcome{Code: plugin.CodeInvalidConfig}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReceiverDoesNotAnswer(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	all := receiver(t, "json", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices that the client left only once the body was read
		close(entered)
		<-r.Context().Done()
	})
	got := outcomeOf(t, all.Notify(cancelWhen(t, entered), "webhook.ops", notices()["failed"]))
	if diff := cmp.Diff(outcome{Code: plugin.CodeUnavailable, Uncertain: true}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
