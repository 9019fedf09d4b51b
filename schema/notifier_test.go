package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadNotifiersWithSecrets(t *testing.T) {
	fsys := dir("n.hcl", `
notifier "webhook" "ops" {
  description = "The operations channel"
  url         = "https://hooks.example.com/${env("TOTANGO_APP_TOKEN")}"
}

notifier "webhook" "program" {
  url    = env("WEBHOOK_URL")
  format = "json"
  headers = {
    X-Source      = "durasync"
    Authorization = "Bearer ${file("token.txt")}"
  }
}

notifier "email" "team" {
  host     = "smtp.example.com"
  port     = env("SMTP_PORT")
  username = "durasync"
  password = env("GONG_ACCESS_KEY")
  from     = "Durasync <durasync@example.com>"
  to       = ["team@example.com", "pat@example.com"]
}

notifier "email" "local" {
  host     = "127.0.0.1"
  from     = "durasync@example.com"
  to       = ["team@example.com"]
  starttls = false
}

notifier "webhook" "wrong" {
  url = env("NUMBER")
}

notifier "webhook" "missing" {
  url = env("EMPTY")
}
`, "token.txt", "t0ken-s3cret\n")
	env := func(name string) (string, bool) {
		if v, ok := map[string]string{"WEBHOOK_URL": "http://127.0.0.1:1/s3cret", "SMTP_PORT": "2525"}[name]; ok {
			return v, true
		}
		return environment(name)
	}
	config, diags := LoadFS(t.Context(), fsys, Options{Describe: describeTest, Env: env})
	var mistakes []string
	for _, d := range diags {
		mistakes = append(mistakes, fmt.Sprintf("%d:%d %s", d.Range.Start.Line, d.Range.Start.Column, d.Code))
	}
	if diff := cmp.Diff([]string{"33:9 invalid_value", "37:9 environment"}, mistakes); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s\n%s", diff, text(t, diags))
	}
	var got []string
	for _, n := range config.Notifiers {
		got = append(got, n.ID()+" "+string(n.Config))
	}
	want := []string{
		`email.local {"host":"127.0.0.1","port":587,"from":"durasync@example.com","to":["team@example.com"],"starttls":false}`,
		`email.team {"host":"smtp.example.com","port":2525,"username":"durasync","password":"key-s3cret",` +
			`"from":"Durasync \u003cdurasync@example.com\u003e","to":["team@example.com","pat@example.com"],"starttls":true}`,
		`webhook.ops {"url":"https://hooks.example.com/token-s3cret","format":"slack"}`,
		`webhook.program {"url":"http://127.0.0.1:1/s3cret","format":"json","headers":{"Authorization":"Bearer t0ken-s3cret","X-Source":"durasync"}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notifiers (-want +got):\n%s", diff)
	}
	if n := config.Notifiers[2]; n.Description != "The operations channel" || n.Range.Start.Line != 2 {
		t.Errorf("description %q at line %d", n.Description, n.Range.Start.Line)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("loaded", "notifier", config.Notifiers[0], "all", config.Notifiers)
	encoded, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	shown := logged.String() + string(encoded) + text(t, diags) + fmt.Sprintf("%v %+v %#v %s", config, config.Notifiers, config.Notifiers, config.Notifiers)
	if strings.Contains(shown, "s3cret") || !strings.Contains(shown, "webhook.ops") {
		t.Errorf("a secret is shown, or nothing:\n%s", shown)
	}
}

func TestNotifiersWithoutEnvironment(t *testing.T) {
	job := strings.TrimSuffix(strings.TrimSpace(minimalJob), "}") + "  notify {\n    to = notifier.webhook.ops\n  }\n}\n"
	config, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL+notifiersHCL, "j.hcl", job), options())
	if len(diags) != 0 || len(config.Jobs) != 1 || len(config.Notifiers) != 2 {
		t.Fatalf("%d jobs, notifiers %v\n%s", len(config.Jobs), config.Notifiers, text(t, diags))
	}
	for _, n := range config.Notifiers {
		if n.Config != nil {
			t.Errorf("%s has a config", n)
		}
	}
}

// A job whose notifier cannot be used is not applied without it, and its neighbours are not touched.
func TestJobsOfInvalidNotifiersAreHeld(t *testing.T) {
	job := strings.TrimSuffix(strings.TrimSpace(minimalJob), "}") + "  notify {\n    to = notifier.webhook.ops\n  }\n}\n"
	other := strings.Replace(minimalJob, `"meetings"`, `"other"`, 1)
	config, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL+`
notifier "webhook" "ops" {
  format = "slack"
}
`, "j.hcl", job+other), options())
	if len(diags) != 1 || diags[0].Code != CodeMissingAttribute {
		t.Error(text(t, diags))
	}
	if len(config.Jobs) != 1 || config.Jobs[0].Job != "other" || len(config.Notifiers) != 0 {
		t.Errorf("jobs %v, notifiers %v", config.Jobs, config.Notifiers)
	}
}
