package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/bench/baseline"
	"github.com/durasync/durasync/examples"
)

// BenchmarkFileToFile copies rows of about 370 bytes from one file to another, beside a loop without durability.
func BenchmarkFileToFile(b *testing.B) {
	const rows = 100_000
	for b.Loop() {
		s := newSystem(b)
		dir := b.TempDir()
		in, out, plain := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "plain.jsonl")
		writeRows(b, in, rows)
		began := time.Now()
		if _, err := baseline.FileToFile(in, plain); err != nil {
			b.Fatal(err)
		}
		loop := rows / time.Since(began).Seconds()
		wantKeys(b, plain, rows)

		s.write("jobs.hcl", `
connection "file" "in" { path = env("IN_FILE") }
connection "file" "out" { path = env("OUT_FILE") }
job "copy" {
  source {
    connection = connection.file.in
    stream     = "rows"
  }
  destination {
    connection = connection.file.out
    object     = "row"
  }
  map { values = row.values }
}
`)
		s.env = append(s.env, "IN_FILE="+in, "OUT_FILE="+out)
		w := start(b, s.env, "worker", s.dir)
		w.line("file.out")
		s.copies(b, w, "copy", rows, loop)
		wantKeys(b, out, rows)
	}
}

// BenchmarkGongToFile writes a line for each meeting, beside a loop without durability.
func BenchmarkGongToFile(b *testing.B) {
	const meetings = 5000
	for b.Loop() {
		s := newSystem(b)
		s.busyWeek(meetings)
		dir := b.TempDir()
		out, plain := filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "plain.jsonl")
		began := time.Now()
		if _, err := baseline.CallsToFile(b.Context(), s.gongClient(), plain, began.AddDate(0, 0, -7), began); err != nil {
			b.Fatal(err)
		}
		loop := meetings / time.Since(began).Seconds()
		wantKeys(b, plain, meetings)

		s.example(fileConnections, examples.GongToFile(), "gong_meetings.hcl")
		s.env = append(s.env, "MEETINGS_FILE="+out, "TABLE_FILE="+filepath.Join(dir, "table.csv"))
		s.copies(b, s.worker(), "gong_to_file", meetings, loop)
		wantKeys(b, out, meetings)
	}
}

// copies runs a job and reports what it takes.
func (s *system) copies(b *testing.B, w *process, job string, records int, loop float64) {
	b.Helper()
	s.ok("apply", s.dir)
	began := time.Now()
	s.sync(job)
	rate := float64(records) / time.Since(began).Seconds()
	program, connectors, server := s.used(w)
	b.ReportMetric(rate, "records/s")
	b.ReportMetric(rate/loop, "x-loop")
	b.ReportMetric((program.cpu+connectors.cpu+server.cpu).Seconds()*1e6/float64(records), "cpu-µs/record")
	b.ReportMetric(float64(program.peak>>20), "worker-MiB")
	b.ReportMetric(float64(connectors.peak>>20), "connectors-MiB")
	if server.peak > 0 { // it is the embedded one
		b.ReportMetric(float64(server.peak>>20), "server-MiB")
	}
}

// writeRows makes a file of rows of the last six days.
func writeRows(b *testing.B, path string, rows int) {
	b.Helper()
	first := time.Now().AddDate(0, 0, -6).UTC().Truncate(time.Second)
	var text bytes.Buffer
	for i := range rows {
		fmt.Fprintf(&text, `{"id":"row-%d","time":%q,"name":"Ann Lee","email":"ann%d@example.com","city":"Rome, Italy","amount":%d.50,"paid":true,"note":"%.200s"}`+"\n",
			i, first.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i, i, strings.Repeat(fmt.Sprint("note ", i, " "), 20))
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
}

// wantKeys checks that a file has as many lines as there are records, each with another key.
func wantKeys(b *testing.B, path string, want int) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	keys, lines := map[string]bool{}, 0
	for scan := bufio.NewScanner(f); scan.Scan(); lines++ {
		_, rest, _ := strings.Cut(scan.Text(), `"key":"`)
		key, _, _ := strings.Cut(rest, `"`)
		keys[key] = true
	}
	if lines != want || len(keys) != want {
		b.Fatalf("%s has %d lines with %d keys, want %d", path, lines, len(keys), want)
	}
}
