package file

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"sort"
)

// A gzip file consists of members, each of which can be unpacked without those before it.

// mark is where a member begins: in the file, and in the text of all.
type mark struct{ file, text int64 }

// counter counts the bytes that were taken out of a reader. The unpacker takes none beyond the end of a member from an
// [io.ByteReader].
type counter struct {
	in *bufio.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.in.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// unpacker is the text of a gzip file.
type unpacker struct {
	in   counter
	gzip *gzip.Reader // of the member that is under way; nil between two
	zero gzip.Reader  // what gzip points to

	at    mark   // the end of the text read so far, and of the last whole member
	marks []mark // of the members seen so far
	err   error  // how it ended
}

// newUnpacker unpacks a file from the mark on.
func newUnpacker(in io.Reader, from mark) *unpacker {
	return &unpacker{in: counter{bufio.NewReaderSize(in, 64<<10), from.file}, at: from}
}

func (u *unpacker) Read(p []byte) (int, error) {
	for u.err == nil {
		if u.gzip == nil {
			if u.err = u.zero.Reset(&u.in); u.err != nil {
				break // io.EOF if there is no other member
			}
			u.gzip = &u.zero
			u.gzip.Multistream(false)
			u.marks = append(u.marks, u.at)
		}
		n, err := u.gzip.Read(p)
		u.at.text += int64(n)
		if errors.Is(err, io.EOF) {
			u.gzip, u.at.file, err = nil, u.in.n, nil
		}
		if u.err = err; n > 0 {
			return n, nil
		}
	}
	return 0, u.err
}

// unpacked gives parts of the text of a gzip file, fastest in ascending order.
type unpacked struct {
	file  *os.File
	marks []mark
	text  *unpacker
}

// ReadAt implements [io.ReaderAt], for one goroutine at a time.
func (u *unpacked) ReadAt(p []byte, offset int64) (int, error) {
	i := sort.Search(len(u.marks), func(i int) bool { return u.marks[i].text > offset }) - 1
	if i < 0 {
		return 0, io.EOF
	}
	from := u.marks[i]
	if u.text == nil || u.text.at.text > offset || u.text.at.text < from.text {
		if _, err := u.file.Seek(from.file, io.SeekStart); err != nil {
			return 0, err
		}
		u.text = newUnpacker(u.file, from)
	}
	if _, err := io.CopyN(io.Discard, u.text, offset-u.text.at.text); err != nil {
		return 0, err
	}
	return io.ReadFull(u.text, p)
}
