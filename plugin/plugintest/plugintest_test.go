package plugintest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

// mistakeVariable names the connector's mistake for a run of TestConformance that must fail.
const mistakeVariable = "MISTAKE"

func TestMain(m *testing.M) { plugintest.Main(m, &connector{mistake: os.Getenv(mistakeVariable)}) }

func TestConformance(t *testing.T) {
	sim := newCRM(t)
	mistake := os.Getenv(mistakeVariable)
	keys := 0
	item := func() plugin.Item {
		keys++
		return plugin.Item{Key: fmt.Sprintf("%s/%d", t.Name(), keys), Target: "2", Time: day, Attributes: json.RawMessage(`{"text": "Hello"}`)}
	}
	harness := plugintest.Harness{
		New:       func() plugin.Connector { return &connector{mistake: mistake} },
		Command:   plugintest.Self(t),
		Config:    fmt.Appendf(nil, `{"base_url": %q}`, sim.URL),
		BadConfig: map[string]json.RawMessage{"base_url": json.RawMessage(`{"base_url": "nowhere"}`)},
		Source: &plugintest.Source{
			Stream: "calls", From: day, To: day.AddDate(0, 0, 1), Unknown: "77", Private: []string{"4"}, BadToken: "old",
			Want: []plugin.Record{{
				ID: "1", Time: callTime(1), URL: "https://crm.example.com/1", Data: json.RawMessage(`{"id": 18446744073709551611}`),
			}},
		},
		Destination: &plugintest.Destination{
			Object: "note", Item: item,
			BadItem: func() plugin.Item {
				i := item()
				i.Attributes = json.RawMessage(`{}`)
				return i
			},
			Unwritable: func() plugin.Item {
				i := item()
				i.Attributes = fmt.Appendf(nil, `{"text": %q}`, strings.Repeat("x", 100))
				return i
			},
			Known: []string{"ann@acme.example", "bob@acme.example"}, Unknown: []string{"eve@other.example"},
		},
		Stall: sim.stall,
	}
	if mistake != "" { // the transports make no difference, and the first is the fastest
		harness.Command.Path = ""
	}
	plugintest.Run(t, harness)
}

// A kit that lets a mistake pass is worth nothing.
func TestMistakesAreFound(t *testing.T) {
	exe := plugintest.Self(t).Path
	for mistake, want := range map[string]string{
		"version":        "the description changes",
		"description":    "stream calls.max_read: is 0",
		"attribute":      `the error is about attribute "", want "base_url"`,
		"any stream":     "no error, want one of code [invalid_request not_found]",
		"token":          "no error, want one of code [expired]",
		"no context":     "goes on although its context has ended",
		"from":           "a record's time, inclusive",
		"to":             "a record's time, exclusive",
		"twice":          "is listed twice",
		"no end":         "has no last page",
		"private listed": "private record 4 is listed",
		"private read":   `Read("4", "0") returned 2 records`,
		"unknown":        "not there",
		"float":          "field id (-want +got)",
		"type":           "does not match the description: .id is not of kind int",
		"forgets fields": "when read alone",
		"time":           "listed with",
		"doubt":          "is not reported as existing",
		"existed":        "is not reported as existing",
		"certain":        "want an uncertain one",
		"refusal":        "a note has a text",
		"order":          "want \"TestConformance/1\"",
		"found":          "want only key",
		"target order":   "are not ordered by name",
		"knows all":      "which the destination does not know",

		"any object":        "no error, want one of code [invalid_request not_found]",
		"previewing writes": "the preview has written the item",
		"no preview":        "want a JSON object with members",
		"undescribed":       `attribute "colour", which the description does not have`,
		"previewed type":    "the preview's attribute text is not as described",
		"blind preview":     "has no error",
		"other refusal":     `the preview says invalid_record about attribute "", uncertain false; Create says invalid_record about attribute "text"`,
		"contradiction":     "the preview of a bad item says not_found, Create says invalid_record",
		"preview order":     "preview 0 is for key",
		"short preview":     "1 previews for 250 items",
	} {
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestConformance$", "-test.timeout=20s")
			cmd.Env = append(os.Environ(), mistakeVariable+"="+mistake)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("%v, want a failure that says %q:\n%s", err, want, out)
			}
		})
	}
}
