package file

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/durasync/durasync/plugin"
)

const (
	streamRows = "rows"
	objectRow  = "row"

	// maxRead and maxCreate are how many rows one call takes.
	maxRead   = 1000
	maxCreate = 1000
)

// The fields of a row.
const (
	fieldID     = "id"
	fieldTime   = "time"
	fieldValues = "values"
)

// Describe implements [plugin.Connector].
func (c *Connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name:    "file",
		Version: Version,
		Doc: "Files: reads rows from JSON Lines and CSV files, and writes rows to one. Files whose names end in .gz are packed with " +
			"gzip. All text is UTF-8.",
		Config:  attributes(),
		Streams: []plugin.Stream{rowStream()},
		Objects: []plugin.Object{rowObject()},
	}, nil
}

func attributes() []plugin.Attribute {
	return []plugin.Attribute{
		{Name: "path", Type: plugin.String, Required: true,
			Doc: "The file. A relative path begins where the worker was started. A source may name many files with the wildcards *, ? and " +
				"[...], such as in/*.csv: their rows are one stream."},
		{Name: "format", Type: plugin.String, OneOf: []string{formatJSONL, formatCSV},
			Doc: "\"jsonl\" for a JSON object on each line, \"csv\" for a header and comma-separated values. If not set, it is " +
				"\"csv\" for a path that ends in .csv or .csv.gz, and \"jsonl\" for any other."},
		{Name: "delimiter", Type: plugin.String, Default: quote(defaultDelimiter),
			Doc: `What is between the cells of a CSV file, such as ";" or "\t".`},
		{Name: "id", Type: plugin.String, Default: quote(defaultID),
			Doc: "The column with the id of a source's rows: a text or number, each once in all the files."},
		{Name: "time", Type: plugin.String, Default: quote(defaultTime),
			Doc: "The column with the time of a source's rows, in RFC 3339, such as 2026-09-01T09:02:11Z, or a date, which is its midnight " +
				"in UTC. Jobs look for rows by it, and take at most 8000 rows of the same time."},
		{Name: "key", Type: plugin.String, Default: quote(defaultKey),
			Doc: "The first column of a destination's file, which this connector fills: it tells from which record a row comes."},
	}
}

func rowStream() plugin.Stream {
	return plugin.Stream{
		Name:    streamRows,
		Record:  "row",
		MaxRead: maxRead,
		Doc: "The rows of all files, by their time. A row that cannot be read, for a broken line, a missing id or time, or an id that stands " +
			"there twice, ends the run and is named with its file and line, so that no row is left out unseen; a last line that is still " +
			"being written is waited for. A line has at most 2 MiB. The connector keeps about 150 bytes in memory for each row, of at most " +
			"3 million. A file that has changed is read anew from its beginning: let what is written all the time begin a new file now " +
			"and then. So is a gzip file for each 1000 rows, unless it consists of many members, as those that this connector writes do. " +
			"Ids of other than 1 to 128 printable ASCII characters without spaces are replaced by sha256- and their hash in what Durasync " +
			"itself keeps and shows.",
		Fields: []plugin.Field{
			{Name: fieldID, Type: plugin.String, Doc: "The id, as it stands in the file."},
			{Name: fieldTime, Type: plugin.Time, Doc: "The time."},
			{Name: fieldValues, Type: plugin.Any,
				Doc: "All columns, id and time among them: row.values.name is the one called name. In CSV all are texts."},
		},
	}
}

func rowObject() plugin.Object {
	return plugin.Object{
		Name:       objectRow,
		MaxCreate:  maxCreate,
		Idempotent: true,
		CreateOnly: true,
		Doc: "A row at the end of the file, which is made, readable by the worker's user only, if it is not there. The directory has to be " +
			"there. A record whose key is in the file is not written again; a file that is moved away or emptied begins anew. A batch is " +
			"on the disk, whole, before it counts as written. Several workers can write to one file in turn, but each then reads it anew " +
			"after the other: let one worker serve the connection. The connector keeps about 50 bytes in memory for each row.",
		Attributes: []plugin.Attribute{
			{Name: fieldValues, Type: plugin.Any, Required: true,
				Doc: "An object with a member for each column, such as row.values or { title = call.title }. The columns of a CSV file are those " +
					"of the first batch, by name; a record with others is rejected. A cell has a text as it is, nothing for null, and JSON for the " +
					"rest."},
		},
	}
}

func quote(s string) json.RawMessage { return json.RawMessage(strconv.Quote(s)) }
