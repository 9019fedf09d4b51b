package schema

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
)

// sheet is a connector of rows whose columns nobody knows beforehand.
var sheet = &plugin.DescribeResponse{
	Name: "sheet", Version: "1",
	Streams: []plugin.Stream{{
		Name: "rows", Record: "row", MaxRead: 100,
		Fields: []plugin.Field{{Name: "id", Type: plugin.String}, {Name: "time", Type: plugin.Time}, {Name: "values", Type: plugin.Any}},
	}},
	Objects: []plugin.Object{{
		Name: "row", MaxCreate: 100, Idempotent: true, Attributes: []plugin.Attribute{{Name: "values", Type: plugin.Any, Required: true}},
	}},
}

func sheetJob(values string) string {
	return `
connection "sheet" "in" {
}
connection "sheet" "out" {
}
job "copy" {
  source {
    connection = connection.sheet.in
    stream     = "rows"
  }
  destination {
    connection = connection.sheet.out
    object     = "row"
  }
  map {
    values = ` + values + `
  }
}
`
}

func loadSheet(t *testing.T, values string) (*Config, Diagnostics) {
	t.Helper()
	return LoadFS(t.Context(), dir("job.hcl", sheetJob(values)), Options{Describe: func(context.Context, string) (*plugin.DescribeResponse, error) { return sheet, nil }})
}

func TestAnyValues(t *testing.T) {
	if err := sheet.Validate(); err != nil {
		t.Fatal(err)
	}
	const data = `{"id":"7","time":"2026-09-01T09:02:11Z","values":{"name":"Ann","big":9007199254740993,"half":0.5,"tags":["a",1,null,{"x":true}],"none":null}}`
	for values, want := range map[string]string{
		`row.values`: `{"name":"Ann","big":9007199254740993,"half":0.5,"tags":["a",1,null,{"x":true}],"none":null}`,
		`{ who = upper(row.values.name), n = row.values.big + 1, id = row.id }`:    `{"id":"7","n":9007199254740994,"who":"ANN"}`,
		`merge(row.values, { tags = [for x in row.values.tags : x if x == "a"] })`: `{"big":9007199254740993,"half":0.5,"name":"Ann","none":null,"tags":["a"]}`,
		`{ price = 12345678.5, rate = 0.000125, tiny = 1e-9, all = 1e7 }`:          `{"all":10000000,"price":12345678.5,"rate":0.000125,"tiny":1e-09}`,
		`"${row.values.name} of ${row.id}"`:                                        `"Ann of 7"`,
		`[row.values.half, true]`:                                                  `[0.5,true]`,
	} {
		config, diags := loadSheet(t, values)
		if err := diags.Err(); err != nil {
			t.Errorf("%s: %v", values, err)
			continue
		}
		got, err := renderer(t, config.Jobs[0]).Attributes(plugin.Record{ID: "7", Data: json.RawMessage(data)})
		if err != nil || string(got) != `{"values":`+want+`}` {
			t.Errorf("%s is %s (%v), want %s", values, got, err, want)
		}
	}
}

// TestCopiedValues are as they came, down to the digits, and still text that others can read, and not null.
func TestCopiedValues(t *testing.T) {
	config, diags := loadSheet(t, `row.values`)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	r := renderer(t, config.Jobs[0])
	for data, want := range map[string]string{
		`{"values": {"b": 1.50, "a": 1e2} }`: `{"values":{"b": 1.50, "a": 1e2}}`,
		`{"values":["row.values",7]}`:        `{"values":["row.values",7]}`,
		`{"values":false}`:                   `{"values":false}`,
		"{\"values\":\"caf\xe9\"}":           `{"values":"caf` + "\ufffd" + `"}`,
		`{"values":null}`:                    `attribute "values": job.hcl:16:14: the attribute is required, and its value is null`,
		`{"id":"7"}`:                         `attribute "values": job.hcl:16:14: the attribute is required, and its value is null`,
		`[7]`:                                `the source's record is not a JSON object`,
	} {
		got, err := r.Attributes(plugin.Record{ID: "7", Data: json.RawMessage(data)})
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != want {
			t.Errorf("of %s comes %s, want %s", data, got, want)
		}
	}
}

func TestAnyValuesThatAreNotThere(t *testing.T) {
	config, diags := loadSheet(t, `{ name = row.values.nme }`)
	if err := diags.Err(); err != nil {
		t.Fatal(err) // nobody can know before a row is read
	}
	_, err := renderer(t, config.Jobs[0]).Attributes(plugin.Record{ID: "7", Data: json.RawMessage(`{"values":{"name":"Ann"}}`)})
	if err == nil || !strings.Contains(err.Error(), "nme") {
		t.Errorf("got %v, want an error that names the column", err)
	}
	if _, diags = loadSheet(t, `{ name = row.vales.name }`); diags.Err() == nil {
		t.Error("a misspelled field of the record itself is not found")
	}
}
