package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durasync/durasync/plugin"
)

// maxPages is more pages than any window of a test has.
const maxPages = 1000

func testSource(t *testing.T, h Harness, s Source, c plugin.Source, d *plugin.DescribeResponse) {
	i := slices.IndexFunc(d.Streams, func(st plugin.Stream) bool { return st.Name == s.Stream })
	if i < 0 {
		t.Fatalf("the description has no stream %q", s.Stream)
	}
	stream := d.Streams[i]
	all := list(t, c, s.Stream, s.From, s.To)
	if len(all) < 3 || all[0].Time.Equal(all[len(all)-1].Time) {
		t.Fatalf("List found %d records; the cases need a window with at least three, of different times", len(all))
	}
	t.Run("list", func(t *testing.T) { testEntries(t, s, all) })
	t.Run("window", func(t *testing.T) { testWindow(t, s, c, all) })
	t.Run("read", func(t *testing.T) { testRead(t, s, c, stream, all) })
	t.Run("left out", func(t *testing.T) {
		known := all[0].ID
		for _, id := range append([]string{s.Unknown}, s.Private...) {
			records := read(t, c, stream, []string{id, known}, fieldNames(stream))
			if len(records) != 1 || records[0].ID != known {
				t.Errorf("Read(%q, %q) returned %d records, want the second only", id, known, len(records))
			}
		}
	})
	t.Run("unknown stream", func(t *testing.T) {
		_, err := c.List(t.Context(), &plugin.ListRequest{Stream: "no_such_stream", From: s.From, To: s.To})
		_ = mustFail(t, err, plugin.CodeInvalidRequest, plugin.CodeNotFound)
		_, err = c.Read(t.Context(), &plugin.ReadRequest{Stream: "no_such_stream", IDs: []string{"1"}})
		_ = mustFail(t, err, plugin.CodeInvalidRequest, plugin.CodeNotFound)
	})
	if s.BadToken != "" {
		t.Run("expired token", func(t *testing.T) {
			_, err := c.List(t.Context(), &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To, PageToken: s.BadToken})
			_ = mustFail(t, err, plugin.CodeExpired)
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.List(ctx, &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To}); err == nil {
			t.Error("List answers although its context has ended")
		}
	})
	if h.Stall != nil {
		t.Run("stalled", func(t *testing.T) {
			stalled(t, h, func(ctx context.Context) {
				if _, err := c.List(ctx, &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To}); err == nil {
					t.Error("List answers although the other system does not")
				}
			})
		})
	}
}

// patience is how long a call may go on after its context has ended. The contract is a second; a loaded machine gets more.
const patience = 3 * time.Second

// stalled makes a call while the other system does not answer, with a context that ends soon.
func stalled(t *testing.T, h Harness, call func(context.Context)) {
	resume := sync.OnceFunc(h.Stall())
	defer resume()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(ctx)
	}()
	<-ctx.Done()
	select {
	case <-done:
	case <-time.After(patience):
		t.Errorf("the call goes on although its context has ended %s ago", patience)
		resume()
		<-done
	}
}

// list returns all pages of a window, sorted by time and id.
func list(t *testing.T, c plugin.Source, stream string, from, to time.Time) []plugin.Entry {
	t.Helper()
	var all []plugin.Entry
	req := &plugin.ListRequest{Stream: stream, From: from, To: to}
	for range maxPages {
		resp, err := c.List(t.Context(), req)
		if err != nil {
			t.Fatalf("List(%s, %s): %v", from, to, err)
		}
		all = append(all, resp.Entries...)
		if resp.NextPageToken == "" {
			slices.SortFunc(all, func(a, b plugin.Entry) int {
				return cmp2(a.Time.Compare(b.Time), a.ID, b.ID)
			})
			return all
		}
		req = &plugin.ListRequest{Stream: stream, From: from, To: to, PageToken: resp.NextPageToken}
	}
	t.Fatalf("List(%s, %s) has no last page", from, to)
	return nil
}

func testEntries(t *testing.T, s Source, all []plugin.Entry) {
	seen := map[string]bool{}
	for _, e := range all {
		if seen[e.ID] {
			t.Errorf("id %q is listed twice", e.ID)
		}
		seen[e.ID] = true
		if !printable(e.ID) {
			t.Errorf("id %q is not of 1 to 128 bytes of printable ASCII", e.ID)
		}
		if e.Time.Before(s.From) || !e.Time.Before(s.To) {
			t.Errorf("record %s of %s is outside of the window from %s to %s", e.ID, e.Time, s.From, s.To)
		}
	}
	for _, id := range s.Private {
		if seen[id] {
			t.Errorf("private record %s is listed", id)
		}
	}
	for _, r := range s.Want {
		if !seen[r.ID] {
			t.Errorf("record %s is not listed", r.ID)
		}
	}
}

