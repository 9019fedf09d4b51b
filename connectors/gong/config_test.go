package gong_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestDescriptionIsTheGoldenOne(t *testing.T) {
	d, err := gong.New().Describe(t.Context(), &plugin.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
	got, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "describe.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("description (-want +got); run with -update if it is meant:\n%s", diff)
	}
}

func TestConfigure(t *testing.T) {
	second, day := time.Second, 24*time.Hour
	per := func(n int, d time.Duration) plugin.RateLimit { return plugin.RateLimit{Requests: n, Per: d} }
	tests := []struct {
		name      string
		config    string
		limits    []plugin.RateLimit
		attribute string // of the error; empty for none
	}{
		{"defaults", `{"access_key":"k","access_key_secret":"s"}`, []plugin.RateLimit{per(3, second), per(10000, day)}, ""},
		{"no limits", `{"access_key":"k","access_key_secret":"s","requests_per_second":0,"requests_per_day":0}`, nil, ""},
		{"fractions", `{"access_key":"k","access_key_secret":"s","requests_per_second":2.5,"requests_per_day":0}`,
			[]plugin.RateLimit{per(1, 400*time.Millisecond)}, ""},
		{"less than one", `{"access_key":"k","access_key_secret":"s","requests_per_second":0.5,"requests_per_day":0}`,
			[]plugin.RateLimit{per(1, 2*second)}, ""},
		{"int as digits", `{"access_key":"k","access_key_secret":"s","requests_per_second":5,"requests_per_day":"20000"}`,
			[]plugin.RateLimit{per(5, second), per(20000, day)}, ""},
		{"nulls are defaults", `{"access_key":"k","access_key_secret":"s","base_url":null,"workspace_id":null,"requests_per_second":null,
			"requests_per_day":null}`, []plugin.RateLimit{per(3, second), per(10000, day)}, ""},
		{"no key", `{"access_key":" ","access_key_secret":"s"}`, nil, "access_key"},
		{"no secret", `{"access_key":"k"}`, nil, "access_key_secret"},
		{"both in one", `{"access_key":"k:s","access_key_secret":"s"}`, nil, "access_key"},
		{"plain http", `{"access_key":"k","access_key_secret":"s","base_url":"http://api.gong.io"}`, nil, "base_url"},
		{"with the version", `{"access_key":"k","access_key_secret":"s","base_url":"https://api.gong.io/v2/"}`, nil, "base_url"},
		{"no URL", `{"access_key":"k","access_key_secret":"s","base_url":"us-12345"}`, nil, "base_url"},
		{"negative rate", `{"access_key":"k","access_key_secret":"s","requests_per_second":-1}`, nil, "requests_per_second"},
		{"negative budget", `{"access_key":"k","access_key_secret":"s","requests_per_day":-1}`, nil, "requests_per_day"},
		{"half a request", `{"access_key":"k","access_key_secret":"s","requests_per_day":1.5}`, nil, "requests_per_day"},
		{"workspace by name", `{"access_key":"k","access_key_secret":"s","workspace_id":"Main"}`, nil, "workspace_id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := gong.New().Configure(t.Context(), &plugin.ConfigureRequest{Config: json.RawMessage(tt.config)})
			if tt.attribute != "" {
				if e := errorOf(t, err, plugin.CodeInvalidConfig, tt.attribute); e.Attribute != tt.attribute {
					t.Errorf("the error is about %q, want %q", e.Attribute, tt.attribute)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.limits, resp.RateLimits); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigurationThatIsNoObjectIsNotQuoted(t *testing.T) {
	_, err := gong.New().Configure(t.Context(), &plugin.ConfigureRequest{Config: json.RawMessage(`{"access_key":{"x":"hunter2"}}`)})
	if e := errorOf(t, err, plugin.CodeInvalidConfig); strings.Contains(e.Message, "hunter2") {
		t.Errorf("the message shows a value: %s", e.Message)
	}
}

func TestNothingWorksBeforeConfigure(t *testing.T) {
	c := gong.New()
	_, errCheck := c.Check(t.Context(), &plugin.CheckRequest{})
	_, errList := c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(1), To: noon})
	_, errRead := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{"1"}})
	for _, err := range []error{errCheck, errList, errRead} {
		wantError(t, err, plugin.CodeInvalidRequest, "not configured")
	}
}

