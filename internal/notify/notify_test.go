package notify

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

var updateGolden = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func at(clock string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-24 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

func verdict(id, title string, reason activities.Reason, detail string) activities.Verdict {
	return activities.Verdict{
		Pending: activities.Pending{ID: id, Time: at("10:30:00")}, State: activities.Rejected, Reason: reason, Detail: detail,
		Title: title, URL: "https://app.gong.io/call?id=" + id, External: []string{"pat@acme.example"},
	}
}

// notices are one notice of each kind. What they hold is as awkward as real meetings are.
func notices() map[string]activities.Notice {
	run := activities.Run{
		Owner: activities.Owner{WorkflowID: "sync/gong_meetings-2026-11-24T23:00:00Z", FirstRunID: "first"}, RunID: "last",
		Started: at("23:00:00"), Ended: at("23:01:30"), From: at("00:00:00"), To: at("23:00:00"),
	}
	base := activities.Notice{
		Job: "gong_meetings", Summary: "Gong meetings become Totango touchpoints", Run: run,
		URL: "http://127.0.0.1:8233/namespaces/default/workflows/sync%2Fgong_meetings/last",
	}

	failed := base
	failed.Kind, failed.Run.Outcome = plan.NoticeFailed, activities.Failed
	failed.Run.Error = "gong.acme: Gong does not accept the access key; an administrator sees the keys under Company settings"

	partial := base
	partial.Kind, partial.Run.Outcome = plan.NoticeFailed, activities.Partial
	partial.Run.Counts = activities.Counts{Listed: 8, Known: 3, New: 5, Created: 4, Failed: 1}

	skipped := base
	skipped.Kind, skipped.Run.Outcome, skipped.URL, skipped.Summary = plan.NoticeFailed, activities.Skipped, "", ""
	skipped.Run.From, skipped.Run.To = time.Time{}, time.Time{}

	rejected := base
	rejected.Kind, rejected.Run.Outcome, rejected.NewRejects = plan.NoticeRejected, activities.CompletedWithRejects, 3
	rejected.Run.Counts = activities.Counts{Listed: 1320, Known: 20, New: 1300, Created: 1240, Rejected: 57, Deferred: 3}
	rejected.Rejects = []activities.Verdict{
		verdict("1", "Acme <> Vendor: <!channel> Q3 & Q4", activities.ReasonUnresolved, "account id not resolved: the destination knows none of the 2 participants from outside"),
		verdict("2", "Größe: Überblick\r\nBcc: everybody@example.com", activities.ReasonInternalOnly, ""),
		verdict("3", "", activities.ReasonRefused, "Totango says: "+strings.Repeat("the subject is too long ", 40)),
	}
	rejected.Rejects[1].URL = "javascript:alert(1)"

	empty := base
	empty.Kind, empty.Run.Outcome = plan.NoticeEmpty, activities.Completed
	return map[string]activities.Notice{"failed": failed, "partial": partial, "skipped": skipped, "rejected": rejected, "empty": empty}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	mail, err := newEmail(json.RawMessage(mailConfig), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range notices() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name+".slack.json", indented(t, slackOf(compose(&n))))
			golden(t, name+".json", indented(t, jsonOf(&n)))
			golden(t, name+".eml", strings.ReplaceAll(string(mail.compose(&n)), "\r\n", "\n"))
		})
	}
}

