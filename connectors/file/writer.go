package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

// A writer waits for a file that another process has locked, which does so for the time of a batch, and looks after each pause.
const (
	lockPatience = 5 * time.Second
	lockPause    = 10 * time.Millisecond
)

// writer appends rows to a file. What it knows of the file holds as long as nobody else has written to it, which it looks at, under
// the file's lock, before each batch.
type writer struct {
	config config
	sync   func(*os.File) error // to the disk
	turn   turn                 // for all that follows

	file   *os.File // nil before the first batch, and after a failure
	seen   fs.FileInfo
	header []string // of CSV; nil while the file is empty
	keys   map[hash]struct{}
}

// hash is a key's, for a set of millions of keys that takes little memory. Two keys with the same one do not occur.
type hash [16]byte

func hashOf(key string) hash {
	sum := sha256.Sum256([]byte(key))
	return hash(sum[:16])
}

func newWriter(c config) writer {
	return writer{config: c, sync: (*os.File).Sync, turn: newTurn()}
}

// Create implements [plugin.Destination].
func (c *Connector) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	conn, err := c.conn.Get()
	if err != nil {
		return nil, err
	}
	if req.Object != objectRow {
		return nil, plugin.UnknownObject(req.Object)
	}
	results, err := conn.writer.create(ctx, req.Items)
	if err != nil {
		return nil, err
	}
	return &plugin.CreateResponse{Results: results}, nil
}

// create writes a batch. It does not wait for a disk that does not answer, but the next batch does.
func (w *writer) create(ctx context.Context, items []plugin.Item) ([]plugin.Result, error) {
	if err := w.turn.take(ctx); err != nil {
		return nil, plugin.Errorf(plugin.CodeUnavailable, "another batch is still being written to %s: %v", w.config.path, err)
	}
	type outcome struct {
		results []plugin.Result
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		defer w.turn.give()
		results, err := w.write(ctx, items)
		done <- outcome{results, err}
	}()
	select {
	case o := <-done:
		return o.results, o.err
	case <-ctx.Done():
		e := plugin.Errorf(plugin.CodeUnavailable, "%s: the batch was not on the disk in time: %v", w.config.path, ctx.Err())
		e.Uncertain = true
		return nil, e
	}
}

// write writes a batch under the file's lock.
func (w *writer) write(ctx context.Context, items []plugin.Item) ([]plugin.Result, error) {
	if err := w.lock(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if w.file != nil {
			_ = unlock(w.file) // closing it does, too, if this does not
		}
	}()
	if err := w.learn(ctx); err != nil {
		w.close()
		return nil, err
	}
	b := w.encode(items)
	if len(b.keys) == 0 {
		return b.results, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, plugin.Errorf(plugin.CodeUnavailable, "%s: nothing was written in time: %v", w.config.path, err)
	}
	if err := w.put(b); err != nil {
		w.close() // the next batch reads what has become of this one
		e := failed(err)
		e.Code, e.Retryable, e.Uncertain = plugin.CodeUnavailable, true, true
		return nil, e
	}
	return b.results, nil
}

// lock opens the file at the path, if the open one is not that, and locks it.
func (w *writer) lock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		if w.file == nil {
			if err := w.open(); err != nil {
				return err
			}
		}
		locked, err := tryLock(w.file)
		if err != nil {
			w.close()
			return failed(err)
		}
		if locked && w.isAtPath() {
			return nil
		}
		if locked {
			w.close()
		}
		select {
		case <-ctx.Done():
			return plugin.Errorf(plugin.CodeUnavailable, "another process is writing to %s; let one worker serve the connection", w.config.path)
		case <-time.After(lockPause):
		}
	}
}

// isAtPath reports whether the open file is the one at the path: it may have been moved away.
func (w *writer) isAtPath() bool {
	mine, err := w.file.Stat()
	if err != nil {
		return false
	}
	info, err := os.Stat(w.config.path)
	return err == nil && os.SameFile(mine, info)
}