func printable(id string) bool {
	for _, r := range id {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return id != "" && len(id) <= 128
}

// testWindow cuts the window in two at a record's time: the record belongs to the second half, and nothing is lost or doubled.
func testWindow(t *testing.T, s Source, c plugin.Source, all []plugin.Entry) {
	cut := all[len(all)/2].Time
	if cut.Equal(all[0].Time) {
		cut = all[len(all)-1].Time
	}
	var before, after []plugin.Entry
	for _, e := range all {
		if e.Time.Before(cut) {
			before = append(before, e)
		} else {
			after = append(after, e)
		}
	}
	if diff := cmp.Diff(before, list(t, c, s.Stream, s.From, cut), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("List up to %s, a record's time, exclusive (-want +got):\n%s", cut, diff)
	}
	if diff := cmp.Diff(after, list(t, c, s.Stream, cut, s.To), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("List from %s, a record's time, inclusive (-want +got):\n%s", cut, diff)
	}
}

func fieldNames(s plugin.Stream) []string {
	var names []string
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	return names
}

// read reads the ids, as many at once as the stream allows.
func read(t *testing.T, c plugin.Source, stream plugin.Stream, ids, fields []string) []plugin.Record {
	t.Helper()
	var all []plugin.Record
	for part := range slices.Chunk(ids, stream.MaxRead) {
		resp, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: stream.Name, IDs: part, Fields: fields})
		if err != nil {
			t.Fatalf("Read(%v): %v", part, err)
		}
		all = append(all, resp.Records...)
	}
	return all
}

func testRead(t *testing.T, s Source, c plugin.Source, stream plugin.Stream, all []plugin.Entry) {
	var ids []string
	times := map[string]time.Time{}
	for _, e := range all {
		ids = append(ids, e.ID)
		times[e.ID] = e.Time
	}
	got := map[string]plugin.Record{}
	for _, r := range read(t, c, stream, ids, fieldNames(stream)) {
		if _, twice := got[r.ID]; twice {
			t.Errorf("record %s is returned twice", r.ID)
		}
		got[r.ID] = r
		if want, asked := times[r.ID]; !asked || !r.Time.Equal(want) {
			t.Errorf("record %q of %s, listed with %s", r.ID, r.Time, want)
		}
		if err := plugin.StructOf(stream.Fields...).Check(r.Data); err != nil {
			t.Errorf("record %s does not match the description: %v", r.ID, err)
		}
	}
	if len(got) != len(all) {
		t.Errorf("Read returned %d of %d listed records", len(got), len(all))
	}
	for _, want := range s.Want {
		compare(t, want, got[want.ID])
	}
	// Asked for one field only, the connector must give it as before.
	field := stream.Fields[0].Name
	for _, r := range read(t, c, stream, ids[:1], []string{field}) {
		if diff := cmp.Diff(decode(t, got[r.ID].Data)[field], decode(t, r.Data)[field], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("field %s of record %s when read alone (-with others +alone):\n%s", field, r.ID, diff)
		}
	}
}

// compare checks what is given of a wanted record.
func compare(t *testing.T, want, got plugin.Record) {
	t.Helper()
	if !want.Time.IsZero() && !want.Time.Equal(got.Time) {
		t.Errorf("record %s: time %s, want %s", want.ID, got.Time, want.Time)
	}
	if want.URL != "" && want.URL != got.URL {
		t.Errorf("record %s: URL %q, want %q", want.ID, got.URL, want.URL)
	}
	if (want.Pending == "") != (got.Pending == "") {
		t.Errorf("record %s: pending %q, want %q", want.ID, got.Pending, want.Pending)
	}
	data := decode(t, got.Data)
	for name, value := range decode(t, want.Data) {
		if diff := cmp.Diff(value, data[name], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("record %s: field %s (-want +got):\n%s", want.ID, name, diff)
		}
	}
}

// decode decodes a JSON object and keeps numbers as they are written.
func decode(t *testing.T, data json.RawMessage) map[string]any {
	t.Helper()
	if len(data) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil {
		t.Errorf("not a JSON object: %v", err)
	}
	return members
}
