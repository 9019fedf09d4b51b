package file_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/durasync/durasync/plugin"
)

func TestARowThatCannotBeReadIsNamed(t *testing.T) {
	const row = `{"id":1,"time":"2026-03-01"}` + "\n"
	for name, tt := range map[string]struct{ file, text, want string }{
		"no object":          {"a.jsonl", row + "[1]\n", "a.jsonl, line 2: the line is not a JSON object"},
		"null":               {"a.jsonl", row + "\nnull\n", "line 3: the line is not a JSON object"},
		"half an object":     {"a.jsonl", row + `{"id":` + "\n" + row, "line 2: the line is not a JSON object"},
		"no id":              {"a.jsonl", row + `{"time":"2026-03-01"}` + "\n", `line 2: the row has no id: column "id"`},
		"an empty id":        {"a.csv", "id,time\n,2026-03-01\n", "line 2: the row has no id"},
		"an id that is true": {"a.jsonl", `{"id":true,"time":"2026-03-01"}` + "\n", "line 1: the row has no id"},
		"no time":            {"a.jsonl", row + `{"id":2}` + "\n", `line 2: the row has no time: column "time"`},
		"another time":       {"a.csv", "id,time\n1,1.3.2026\n", "line 2: the row has no time"},
		"an id twice":        {"a.jsonl", row + row, `line 2: the id "1" stands in line 1 of`},
		"too few cells":      {"a.csv", "id,time\n1,2026-03-01\n\n2\n", "line 4: the row has 1 cells, the header 2"},
		"too many cells":     {"a.csv", "id,time\n1,2026-03-01,\n", "line 2: the row has 3 cells, the header 2"},
		"a quote in a cell":  {"a.csv", "id,time,name\n1,2026-03-01,5\" and 6\"\n", "line 2: there is a quote within a cell"},
		"after a quote":      {"a.csv", "id,time,name\n1,2026-03-01,\"a\"b\n", "line 2: there is no delimiter ',' after the cell"},
		"a column twice":     {"a.csv", "id,time,id\n", `line 1: two columns of the header are called "id"`},
		"a nameless column":  {"a.csv", "id,,time\n", "line 1: column 2 has no name"},
		"Latin-1":            {"a.csv", "id,time,name\n1,2026-03-01,Zo\xeb\n", "line 2: the text is not UTF-8"},
		"an endless line":    {"a.jsonl", row + strings.Repeat(" ", 3<<20) + "\n", "line 2: the row has more than 2097152 bytes"},
		"an open quote": {"a.csv", "id,time,name\n1,2026-03-01,\"a\n" + strings.Repeat("2,2026-03-01,b\n", 1<<18),
			"line 2: the row has more than 2097152 bytes; if it is not that long, a quote is not closed"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.file)
			write(t, path, tt.text)
			e := listError(t, open(t, path))
			saying(t, e, plugin.CodeInvalidRequest, tt.want)
			if e.Retryable {
				t.Error("the error is to be tried again, although only a person can mend the file")
			}
		})
	}
}

func TestCSVIsReadAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	write(t, path, "\ufeffid;time;First Name;note\r\n"+
		"1;2026-03-01;Zoë;\"a;b\"\r\n"+
		"\r\n"+
		"2;2026-03-02;;\"two\r\nlines, \"\"quoted\"\"\"\r\n"+
		"3;\"2026-03-03T01:02:03+01:00\";' ;\"\"\n")
	c := configure(t, fmt.Appendf(nil, `{"path":%q,"delimiter":";"}`, path))
	want := map[string]map[string]any{
		"1": {"id": "1", "time": "2026-03-01", "First Name": "Zoë", "note": "a;b"},
		"2": {"id": "2", "time": "2026-03-02", "First Name": "", "note": "two\r\nlines, \"quoted\""},
		"3": {"id": "3", "time": "2026-03-03T01:02:03+01:00", "First Name": "' ", "note": ""},
	}
	if diff := cmp.Diff(want, read(t, c, list(t, c)...)); diff != "" {
		t.Errorf("the rows (-want +got):\n%s", diff)
	}
}

