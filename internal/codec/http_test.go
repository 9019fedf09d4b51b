package codec

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/testing/protocmp"
)

const uiOrigin = "http://127.0.0.1:8233"

func TestHandlerDecodesForTheSDK(t *testing.T) {
	srv := httptest.NewServer(New(nil).Handler(ServerOptions{Origins: []string{uiOrigin}}))
	t.Cleanup(srv.Close)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{Endpoint: srv.URL + "/codec"})

	want := []*commonpb.Payload{
		{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"` + strings.Repeat("long ", 1000) + `"`)},
		{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"short"`)},
	}
	encoded, err := remote.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(encoded[0].GetMetadata()["encoding"]); got != "binary/zlib" {
		t.Errorf("encoding = %q, want %q", got, "binary/zlib")
	}
	got, err := remote.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHandlerAnswersBrowsers(t *testing.T) {
	const empty = `{"payloads":[]}`
	for name, tc := range map[string]struct {
		method, path, origin, body string
		wantStatus                 int
		wantAllowed                string // Access-Control-Allow-Origin
	}{
		"preflight of the web UI": {http.MethodOptions, "/decode", uiOrigin, "", http.StatusNoContent, uiOrigin},
		"call of the web UI":      {http.MethodPost, "/decode", uiOrigin, empty, http.StatusOK, uiOrigin},
		"preflight of a stranger": {http.MethodOptions, "/decode", "https://evil.example", "", http.StatusForbidden, ""},
		"call of a stranger":      {http.MethodPost, "/decode", "https://evil.example", empty, http.StatusForbidden, ""},
		"another port":            {http.MethodPost, "/decode", "http://127.0.0.1:9999", empty, http.StatusForbidden, ""},
		"no browser":              {http.MethodPost, "/decode", "", empty, http.StatusOK, ""},
		"no JSON":                 {http.MethodPost, "/decode", uiOrigin, "}", http.StatusBadRequest, uiOrigin},
		"unknown path":            {http.MethodPost, "/other", uiOrigin, empty, http.StatusNotFound, uiOrigin},
	} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
			if tc.origin != "" {
				req.Header.Set("Origin", tc.origin)
			}
			rec := httptest.NewRecorder()
			New(nil).Handler(ServerOptions{Origins: []string{uiOrigin}}).ServeHTTP(rec, req)
			if rec.Code != tc.wantStatus {
				t.Errorf("status = %d, want %d: %s", rec.Code, tc.wantStatus, rec.Body)
			}
			if got := rec.Header().Get("Access-Control-Allow-Origin"); got != tc.wantAllowed {
				t.Errorf("Access-Control-Allow-Origin = %q, want %q", got, tc.wantAllowed)
			}
		})
	}
}
