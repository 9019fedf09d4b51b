package file_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/file"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m, file.New()) }

// TestConformance runs the kit on files of every kind.
func TestConformance(t *testing.T) {
	for name, rows := range map[string]string{
		"in.jsonl": `{"id":"7","time":"2026-03-01T10:00:00+01:00","big":12345678901234567890}
{"id":8,"time":"2026-03-01T11:00:00Z","name":"Zoë <& \"Co\""}
{"id":"nine","time":"2026-03-02"}
{"id":"ids can't hold spaces","time":"2026-03-03T00:00:00.123456789Z"}
`,
		"in.csv": "name,id,time\r\n" +
			"\"Ann \"\"A.\"\", Lee\",7,2026-03-01T10:00:00+01:00\r\n\"two\nlines\",8,2026-03-01T11:00:00Z\r\n,nine,2026-03-02\r\n",
	} {
		for _, ending := range []string{"", ".gz"} {
			t.Run(name+ending, func(t *testing.T) {
				dir := t.TempDir()
				in := filepath.Join(dir, name+ending)
				write(t, in, rows)
				plugintest.Run(t, plugintest.Harness{
					New:     func() plugin.Connector { return file.New() },
					Command: plugintest.Self(t),
					Config:  func(string) json.RawMessage { return pathConfig(in) },
					BadConfig: map[string]json.RawMessage{
						"path":      json.RawMessage(`{"format":"csv"}`),
						"format":    json.RawMessage(`{"path":"in.txt","format":"xml"}`),
						"delimiter": json.RawMessage(`{"path":"in.csv","delimiter":"\""}`),
						"id":        json.RawMessage(`{"path":"in.csv","id":""}`),
						"time":      json.RawMessage(`{"path":"in.csv","time":""}`),
						"key":       json.RawMessage(`{"path":"in.csv","key":""}`),
					},
					Source: &plugintest.Source{
						Stream: "rows", From: date(1), To: date(4), Unknown: "404", BadToken: "an-older-version/2",
						Want: want(name),
					},
				})
				out := filepath.Join(dir, "out-"+name+ending)
				n := 0
				item := func(values string) plugin.Item {
					n++
					return plugin.Item{
						Key: fmt.Sprintf("file/rows/%d", n), RecordID: fmt.Sprint(n), Time: date(1),
						Attributes: fmt.Appendf(nil, `{"values":%s}`, values),
					}
				}
				plugintest.Run(t, plugintest.Harness{
					New:     func() plugin.Connector { return file.New() },
					Command: plugintest.Self(t),
					Config:  func(string) json.RawMessage { return pathConfig(out) },
					Destination: &plugintest.Destination{
						Object:  "row",
						Item:    func() plugin.Item { return item(`{"name":"Zoë","n":12345678901234567890}`) },
						BadItem: func() plugin.Item { return item(`"no columns"`) },
						Written: func(i plugin.Item) (n int) {
							for _, row := range rowsOf(t, out) {
								if row["key"] == i.Key {
									n++
								}
							}
							return n
						},
					},
				})
			})
		}
	}
}

func want(name string) []plugin.Record {
	first := plugin.Record{ID: "7", Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	second := plugin.Record{ID: "8"}
	if name == "in.csv" {
		first.Data = json.RawMessage(`{"id":"7","time":"2026-03-01T10:00:00+01:00",
			"values":{"id":"7","time":"2026-03-01T10:00:00+01:00","name":"Ann \"A.\", Lee"}}`)
		second.Data = json.RawMessage(`{"values":{"id":"8","time":"2026-03-01T11:00:00Z","name":"two\nlines"}}`)
		return []plugin.Record{first, second, {ID: "nine", Time: date(2)}}
	}
	first.Data = json.RawMessage(`{"id":"7","time":"2026-03-01T10:00:00+01:00",
		"values":{"id":"7","time":"2026-03-01T10:00:00+01:00","big":12345678901234567890}}`)
	second.Data = json.RawMessage(`{"id":"8","values":{"id":8,"time":"2026-03-01T11:00:00Z","name":"Zoë <& \"Co\""}}`)
	return []plugin.Record{
		first, second, {ID: "nine", Time: date(2), Data: json.RawMessage(`{"time":"2026-03-02T00:00:00Z"}`)},
		{ID: hashed, Data: json.RawMessage(`{"id":"ids can't hold spaces"}`)},
	}
}

// hashed is sha256- and the SHA-256 of "ids can't hold spaces", by the program sha256sum.
const hashed = "sha256-4c31deb972b0da230510dfe97007a41ecd05e324390c027e718725eab85f923b"
