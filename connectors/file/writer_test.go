package file_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/durasync/durasync/connectors/file"
	"github.com/durasync/durasync/plugin"
)

// columns returns one column of a file's rows by their keys, and fails if a key is there twice.
func columns(t testing.TB, path, name string) map[string]any {
	t.Helper()
	found := map[string]any{}
	for _, row := range rowsOf(t, path) {
		key, _ := row["key"].(string)
		if _, twice := found[key]; twice || key == "" {
			t.Errorf("the key %q is not there, or there twice", key)
		}
		found[key] = row[name]
	}
	return found
}

func TestWhatACrashLeavesIsCutOff(t *testing.T) {
	for _, name := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "whole-"+name)
			first := []plugin.Item{item("a/1", `{"v":"Zoë,\n\"\"\nA"}`), item("a/2", `{"v":"two"}`)}
			second := []plugin.Item{item("a/3", `{"v":"three\n"}`), item("a/4", `{"v":"four"}`)}
			c := open(t, path)
			must(t, c, first...)
			acknowledged := len(readFile(t, path))
			must(t, c, second...)
			all := readFile(t, path)
			want := map[string]any{"a/1": "Zoë,\n\"\"\nA", "a/2": "two", "a/3": "three\n", "a/4": "four"}
			if diff := cmp.Diff(want, columns(t, path, "v")); diff != "" {
				t.Fatalf("the whole file (-want +got):\n%s", diff)
			}
			// The first batch was answered for and is never touched again; of the second, anything may be missing.
			for n := acknowledged; n < len(all); n++ {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, all[:n], 0o600); err != nil {
					t.Fatal(err)
				}
				must(t, open(t, path), second...)
				if diff := cmp.Diff(want, columns(t, path, "v")); diff != "" {
					t.Errorf("cut at byte %d of %d and written again (-want +got):\n%s", n, len(all), diff)
				}
				if !bytes.HasPrefix(readFile(t, path), all[:acknowledged]) {
					t.Errorf("cut at byte %d: what had been answered for was changed", n)
				}
			}
			// And of the first, too, before it was answered for.
			for n := range acknowledged {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, all[:n], 0o600); err != nil {
					t.Fatal(err)
				}
				must(t, open(t, path), slices.Concat(second, first)...)
				if diff := cmp.Diff(want, columns(t, path, "v")); diff != "" {
					t.Errorf("cut at byte %d of %d and written again (-want +got):\n%s", n, len(all), diff)
				}
			}
		})
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAKeyIsWrittenOnce(t *testing.T) {
	for _, name := range kinds {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			c := open(t, path)
			must(t, c, item("a/1", `{"v":"first"}`))
			again := item("a/1", `{"v":"second"}`)
			again.InDoubt = true
			for i, c := range []*file.Connector{c, open(t, path)} {
				results := create(t, c, again, item(fmt.Sprint("a/", i+2), `{"v":"other"}`))
				if !results[0].Existed || results[1].Existed {
					t.Errorf("connector %d: what had been written existed: %t; what had not: %t", i, results[0].Existed, results[1].Existed)
				}
			}
			if diff := cmp.Diff(map[string]any{"a/1": "first", "a/2": "other", "a/3": "other"}, columns(t, path, "v")); diff != "" {
				t.Errorf("the file (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWritersTakeTurns has two connectors, as two workers have them, write the same items at the same time.
func TestWritersTakeTurns(t *testing.T) {
	for _, name := range kinds {
		t.Run(name, func(t *testing.T) {
			const items, batch = 60, 7
			path := filepath.Join(t.TempDir(), name)
			want := map[string]any{}
			var all []plugin.Item
			for i := range items {
				key := fmt.Sprintf("a/%d", i)
				want[key] = strings.Repeat(fmt.Sprint(i, " "), 100)
				all = append(all, item(key, fmt.Sprintf(`{"v":%q}`, want[key])))
			}
			var wg sync.WaitGroup
			for _, c := range []*file.Connector{open(t, path), open(t, path)} {
				for from := range 3 {
					wg.Go(func() {
						for part := range slices.Chunk(slices.Concat(all[from*20:], all[:from*20]), batch) {
							if _, err := c.Create(t.Context(), &plugin.CreateRequest{Object: "row", Items: part}); err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
			wg.Wait()
			if diff := cmp.Diff(want, columns(t, path, "v")); diff != "" {
				t.Errorf("the file (-want +got):\n%s", diff)
			}
		})
	}
}

func TestColumnsOfCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	c := configure(t, fmt.Appendf(nil, `{"path":%q,"key":"from"}`, path))
	must(t, c,
		item("a/1", `{"name":"Ann","n":12345678901234567890,"list":[1, {"x": true}]}`),
		item("a/2", `{"key":" a;\"b\"\r\n","yes":true,"name":null}`))
	must(t, c, item("a/3", `{"name":"Cy"}`))
	const want = "from,key,list,n,name,yes\n" +
		"a/1,,\"[1,{\"\"x\"\":true}]\",12345678901234567890,Ann,\n" +
		"a/2,\" a;\"\"b\"\"\r\n\",,,,true\n" +
		"a/3,,,,Cy,\n"
	if got := text(t, path); got != want {
		t.Errorf("the file is\n%swant\n%s", got, want)
	}
}

func TestRefusedItems(t *testing.T) {
	dir := t.TempDir()
	good := item("a/good", `{"v":1}`)
	for name, tt := range map[string]struct{ file, values, want string }{
		"another column":   {"a.csv", `{"v":1,"city":"Rome"}`, `values has a column "city", which the file's header does not have`},
		"a nameless one":   {"a.csv", `{"":1}`, "without a name"},
		"the key's column": {"a.jsonl", `{"key":1}`, `values has a column "key", which is the file's own`},
		"a text":           {"a.jsonl", `"text"`, "values is not an object"},
		"null":             {"a.csv", `null`, "values is not an object"},
		"too long":         {"a.jsonl", `{"v":"` + strings.Repeat("x", 2<<20) + `"}`, "at most 2097152 can be written"},
		"not UTF-8":        {"a.jsonl", "{\"v\":\"Zo\xeb\"}", "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+tt.file)
			must(t, open(t, path), item("a/first", `{"v":0}`))
			bad := item("a/bad", tt.values)
			results := create(t, open(t, path), bad, good)
			saying(t, results[0].Err, plugin.CodeInvalidRecord, tt.want)
			if results[1].Err != nil {
				t.Errorf("the good item beside it: %v", results[1].Err)
			}
			got := columns(t, path, "v")
			if _, ok := got["a/good"]; len(got) != 2 || !ok {
				t.Errorf("the file holds %v, want the first row and the good one", got)
			}
		})
	}
}

func TestAFileOfOthersIsLeftAlone(t *testing.T) {
	damaged := pack(t, `{"key":"a/1"}`+"\n", `{"key":"a/2"}`+"\n")
	damaged[20] ^= 0xff
	for name, tt := range map[string]struct{ file, text, want string }{
		"no key":           {"a.jsonl", `{"key":"a/1"}` + "\n" + `{"id":1}` + "\n" + `{"id"`, `line 2: there is no key in column "key"`},
		"no object":        {"a.jsonl", "notes\n", "line 1: the line is not a JSON object"},
		"another column":   {"a.csv", "name,key\nAnn,1\nBob", `the first column is "name", not "key"`},
		"damaged":          {"a.jsonl.gz", string(damaged), "behind byte 0"},
		"not packed":       {"a.csv.gz", "key,name\n", "gzip: invalid header"},
		"half a row in it": {"b.jsonl.gz", string(pack(t, `{"key":"a/1"`)), "line 1 is not finished"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.file)
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			e := createError(t.Context(), t, open(t, path), item("a/9", `{"name":"x"}`))
			saying(t, e, plugin.CodeInvalidConfig, tt.file, tt.want)
			if e.Attribute != "path" || e.Uncertain {
				t.Errorf("the error is about attribute %q and uncertain: %t; want path and false", e.Attribute, e.Uncertain)
			}
			if got := string(readFile(t, path)); got != tt.text {
				t.Errorf("the file was changed to %q", got)
			}
		})
	}
}

func TestWhereNothingCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	for name, code := range map[string]plugin.Code{
		filepath.Join(dir, "nowhere", "a.csv"): plugin.CodeNotFound,
		filepath.Join(dir, "*.csv"):            plugin.CodeInvalidConfig,
		dir + ".csv":                           plugin.CodeInvalidConfig, // a directory
	} {
		if err := os.MkdirAll(dir+".csv", 0o700); err != nil {
			t.Fatal(err)
		}
		saying(t, createError(t.Context(), t, open(t, name), item("a/1", `{}`)), code)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(dir, "a.csv")
	saying(t, createError(ended, t, open(t, path), item("a/1", `{}`)), plugin.CodeUnavailable)
	if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
		t.Errorf("%q was written after the deadline", b)
	}
}

// TestTheFileAtThePathIsWrittenTo: what people do with the file between two batches counts.
func TestTheFileAtThePathIsWrittenTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	c := open(t, path)
	must(t, c, item("a/1", `{"v":1}`))
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	must(t, c, item("a/2", `{"w":2}`))
	if got, old := text(t, path), text(t, path+".old"); got != "key,w\na/2,2\n" || old != "key,v\na/1,1\n" {
		t.Errorf("after the file was moved away, the new one is %q and the old one %q", got, old)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	must(t, c, item("a/2", `{"w":2}`))
	if got := text(t, path); got != "key,w\na/2,2\n" {
		t.Errorf("after the file was removed, the new one is %q", got)
	}
	write(t, path, "key,w\na/7,7\n")
	must(t, c, item("a/7", `{"w":8}`), item("a/8", `{"w":8}`))
	if got := text(t, path); got != "key,w\na/7,7\na/8,8\n" {
		t.Errorf("after the file was rewritten, it is %q", got)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	must(t, c, item("a/7", `{"x":9}`))
	if got := text(t, path); got != "key,x\na/7,9\n" {
		t.Errorf("after the file was emptied, it is %q", got)
	}
}

func TestARowIsALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	c := open(t, path)
	must(t, c, item("a/1", "{\n\"v\": [1,\n 2.50 ], \"text\": \"a\\nb\"\n}"), item("a/2", "{ }"))
	if got, want := text(t, path), `{"key":"a/1","v":[1,2.50],"text":"a\nb"}`+"\n"+`{"key":"a/2"}`+"\n"; got != want {
		t.Errorf("the file is\n%swant\n%s", got, want)
	}
}

// TestALastLineWithoutItsBreakIsKept: some editors take it away.
func TestALastLineWithoutItsBreakIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	write(t, path, `{"key":"a/1","v":1}`)
	c := open(t, path)
	must(t, c, item("a/1", `{"v":2}`))
	if got, want := text(t, path), `{"key":"a/1","v":1}`+"\n"; got != want {
		t.Errorf("the file is %q, want %q", got, want)
	}
	must(t, c, item("a/2", `{"v":2}`))
	if got, want := text(t, path), `{"key":"a/1","v":1}`+"\n"+`{"key":"a/2","v":2}`+"\n"; got != want {
		t.Errorf("the file is %q, want %q", got, want)
	}
}

// TestWhatIsWrittenIsRead copies rows of any content through files of all kinds.
func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		values := rapid.SliceOfN(rapid.String(), 1, 10).Draw(rt, "values")
		path := filepath.Join(dir, fmt.Sprint(n)+rapid.SampledFrom(kinds).Draw(rt, "kind"))
		c := configure(t, fmt.Appendf(nil, `{"path":%q,"id":"key"}`, path))
		var items []plugin.Item
		var ids []string
		for i, v := range values {
			b, err := json.Marshal(map[string]string{"time": "2026-03-01", "v": v})
			if err != nil {
				rt.Fatal(err)
			}
			ids = append(ids, fmt.Sprint("a/", i))
			items = append(items, item(ids[i], string(b)))
		}
		for part := range slices.Chunk(items, 3) {
			must(t, c, part...)
		}
		if got := list(t, c); !slices.Equal(got, ids) {
			rt.Fatalf("rows %v are listed, want %v", got, ids)
		}
		got := read(t, c, ids...)
		for i, v := range values {
			if got[ids[i]]["v"] != v {
				rt.Errorf("row %d is %q, want %q", i, got[ids[i]]["v"], v)
			}
		}
	})
}
