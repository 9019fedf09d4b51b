package plugintest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// maxPages is more pages than any window of a test has.
const maxPages = 1000

var sourceRules = []rule{
	{
		name:     "list: pages",
		contract: "Source.List: NextPageToken is empty on the last page, and there is a last page.",
		check:    func(t *probe) { _ = t.all() },
	},
	{
		name:     "list: resumes",
		contract: "Source.List: a page token continues where the page ended, in any process of the connector, or is CodeExpired.",
		check:    checkResumes,
	},
	{
		name:     "list: entries",
		contract: "Entry: ids are unique, printable ASCII of at most 128 bytes, and of records in the window that may leave the source.",
		check:    checkEntries,
	},
	{
		name:     "list: window",
		contract: "ListRequest: From is inclusive, To exclusive.",
		check:    checkWindow,
	},
	{
		name:     "list: unknown stream",
		contract: "Error: what does not exist is CodeInvalidRequest or CodeNotFound.",
		check: func(t *probe) {
			s, _ := t.stream()
			_, err := t.connector().List(t.ctx, &plugin.ListRequest{Stream: "no_such_stream", From: s.From, To: s.To})
			_ = t.mustFail("List", err, plugin.CodeInvalidRequest, plugin.CodeNotFound)
			_, err = t.connector().Read(t.ctx, &plugin.ReadRequest{Stream: "no_such_stream", IDs: []string{"1"}})
			_ = t.mustFail("Read", err, plugin.CodeInvalidRequest, plugin.CodeNotFound)
		},
	},
	{
		name:     "list: expired token",
		contract: "Source.List: an expired page token is CodeExpired.",
		check: func(t *probe) {
			s, _ := t.stream()
			if s.BadToken == "" {
				t.Skipf("no expired page token is given")
			}
			_, err := t.connector().List(t.ctx, &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To, PageToken: s.BadToken})
			_ = t.mustFail("List", err, plugin.CodeExpired)
		},
	},
	{
		name:     "read: agrees with list",
		contract: "Source.Read returns the records of the given ids, with the times of List.",
		check:    checkAgrees,
	},
	{
		name:     "read: types",
		contract: "Record.Data is a JSON object with the fields of the stream's description, of their types.",
		check: func(t *probe) {
			_, stream := t.stream()
			for _, r := range t.records() {
				if err := plugin.StructOf(stream.Fields...).Check(r.Data); err != nil {
					t.Errorf("record %s does not match the description: %v", r.ID, err)
				}
			}
		},
	},
	{
		name:     "read: values",
		contract: "Record: data is as in the other system, and integers are exact.",
		check:    checkValues,
	},
	{
		name:     "read: fields",
		contract: "ReadRequest.Fields: the fields that are asked for are there, whatever others are.",
		check:    checkFields,
	},
	{
		name:     "read: left out",
		contract: "Source.Read: an id that does not exist, or must not leave the source, is left out of the answer.",
		check:    checkLeftOut,
	},
}

// stream is what is given of the source, and the stream's description.
func (t *probe) stream() (Source, plugin.Stream) {
	if t.Source == nil {
		t.Skipf("no stream and window are given")
	}
	i := slices.IndexFunc(t.first.Streams, func(st plugin.Stream) bool { return st.Name == t.Source.Stream })
	if i < 0 {
		t.Fatalf("the description has no stream %q", t.Source.Stream)
	}
	return *t.Source, t.first.Streams[i]
}

// all is what the window holds.
func (t *probe) all() []plugin.Entry {
	s, _ := t.stream()
	c := t.connector()
	if t.unlisted {
		t.Skipf("the window cannot be listed")
	}
	if t.entries == nil {
		t.unlisted = true
		all := t.list(c, s.From, s.To)
		if len(all) < 3 || all[0].Time.Equal(all[len(all)-1].Time) {
			t.Fatalf("List finds %d records in the window; the rules need at least three, of different times", len(all))
		}
		t.entries, t.unlisted = all, false
	}
	return t.entries
}

