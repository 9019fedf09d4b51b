package totango

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
)

func TestComplaint(t *testing.T) {
	tests := map[string]struct{ body, kind, message string }{
		"none":             {`{"note":{"id":1}}`, "", ""},
		"empty members":    {`{"error":null,"errors":[],"status":"success"}`, "", ""},
		"array":            {`[{"error":"x"}]`, "", ""},
		"page":             {`<html>`, "", ""},
		"nothing":          {``, "", ""},
		"authentication":   {`{"error":{"type":"authentication_failed","message":"bad token"}}`, "authentication_failed", "bad token"},
		"text":             {`{"error":"Account not found"}`, "", "Account not found"},
		"list":             {`{"errors":["a","b"]}`, "", `["a","b"]`},
		"failed search":    {`{"status":"failed","_error":"no terms"}`, kindSearch, "no terms"},
		"failed, no words": {`{"status":"failed"}`, kindSearch, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			kind, message := complaint([]byte(tt.body))
			if kind != tt.kind || message != tt.message {
				t.Errorf("%q, %q; want %q, %q", kind, message, tt.kind, tt.message)
			}
		})
	}
}

func TestPages(t *testing.T) {
	rows := func(from, to int) []int {
		out := []int{}
		for i := from; i < to; i++ {
			out = append(out, i)
		}
		return out
	}
	// paged serves n rows; unit is what one step of the offset means, first is the offset of the first page.
	paged := func(n, unit, first int, total bool) func(context.Context, int) (*hits[int], error) {
		return func(_ context.Context, offset int) (*hits[int], error) {
			from := min(n, max(0, (offset-first)*unit))
			h := &hits[int]{Hits: rows(from, min(n, from+pageSize))}
			if total {
				h.Total = &n
			}
			return h, nil
		}
	}
	tests := map[string]struct {
		fetch func(context.Context, int) (*hits[int], error)
		want  int
	}{
		"empty":                 {paged(0, 1, 0, true), 0},
		"one page":              {paged(10, 1, 0, true), 10},
		"a full page":           {paged(1_000, 1, 0, true), 1_000},
		"records":               {paged(3_210, 1, 0, true), 3_210},
		"pages from 0":          {paged(3_210, pageSize, 0, true), 3_210},
		"pages from 1":          {paged(3_210, pageSize, 1, true), 3_210},
		"no total":              {paged(2_345, 1, 0, false), 2_345},
		"no total, a full page": {paged(2_000, 1, 0, false), 2_000},
		"as many as can be":     {paged(10_000, 1, 0, true), 10_000},
		"the total counts repeats": {func(context.Context, int) (*hits[int], error) {
			n := 3
			return &hits[int]{Hits: []int{1, 1, 2}, Total: &n}, nil
		}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []int
			if err := pages(t.Context(), tt.fetch, func(i int) string { return fmt.Sprint(i) }, func(i int) { got = append(got, i) }); err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			if len(got) != tt.want || len(slices.Compact(got)) != tt.want {
				t.Errorf("%d rows, want %d, each once", len(got), tt.want)
			}
		})
	}
	visit := func(int) {}
	id := func(i int) string { return fmt.Sprint(i) }
	var many *tooManyError
	if err := pages(t.Context(), paged(10_001, 1, 0, true), id, visit); !errors.As(err, &many) || many.total != 10_001 {
		t.Errorf("too many hits: %v", err)
	}
	calls := 0
	stuck := func(context.Context, int) (*hits[int], error) {
		n := 2_000
		calls++
		return &hits[int]{Hits: rows(0, pageSize), Total: &n}, nil
	}
	if err := pages(t.Context(), stuck, id, visit); plugin.AsError(err) == nil || !plugin.AsError(err).Retryable || calls > 6 {
		t.Errorf("a search that always gives the same page: %v after %d calls", err, calls)
	}
}

func TestText(t *testing.T) {
	var got []text
	if err := json.Unmarshal([]byte(`["a","\u00e9",981234,-1,123456789012345678901,null,true,{"x":[1]},[]]`), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]text{"a", "é", "981234", "-1", "123456789012345678901", "", "", "", ""}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpellings(t *testing.T) {
	tests := map[string][]string{
		"pat@acme.example":       {"pat@acme.example", "Pat@acme.example", "PAT@ACME.EXAMPLE"},
		"pat.van-dijk@acme.test": {"pat.van-dijk@acme.test", "Pat.Van-Dijk@acme.test", "PAT.VAN-DIJK@ACME.TEST"},
		"Pat@Acme.Example":       {"pat@acme.example", "Pat@acme.example", "PAT@ACME.EXAMPLE"},
		"1@2.3":                  {"1@2.3"},
	}
	for in, want := range tests {
		if diff := cmp.Diff(want, spellings(in)); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"response":{"events":{"hits":[{"id":"e","type":"note","note_content":{"note_id":1,"text":"x"}}],"total_hits":1}}}`,
		`{"error":{"type":"authentication_failed"}}`, `{"errors":7}`, `{"status":"failed","_error":{}}`, `[]`, `null`, `{"selected_fields":[null,1]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		complaint(b)
		var answer struct {
			Response *struct {
				Events *hits[event] `json:"events"`
				Users  *hits[user]  `json:"users"`
			} `json:"response"`
		}
		if json.Unmarshal(b, &answer) != nil || answer.Response == nil || answer.Response.Users == nil {
			return
		}
		for _, u := range answer.Response.Users.Hits {
			_ = u.field(2)
		}
	})
}