func (w *writer) open() error {
	path := w.config.path
	if isPattern(path) {
		return plugin.InvalidConfig("path", "must name one file to write to, without * ? and [")
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return plugin.InvalidConfig("path", "leads to %s, which is no regular file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return failed(err)
	}
	w.file = f
	return nil
}

// close forgets the file.
func (w *writer) close() {
	if w.file != nil {
		_ = w.file.Close() // all that counts was written to the disk before
	}
	w.file, w.seen, w.header, w.keys = nil, nil, nil, nil
}

// learn reads what is in the file, unless it is as this writer left it.
func (w *writer) learn(ctx context.Context) error {
	info, err := w.file.Stat()
	if err != nil {
		return failed(err)
	}
	if w.seen != nil && sameVersion(w.seen, info) {
		return nil
	}
	size := info.Size()
	whole := size
	if w.packed() {
		if whole, err = w.wholeMembers(size); err != nil {
			return err
		}
	}
	var text io.Reader = io.NewSectionReader(w.file, 0, whole)
	if w.packed() {
		text = newUnpacker(text, mark{})
	}
	t := table{layout: w.config.layout}
	keys := map[hash]struct{}{}
	for r, err := range t.rows(text) {
		if err != nil {
			return w.foreign(err)
		}
		key := r.members.get(w.config.keyColumn).Str
		if key == "" {
			return w.foreign(fmt.Errorf("line %d: there is no key in column %q", r.line, w.config.keyColumn))
		}
		keys[hashOf(key)] = struct{}{}
	}
	if len(t.header) > 0 && t.header[0] != w.config.keyColumn {
		return w.foreign(fmt.Errorf("line 1: the first column is %q, not %q", t.header[0], w.config.keyColumn))
	}
	switch {
	case t.torn > 0 && w.packed():
		return w.foreign(fmt.Errorf("line %d is not finished", t.torn))
	case t.torn > 0:
		whole = t.end
	}
	if whole < size {
		hclog.FromContext(ctx).Warn("the last write was interrupted: what is left of it is cut off", "file", w.config.path, "bytes", size-whole)
		if err := w.file.Truncate(whole); err != nil {
			return failed(err)
		}
	}
	var rest []byte
	if t.bare {
		rest = []byte{'\n'}
	}
	// The file, its name and the keys outlast a crash from here on.
	if err := errors.Join(w.append(whole, rest), syncDir(filepath.Dir(w.config.path))); err != nil {
		return failed(err)
	}
	w.header, w.keys = t.header, keys
	return nil
}

// foreign is the error for a file that this connector did not write, or that is damaged.
func (w *writer) foreign(err error) *plugin.Error {
	if isIO(err) {
		return failed(err)
	}
	return plugin.InvalidConfig("path", "leads to a file that this connector did not write so: %s, %v; mend it, or name a new file", w.config.path, err)
}

func (w *writer) packed() bool { return strings.HasSuffix(w.config.path, gzipEnding) }

// wholeMembers returns where the last whole member of a gzip file ends. Only the end of the file may be missing: anything else is
// damage, of which nobody knows how much it took.
func (w *writer) wholeMembers(size int64) (int64, error) {
	u := newUnpacker(io.NewSectionReader(w.file, 0, size), mark{})
	_, err := io.Copy(io.Discard, u)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if err = nil; !w.beginsMember(u.at.file) {
			err = gzip.ErrHeader
		}
	}
	if err != nil {
		return 0, w.foreign(fmt.Errorf("behind byte %d: %w", u.at.file, err))
	}
	return u.at.file, nil
}

// beginsMember reports whether what is at the offset is the beginning of a member, however little is left of it.
func (w *writer) beginsMember(offset int64) bool {
	magic := []byte{0x1f, 0x8b, 0x08}
	b := make([]byte, len(magic))
	n, err := w.file.ReadAt(b, offset)
	return bytes.HasPrefix(magic, b[:n]) && (err == nil || errors.Is(err, io.EOF))
}

// put appends the batch.
func (w *writer) put(b *batch) error {
	if err := w.append(w.seen.Size(), b.text.Bytes()); err != nil {
		return err
	}
	w.header = b.header
	for _, k := range b.keys {
		w.keys[k] = struct{}{}
	}
	return nil
}

// append appends a text to the file, which ends at the offset, with one write, and waits until all is on the disk.
func (w *writer) append(at int64, text []byte) error {
	if w.packed() && len(text) > 0 {
		var member bytes.Buffer
		z := gzip.NewWriter(&member)
		if _, err := z.Write(text); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		text = member.Bytes()
	}
	if _, err := w.file.WriteAt(text, at); err != nil {
		return err
	}
	if err := w.sync(w.file); err != nil {
		return err
	}
	info, err := w.file.Stat()
	w.seen = info
	return err
}
