package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/durasync/durasync/plugin"
)

// newDisk returns a writer to a file, with a disk of the test's own.
func newDisk(t *testing.T, sync func(*os.File) error) (*writer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.jsonl")
	w := newWriter(config{path: path, keyColumn: defaultKey})
	w.sync = sync
	return &w, path
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	oneItem  = []plugin.Item{{Key: "a/1", Attributes: []byte(`{"values":{"v":1}}`)}}
	oneWrite = `{"key":"a/1","v":1}` + "\n"
)

// TestADiskThatFailsLeavesABatchInDoubt, and the next attempt looks at what has become of it.
func TestADiskThatFailsLeavesABatchInDoubt(t *testing.T) {
	broken := false
	synced := ""
	var path string
	w, path := newDisk(t, func(*os.File) error {
		synced = contents(t, path)
		if broken && synced != "" {
			return errors.New("input/output error")
		}
		return nil
	})
	broken = true
	_, err := w.create(t.Context(), oneItem)
	if e := plugin.AsError(err); e == nil || !e.Uncertain || !e.Retryable {
		t.Fatalf("the error is %+v, want one that is uncertain and to be tried again", e)
	}
	broken = false
	results, err := w.create(t.Context(), oneItem)
	if err != nil || !results[0].Existed {
		t.Errorf("the next attempt came to %+v (%v), want the item found", results, err)
	}
	if got := contents(t, path); got != oneWrite || synced != oneWrite {
		t.Errorf("the file is %q and was last put on the disk as %q, want %q", got, synced, oneWrite)
	}
}

// TestADiskThatHangsIsNotWaitedFor beyond the deadline; nobody knows then what was written.
func TestADiskThatHangsIsNotWaitedFor(t *testing.T) {
	hanging, resume := make(chan struct{}), make(chan struct{})
	var path string
	w, path := newDisk(t, func(*os.File) error {
		if contents(t, path) != "" {
			close(hanging)
			<-resume
		}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-hanging
		cancel()
	}()
	_, err := w.create(ctx, oneItem)
	if e := plugin.AsError(err); e == nil || !e.Uncertain {
		t.Errorf("the error is %+v, want an uncertain one", e)
	}
	soon, cancelSoon := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancelSoon()
	_, err = w.create(soon, oneItem)
	if e := plugin.AsError(err); e == nil || e.Uncertain || e.Code != plugin.CodeUnavailable {
		t.Errorf("the error behind a batch that hangs is %+v, want one that is certain: nothing was written", e)
	}
	close(resume)
	results, err := w.create(t.Context(), oneItem)
	if err != nil || !results[0].Existed || contents(t, path) != oneWrite {
		t.Errorf("afterwards the item came to %+v (%v) and the file is %q", results, err, contents(t, path))
	}
}
