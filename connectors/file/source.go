package file

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/durasync/durasync/plugin"
)

const (
	// pageSize is how many entries a page of a listing has.
	pageSize = 10_000

	// maxAnswer is how many bytes of rows one Read returns, a little less than the host takes.
	maxAnswer = 30 << 20
)

// source reads rows.
type source struct {
	config config
	turn   turn // to look at the files
	last   *index
}

func newSource(c config) source { return source{config: c, turn: newTurn()} }

// List implements [plugin.Source].
func (c *Connector) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	conn, err := c.forStream(req.Stream)
	if err != nil {
		return nil, err
	}
	return conn.source.list(ctx, req)
}

// Read implements [plugin.Source].
func (c *Connector) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	conn, err := c.forStream(req.Stream)
	if err != nil {
		return nil, err
	}
	records, err := conn.source.read(ctx, req)
	if err != nil {
		return nil, err
	}
	return &plugin.ReadResponse{Records: records}, nil
}

// forStream returns the connection for the methods that name a stream.
func (c *Connector) forStream(name string) (*connection, error) {
	if name != streamRows {
		return nil, plugin.UnknownStream(name)
	}
	return c.conn.Get()
}

// list returns a page. All pages of a listing are of the same index, whatever happens to the files meanwhile.
func (s *source) list(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	if err := s.turn.take(ctx); err != nil {
		return nil, err
	}
	defer s.turn.give()
	var at int
	if req.PageToken == "" {
		if err := s.look(ctx); err != nil {
			return nil, err
		}
		at = sort.Search(len(s.last.rows), func(i int) bool { return !s.last.rows[i].time.Before(req.From) })
	} else {
		version, position, _ := strings.Cut(req.PageToken, "/")
		n, err := strconv.Atoi(position)
		if err != nil || s.last == nil || s.last.version != version || n < 0 || n > len(s.last.rows) {
			return nil, plugin.Errorf(plugin.CodeExpired, "the files have changed since the page before was listed")
		}
		at = n
	}
	res := &plugin.ListResponse{}
	for ; at < len(s.last.rows) && s.last.rows[at].time.Before(req.To); at++ {
		if len(res.Entries) == pageSize {
			res.NextPageToken = s.last.version + "/" + strconv.Itoa(at)
			break
		}
		res.Entries = append(res.Entries, plugin.Entry{ID: s.last.rows[at].id, Time: s.last.rows[at].time})
	}
	return res, nil
}

// rowID returns a row's id as it stands in the file.
func (c *config) rowID(m members) (string, error) {
	switch id := m.get(c.id); {
	case id.Type == gjson.Number:
		return id.Raw, nil
	case id.Type == gjson.String && id.Str != "":
		return id.Str, nil
	}
	return "", fmt.Errorf("the row has no id: column %q must hold a text or a number; set id of the connection to the column that does", c.id)
}

// rowTime returns a row's time, and its text in RFC 3339.
func (c *config) rowTime(m members) (time.Time, string, error) {
	text := m.get(c.time).Str
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, text, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, t.Format(time.RFC3339), nil
	}
	return time.Time{}, "", fmt.Errorf("the row has no time: column %q must hold one like 2026-09-01T09:02:11Z, or a date; "+
		"set time of the connection to the column that does", c.time)
}

// recordID is the id of a row in Durasync: the row's own, or its hash if that cannot be an id there.
func recordID(id string) string {
	const most = 128
	if len(id) <= most && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return id
	}
	return fmt.Sprintf("sha256-%x", sha256.Sum256([]byte(id)))
}

// read returns the rows of the ids that are there.
func (s *source) read(ctx context.Context, req *plugin.ReadRequest) ([]plugin.Record, error) {
	if len(req.IDs) > maxRead {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "%d rows are asked for at once; at most %d can be", len(req.IDs), maxRead)
	}
	if err := s.turn.take(ctx); err != nil {
		return nil, err
	}
	err := s.look(ctx)
	x := s.last
	s.turn.give()
	if err != nil {
		return nil, err
	}
	wanted, size := map[*part][]*entry{}, int64(0)
	for _, id := range req.IDs {
		if e := x.byID[id]; e != nil {
			wanted[e.part] = append(wanted[e.part], e)
			size += int64(e.length)
		}
	}
	if size > maxAnswer {
		return nil, plugin.Errorf(plugin.CodeTooLarge, "%d rows have more than %d MiB", len(req.IDs), maxAnswer>>20)
	}
	records := make([]plugin.Record, 0, len(req.IDs))
	for p, entries := range wanted {
		slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.offset, b.offset) })
		if records, err = s.config.readPart(ctx, p, entries, req.Fields, records); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// readPart appends the rows of a file, which are sorted by their offsets.
func (c *config) readPart(ctx context.Context, p *part, entries []*entry, fields []string, to []plugin.Record) ([]plugin.Record, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return nil, failed(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !sameVersion(info, p.info) {
		return nil, changed(p)
	}
	var text io.ReaderAt = f
	if p.marks != nil {
		text = &unpacked{file: f, marks: p.marks}
	}
	t := table{layout: c.layout, header: p.header}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := make([]byte, e.length)
		if _, err := text.ReadAt(b, e.offset); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, changed(p)
		} else if err != nil {
			return nil, failed(err)
		}
		m, err := t.decode(b)
		if err != nil {
			return nil, changed(p)
		}
		r, err := c.record(m, b, fields)
		if err != nil || r.ID != e.id {
			return nil, changed(p)
		}
		to = append(to, r)
	}
	return to, nil
}

func changed(p *part) *plugin.Error {
	return plugin.Errorf(plugin.CodeUnavailable, "%s was changed while it was read", p.path)
}

// record makes the record of a row.
func (c *config) record(m members, text []byte, fields []string) (plugin.Record, error) {
	id, err := c.rowID(m)
	if err != nil {
		return plugin.Record{}, err
	}
	at, rfc3339, err := c.rowTime(m)
	if err != nil {
		return plugin.Record{}, err
	}
	data := make(members, 0, len(fields))
	for _, f := range fields {
		switch {
		case f == fieldID:
			data = append(data, member{f, toJSON(id)})
		case f == fieldTime:
			data = append(data, member{f, toJSON(rfc3339)})
		case f == fieldValues && c.layout.csv:
			data = append(data, member{f, string(m.appendTo([]byte{'{'}))})
		case f == fieldValues:
			data = append(data, member{f, string(bytes.TrimSpace(text))})
		}
	}
	return plugin.Record{ID: recordID(id), Time: at, Data: data.appendTo([]byte{'{'})}, nil
}
