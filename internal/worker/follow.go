package worker

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/schema"
)

// followInterval is how often the job directory is looked at. Polling works on every file system that a directory may come
// from, mounted volumes included.
const followInterval = 2 * time.Second

const (
	// retryInterval is how often connectors are tried again that did not start.
	retryInterval = 30 * time.Second

	// secretsInterval is how often secrets are read again that stand in files or that commands print.
	secretsInterval = time.Minute
)

// follow serves what the directory holds, whenever it or a secret has changed. A directory that is still being written can be without
// mistakes and without connections, so it is served only when two looks have seen the same. The problem is what was wrong at the start.
func (w *Worker) follow(ctx context.Context, problem error) {
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	served, tried := fingerprint(w.opts.Files), time.Now()
	for last := served; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := fingerprint(w.opts.Files)
		written, since := now == last, time.Since(tried)
		due := since >= secretsInterval || problem != nil && since >= retryInterval
		if last = now; !written || now == served && !due {
			continue
		}
		served, tried = now, time.Now()
		problem = w.reload(ctx, problem)
	}
}

// reload serves what the directory and the secrets hold now, and returns what is wrong with them. A change with mistakes is reported and
// changes nothing. What is wrong as it was before is not said again.
func (w *Worker) reload(ctx context.Context, before error) (problem error) {
	config, diags := load(ctx, w.opts)
	problem = diags.Err()
	log := w.opts.Logger
	if problem != nil && before != nil && problem.Error() == before.Error() {
		log = hclog.NewNullLogger()
	}
	if !Usable(config, diags) {
		log.Error("the job directory, or a secret, has errors; the connections stay as they were", "error", problem)
		return problem
	}
	changed, err := w.serve(ctx, config)
	if err != nil {
		log.Error("the job directory cannot be served in full", "error", err)
		return problem
	}
	reportUnserved(log, diags)
	if changed {
		w.opts.Logger.Info("the connections have changed", "connections", w.Connections())
	}
	return problem
}

// reportUnserved says which connections of a usable directory are not served.
func reportUnserved(log hclog.Logger, diags schema.Diagnostics) {
	for _, d := range diags {
		if d.Severity == schema.SeverityError {
			log.Error("a connection is not served, because its connector does not start", "error", schema.Diagnostics{d})
		}
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
