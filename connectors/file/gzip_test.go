package file

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyPartOfAGzipFileCanBeRead, in any order, across its members.
func TestAnyPartOfAGzipFileCanBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.gz")
	rapid.Check(t, func(rt *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringN(0, 50, -1), 1, 5).Draw(rt, "members")
		var packed bytes.Buffer
		for _, text := range texts {
			z := gzip.NewWriter(&packed)
			if _, err := io.WriteString(z, text); err != nil {
				rt.Fatal(err)
			}
			if err := z.Close(); err != nil {
				rt.Fatal(err)
			}
		}
		if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
			rt.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer f.Close()
		whole := newUnpacker(f, mark{})
		all, err := io.ReadAll(whole)
		if want := strings.Join(texts, ""); err != nil || string(all) != want {
			rt.Fatalf("the text is %q (%v), want %q", all, err, want)
		}
		u := &unpacked{file: f, marks: whole.marks}
		for range 10 {
			from := rapid.IntRange(0, len(all)).Draw(rt, "from")
			to := rapid.IntRange(from, len(all)).Draw(rt, "to")
			b := make([]byte, to-from)
			if _, err := u.ReadAt(b, int64(from)); err != nil || !bytes.Equal(b, all[from:to]) {
				rt.Fatalf("bytes %d to %d are %q (%v), want %q", from, to, b, err, all[from:to])
			}
		}
	})
}
