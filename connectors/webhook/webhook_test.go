package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/webhook"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m, webhook.New()) }

func TestConformance(t *testing.T) {
	r := &receiver{t: t}
	n := 0
	next := func(body string) func() plugin.Item {
		return func() plugin.Item {
			n++
			return item(fmt.Sprintf("gong/calls/%d", n), fmt.Sprintf(`{"body": {%s, "n": %d}, "event": "meeting.ended"}`, body, n))
		}
	}
	const url = "https://example.com/hook"
	plugintest.Run(t, plugintest.Harness{
		New:     func() plugin.Connector { return webhook.New() },
		Command: plugintest.Self(t),
		System:  r,
		Config:  func(url string) json.RawMessage { return config(t, url+"/hook", nil) },
		BadConfig: map[string]json.RawMessage{
			"url":                 config(t, "http://example.com/hook", nil),
			"secret":              config(t, url, map[string]any{"secret": "whsec_not base64!"}),
			"timeout":             config(t, url, map[string]any{"timeout": "soon"}),
			"requests_per_second": config(t, url, map[string]any{"requests_per_second": -1}),
		},
		Destination: &plugintest.Destination{
			Object:  "request",
			Item:    next(`"id": 9007199254740993`),
			BadItem: next(`"id": "bad"`),
			Written: r.holds,
		},
	})
}

func TestRequestIsWhatTheJobComposed(t *testing.T) {
	r := &receiver{}
	_, c := connect(t, r, "/hooks/of%2Facme/?code=s3cret")
	if _, err := create(t, c, item("gong/calls/7", `{"body": {"b":"<7>","a":[1e2,null]}, "event": "meeting.ended"}`)); err != nil {
		t.Fatal(err)
	}
	got := r.deliveries()[0]
	want := delivery{Path: "/hooks/of%2Facme/?code=s3cret", ID: got.ID, Key: got.ID, Event: "meeting.ended", Body: `{"b":"<7>","a":[1e2,null]}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the request (-want +got):\n%s", diff)
	}
}

func TestEveryAttemptHasTheSameID(t *testing.T) {
	r := &receiver{answer: func(n int, w http.ResponseWriter) bool {
		if n == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
		return n == 1
	}}
	_, c := connect(t, r, "")
	first := item("gong/calls/7", `{"body": 1}`)
	if _, err := create(t, c, first); err == nil || !err.Uncertain || !err.Retryable {
		t.Fatalf("502 is %+v, want an uncertain, retryable error", err)
	}
	first.InDoubt = true
	if result, err := create(t, c, first); err != nil || result.Existed {
		t.Errorf("the second attempt: %+v, %v", result, err)
	}
	if _, err := create(t, c, item("gong/calls/8", `{"body": 1}`)); err != nil {
		t.Error(err)
	}
	d := r.deliveries()
	if d[0].ID != d[1].ID || d[1].ID == d[2].ID {
		t.Errorf("the ids of two attempts and of another record are %s, %s and %s", d[0].ID, d[1].ID, d[2].ID)
	}
}

func TestAnswers(t *testing.T) {
	type outcome struct {
		Code                 plugin.Code
		Retryable, Uncertain bool
		RetryAfter           time.Duration
		Attribute            string
	}
	for status, want := range map[int]outcome{
		200: {}, 202: {}, 204: {},
		301: {Code: plugin.CodeInvalidConfig, Attribute: "url"},
		400: {Code: plugin.CodeInvalidRecord},
		401: {Code: plugin.CodeUnauthenticated},
		403: {Code: plugin.CodePermissionDenied},
		404: {Code: plugin.CodeInvalidConfig, Attribute: "url"},
		405: {Code: plugin.CodeInvalidRequest},
		408: {Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true, RetryAfter: time.Minute},
		409: {Code: plugin.CodeInvalidRecord},
		410: {Code: plugin.CodeInvalidConfig, Attribute: "url"},
		413: {Code: plugin.CodeInvalidRecord},
		422: {Code: plugin.CodeInvalidRecord},
		425: {Code: plugin.CodeUnavailable, Retryable: true, RetryAfter: time.Minute},
		429: {Code: plugin.CodeRateLimited, Retryable: true, RetryAfter: time.Minute},
		500: {Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true, RetryAfter: time.Minute},
		503: {Code: plugin.CodeUnavailable, Retryable: true, Uncertain: true, RetryAfter: time.Minute},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			r := &receiver{answer: func(_ int, w http.ResponseWriter) bool {
				if want.RetryAfter > 0 {
					w.Header().Set("Retry-After", "60")
				}
				w.WriteHeader(status)
				_, _ = w.Write([]byte(strings.Repeat("no s3cret here, nor /hooks/p4ssword, nor "+secret+" ", 10_000)))
				return true
			}}
			_, c := connect(t, r, "/hooks/p4ssword?code=s3cret")
			_, err := create(t, c, item("gong/calls/7", `{"body": 1}`))
			var got outcome
			if err != nil {
				got = outcome{err.Code, err.Retryable, err.Uncertain, err.RetryAfter, err.Attribute}
				for _, hidden := range []string{"s3cret", "p4ssword", secret} {
					if strings.Contains(err.Message, hidden) {
						t.Errorf("the message shows %q: %s", hidden, err.Message)
					}
				}
				if len(err.Message) > 600 {
					t.Errorf("the message is %d bytes long", len(err.Message))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnsendableItemsAreNotSent(t *testing.T) {
	r := &receiver{}
	_, c := connect(t, r, "")
	for attributes, attribute := range map[string]string{
		`{}`:                                  "body",
		`{"body": null}`:                      "body",
		`{"body": 1, "event": "a\r\nX-Y: b"}`: "event",
		`{"body": 1, "event": "käse"}`:        "event",
		`{"body": 1, "event": "` + strings.Repeat("x", 129) + `"}`: "event",
	} {
		_, err := create(t, c, item("gong/calls/7", attributes))
		if err == nil || err.Code != plugin.CodeInvalidRecord || err.Attribute != attribute || err.Uncertain {
			t.Errorf("%.60s: %+v, want %s about %s", attributes, err, plugin.CodeInvalidRecord, attribute)
		}
	}
	if n := len(r.deliveries()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://example.com/hook":    true,
		"http://127.0.0.1:8080/hook":  true,
		"http://[::1]/hook":           true,
		"http://localhost/hook":       true,
		"http://10.0.0.1/hook":        false,
		"http://example.com/hook":     false,
		"ftp://example.com/hook":      false,
		"example.com/hook":            false,
		"https://me:pw@example.com/":  false,
		"https://example.com/?a=%zz":  false,
		"https://example.com/#s3cret": false,
	} {
		_, err := webhook.New().Configure(t.Context(), &plugin.ConfigureRequest{Config: config(t, address, nil)})
		if e := plugin.AsError(err); (e == nil) != ok || e != nil && (e.Attribute != "url" || strings.Contains(e.Message, "s3cret")) {
			t.Errorf("%s: %+v", address, e)
		}
	}
	insecure := config(t, "http://example.com/hook", map[string]any{"insecure": true})
	if _, err := webhook.New().Configure(t.Context(), &plugin.ConfigureRequest{Config: insecure}); err != nil {
		t.Errorf("http with insecure: %v", err)
	}
}