func TestKeysFromFilesMayEndWithALineBreak(t *testing.T) {
	c := connect(t, gongtest.New(gongtest.Options{}), "access_key", gongtest.AccessKey+"\n", "access_key_secret", gongtest.AccessKeySecret+"\r\n")
	if _, err := c.Check(t.Context(), &plugin.CheckRequest{}); err != nil {
		t.Error(err)
	}
}

func TestCheckNamesWhatItReached(t *testing.T) {
	two := []gongtest.Workspace{{ID: "1", Name: "Main"}, {ID: "2", Name: "EMEA", Description: "Europe"}}
	tests := []struct {
		name, workspace string
		workspaces      []gongtest.Workspace
		want            string
	}{
		{"one", "", nil, "workspace Main (623457276584334) at "},
		{"two", "", two, "workspaces Main (1), EMEA (2) at "},
		{"the chosen one", "2", two, "workspace EMEA (2) at "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			company := gongtest.New(gongtest.Options{Workspaces: tt.workspaces})
			resp, err := connect(t, company, "workspace_id", tt.workspace).Check(t.Context(), &plugin.CheckRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(resp.Summary, tt.want) || resp.Requests != 1 || company.Count("") != 1 {
				t.Errorf("got %q with %d requests, of which %d arrived", resp.Summary, resp.Requests, company.Count(""))
			}
		})
	}
}

func TestCheckRefusesAnUnknownWorkspace(t *testing.T) {
	_, err := connect(t, gongtest.New(gongtest.Options{}), "workspace_id", "7").Check(t.Context(), &plugin.CheckRequest{})
	if e := errorOf(t, err, plugin.CodeInvalidConfig, "7", "Main (623457276584334)"); e.Attribute != "workspace_id" {
		t.Errorf("the error is about %q", e.Attribute)
	}
}

func TestCheckFallsBackToCallsForAKeyThatMayNotListWorkspaces(t *testing.T) {
	key := gongtest.Key{AccessKey: gongtest.AccessKey, Secret: gongtest.AccessKeySecret, Scopes: []string{gongtest.ScopeCallsExtensive}}
	company := gongtest.New(gongtest.Options{Keys: []gongtest.Key{key}})
	resp, err := connect(t, company).Check(t.Context(), &plugin.CheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Requests != 2 || !strings.HasPrefix(resp.Summary, "calls at ") {
		t.Errorf("got %q with %d requests", resp.Summary, resp.Requests)
	}
}

// Pitfall 13: Gong answers 401 for a bad key, for a missing scope and at the wrong host.
func TestThreeCausesOf401AreToldApart(t *testing.T) {
	key := gongtest.Key{AccessKey: gongtest.AccessKey, Secret: gongtest.AccessKeySecret}
	scoped := key
	scoped.Scopes = []string{gongtest.ScopeUsers}
	forbidden := key
	forbidden.Forbidden = true
	expired := key
	expired.Expires = hoursAgo(1)

	tests := []struct {
		name   string
		opts   gongtest.Options
		secret string
		code   plugin.Code
		says   []string
	}{
		{"bad key", gongtest.Options{}, "wrong", plugin.CodeUnauthenticated, []string{"127.0.0.1:", "access_key_secret", "base_url", "Validate credentials failed"}},
		{"expired key", gongtest.Options{Keys: []gongtest.Key{expired}, Clock: newClock(noon).now}, "", plugin.CodeUnauthenticated, []string{"expired"}},
		{"wrong host", gongtest.Options{WrongHost: true}, "", plugin.CodeUnauthenticated, []string{"127.0.0.1:", "host of other companies", "base_url"}},
		{"missing scope", gongtest.Options{Keys: []gongtest.Key{scoped}}, "", plugin.CodePermissionDenied,
			[]string{"api:calls:read:extensive", "adds this scope"}},
		{"untrusted address", gongtest.Options{Keys: []gongtest.Key{forbidden}}, "", plugin.CodePermissionDenied, []string{"trusted IP"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secret := gongtest.AccessKeySecret
			if tt.secret != "" {
				secret = tt.secret
			}
			c := connect(t, gongtest.New(tt.opts), "access_key_secret", secret)
			_, err := c.Check(t.Context(), &plugin.CheckRequest{})
			if e := errorOf(t, err, tt.code, tt.says...); e.Retryable || e.Requests == 0 {
				t.Errorf("retryable %v, %d requests", e.Retryable, e.Requests)
			}
			_, err = c.List(t.Context(), &plugin.ListRequest{Stream: "calls", From: hoursAgo(1), To: noon})
			wantError(t, err, tt.code, tt.says...)
		})
	}
}
