package file

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/durasync/durasync/plugin"
)

// The formats, and the defaults of a connection.
const (
	formatJSONL = "jsonl"
	formatCSV   = "csv"

	defaultDelimiter = ","
	defaultID        = "id"
	defaultTime      = "time"
	defaultKey       = "key"
)

// gzipEnding is what the names of packed files end in.
const gzipEnding = ".gz"

// config is the configuration of a connection, checked.
type config struct {
	path      string
	layout    layout
	id, time  string // columns of a source
	keyColumn string // of a destination
}

func parseConfig(data json.RawMessage) (config, error) {
	in := struct {
		Path      string `json:"path"`
		Format    string `json:"format"`
		Delimiter string `json:"delimiter"`
		ID        string `json:"id"`
		Time      string `json:"time"`
		Key       string `json:"key"`
	}{Delimiter: defaultDelimiter, ID: defaultID, Time: defaultTime, Key: defaultKey}
	if err := plugin.DecodeConfig(data, &in); err != nil {
		return config{}, err
	}
	if in.Format == "" {
		in.Format = formatJSONL
		if strings.HasSuffix(strings.TrimSuffix(in.Path, gzipEnding), ".csv") {
			in.Format = formatCSV
		}
	}
	delimiter := in.Delimiter
	switch {
	case in.Path == "":
		return config{}, plugin.InvalidConfig("path", "must not be empty")
	case in.Format != formatJSONL && in.Format != formatCSV:
		return config{}, plugin.InvalidConfig("format", "must be %q or %q", formatJSONL, formatCSV)
	case len(delimiter) != 1 || strings.ContainsAny(delimiter, "\"\r\n\x00") || delimiter[0] > '~':
		return config{}, plugin.InvalidConfig("delimiter", `must be one ASCII character other than a quote or a line break, such as ";" or "\t"`)
	case in.ID == "":
		return config{}, plugin.InvalidConfig("id", "must be the name of a column")
	case in.Time == "":
		return config{}, plugin.InvalidConfig("time", "must be the name of a column")
	case in.Key == "":
		return config{}, plugin.InvalidConfig("key", "must be the name of a column")
	}
	if _, err := filepath.Match(in.Path, ""); err != nil {
		return config{}, plugin.InvalidConfig("path", "is not a pattern that can be matched: a bracket is not closed")
	}
	return config{
		path:   in.Path,
		layout: layout{csv: in.Format == formatCSV, delimiter: delimiter[0]},
		id:     in.ID, time: in.Time, keyColumn: in.Key,
	}, nil
}

// isPattern reports whether the path stands for any number of files.
func isPattern(path string) bool { return strings.ContainsAny(path, "*?[") }
