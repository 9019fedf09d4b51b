package file

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/durasync/durasync/plugin"
)

// batch is what is to be written of some items.
type batch struct {
	results []plugin.Result
	header  []string // of CSV
	keys    []hash
	text    bytes.Buffer
}

func (b *batch) refuse(i int, err error) {
	e := plugin.Errorf(plugin.CodeInvalidRecord, "%v", err)
	e.Attribute = fieldValues
	b.results[i] = plugin.Result{Key: b.results[i].Key, Err: e}
}

// encode makes rows of the items that are not in the file.
func (w *writer) encode(items []plugin.Item) *batch {
	b := &batch{header: w.header, results: make([]plugin.Result, len(items))}
	rows := make([]members, len(items)) // nil for an item that is not written
	for i, item := range items {
		b.results[i] = plugin.Result{Key: item.Key, ID: item.Key}
		if _, ok := w.keys[hashOf(item.Key)]; ok {
			b.results[i].Existed = true
			continue
		}
		var err error
		if rows[i], err = w.values(item.Attributes); err != nil {
			b.refuse(i, err)
		}
	}
	if w.config.layout.csv && b.header == nil {
		b.header = headerOf(w.config.keyColumn, rows)
		w.appendCells(&b.text, b.header)
	}
	for i, row := range rows {
		if row == nil {
			continue
		}
		before := b.text.Len()
		if err := w.appendRow(b, items[i].Key, row); err != nil {
			b.text.Truncate(before)
			b.refuse(i, err)
			continue
		}
		b.keys = append(b.keys, hashOf(items[i].Key))
	}
	return b
}

// values takes an item's values out of its attributes.
func (w *writer) values(attributes json.RawMessage) (members, error) {
	values := membersOf(gjson.ParseBytes(attributes)).get(fieldValues)
	if !values.IsObject() || !gjson.ValidBytes(attributes) {
		return nil, errors.New("values is not an object with a member for each column")
	}
	row := membersOf(values)
	for _, column := range row {
		switch {
		case column.name == "" && w.config.layout.csv:
			return nil, errors.New("values has a column without a name")
		case column.name == w.config.keyColumn:
			return nil, fmt.Errorf("values has a column %q, which is the file's own; leave it out, or set key of the connection to another name",
				w.config.keyColumn)
		}
	}
	return row, nil
}

// headerOf is the header of a file whose first rows these are.
func headerOf(key string, rows []members) []string {
	names := map[string]struct{}{}
	for _, r := range rows {
		for _, column := range r {
			names[column.name] = struct{}{}
		}
	}
	return append([]string{key}, slices.Sorted(maps.Keys(names))...)
}

func (w *writer) appendRow(b *batch, key string, row members) error {
	before := b.text.Len()
	if w.config.layout.csv {
		cells, err := cellsOf(b.header, key, row)
		if err != nil {
			return err
		}
		w.appendCells(&b.text, cells)
	} else if err := w.appendObject(&b.text, key, row); err != nil {
		return err
	}
	switch text := b.text.Bytes()[before:]; {
	case len(text) > maxRow:
		return fmt.Errorf("the row has %d bytes; at most %d can be written", len(text), maxRow)
	case !utf8.Valid(text):
		return errors.New("values has a text that is not UTF-8")
	}
	return nil
}

// appendObject writes a line of JSON Lines: the key, and the values behind it.
func (w *writer) appendObject(to *bytes.Buffer, key string, row members) error {
	line := slices.Concat(members{{w.config.keyColumn, toJSON(key)}}, row).appendTo([]byte{'{'})
	line = append(line, '\n')
	if bytes.IndexByte(line, '\r') < 0 && bytes.IndexByte(line, '\n') == len(line)-1 {
		_, err := to.Write(line)
		return err
	}
	if err := json.Compact(to, line); err != nil { // a line break would end the row
		return err
	}
	return to.WriteByte('\n')
}

// cellsOf are the cells of a row of CSV.
func cellsOf(header []string, key string, m members) ([]string, error) {
	cells := make([]string, len(header))
	cells[0] = key
	for _, column := range m {
		i := slices.Index(header, column.name)
		if i < 0 {
			return nil, fmt.Errorf("values has a column %q, which the file's header does not have", column.name)
		}
		var err error
		if cells[i], err = cellOf(column.value); err != nil {
			return nil, fmt.Errorf("column %q: %w", column.name, err)
		}
	}
	return cells, nil
}

// cellOf is a text as it is, nothing for null, and JSON for the rest.
func cellOf(value string) (string, error) {
	switch v := gjson.Parse(value); v.Type {
	case gjson.Null, gjson.String:
		return v.Str, nil
	}
	var b bytes.Buffer
	err := json.Compact(&b, []byte(value))
	return b.String(), err
}

// appendCells writes a row of CSV.
func (w *writer) appendCells(to *bytes.Buffer, cells []string) {
	row := csv.NewWriter(to)
	row.Comma = rune(w.config.layout.delimiter)
	_ = row.Write(cells) // a buffer takes everything, and the delimiter was checked
	row.Flush()
}