// list returns all pages of a window, sorted by time and id.
func (t *probe) list(c *conn, from, to time.Time) []plugin.Entry {
	var all []plugin.Entry
	req := plugin.ListRequest{Stream: t.Source.Stream, From: from, To: to}
	for range maxPages {
		resp, err := c.List(t.ctx, &req)
		if err != nil {
			t.Fatalf("List from %s to %s: %v", stamp(from), stamp(to), err)
		}
		all = append(all, resp.Entries...)
		if resp.NextPageToken == "" {
			slices.SortFunc(all, func(a, b plugin.Entry) int { return orElse(a.Time.Compare(b.Time), a.ID, b.ID) })
			return all
		}
		req.PageToken = resp.NextPageToken
	}
	t.Fatalf("List from %s to %s has no last page", stamp(from), stamp(to))
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// orElse is first unless that is 0, and then the order of a and b.
func orElse(first int, a, b string) int {
	if first != 0 {
		return first
	}
	return strings.Compare(a, b)
}

// checkResumes asks two connectors for the second page.
func checkResumes(t *probe) {
	s, _ := t.stream()
	_ = t.all() // else pages say nothing
	req := plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To}
	page, err := t.connector().List(t.ctx, &req)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	if page.NextPageToken == "" {
		t.Skipf("the window has one page only")
	}
	req.PageToken = page.NextPageToken
	want, err := t.connector().List(t.ctx, &req)
	if err != nil {
		t.Fatalf("List, the second page: %v", err)
	}
	got, err := t.configured(t.config()).List(t.ctx, &req)
	if err != nil {
		_ = t.mustFail("List in another process", err, plugin.CodeExpired)
		return
	}
	t.same("the second page in another process", want.Entries, got.Entries)
}

// same compares lists of entries, whatever their order.
func (t *probe) same(what string, want, got []plugin.Entry) {
	missing := idsOf(want, got)
	if extra := idsOf(got, want); len(missing)+len(extra) > 0 {
		t.Errorf("%s lacks %q and has %q too many", what, missing, extra)
	}
}

