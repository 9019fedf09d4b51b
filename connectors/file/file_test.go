package file_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/connectors/file"
	"github.com/durasync/durasync/plugin"
)

// kinds are the names of files of all kinds.
var kinds = []string{"rows.jsonl", "rows.csv", "rows.jsonl.gz", "rows.csv.gz"}

func date(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }

func pathConfig(path string) json.RawMessage { return fmt.Appendf(nil, `{"path":%q}`, path) }

// open returns a connector for a path.
func open(t testing.TB, path string) *file.Connector {
	t.Helper()
	return configure(t, pathConfig(path))
}

func configure(t testing.TB, config json.RawMessage) *file.Connector {
	t.Helper()
	c := file.New()
	if _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{Config: config}); err != nil {
		t.Fatal(err)
	}
	return c
}

// write makes a file, packed if its name says so.
func write(t testing.TB, path, text string) {
	t.Helper()
	b := []byte(text)
	if isPacked(path) {
		b = pack(t, text)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func isPacked(path string) bool { return strings.HasSuffix(path, ".gz") }

// pack returns a gzip file with a member for each of the texts.
func pack(t testing.TB, texts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, text := range texts {
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// text returns what is in a file, unpacked.
func text(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if isPacked(path) {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	return string(b)
}

// rowsOf returns the rows of a file as encoding/json and encoding/csv read them, each as its columns.
func rowsOf(t testing.TB, path string) []map[string]any {
	t.Helper()
	var rows []map[string]any
	if !strings.Contains(path, ".csv") {
		for line := range strings.Lines(text(t, path)) {
			var row map[string]any
			if err := json.Unmarshal([]byte(line), &row); err != nil || !strings.HasSuffix(line, "\n") {
				t.Fatalf("the line %q is not a JSON object on a line of its own: %v", line, err)
			}
			rows = append(rows, row)
		}
		return rows
	}
	records, err := csv.NewReader(strings.NewReader(text(t, path))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range records[min(1, len(records)):] {
		row := map[string]any{}
		for i, name := range records[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// list returns all rows of March 2026.
func list(t testing.TB, c plugin.Source) (ids []string) {
	t.Helper()
	req := &plugin.ListRequest{Stream: "rows", From: date(1), To: date(32)}
	for {
		res, err := c.List(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Entries {
			ids = append(ids, e.ID)
		}
		if res.NextPageToken == "" {
			return ids
		}
		req.PageToken = res.NextPageToken
	}
}

// listError returns the error of a listing that has to fail.
func listError(t testing.TB, c plugin.Source) *plugin.Error {
	t.Helper()
	res, err := c.List(t.Context(), &plugin.ListRequest{Stream: "rows", From: date(1), To: date(32)})
	if err == nil {
		t.Fatalf("the listing found %+v, want an error", res.Entries)
	}
	return plugin.AsError(err)
}

// read returns the values of rows by their ids.
func read(t testing.TB, c plugin.Source, ids ...string) map[string]map[string]any {
	t.Helper()
	values := map[string]map[string]any{}
	for part := range slices.Chunk(ids, 1000) {
		res, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "rows", IDs: part, Fields: []string{"values"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range res.Records {
			var data struct{ Values map[string]any }
			if err := json.Unmarshal(r.Data, &data); err != nil {
				t.Fatal(err)
			}
			values[r.ID] = data.Values
		}
	}
	return values
}

// item is an item to write, with values in JSON.
func item(key, values string) plugin.Item {
	return plugin.Item{Key: key, RecordID: key, Time: date(1), Attributes: fmt.Appendf(nil, `{"values":%s}`, values)}
}

// create writes items, whether or not one is refused.
func create(t testing.TB, c plugin.Destination, items ...plugin.Item) []plugin.Result {
	t.Helper()
	ctx := hclog.WithContext(t.Context(), hclog.NewNullLogger())
	res, err := c.Create(ctx, &plugin.CreateRequest{Object: "row", Items: items})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Results) != len(items) {
		t.Fatalf("%d results for %d items", len(res.Results), len(items))
	}
	return res.Results
}

// must writes items, all of them.
func must(t testing.TB, c plugin.Destination, items ...plugin.Item) {
	t.Helper()
	for _, r := range create(t, c, items...) {
		if r.Err != nil {
			t.Errorf("item %s: %v", r.Key, r.Err)
		}
	}
}

// createError returns the error of a batch that has to fail.
func createError(ctx context.Context, t testing.TB, c plugin.Destination, items ...plugin.Item) *plugin.Error {
	t.Helper()
	res, err := c.Create(ctx, &plugin.CreateRequest{Object: "row", Items: items})
	if err == nil {
		t.Fatalf("the batch came to %+v, want an error", res.Results)
	}
	return plugin.AsError(err)
}

// saying checks that an error has a code and says all of some things.
func saying(t testing.TB, e *plugin.Error, code plugin.Code, what ...string) {
	t.Helper()
	if e == nil || e.Code != code {
		t.Errorf("the error is %+v, want one of code %s", e, code)
		return
	}
	for _, w := range what {
		if !strings.Contains(e.Message, w) {
			t.Errorf("the error says %q and not %q", e.Message, w)
		}
	}
}

func TestCheckSaysWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.csv"), "id,time\n")
	write(t, filepath.Join(dir, "b.csv"), "id,time\n")
	for name, want := range map[string]string{
		"a.csv":       "a.csv, 8 bytes",
		"*.csv":       "2 files " + filepath.Join(dir, "*.csv") + ", 16 bytes",
		"later.jsonl": "later.jsonl, which is not there yet",
	} {
		res, err := open(t, filepath.Join(dir, name)).Check(t.Context(), &plugin.CheckRequest{})
		if err != nil || !strings.HasSuffix(res.Summary, want) {
			t.Errorf("%s: the check says %+v (%v), want %q", name, res, err, want)
		}
	}
	_, err := open(t, filepath.Join(dir, "nowhere", "a.csv")).Check(t.Context(), &plugin.CheckRequest{})
	saying(t, plugin.AsError(err), plugin.CodeNotFound, "nowhere")
}
