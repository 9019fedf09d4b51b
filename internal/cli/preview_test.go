package cli

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema"
)

// records are one of each kind.
func records() []activities.PreviewRecord {
	return []activities.PreviewRecord{
		{
			ID: "7001", Time: at("09:30:00"), Title: "Quarterly business review with everybody who has a say in it", Host: "hana@vendor.example",
			URL: "https://us-1.app.gong.io/call?id=7001", State: activities.Claimed, Target: "acc-1", TargetName: "Acme",
			Participants: []string{"pat@acme.example", "lee@acme.example", "kim@beta.example"},
			Losers:       []activities.Candidate{{ID: "acc-2", Name: "Beta", Matched: 1, KeyContacts: 1}, {ID: "acc-3", Matched: 1, Host: true}},
			Attributes: json.RawMessage(`{"tags":["QBR","2026"],"subject":"Quarterly business review","flow":null,"content":` +
				`"Meeting brief:\nThey talked about <b>everything</b> & more, for as long as it takes to fill a line and then some.\n\nKey points:\n- One.\n- Two is a point that is longer than what a line of the screen can hold."}`),
		},
		{ID: "7002", Time: at("09:00:00"), Title: "山田精密工業 定例会議 \x1b[31mred", Host: "claire@vendor.example", State: activities.Delivered,
			Detail: "it is in the destination already", Target: "acc-9", TargetName: "山田精密工業", Attributes: json.RawMessage(`{"subject":"x","minutes":30}`)},
		{ID: "7003", Time: at("08:30:00"), Title: "Intro", Host: "hana@vendor.example", State: activities.Rejected, Reason: activities.ReasonUnresolved,
			Detail: "account id not resolved", Participants: []string{"nobody@stranger.example", "none@stranger.example"}},
		{ID: "7004", Time: at("08:15:00"), Title: "Team stand-up", Host: "hana@vendor.example", State: activities.Rejected, Reason: activities.ReasonInternalOnly},
		{ID: "7005", Time: at("08:10:00"), Title: "Too long", State: activities.Rejected, Reason: activities.ReasonRefused, Target: "acc-1", TargetName: "Acme",
			Detail: "there is no touchpoint type \"Webinar\""},
		{ID: "7006", Time: at("08:00:00"), State: activities.Deferred, Reason: activities.ReasonNotReady, Detail: "no brief yet; it is waited for until 2026-03-03 08:00:00 UTC"},
	}
}

func aPreview(list ...activities.PreviewRecord) *preview {
	return &preview{
		startedRun: startedRun{WorkflowID: "preview/meetings-1", RunID: "r", URL: "http://127.0.0.1:8233/namespaces/default/workflows/preview/r"},
		Job:        "meetings", Description: "Meetings become touchpoints", Source: "gong.acme calls", Destination: "totango.success touchpoint",
		SourceReached: "workspace Sales", DestinationReached: "Totango", Records: list, plan: aPlan(), when: at("10:00:00"),
	}
}

func TestPreviewScreen(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{})
	aPreview(records()...).show(a)
	golden(t, "preview.txt", out.String())
	narrowEnough(t, out.String())
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a title steers the terminal")
	}

	a, out = screen(Options{})
	aPreview().show(a)
	golden(t, "preview_none.txt", out.String())
}

// narrowEnough checks that no line is wider than a terminal of 80 columns, counting characters that take two.
func narrowEnough(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := columns(strings.TrimRight(line, "\n")); n > 80 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// Programs get every record as it is, and a list when there is none.
func TestPreviewJSON(t *testing.T) {
	t.Parallel()
	a, out := screen(Options{Args: []string{"--json"}})
	if err := a.reportPreview(aPreview(records()...), ""); err != nil {
		t.Fatal(err)
	}
	var got struct{ Records []activities.PreviewRecord }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := records()
	for _, list := range [][]activities.PreviewRecord{got.Records, want} {
		for i := range list {
			list[i].Attributes = compact(t, list[i].Attributes)
		}
	}
	if diff := cmp.Diff(want, got.Records); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func compact(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	if raw == nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The page holds everything, escapes what comes from other systems, needs nothing from elsewhere, and is written as a whole.
func TestPreviewPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "preview.html")
	for range 2 { // an older page is replaced
		if err := aPreview(records()...).writeHTML(path); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	golden(t, "preview.html", page)
	for _, text := range []string{"&lt;b&gt;everything&lt;/b&gt; &amp; more", "acc-2", "nobody@stranger.example", "山田精密工業", "Nothing was written"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	for _, text := range []string{"<script", "<link", "url(", "@import", "<b>"} {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q", text)
		}
	}
	if !utf8.ValidString(page) {
		t.Error("the page is not UTF-8")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files beside the page: %v, %v", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read what was said in meetings: %v, %v", info, err)
	}
}

func TestPreviewPageCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"no such directory": filepath.Join(dir, "nowhere", "p.html"), "a directory": taken} {
		err := aPreview().writeHTML(path)
		if err == nil || classify(err).exit != ExitEnvironment || !strings.Contains(err.Error(), "web page cannot be written") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something is left behind: %v, %v", entries, err)
	}
}

