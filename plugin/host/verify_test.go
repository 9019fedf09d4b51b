//go:build unix

package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
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
