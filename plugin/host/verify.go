package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// copyPrefix begins the names of the directories with private copies.
const copyPrefix = "durasync-verified-"

// verified returns the path to start: the command's own, or, if it has a checksum, that of a private copy whose content is known to
// match it. A check of the file itself would be worth little, as the file can change between the check and the start; and
// starting a checked open file fails for scripts, whose interpreter opens them by name. The function that it returns removes
// the copy.
func verified(c Command) (path string, remove func(), err error) {
	if c.SHA256 == "" {
		return c.Path, func() {}, nil
	}
	sweep()
	dir, remove, err := privateDir()
	if err != nil {
		return "", nil, notCopied(c, err)
	}
	path = filepath.Join(dir, filepath.Base(c.Path))
	sum, err := copyProgram(path, c.Path)
	switch {
	case err != nil:
		err = notCopied(c, err)
	case !strings.EqualFold(sum, c.SHA256):
		err = &LaunchError{
			Reason: ChecksumMismatch, Path: c.Path,
			problem: fmt.Sprintf("its SHA-256 checksum is %s, not %s, so it is not run; if you have replaced it on purpose, record the new one "+
				"(durasync connector install)", sum, c.SHA256),
		}
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

func notCopied(c Command, err error) error {
	return &LaunchError{Reason: NotExecutable, Path: c.Path, err: err, problem: fmt.Sprintf("its private copy cannot be made: %v", err)}
}

// copyProgram copies a program and returns the checksum of what it has written.
func copyProgram(to, from string) (sum string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()

	// No process may be started while the copy is open for writing: it would inherit the file for a moment, and a file that
	// is open for writing somewhere cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o500)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, hash), in)
	return hex.EncodeToString(hash.Sum(nil)), errors.Join(err, out.Close())
}
