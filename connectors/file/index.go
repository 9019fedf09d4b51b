package file

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

const (
	// maxRows bounds the memory that the index takes.
	maxRows = 3_000_000

	// writing is how long a file with an unfinished last line is taken to be one that is being written.
	writing = time.Minute
)

// index is what is in the files. It never changes.
type index struct {
	version string
	parts   []*part
	rows    []*entry // by time, then by id
	byID    map[string]*entry
}

// part is one of the files, in one of its versions.
type part struct {
	path   string
	info   fs.FileInfo
	header []string // of CSV
	marks  []mark   // of a gzip file
	rows   []entry
}

// entry is a row's place.
type entry struct {
	id     string
	time   time.Time
	part   *part
	offset int64
	length int32
	line   int32
}

// look makes an index of the files, unless the last one is of the same. The caller has the turn.
func (s *source) look(ctx context.Context) error {
	paths, err := s.config.files()
	if err != nil {
		return err
	}
	next := &index{version: rand.Text()}
	room := maxRows
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := stat(path)
		if err != nil {
			return err
		}
		p := s.known(path, info)
		if p == nil {
			if p, err = s.config.scan(ctx, path, room); err != nil {
				return err
			}
		}
		room -= len(p.rows)
		next.parts = append(next.parts, p)
	}
	if s.last != nil && slices.Equal(s.last.parts, next.parts) {
		return nil
	}
	s.last = nil // so that not both are in memory
	if err := next.order(); err != nil {
		return err
	}
	s.last = next
	return nil
}

// known returns the part of the last index that is the file, if that has not changed.
func (s *source) known(path string, info fs.FileInfo) *part {
	if s.last == nil {
		return nil
	}
	for _, p := range s.last.parts {
		if p.path == path && sameVersion(p.info, info) {
			return p
		}
	}
	return nil
}

// sameVersion reports whether nothing has been written to a file between two looks at it.
func sameVersion(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// order makes the index of the parts' rows.
func (x *index) order() error {
	n := 0
	for _, p := range x.parts {
		n += len(p.rows)
	}
	x.rows, x.byID = make([]*entry, 0, n), make(map[string]*entry, n)
	for _, p := range x.parts {
		for i := range p.rows {
			e := &p.rows[i]
			if other := x.byID[e.id]; other != nil {
				return broken(p.path, fmt.Errorf("line %d: the id %q stands in line %d of %s, too; each row needs its own", e.line, e.id, other.line, other.part.path))
			}
			x.byID[e.id] = e
			x.rows = append(x.rows, e)
		}
	}
	slices.SortFunc(x.rows, func(a, b *entry) int { return cmp.Or(a.time.Compare(b.time), strings.Compare(a.id, b.id)) })
	return nil
}

// files returns the names of the files, sorted.
func (c *config) files() ([]string, error) {
	if !isPattern(c.path) {
		return []string{c.path}, nil
	}
	dir := c.path
	for isPattern(dir) {
		dir = filepath.Dir(dir)
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, failed(err) // a misspelled directory would look like an empty one
	}
	paths, err := filepath.Glob(c.path)
	if err != nil {
		return nil, plugin.InvalidConfig("path", "cannot be matched: %v", err)
	}
	return paths, nil
}

// stat looks at a file, which must be one that can be read again and again.
func stat(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, failed(err)
	}
	if !info.Mode().IsRegular() {
		return nil, plugin.InvalidConfig("path", "leads to %s, which is no regular file", path)
	}
	return info, nil
}

// broken is an error about what is in a file. Only a person can mend it.
func broken(path string, err error) *plugin.Error {
	if isIO(err) {
		return failed(err)
	}
	return plugin.Errorf(plugin.CodeInvalidRequest, "%s, %v", path, err)
}

// scan reads a file of at most so many rows from beginning to end.
func (c *config) scan(ctx context.Context, path string, room int) (*part, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, failed(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, failed(err)
	}
	p := &part{path: path, info: info}
	t := table{layout: c.layout}
	text := io.LimitReader(f, info.Size())
	var unpack *unpacker
	if strings.HasSuffix(path, gzipEnding) {
		unpack = newUnpacker(text, mark{})
		text = unpack
	}
	for r, err := range t.rows(text) {
		if len(p.rows)%1000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, unfinished(p, "the file ends within a gzip member")
		}
		if err != nil {
			return nil, broken(path, err)
		}
		e, err := c.entry(&r)
		if err != nil {
			return nil, broken(path, fmt.Errorf("line %d: %w", r.line, err))
		}
		e.part = p
		if p.rows = append(p.rows, e); len(p.rows) > room {
			return nil, broken(path, fmt.Errorf("line %d: a connection can have at most %d rows; give the rest of them another", r.line, maxRows))
		}
	}
	if t.torn > 0 {
		return nil, unfinished(p, fmt.Sprintf("line %d is not finished", t.torn))
	}
	p.header = t.header
	if unpack != nil {
		p.marks = unpack.marks
	}
	return p, nil
}

// unfinished is the error for a file that ends too early: somebody is writing it, or nobody does any more.
func unfinished(p *part, what string) *plugin.Error {
	if time.Since(p.info.ModTime()) < writing {
		return plugin.Errorf(plugin.CodeUnavailable, "%s is being written: %s", p.path, what)
	}
	return broken(p.path, fmt.Errorf("%s, and nobody has written to the file for %s: end it with a line break if it is all there", what, writing))
}

// entry returns a row's place and what it is found by.
func (c *config) entry(r *row) (entry, error) {
	id, err := c.rowID(r.members)
	if err != nil {
		return entry{}, err
	}
	t, _, err := c.rowTime(r.members)
	if err != nil {
		return entry{}, err
	}
	id = strings.Clone(recordID(id)) // the row's text would stay in memory with it
	return entry{id: id, time: t.UTC(), offset: r.offset, length: int32(len(r.text)), line: int32(r.line)}, nil
}