// idsOf are the ids of those entries that are not, with the same time, in others.
func idsOf(entries, others []plugin.Entry) []string {
	var ids []string
	for _, e := range entries {
		if !slices.ContainsFunc(others, func(o plugin.Entry) bool { return o.ID == e.ID && o.Time.Equal(e.Time) }) {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func checkEntries(t *probe) {
	s, _ := t.stream()
	seen := map[string]bool{}
	for _, e := range t.all() {
		if seen[e.ID] {
			t.Errorf("id %q is listed twice", e.ID)
		}
		seen[e.ID] = true
		if !printable(e.ID) {
			t.Errorf("id %q is not of 1 to 128 bytes of printable ASCII", e.ID)
		}
		if e.Time.Before(s.From) || !e.Time.Before(s.To) {
			t.Errorf("record %s of %s lies outside of the window from %s to %s", e.ID, stamp(e.Time), stamp(s.From), stamp(s.To))
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

// checkWindow cuts the window in two at a record's time: the record belongs to the second half, and nothing is lost or doubled.
func checkWindow(t *probe) {
	s, _ := t.stream()
	all := t.all()
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
	t.same("the list up to a record's time, exclusive,", before, t.list(t.connector(), s.From, cut))
	t.same("the list from a record's time, inclusive,", after, t.list(t.connector(), cut, s.To))
}

// read reads the ids, as many at once as the stream allows.
func (t *probe) read(ids, fields []string) []plugin.Record {
	_, stream := t.stream()
	var all []plugin.Record
	for part := range slices.Chunk(ids, max(stream.MaxRead, 1)) {
		resp, err := t.connector().Read(t.ctx, &plugin.ReadRequest{Stream: stream.Name, IDs: part, Fields: fields})
		if err != nil {
			t.Fatalf("Read(%q): %v", part, err)
		}
		all = append(all, resp.Records...)
	}
	return all
}

// records are those of the window, with all fields.
func (t *probe) records() []plugin.Record {
	var ids []string
	for _, e := range t.all() {
		if !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	return t.read(ids, t.fields())
}

func (t *probe) fields() []string {
	_, stream := t.stream()
	var names []string
	for _, f := range stream.Fields {
		names = append(names, f.Name)
	}
	return names
}

func checkAgrees(t *probe) {
	times := map[string]time.Time{}
	for _, e := range t.all() {
		times[e.ID] = e.Time
	}
	seen := map[string]bool{}
	for _, r := range t.records() {
		want, listed := times[r.ID]
		switch {
		case !listed:
			t.Errorf("record %q was not asked for", r.ID)
		case seen[r.ID]:
			t.Errorf("record %s is returned twice", r.ID)
		case !r.Time.Equal(want):
			t.Errorf("record %s has the time %s, but is listed with %s", r.ID, stamp(r.Time), stamp(want))
		}
		seen[r.ID] = true
	}
	for id := range times {
		if !seen[id] {
			t.Errorf("record %s is listed, but Read leaves it out", id)
		}
	}
}

// checkValues compares what is given of the wanted records.
func checkValues(t *probe) {
	s, _ := t.stream()
	if len(s.Want) == 0 {
		t.Skipf("no wanted records are given")
	}
	records := t.records()
	for _, want := range s.Want {
		i := slices.IndexFunc(records, func(r plugin.Record) bool { return r.ID == want.ID })
		if i < 0 {
			t.Errorf("record %s is not there", want.ID)
			continue
		}
		got := records[i]
		if !want.Time.IsZero() && !want.Time.Equal(got.Time) {
			t.Errorf("record %s: time %s, want %s", want.ID, stamp(got.Time), stamp(want.Time))
		}
		if want.URL != "" && want.URL != got.URL {
			t.Errorf("record %s: URL %q, want %q", want.ID, got.URL, want.URL)
		}
		if (want.Pending == "") != (got.Pending == "") {
			t.Errorf("record %s: pending %q, want %q", want.ID, got.Pending, want.Pending)
		}
		data := t.decode(got.Data)
		for name, value := range t.decode(want.Data) {
			if !reflect.DeepEqual(value, data[name]) {
				t.Errorf("record %s: field %s is %s, want %s", want.ID, name, text(data[name]), text(value))
			}
		}
	}
}

// checkFields asks for one field alone.
func checkFields(t *probe) {
	ids := []string{t.all()[0].ID}
	full, name := t.read(ids, t.fields()), t.fields()[0]
	alone := t.read(ids, []string{name})
	if len(full) != 1 || len(alone) != 1 {
		t.Fatalf("Read of record %s returns %d records with all fields, %d with one", ids[0], len(full), len(alone))
	}
	with, without := t.decode(full[0].Data)[name], t.decode(alone[0].Data)[name]
	if !reflect.DeepEqual(with, without) {
		t.Errorf("field %s of record %s is %s, but %s when read alone", name, ids[0], text(with), text(without))
	}
}

func checkLeftOut(t *probe) {
	s, _ := t.stream()
	ids := slices.Clone(s.Private)
	if s.Unknown != "" {
		ids = append(ids, s.Unknown)
	}
	if len(ids) == 0 {
		t.Skipf("no unknown and no private ids are given")
	}
	known := t.all()[0].ID
	for _, id := range ids {
		for _, r := range t.read([]string{id, known}, t.fields()) {
			if r.ID != known {
				t.Errorf("Read(%q) returns record %q", id, r.ID)
			}
		}
	}
}

// decode decodes a JSON object and keeps numbers as they are written.
func (t *probe) decode(data json.RawMessage) map[string]any {
	if len(data) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil {
		t.Errorf("%.100s is no JSON object: %v", data, err)
	}
	return members
}

// text is a decoded JSON value as it is written.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
