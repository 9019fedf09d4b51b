package worker

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"time"
)

// followInterval is how often the job directory is looked at. Polling works on every file system that a directory may come
// from, mounted volumes included.
const followInterval = 2 * time.Second

// follow serves what the directory holds, whenever it has changed. A change with mistakes is reported and changes nothing. One that
// is still being written can be without mistakes and without connections, so it is served only when two looks have seen the same.
func (w *Worker) follow(ctx context.Context) {
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	served := fingerprint(w.opts.Files)
	for last := served; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := fingerprint(w.opts.Files)
		written := now == last
		if last = now; !written || now == served {
			continue
		}
		served = now
		config, diags := load(ctx, w.opts)
		if err := diags.Err(); err != nil {
			w.opts.Logger.Error("the job directory has changed and has errors; the connections stay as they were", "error", err)
			continue
		}
		if err := w.serve(ctx, config); err != nil {
			w.opts.Logger.Error("the job directory has changed and cannot be served in full", "error", err)
			continue
		}
		w.opts.Logger.Info("the job directory has changed", "connections", w.Connections())
	}
}

// fingerprint digests the names and contents of the directory's files. What cannot be read counts as absent: loading says so.
func fingerprint(files fs.FS) [sha256.Size]byte {
	h := sha256.New()
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return [sha256.Size]byte{}
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		content, err := fs.ReadFile(files, e.Name())
		if err != nil {
			continue
		}
		h.Write([]byte(e.Name()))
		h.Write([]byte{0})
		h.Write(content)
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}
