package host

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// quiet is the logger that go-plugin gets. What go-plugin itself has to say is for developers; what the connector says, which
// go-plugin logs with a named sub-logger, keeps its level.
type quiet struct {
	hclog.Logger
}

// Info implements [hclog.Logger].
func (q quiet) Info(msg string, args ...any) { q.Debug(msg, args...) }

// Warn implements [hclog.Logger].
func (q quiet) Warn(msg string, args ...any) { q.Debug(msg, args...) }

// Error implements [hclog.Logger].
func (q quiet) Error(msg string, args ...any) { q.Debug(msg, args...) }

// Named implements [hclog.Logger]: the connection's name is in every line already, the program's need not be.
func (q quiet) Named(string) hclog.Logger { return q.Logger }

// tail keeps the end of what a process wrote to its standard error, for the error message if it ends too early.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailSize = 4 << 10

// Write implements [io.Writer] and never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if extra := len(t.end) - tailSize; extra > 0 {
		t.end = append(t.end[:0], t.end[extra:]...)
	}
	return len(p), nil
}

// said returns the line that says most about the end of the process: that of a Go panic, else the last one. Lines are cut to a
// readable length.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.end)), "\n")
	line := lines[len(lines)-1]
	for _, l := range lines {
		if strings.HasPrefix(l, "panic: ") || strings.HasPrefix(l, "fatal error: ") {
			line = l
			break
		}
	}
	var entry struct {
		Message string `json:"@message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal([]byte(line), &entry) == nil && entry.Message != "" {
		line = strings.TrimSuffix(entry.Message+": "+entry.Error, ": ")
	}
	return cut(strings.ToValidUTF8(strings.TrimSpace(line), "\uFFFD"), 300)
}

func cut(s string, length int) string {
	if r := []rune(s); len(r) > length {
		return string(r[:length]) + "..."
	}
	return s
}