// TestCSVOfOthersIsReadAsItWasMeant has encoding/csv write the file.
func TestCSVOfOthersIsReadAsItWasMeant(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		cells := rapid.SliceOfN(rapid.StringOf(rapid.RuneFrom([]rune("aé,;\"\r\n\t 世\x00"))), 1, 20).Draw(rt, "cells")
		crlf := rapid.Bool().Draw(rt, "crlf")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = crlf
		records := [][]string{{"id", "time", "cell"}}
		for i, cell := range cells {
			records = append(records, []string{fmt.Sprint(i), "2026-03-01", cell})
		}
		if err := w.WriteAll(records); err != nil {
			rt.Fatal(err)
		}
		path := filepath.Join(dir, "a.csv")
		write(t, path, b.String())
		c := open(t, path)
		got := read(t, c, list(t, c)...)
		for i, cell := range cells {
			if crlf { // encoding/csv then writes the line breaks of cells like those of rows, and drops other carriage returns
				cell = strings.ReplaceAll(strings.ReplaceAll(cell, "\r", ""), "\n", "\r\n")
			}
			if got[fmt.Sprint(i)]["cell"] != cell {
				rt.Errorf("cell %d is %q, want %q", i, got[fmt.Sprint(i)]["cell"], cell)
			}
		}
	})
}

// TestAnUnfinishedFileIsWaitedFor cuts files everywhere. No listing may show a row that is not whole, or leave one out.
func TestAnUnfinishedFileIsWaitedFor(t *testing.T) {
	texts := map[string]string{
		"a.jsonl": `{"id":1,"time":"2026-03-01","name":"Zoë"}` + "\n" + `{"id":2,"time":"2026-03-02","name":"two"}` + "\n",
		"a.csv":   "id,time,name\n1,2026-03-01,\"Zoë,\n\"\"A\"\"\n\"\n2,2026-03-02,two\n",
	}
	for name, all := range texts {
		t.Run(name, func(t *testing.T) {
			for n := range len(all) {
				path := filepath.Join(t.TempDir(), name)
				write(t, path, all[:n])
				// A row counts once its line break is there; for JSON the closing brace will do.
				rows := strings.Count(all[:n], "two\n") + strings.Count(all[:n], "\"\n2") + strings.Count(all[:n], `"}`)
				whole := n == 0 || strings.HasSuffix(all[:n], "}") || strings.HasSuffix(all[:n], "}\n") ||
					strings.HasSuffix(all[:n], "name\n") || strings.HasSuffix(all[:n], "\"\"\n\"\n")
				if strings.HasSuffix(all[:n], "\"\"\n\"\n") {
					rows = 1
				}
				c := open(t, path)
				if whole {
					if got := list(t, c); len(got) != rows {
						t.Errorf("the first %d bytes: rows %v are listed, want %d", n, got, rows)
					}
					continue
				}
				e := listError(t, c)
				saying(t, e, plugin.CodeUnavailable, "is being written", "is not finished")
				if !e.Retryable {
					t.Errorf("the first %d bytes: the rest is not waited for", n)
				}
				old := time.Now().Add(-time.Hour)
				if err := os.Chtimes(path, old, old); err != nil {
					t.Fatal(err)
				}
				saying(t, listError(t, open(t, path)), plugin.CodeInvalidRequest, "end it with a line break")
			}
		})
		t.Run(name+".gz", func(t *testing.T) {
			packed := pack(t, all)
			for n := 1; n < len(packed); n++ {
				path := filepath.Join(t.TempDir(), name+".gz")
				if err := os.WriteFile(path, packed[:n], 0o600); err != nil {
					t.Fatal(err)
				}
				saying(t, listError(t, open(t, path)), plugin.CodeUnavailable, "is being written")
			}
		})
	}
}

func TestGzipDamageIsNoEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl.gz")
	packed := pack(t, `{"id":1,"time":"2026-03-01"}`+"\n", `{"id":2,"time":"2026-03-02"}`+"\n")
	packed[len(packed)-6] ^= 1 // in the checksum
	if err := os.WriteFile(path, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	saying(t, listError(t, open(t, path)), plugin.CodeInvalidRequest, "checksum")
}

// numbered is a text of so many rows, in the reverse order of their times.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"row-%d","time":%q,"n":%d}`+"\n", i, date(1).Add(time.Duration(n-i)*time.Second).Format(time.RFC3339), i)
	}
	return b.String()
}

