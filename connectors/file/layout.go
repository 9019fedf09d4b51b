package file

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// maxRow is how many bytes a row has at most, its line break included.
const maxRow = 2 << 20

var byteOrderMark = []byte("\xef\xbb\xbf")

// layout is how a text holds rows.
type layout struct {
	csv       bool
	delimiter byte
}

// table is a text under way: rows, and what they have in common.
type table struct {
	layout
	header []string // of CSV; nil before it was read

	// What rows leaves behind: where the last line break was, and the number of the line behind it, if there is one that is not
	// whole. A JSON object shows by itself that it is whole; bare says that the last one has no line break.
	end  int64
	torn int
	bare bool
}

// row is a row of a text. The text is valid until the next one is asked for.
type row struct {
	text    []byte // with its line break
	offset  int64
	line    int
	members members
}

// members are the columns of a row, in its order. Of those with the same name the last one counts.
type members []member

// member is a column of a row, its value as JSON.
type member struct{ name, value string }

// membersOf takes an object apart.
func membersOf(object gjson.Result) members {
	m := make(members, 0, 16) // as most rows have at most
	object.ForEach(func(name, value gjson.Result) bool {
		m = append(m, member{name.String(), value.Raw})
		return true
	})
	return m
}

// get returns a column's value, which does not exist if the row has no such column.
func (m members) get(name string) gjson.Result {
	for _, one := range slices.Backward(m) {
		if one.name == name {
			return gjson.Parse(one.value)
		}
	}
	return gjson.Result{}
}

// appendTo ends the JSON object that has begun with the members.
func (m members) appendTo(b []byte) []byte {
	for _, one := range m {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = gjson.AppendJSONString(b, one.name)
		b = append(b, ':')
		b = append(b, one.value...)
	}
	return append(b, '}')
}

// rows returns the rows of a text from its beginning, except for an unfinished last one. An error names the line and is the last thing
// that it yields.
//
// It does not use encoding/csv, which drops carriage returns from cells, and reads everything up to the end for a quote that is not
// closed.
func (t *table) rows(text io.Reader) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		in := bufio.NewReader(text)
		next := row{line: 1}
		if mark, _ := in.Peek(len(byteOrderMark)); bytes.Equal(mark, byteOrderMark) {
			n, _ := in.Discard(len(mark)) // it is in the buffer
			next.offset = int64(n)
		}
		t.end = next.offset
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, 64<<10), maxRow)
		lines.Split(t.split)
		for lines.Scan() {
			r := next
			r.text = lines.Bytes()
			next = row{offset: r.offset + int64(len(r.text)), line: r.line + bytes.Count(r.text, []byte{'\n'})}
			finished := t.finished(r.text)
			if finished {
				t.end = next.offset
			}
			if len(bytes.TrimSpace(r.text)) == 0 {
				continue
			}
			if !finished && t.csv {
				t.torn = r.line
				return
			}
			var err error
			if t.csv && t.header == nil {
				if t.header, err = t.parseHeader(r.text); err == nil {
					continue
				}
			} else {
				r.members, err = t.decode(r.text)
			}
			if err != nil && !finished {
				t.torn = r.line
				return
			}
			t.bare = !finished
			if err != nil {
				err = fmt.Errorf("line %d: %w", r.line, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(row{}, fmt.Errorf("line %d: the row has more than %d bytes; if it is not that long, a quote is not closed", next.line, maxRow))
		} else if err != nil {
			yield(row{}, fmt.Errorf("line %d: %w", next.line, err))
		}
	}
}

// split is a [bufio.SplitFunc] for rows: a line break in quotes does not end one. A quote within quotes is doubled, so it is enough to
// count them.
func (l layout) split(data []byte, atEOF bool) (advance int, token []byte, err error) {
	for at, quotes := 0, 0; ; {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			break
		}
		quotes += bytes.Count(data[at:at+i], []byte{'"'})
		at += i + 1
		if !l.csv || quotes%2 == 0 {
			return at, data[:at], nil
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// finished reports whether what split returned ends where a row does, and not where the text does.
func (l layout) finished(text []byte) bool {
	return text[len(text)-1] == '\n' && (!l.csv || bytes.Count(text, []byte{'"'})%2 == 0)
}

var (
	errNotUTF8   = errors.New("the text is not UTF-8; save the file in that encoding")
	errNoObject  = errors.New("the line is not a JSON object")
	errOpenQuote = errors.New("a quote is not closed")
	errBareQuote = errors.New("there is a quote within a cell that does not begin with one; such a cell has to be in quotes, its own doubled")
)

// decode returns the columns of a row.
func (t *table) decode(text []byte) (members, error) {
	if !utf8.Valid(text) {
		return nil, errNotUTF8
	}
	if t.csv {
		return t.decodeCSV(text)
	}
	if object := gjson.ParseBytes(text); object.IsObject() && gjson.ValidBytes(text) {
		return membersOf(object), nil
	}
	return nil, errNoObject
}

func (t *table) decodeCSV(text []byte) (members, error) {
	cells, err := t.cells(text)
	if err != nil {
		return nil, err
	}
	if len(cells) != len(t.header) {
		return nil, fmt.Errorf("the row has %d cells, the header %d", len(cells), len(t.header))
	}
	m := make(members, len(cells))
	for i, cell := range cells {
		m[i] = member{t.header[i], toJSON(cell)}
	}
	return m, nil
}

func (t *table) parseHeader(text []byte) ([]string, error) {
	if !utf8.Valid(text) {
		return nil, errNotUTF8
	}
	header, err := t.cells(text)
	if err != nil {
		return nil, err
	}
	for i, name := range header {
		if name == "" {
			return nil, fmt.Errorf("column %d has no name in the header", i+1)
		}
		if slices.Contains(header[:i], name) {
			return nil, fmt.Errorf("two columns of the header are called %q", name)
		}
	}
	return header, nil
}

// cells takes a row of CSV apart, as RFC 4180 has it.
func (l layout) cells(text []byte) ([]string, error) {
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\r'})
	var cells []string
	for {
		cell, rest, err := l.cell(text)
		if err != nil {
			return nil, err
		}
		cells = append(cells, cell)
		if len(rest) == 0 {
			return cells, nil
		}
		if rest[0] != l.delimiter {
			return nil, fmt.Errorf("there is no delimiter %q after the cell in quotes %.40q", l.delimiter, cell)
		}
		text = rest[1:]
	}
}

// cell returns the first cell, and what is behind it.
func (l layout) cell(text []byte) (cell string, rest []byte, err error) {
	quoted, isQuoted := bytes.CutPrefix(text, []byte{'"'})
	if !isQuoted {
		if i := bytes.IndexByte(text, l.delimiter); i >= 0 {
			text, rest = text[:i], text[i:]
		}
		if bytes.IndexByte(text, '"') >= 0 {
			return "", nil, errBareQuote
		}
		return string(text), rest, nil
	}
	var b []byte
	for {
		part, rest, closed := bytes.Cut(quoted, []byte{'"'})
		if !closed {
			return "", nil, errOpenQuote
		}
		b = append(b, part...)
		if quoted, isQuoted = bytes.CutPrefix(rest, []byte{'"'}); !isQuoted {
			return string(b), rest, nil
		}
		b = append(b, '"')
	}
}

// toJSON writes a text in JSON.
func toJSON(text string) string { return string(gjson.AppendJSONString(nil, text)) }
