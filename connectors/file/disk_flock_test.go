//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package file

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/durasync/durasync/plugin"
)

// TestAFileThatAnotherProcessHoldsIsNotWrittenTo locks it as another process does: locks belong to open files, not to processes.
func TestAFileThatAnotherProcessHoldsIsNotWrittenTo(t *testing.T) {
	w, path := newDisk(t, (*os.File).Sync)
	other, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if locked, err := tryLock(other); !locked || err != nil {
		t.Fatalf("the test cannot lock the file: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		w.turn = newTurn() // for the bubble's own goroutines
		_, err := w.create(t.Context(), oneItem)
		e := plugin.AsError(err)
		if e == nil || !e.Retryable || e.Uncertain || !strings.Contains(e.Message, "another process is writing to "+path) {
			t.Errorf("the error is %+v, want one that says so, is certain, and is to be tried again", e)
		}
	})
	w.turn = newTurn()
	if got := contents(t, path); got != "" {
		t.Errorf("%q was written to a file that another process had locked", got)
	}
	if err := unlock(other); err != nil {
		t.Fatal(err)
	}
	if _, err := w.create(t.Context(), oneItem); err != nil || contents(t, path) != oneWrite {
		t.Errorf("after that the file is %q (%v), want %q", contents(t, path), err, oneWrite)
	}
}