func TestPagesAreOfOneListing(t *testing.T) {
	const n = 25_000
	path := filepath.Join(t.TempDir(), "a.jsonl")
	write(t, path, numbered(n))
	c := open(t, path)
	req := &plugin.ListRequest{Stream: "rows", From: date(1), To: date(32)}
	seen := map[string]bool{}
	var last time.Time
	for pages := 1; ; pages++ {
		res, err := c.List(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Entries {
			if seen[e.ID] || e.Time.Before(last) {
				t.Errorf("row %s of %s is listed twice, or behind one of %s", e.ID, e.Time, last)
			}
			seen[e.ID], last = true, e.Time
		}
		if res.NextPageToken == "" {
			if pages < 2 {
				t.Error("there is one page only")
			}
			break
		}
		req.PageToken = res.NextPageToken
		write(t, path, numbered(n+pages)) // changes all times
	}
	if len(seen) != n {
		t.Errorf("%d rows are listed, want the %d that there were at the first page", len(seen), n)
	}
	if got := list(t, c); len(got) <= n {
		t.Errorf("the next listing has %d rows, want more than %d", len(got), n)
	}
	_, err := c.List(t.Context(), req)
	saying(t, plugin.AsError(err), plugin.CodeExpired)
}

func TestAChangedFileIsReadAnew(t *testing.T) {
	for _, name := range []string{"a.jsonl", "a.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			c := open(t, path)
			saying(t, listError(t, c), plugin.CodeNotFound, path)
			write(t, path, `{"id":1,"time":"2026-03-01","v":"a"}`+"\n"+`{"id":2,"time":"2026-03-01","v":"b"}`+"\n")
			if got := list(t, c); !slices.Equal(got, []string{"1", "2"}) {
				t.Errorf("rows %v are listed, want 1 and 2", got)
			}
			write(t, path, `{"id":22,"time":"2026-03-01","v":"c"}`+"\n"+`{"id":2,"time":"2026-03-01","v":"new"}`+"\n")
			want := map[string]map[string]any{"2": {"id": 2., "time": "2026-03-01", "v": "new"}}
			if diff := cmp.Diff(want, read(t, c, "1", "2")); diff != "" {
				t.Errorf("the rows 1 and 2 of the new file (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesOfAPatternAreOneStream(t *testing.T) {
	dir := t.TempDir()
	c := open(t, filepath.Join(dir, "in-*", "*.csv"))
	if got := list(t, c); len(got) > 0 {
		t.Errorf("rows %v are listed where no file is", got)
	}
	for i, text := range []string{"id,time,a\n1,2026-03-03,x\n", "b,time,id\ny,2026-03-01,2\n", "id,time\n3,2026-03-02\n"} {
		if err := os.MkdirAll(filepath.Join(dir, fmt.Sprintf("in-%d", i%2)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("in-%d", i%2), fmt.Sprintf("%d.csv", i)), text)
		list(t, c)
	}
	if got := list(t, c); !slices.Equal(got, []string{"2", "3", "1"}) {
		t.Errorf("rows %v are listed, want 2, 3 and 1, as their times are", got)
	}
	want := map[string]map[string]any{"1": {"id": "1", "time": "2026-03-03", "a": "x"}, "2": {"id": "2", "time": "2026-03-01", "b": "y"}}
	if diff := cmp.Diff(want, read(t, c, "2", "404", "1")); diff != "" {
		t.Errorf("the rows of two files (-want +got):\n%s", diff)
	}
	write(t, filepath.Join(dir, "in-1", "9.csv"), "id,time\n9,2026-03-09\n3,2026-03-02\n")
	saying(t, listError(t, c), plugin.CodeInvalidRequest, "9.csv, line 3", `the id "3" stands in line 2 of`, "2.csv")
	saying(t, listError(t, open(t, filepath.Join(dir, "out", "*.csv"))), plugin.CodeNotFound, "out")
}

// TestOnlyPlacesAreKept reads a file of long rows: what stays in memory is where they are, not what they are.
func TestOnlyPlacesAreKept(t *testing.T) {
	for _, name := range []string{"a.jsonl", "a.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			const rows, long = 100, 50_000 // 5 MB
			var b strings.Builder
			for i := range rows {
				fmt.Fprintf(&b, `{"id":"%d","time":"2026-03-01","long":"%s"}`+"\n", i, strings.Repeat("x", long))
			}
			path := filepath.Join(t.TempDir(), name)
			write(t, path, b.String())
			c := open(t, path)
			b.Reset()
			before := heap()
			ids := list(t, c)
			for _, id := range ids {
				if n := len(read(t, c, id)[id]["long"].(string)); n != long {
					t.Errorf("row %s has a text of %d bytes, want %d", id, n, long)
				}
			}
			if after := heap(); len(ids) != rows || after > before+rows*long/10 {
				t.Errorf("%d rows of %d bytes keep %d bytes in memory", len(ids), long, after-before)
			}
			runtime.KeepAlive(c)
		})
	}
}

// heap returns how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
