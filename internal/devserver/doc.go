// Package devserver runs a complete Temporal server in this process: all four services on SQLite, and the web UI.
//
// It is what `durasync demo` and `durasync dev` stand on. Everything listens on 127.0.0.1, nothing calls out, and there is no
// authentication: it is for one person on one machine. Production runs against a Temporal server of its own.
//
// The package links go.temporal.io/server, which is large and slow to compile, so nothing but cmd/durasync imports it.
package devserver
