package totango_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/plugin"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestDescribe(t *testing.T) {
	d, err := totango.New().Describe(t.Context(), &plugin.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		t.Fatal(err)
	}
	const file = "testdata/describe.json"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the description differs from %s; run the test with -update if that is meant:\n%s", file, diff)
	}
}

func TestConfigure(t *testing.T) {
	tests := map[string]struct {
		config    string
		want      *plugin.ConfigureResponse
		attribute string // of the error
	}{
		"least": {
			config: `{"app_token":"t"}`,
			want: &plugin.ConfigureResponse{
				RateLimits: []plugin.RateLimit{{Requests: 100, Per: time.Minute}}, WriteTimeout: 20 * time.Second, SearchLag: 30 * time.Second,
			},
		},
		"all": {
			config: `{"app_token":" t\n","region":"eu","requests_per_minute":50,"content_format":"html","search_lag":"2m","write_timeout":"45s","disable_sync":true}`,
			want: &plugin.ConfigureResponse{
				RateLimits: []plugin.RateLimit{{Requests: 50, Per: time.Minute}}, WriteTimeout: 45 * time.Second, SearchLag: 2 * time.Minute,
			},
		},
		"no limits": {
			config: `{"app_token":"t","requests_per_minute":"0","search_lag":"0s"}`,
			want:   &plugin.ConfigureResponse{WriteTimeout: 20 * time.Second},
		},
		"no token":         {config: `{}`, attribute: "app_token"},
		"blank token":      {config: `{"app_token":"  "}`, attribute: "app_token"},
		"token in pieces":  {config: `{"app_token":"a\nb"}`, attribute: "app_token"},
		"region":           {config: `{"app_token":"t","region":"mars"}`, attribute: "region"},
		"base URL":         {config: `{"app_token":"t","base_url":"api.totango.com"}`, attribute: "base_url"},
		"in the clear":     {config: `{"app_token":"t","base_url":"http://api.totango.com"}`, attribute: "base_url"},
		"negative limit":   {config: `{"app_token":"t","requests_per_minute":-1}`, attribute: "requests_per_minute"},
		"fractional limit": {config: `{"app_token":"t","requests_per_minute":1.5}`, attribute: "requests_per_minute"},
		"format":           {config: `{"app_token":"t","content_format":"markdown"}`, attribute: "content_format"},
		"nameless team":    {config: `{"app_token":"t","team_attributes":["Success Manager"," "]}`, attribute: "team_attributes"},
		"lag":              {config: `{"app_token":"t","search_lag":"soon"}`, attribute: "search_lag"},
		"negative lag":     {config: `{"app_token":"t","search_lag":"-1s"}`, attribute: "search_lag"},
		"write timeout":    {config: `{"app_token":"t","write_timeout":"10ms"}`, attribute: "write_timeout"},
		"no object":        {config: `[]`, attribute: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := totango.New().Configure(t.Context(), &plugin.ConfigureRequest{Config: json.RawMessage(tt.config)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.want != nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := plugin.AsError(err)
			if e == nil || e.Code != plugin.CodeInvalidConfig || e.Attribute != tt.attribute || e.Retryable {
				t.Errorf("error %+v, want invalid_config on %q", e, tt.attribute)
			}
		})
	}
}

func TestMethodsNeedConfigurationAndTheRightObject(t *testing.T) {
	c := totango.New()
	calls := map[string]func() error{
		"create unconfigured": func() error {
			_, err := c.Create(t.Context(), &plugin.CreateRequest{Object: "touchpoint", Items: []plugin.Item{{}}})
			return err
		},
		"check unconfigured": func() error { _, err := c.Check(t.Context(), &plugin.CheckRequest{}); return err },
		"resolve another object": func() error {
			_, err := c.Resolve(t.Context(), &plugin.ResolveRequest{Object: "task"})
			return err
		},
		"find another object": func() error { _, err := c.Find(t.Context(), &plugin.FindRequest{Object: "task"}); return err },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			if e := plugin.AsError(call()); e == nil || e.Code != plugin.CodeInvalidRequest {
				t.Errorf("error %+v, want invalid_request", e)
			}
		})
	}
}
