package host

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxLogLine is the longest line that is looked at, in bytes. go-plugin takes none of more than 64 KiB for JSON.
const maxLogLine = 128 << 10

// unlogged begins a line that looks like hclog's and is none: what follows cannot be taken for JSON.
const unlogged = "not a log line: "

// logLines passes a process's standard error on, line by line and without secrets, and marks the lines at which go-plugin would panic, and
// the host with it: JSON objects in which a member of hclog's is no string.
type logLines struct {
	from    *bufio.Reader
	closer  io.Closer
	text    stream
	pending string // of the line that is being handed out
	middle  bool   // of a line that is longer than maxLogLine
}

func newLogLines(from io.ReadCloser, secrets func() *secrets) io.ReadCloser {
	return &logLines{from: bufio.NewReaderSize(from, maxLogLine), closer: from, text: stream{secrets: secrets}}
}

// Close implements [io.Closer].
func (l *logLines) Close() error { return l.closer.Close() }

// Read implements [io.Reader].
func (l *logLines) Read(p []byte) (int, error) {
	for l.pending == "" {
		piece, err := l.from.ReadSlice('\n')
		line := l.text.next(string(piece), !errors.Is(err, bufio.ErrBufferFull))
		if line == "" && len(piece) == 0 {
			return 0, err
		}
		if line == "" {
			continue
		}
		if !l.middle && isTrap([]byte(line)) {
			line = unlogged + line
		}
		l.pending = line
		l.middle = line[len(line)-1] != '\n'
	}
	n := copy(p, l.pending)
	l.pending = l.pending[n:]
	return n, nil
}

// isTrap reports whether a line is a JSON object with a member of hclog's that is no string.
func isTrap(line []byte) bool {
	if line = bytes.TrimSpace(line); len(line) == 0 || line[0] != '{' {
		return false
	}
	var object map[string]any
	if json.Unmarshal(line, &object) != nil {
		return false
	}
	for _, name := range []string{"@message", "@level", "@timestamp"} {
		if v, there := object[name]; there {
			if _, ok := v.(string); !ok {
				return true
			}
		}
	}
	return false
}