// What real records say of a job. It fails if it can write none of those that it would have to.
func TestJudge(t *testing.T) {
	t.Parallel()
	all := records()
	filtered := activities.PreviewRecord{ID: "1", Title: "Internal", State: activities.Rejected, Reason: activities.ReasonFiltered}
	broken := activities.PreviewRecord{ID: "2", Title: "Odd", State: activities.Rejected, Reason: activities.ReasonRender, Detail: "map.subject: x is null"}
	for name, tc := range map[string]struct {
		preview *preview
		err     error
		code    schema.Code
		exit    int
		words   []string
	}{
		"one is written":       {aPreview(all...), nil, "", 0, nil},
		"one is there already": {aPreview(all[1], all[2]), nil, "", 0, nil},
		"none is resolved": {aPreview(all[2], all[3], all[5]), nil, codeUnresolved, ExitInvalid,
			[]string{"Account id not resolved in job meetings", "None of the 2 records", "Intro", "nobody@stranger.example, none@stranger.example", "Team stand-up"}},
		"all are refused": {aPreview(all[4]), nil, codeNoneUsable, ExitInvalid, []string{"Too long", `no touchpoint type "Webinar"`}},
		"all fail":        {aPreview(broken, broken), nil, codeNoneUsable, ExitInvalid, []string{"map.subject: x is null"}},
		"none is ready":   {aPreview(all[5]), nil, codeNoRecord, 0, []string{"1 deferred"}},
		"none is wanted":  {aPreview(filtered, filtered), nil, codeNoRecord, 0, []string{"where condition", "2 rejected"}},
		"no records":      {aPreview(), nil, codeNoRecord, 0, []string{"no records at all", "permission"}},
		"a wrong key": {nil, previewError("meetings", temporal.NewNonRetryableApplicationError("gong.acme: not accepted",
			string(plugin.CodeUnauthenticated), nil)), schema.CodeEnvironment, ExitEnvironment, []string{"gong.acme: not accepted"}},
		"a wrong setting": {nil, previewError("meetings", temporal.NewNonRetryableApplicationError("totango.success: there is no such flow",
			string(plugin.CodeInvalidConfig), nil)), "invalid_config", ExitInvalid, []string{"no such flow"}},
		"no worker":  {nil, unserved("gong.acme"), schema.CodeEnvironment, ExitEnvironment, []string{"durasync worker"}},
		"who knows?": {nil, errors.New("connection lost"), schema.CodeEnvironment, ExitEnvironment, []string{"Connection lost."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := judge("meetings", tc.preview, tc.err)
			var code schema.Code
			text := ""
			for _, d := range c.diags {
				code, text = d.Code, d.Summary+"\n"+d.Detail
			}
			exit := 0
			if err := c.diags.Err(); err != nil {
				exit = classify(err).exit
			}
			if code != tc.code || exit != tc.exit || c.Valid != (exit == 0) || len(c.diags) > 1 {
				t.Errorf("code %q, exit %d, valid %v; want %q, %d\n%s", code, exit, c.Valid, tc.code, tc.exit, text)
			}
			for _, w := range tc.words {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in\n%s", w, text)
				}
			}
		})
	}
}

func TestConnectScreen(t *testing.T) {
	t.Parallel()
	all := records()
	a, out := screen(Options{})
	diags := slices.Concat(judge("meetings", aPreview(all[2], all[3]), nil).diags, judge("others", aPreview(), nil).diags)
	err := a.show(diags)
	golden(t, "connect.txt", out.String())
	narrowEnough(t, out.String())
	if classify(err).exit != ExitInvalid {
		t.Errorf("%v", err)
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		n    int
		want string
	}{
		{"short", 10, "short"},
		{"exactly10!", 10, "exactly10!"},
		{"a little too long", 10, "a little…"},
		{"山田精密工業", 12, "山田精密工業"},
		{"山田精密工業", 8, "山田精…"},
		{"two\nlines\tand\x1b[31m", 30, "two lines and�[31m"},
		{"e\u0301te\u0301", 3, "e\u0301te\u0301"},
	} {
		if got := clip(tc.text, tc.n); got != tc.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tc.text, tc.n, got, tc.want)
		}
	}
}