func indented(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSlackLimits fills a message to the brim: Slack refuses the whole of one whose parts are too long.
func TestSlackLimits(t *testing.T) {
	t.Parallel()
	n := notices()["rejected"]
	n.Job = strings.Repeat("j", 300)
	n.Run.Error = strings.Repeat("<&>", 5000)
	for range 50 {
		n.Rejects = append(n.Rejects, verdict("9", strings.Repeat("<t>", 500), activities.ReasonRefused, strings.Repeat("&", 5000)))
	}
	m := slackOf(compose(&n))
	for _, b := range m.Blocks {
		limit := maxSlackSection
		if b.Type == "header" {
			limit = maxSlackHeader
		}
		if b.Text != nil && len([]rune(b.Text.Text)) > limit {
			t.Errorf("a %s of %d characters", b.Type, len([]rune(b.Text.Text)))
		}
		if len(b.Fields) > 10 {
			t.Errorf("%d fields", len(b.Fields))
		}
	}
	if len(m.Blocks) > 50 || len([]rune(m.Text)) > 40_000 {
		t.Errorf("%d blocks, %d characters of text", len(m.Blocks), len([]rune(m.Text)))
	}
}

func TestIDNamesTheNotice(t *testing.T) {
	t.Parallel()
	n := notices()["failed"]
	again := n
	again.Run.RunID, again.URL = "another execution of the chain", ""
	if idOf(&n) != idOf(&again) {
		t.Error("the same notice has two ids")
	}
	other := n
	other.Run.Owner.FirstRunID = "second"
	rejected := n
	rejected.Kind = plan.NoticeRejected
	if idOf(&n) == idOf(&other) || idOf(&n) == idOf(&rejected) {
		t.Error("two notices have one id")
	}
}

func TestUnknownNotifier(t *testing.T) {
	t.Parallel()
	all, err := New(map[string]json.RawMessage{"webhook.ops": json.RawMessage(`{"url":"https://example.com/hook"}`)})
	if err != nil {
		t.Fatal(err)
	}
	err = all.Notify(t.Context(), "webhook.opps", notices()["failed"])
	e := plugin.AsError(err)
	if e == nil || e.Code != plugin.CodeInvalidConfig || e.Retryable || !strings.Contains(e.Message, "only webhook.ops") {
		t.Errorf("got %v", err)
	}
}

func TestMistakesInConfigurations(t *testing.T) {
	t.Parallel()
	const address = `"host":"smtp.example.com","from":"a@example.com","to":["b@example.com"]`
	tests := map[string]struct {
		notifier, config string
		attribute        string // empty if the configuration is fine
	}{
		"webhook":                {"webhook.a", `{"url":"https://hooks.example.com/hunter2?sig=hunter2"}`, ""},
		"local webhook":          {"webhook.a", `{"url":"http://127.0.0.1:1/x","format":"json","headers":{"Authorization":"Bearer hunter2"}}`, ""},
		"no url":                 {"webhook.a", `{}`, "url"},
		"no host":                {"webhook.a", `{"url":"https:///hunter2"}`, "url"},
		"half a url":             {"webhook.a", `{"url":"hooks.example.com/hunter2"}`, "url"},
		"no url at all":          {"webhook.a", `{"url":"https://hooks.example.com/%zzhunter2"}`, "url"},
		"in the clear":           {"webhook.a", `{"url":"http://hooks.example.com/hunter2"}`, "url"},
		"with a password":        {"webhook.a", `{"url":"https://me:hunter2@hooks.example.com/"}`, "url"},
		"unknown format":         {"webhook.a", `{"url":"https://hooks.example.com/","format":"teams"}`, "format"},
		"header with a newline":  {"webhook.a", `{"url":"https://hooks.example.com/","headers":{"X-Key":"hunter2\r\nX-More: 1"}}`, "headers"},
		"header of ours":         {"webhook.a", `{"url":"https://hooks.example.com/","headers":{"content-type":"hunter2"}}`, "headers"},
		"url is a list":          {"webhook.a", `{"url":["hunter2"]}`, "url"},
		"mail":                   {"email.a", `{` + address + `}`, ""},
		"mail with names":        {"email.a", `{"host":"smtp.example.com","from":"Durasync <a@example.com>","to":["Ops <b@example.com>","c@example.com"],"port":465}`, ""},
		"mail by IPv6":           {"email.a", `{"host":"::1","from":"a@example.com","to":["b@example.com"]}`, ""},
		"internal relay":         {"email.a", `{` + address + `,"starttls":false,"port":25}`, ""},
		"password in the clear":  {"email.a", `{` + address + `,"starttls":false,"username":"u","password":"hunter2"}`, "starttls"},
		"password without user":  {"email.a", `{` + address + `,"password":"hunter2"}`, "username"},
		"port out of range":      {"email.a", `{` + address + `,"port":70000}`, "port"},
		"host with a port":       {"email.a", `{"host":"smtp.example.com:587","from":"a@example.com","to":["b@example.com"]}`, "host"},
		"nobody to send to":      {"email.a", `{"host":"smtp.example.com","from":"a@example.com","to":[]}`, "to"},
		"somebody without an at": {"email.a", `{"host":"smtp.example.com","from":"a@example.com","to":["b@example.com","hunter2"]}`, "to"},
		"injected header":        {"email.a", `{"host":"smtp.example.com","from":"a@example.com\r\nBcc: x@example.com","to":["b@example.com"]}`, "from"},
		"unknown type":           {"pager.a", `{}`, "type"},
		"unknown attribute":      {"email.a", `{` + address + `,"hunter2":1}`, "attributes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(map[string]json.RawMessage{test.notifier: json.RawMessage(test.config)})
			if test.attribute == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *plugin.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a mistake", err)
			}
			if e.Code != plugin.CodeInvalidConfig || !strings.Contains(e.Message, test.attribute) || !strings.HasPrefix(e.Message, "notifier "+test.notifier+": ") {
				t.Errorf("%s: %s", e.Code, e.Message)
			}
			if e.Attribute != "" && e.Attribute != test.attribute {
				t.Errorf("attribute %q, want %q", e.Attribute, test.attribute)
			}
			if strings.Contains(e.Message, "hunter2") {
				t.Errorf("a secret is shown: %s", e.Message)
			}
		})
	}
}

const mailConfig = `{"host":"smtp.example.com","from":"Durasync <sync@vendor.example>","to":["Ops Team <ops@vendor.example>","lee@vendor.example"]}`
