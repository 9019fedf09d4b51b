package plugintest_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

// mistakeVariable names the mistake of a connector that runs as a program, or is tested by TestConformance.
const mistakeVariable = "MISTAKE"

func TestMain(m *testing.M) { plugintest.Main(m, &connector{mistake: os.Getenv(mistakeVariable)}) }

func TestConformance(t *testing.T) {
	plugintest.Run(t, harness(t, os.Getenv(mistakeVariable)))
}

const token = "a-secret-token"

// harness is for a connector with a mistake, or with none.
func harness(t *testing.T, mistake string) plugintest.Harness {
	sim := newCRM()
	var keys atomic.Int64
	item := func(attributes string) func() plugin.Item {
		return func() plugin.Item {
			return plugin.Item{Key: fmt.Sprintf("crm/calls/%d", keys.Add(1)), Target: "2", Time: day, Attributes: json.RawMessage(attributes)}
		}
	}
	config := func(limited bool) func(string) json.RawMessage {
		return func(url string) json.RawMessage {
			return fmt.Appendf(nil, `{"base_url": %q, "token": %q, "limited": %t}`, url, token, limited)
		}
	}
	command := plugintest.Self(t)
	command.Env = []string{mistakeVariable + "=" + mistake}
	return plugintest.Harness{
		New:       func() plugin.Connector { return &connector{mistake: mistake} },
		Command:   command,
		System:    sim,
		Config:    config(false),
		Limited:   config(true),
		BadConfig: map[string]json.RawMessage{"base_url": config(false)("nowhere")},
		Source: &plugintest.Source{
			Stream: "calls", From: day, To: day.AddDate(0, 0, 1), Unknown: "77", Private: []string{"4"}, BadToken: "old",
			Want: []plugin.Record{{
				ID: "1", Time: callTime(1), URL: "https://crm.example.com/1", Data: json.RawMessage(`{"id": 18446744073709551611}`),
			}},
		},
		Destination: &plugintest.Destination{
			Object: "note", Item: item(`{"text": "Hello"}`), BadItem: item(`{}`),
			Unwritable: item(fmt.Sprintf(`{"text": %q}`, strings.Repeat("x", 100))),
			Written:    sim.written,
			Known:      []string{"ann@acme.example", "bob@acme.example"}, Unknown: []string{"eve@other.example"},
		},
	}
}

// found is where and how the kit reports a mistake.
type found struct{ rule, says string }

// mistakes are those of connectors that are called directly.
var mistakes = map[string]found{
	"description":             {"describe: valid", "stream calls.max_read: is 0"},
	"version":                 {"describe: stable", "the description changes"},
	"version when configured": {"describe: stable", "when configured it has"},
	"offers":                  {"describe: offers", "it describes 1 streams, and answers to List: false"},
	"no configuration":        {"describe: offers", "Configure: out of order"}, // the first rule that needs one
	"limit of nothing":        {"configure: accepted", "allows nothing"},
	"attribute":               {"configure: refused", `the error about base_url names the attribute ""`},
	"early":                   {"configure: no requests", "Describe and Configure made 1 requests"},
	"no summary":              {"check: summary", "says nothing about what it reached"},

	"no end":         {"list: pages", "has no last page"},
	"tokens at home": {"list: resumes", `List in another process: error "what page?"`},
	"twice":          {"list: entries", "is listed twice"},
	"private listed": {"list: entries", "private record 4 is listed"},
	"from":           {"list: window", `the list from a record's time, inclusive, lacks ["2"]`},
	"to":             {"list: window", `the list up to a record's time, exclusive, lacks [] and has ["2"] too many`},
	"any stream":     {"list: unknown stream", "List: no error, want one of code [invalid_request not_found]"},
	"token":          {"list: expired token", "no error, want one of code [expired]"},
	"time":           {"read: agrees with list", "but is listed with"},
	"half":           {"read: agrees with list", "is listed, but Read leaves it out"},
	"type":           {"read: types", "does not match the description: .id is not of kind int"},
	"float":          {"read: values", "want 18446744073709551611"},
	"forgets fields": {"read: fields", "but null when read alone"},
	"private read":   {"read: left out", `Read("4") returns record "4"`},
	"unknown":        {"read: left out", "not there"},

	"order":              {"create: results", "result 0 is for key"},
	"doubt":              {"create: in doubt", "is not reported as existing"},
	"doubt forgotten":    {"create: still in doubt", "is not uncertain"},
	"existed":            {"create: in doubt", "is not reported as existing"},
	"idempotent":         {"create: idempotent", "2 times, want 1"},
	"refusal":            {"create: refused", "a note has a text"},
	"any object written": {"create: unknown object", "no error, want one of code [invalid_request not_found]"},
	"certain":            {"create: lost answer", "is not uncertain"},
	"found":              {"find: by key", "want only key"},
	"target order":       {"resolve: addresses", "are not ordered by name"},
	"knows all":          {"resolve: addresses", "which the destination does not know"},

	"previewing writes": {"preview: writes nothing", "the preview has written the item"},
	"no preview":        {"preview: attributes", "want a JSON object with members"},
	"undescribed":       {"preview: attributes", `attribute "colour", which the description does not have`},
	"previewed type":    {"preview: attributes", "is not as described"},
	"short preview":     {"preview: attributes", "1 previews for 250 items"},
	"preview order":     {"preview: attributes", "preview 0 is for key"},
	"any object":        {"preview: unknown object", "no error, want one of code [invalid_request not_found]"},
	"blind preview":     {"preview: unwritable", "has no error"},
	"other refusal":     {"preview: unwritable", `Create says invalid_record about attribute "text"`},
	"contradiction":     {"preview: refused", "the preview of a bad item says not_found, Create says invalid_record"},

	"one at a time":           {"calls: at once", "busy"},
	"no context":              {"calls: cancelled", "List answers although its context has ended"},
	"no patience":             {"calls: abandoned", "goes on although its context has ended"},
	"everything is a failure": {"errors: classes", "of code internal"},
	"impatient":               {"errors: rate limited", "want code rate_limited, retryable, after 7s"},
	"uncounted":               {"requests: counted", "Check says that it made 0 requests, and made 1"},
	"no limit":                {"requests: limits", "where 1 are allowed"},
	"secret in an error":      {"secrets: hidden", "the value of token stands in an error of Configure"},
	"secret logged":           {"secrets: hidden", "the value of token stands in its log"},
	"secret described":        {"secrets: hidden", "the value of token stands in its description"},
	"secret echoed":           {"secrets: hidden", "stands in an error of Check"},
	"goroutine":               {"end: no goroutine left", "beforeList"},
}

