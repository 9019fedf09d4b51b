//go:build unix

package host

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

// writeScript writes a connector that is a script, and returns the command for it with its checksum.
func writeScript(t *testing.T) Command {
	t.Helper()
	content := []byte("#!/bin/sh\nexec '" + self(t).Path + "' serve\n")
	path := filepath.Join(t.TempDir(), "durasync-connector-script")
	if err := os.WriteFile(path, content, 0o700); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return Command{Path: path, SHA256: hex.EncodeToString(sum[:])}
}

func TestChecksum(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	cmd := writeScript(t)
	c := launch(t, cmd, hclog.NewNullLogger())
	// The file may change now: what runs is the copy that was checked.
	if err := os.WriteFile(cmd.Path, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	read[int](t, c, "pid")
	c.Close()

	_, err := Launch(t.Context(), cmd, nil)
	var failed *LaunchError
	if !errors.As(err, &failed) || failed.Reason != ChecksumMismatch || !strings.Contains(err.Error(), cmd.SHA256) {
		t.Errorf("error %v, want a wrong checksum", err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left over in the temporary directory: %v, %v", left, err)
	}
}

// A program that is replaced all the time by another one and back is run as the wanted one or not at all.
func TestNoUnverifiedByteRuns(t *testing.T) {
	dir := t.TempDir()
	good, evil := "#!/bin/sh\n>'"+dir+"/good ran'\n", "#!/bin/sh\n>'"+dir+"/evil ran'\n"
	for name, text := range map[string]string{"good": good, "evil": evil} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ran := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name+" ran"))
		return err == nil
	}
	sum := sha256.Sum256([]byte(good))
	cmd := Command{Path: filepath.Join(dir, "durasync-connector-swapped"), SHA256: hex.EncodeToString(sum[:])}
	swap := func(to string) {
		next := filepath.Join(dir, "next")
		if err := errors.Join(os.Symlink(to, next), os.Rename(next, cmd.Path)); err != nil {
			t.Error(err)
		}
	}
	swap("good")
	ctx, stop := context.WithCancel(t.Context())
	var swapping sync.WaitGroup
	defer swapping.Wait()
	defer stop()
	swapping.Go(func() {
		for ctx.Err() == nil {
			swap("evil")
			swap("good")
		}
	})
	refused := 0
	for round := 0; round < 200 || refused == 0 || !ran("good"); round++ {
		_, err := Launch(t.Context(), cmd, nil)
		var failed *LaunchError
		if !errors.As(err, &failed) {
			t.Fatalf("error %v, want a LaunchError: neither of the two is a connector", err)
		}
		if failed.Reason == ChecksumMismatch {
			refused++
		}
		if ran("evil") {
			t.Fatalf("in round %d a program ran that is not the wanted one", round)
		}
	}
}

func copies(t *testing.T, tmp string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(tmp, copyPrefix+"*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPrivateCopiesOfKilledHostsAreRemoved(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	cmd := writeScript(t)
	living := launch(t, cmd, nil)

	pipe, gone := newPipe(t)
	host := exec.Command(self(t).Path, "host", pipe, cmd.Path, cmd.SHA256)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the host says %q, %v", line, err)
	}
	if n := len(copies(t, tmp)); n != 2 {
		t.Fatalf("there are %d private copies, want that of this process and that of the other", n)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait() // killed
	<-gone

	launch(t, cmd, nil).Close()
	if got := copies(t, tmp); len(got) != 1 {
		t.Errorf("private copies %q are left, want only that of the running connector", got)
	}
	read[int](t, living, "pid")
	living.Close()
	if got := copies(t, tmp); len(got) != 0 {
		t.Errorf("private copies %q are left after the end", got)
	}
}

func TestChangedProgramCostsItsOwnConnectionOnly(t *testing.T) {
	cmd := writeScript(t)
	pool := newPool(t, nil)
	apply(t, pool, Spec{Name: "scenario.changed", Connector: "scenario", Command: cmd}, spec(t, "scenario.other", `{"region":"us"}`))
	changed, other := get(t, pool, "scenario.changed"), get(t, pool, "scenario.other")
	before := pid(t, other)
	if err := os.WriteFile(cmd.Path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	pid(t, changed) // the process that runs is not touched
	kill(t, pool, "scenario.changed")
	_, err := changed.Read(t.Context(), &plugin.ReadRequest{IDs: []string{"pid"}})
	var failed *LaunchError
	if !errors.As(err, &failed) || failed.Reason != ChecksumMismatch || !strings.HasPrefix(err.Error(), "connection scenario.changed: ") {
		t.Errorf("error %v, want a wrong checksum and the connection's name", err)
	}
	if after := pid(t, other); after != before {
		t.Errorf("the other connection has process %d, was %d", after, before)
	}
}
