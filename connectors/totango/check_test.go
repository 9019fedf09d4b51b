package totango_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/plugin"
)

func TestCheck(t *testing.T) {
	s := connect(t, totangotest.Options{}, nil)
	resp, err := s.Check(t.Context(), &plugin.CheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(resp.Summary, "Totango at 127.0.0.1:") || !strings.HasSuffix(resp.Summary, ", 5 touchpoint types") || resp.Requests != 1 {
		t.Errorf("answer %+v", resp)
	}
	s.mustCreate(s.item(nil))
	if n := s.Requests(totangotest.TouchpointTypes); n != 1 {
		t.Errorf("the types were read %d times; the check has them already", n)
	}
	s.Inject(totangotest.Fault{Kind: totangotest.BadGateway})
	if _, err = s.Check(t.Context(), &plugin.CheckRequest{}); s.fault(err).Code != plugin.CodeUnavailable {
		t.Errorf("a check with an old answer: %v", err)
	}
}

func TestCheckFailures(t *testing.T) {
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<!doctype html><title>Welcome</title>"))
		}
	}
	body := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}
	}
	tests := map[string]struct {
		handler   http.Handler
		code      plugin.Code
		attribute string
		says      string
	}{
		"bad token":          {totangotest.New(totangotest.Options{Tokens: []string{"other"}}), plugin.CodeUnauthenticated, "app_token", "Create Token"},
		"bad token with 200": {body(200, `{"error":{"type":"authentication_failed","message":"no"}}`), plugin.CodeUnauthenticated, "app_token", "Create Token"},
		"not allowed":        {body(403, `{}`), plugin.CodePermissionDenied, "app_token", "global administrator"},
		"web page":           {page(200), plugin.CodeInvalidConfig, "base_url", "does not answer like Totango"},
		"web page, 404":      {page(404), plugin.CodeInvalidConfig, "base_url", "does not answer like Totango"},
		"other API":          {body(404, `{}`), plugin.CodeInvalidConfig, "base_url", "does not answer like Totango"},
		"redirect":           {http.RedirectHandler("https://login.example/", http.StatusFound), plugin.CodeInvalidConfig, "base_url", "login.example"},
		"error of the API":   {body(200, `{"errors":["broken"]}`), plugin.CodeInvalidRequest, "", "broken"},
		"another shape":      {body(200, `{"types":[]}`), plugin.CodeInternal, "", "unknown form"},
		"overloaded":         {body(503, `{}`), plugin.CodeUnavailable, "", "503"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := httptest.NewServer(tt.handler)
			t.Cleanup(h.Close)
			c := totango.New()
			_, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: encode(t, map[string]any{"app_token": token, "base_url": h.URL + "/"})})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Check(t.Context(), &plugin.CheckRequest{})
			e := (&tenant{t: t}).fault(err)
			if e.Code != tt.code || e.Attribute != tt.attribute || !strings.Contains(e.Message, tt.says) || e.Requests != 1 {
				t.Errorf("error %+v, want %s on %q saying %q", e, tt.code, tt.attribute, tt.says)
			}
		})
	}
}

func TestCheckWithoutConnection(t *testing.T) {
	h := httptest.NewServer(http.NotFoundHandler())
	address := h.URL
	h.Close()
	c := totango.New()
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: encode(t, map[string]any{"app_token": token, "base_url": address})}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Check(t.Context(), &plugin.CheckRequest{})
	e := (&tenant{t: t}).fault(err)
	if e.Code != plugin.CodeUnavailable || !e.Retryable || e.Attribute != "base_url" || !strings.Contains(e.Message, "base_url") || e.Requests != 0 {
		t.Errorf("error %+v, want unavailable on base_url", e)
	}
}