// mistakesOfPrograms show in a process of their own only.
var mistakesOfPrograms = map[string]found{
	"memory": {"create: crash", "2 times, want 1"},
	"child":  {"end: no process left", "a process is left"},
}

// A kit that lets a mistake pass is worth nothing.
func TestMistakesAreFound(t *testing.T) {
	for mistake, want := range mistakes {
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			outcomes, err := plugintest.ExamineDirectly(t.Context(), harness(t, mistake))
			if err != nil {
				t.Fatal(err)
			}
			mustFind(t, want, outcomes)
		})
	}
	for mistake, want := range mistakesOfPrograms {
		if mistake == "child" && startChild == nil {
			continue
		}
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			_, outcomes, err := plugintest.Examine(t.Context(), harness(t, mistake), nil)
			if err != nil {
				t.Fatal(err)
			}
			mustFind(t, want, outcomes)
		})
	}
}

func mustFind(t *testing.T, want found, outcomes iter.Seq[plugintest.Outcome]) {
	t.Helper()
	var failed []string
	for o := range outcomes {
		if o.Result != plugintest.Failed {
			continue
		}
		problems := strings.Join(o.Problems, "\n")
		if o.Rule == want.rule && strings.Contains(problems, want.says) {
			return
		}
		failed = append(failed, o.Rule+": "+problems)
	}
	t.Errorf("no rule %q says %q; what failed:\n%s", want.rule, want.says, strings.Join(failed, "\n"))
}

func TestEachRuleFindsAMistake(t *testing.T) {
	var proven []string
	for _, of := range []map[string]found{mistakes, mistakesOfPrograms} {
		for _, f := range of {
			proven = append(proven, f.rule)
		}
	}
	for _, name := range plugintest.RuleNames() {
		if !slices.Contains(proven, name) {
			t.Errorf("no mistake shows that the rule %q can fail", name)
		}
	}
}

func TestABrokenRuleFailsTheTest(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), plugintest.Self(t).Path, "-test.run=^TestConformance$/^direct$/^list:_window$")
	cmd.Env = append(os.Environ(), mistakeVariable+"=to")
	out, err := cmd.CombinedOutput()
	for _, want := range []string{
		"--- FAIL: TestConformance/direct/list:_window", "ListRequest: From is inclusive, To exclusive.", `has ["2"] too many`,
	} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("the test ended with %v, want a failure that says %q:\n%s", err, want, out)
		}
	}
}
