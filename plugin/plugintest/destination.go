package plugintest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
)

func testDestination(t *testing.T, h Harness, c plugin.Destination, has offer, desc *plugin.DescribeResponse) {
	d := *h.Destination
	i := slices.IndexFunc(desc.Objects, func(o plugin.Object) bool { return o.Name == d.Object })
	if i < 0 {
		t.Fatalf("the description has no object %q", d.Object)
	}
	if d.Settle == nil {
		d.Settle = func() {}
	}
	object := desc.Objects[i]
	t.Run("create", func(t *testing.T) { testCreate(t, d, c, object) })
	t.Run("in doubt", func(t *testing.T) { testInDoubt(t, d, c, object) })
	t.Run("unknown object", func(t *testing.T) {
		_, err := c.Create(t.Context(), &plugin.CreateRequest{Object: "no_such_object", Items: []plugin.Item{d.Item()}})
		e := mustFail(t, err, plugin.CodeInvalidRequest, plugin.CodeNotFound)
		if e.Uncertain {
			t.Error("the error is uncertain, although nothing can have been written")
		}
	})
	if d.BadItem != nil {
		t.Run("refused", func(t *testing.T) { testRefused(t, d, c, object) })
	}
	if has.finder {
		t.Run("find", func(t *testing.T) { testFind(t, d, c, c.(plugin.Finder)) })
	}
	if has.resolver && len(d.Known) > 0 {
		t.Run("resolve", func(t *testing.T) { testResolve(t, d, c.(plugin.Resolver), object) })
	}
	if has.previewer {
		t.Run("preview", func(t *testing.T) { testPreview(t, d, c, c.(plugin.Previewer), object) })
	}
	if h.Stall != nil {
		t.Run("stalled", func(t *testing.T) { testStalledCreate(t, h, d, c) })
	}
}

// create writes the items and returns the results, which match the items.
func create(t *testing.T, c plugin.Destination, object string, items ...plugin.Item) []plugin.Result {
	t.Helper()
	resp, err := c.Create(t.Context(), &plugin.CreateRequest{Object: object, Items: items})
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	if len(resp.Results) != len(items) {
		t.Fatalf("%d results for %d items", len(resp.Results), len(items))
	}
	for i, r := range resp.Results {
		if r.Key != items[i].Key {
			t.Fatalf("result %d is for key %q, want %q", i, r.Key, items[i].Key)
		}
	}
	return resp.Results
}

func mustWrite(t *testing.T, r plugin.Result) {
	t.Helper()
	switch {
	case r.Err != nil:
		t.Errorf("item %s: %v", r.Key, r.Err)
	case r.ID == "":
		t.Errorf("item %s was written, but its result has no id", r.Key)
	}
}

func testCreate(t *testing.T, d Destination, c plugin.Destination, object plugin.Object) {
	items := []plugin.Item{d.Item()}
	for len(items) < min(object.MaxCreate, 3) {
		items = append(items, d.Item())
	}
	ids := map[string]bool{}
	for _, r := range create(t, c, d.Object, items...) {
		mustWrite(t, r)
		if r.Existed {
			t.Errorf("item %s was never written before, but existed", r.Key)
		}
		if ids[r.ID] {
			t.Errorf("two items have the id %s", r.ID)
		}
		ids[r.ID] = true
	}
}

// testInDoubt writes items a second time: those that were written are found, those that were not are written.
func testInDoubt(t *testing.T, d Destination, c plugin.Destination, object plugin.Object) {
	item := d.Item()
	first := create(t, c, d.Object, item)[0]
	mustWrite(t, first)
	d.Settle()
	item.InDoubt = true
	second := create(t, c, d.Object, item)[0]
	mustWrite(t, second)
	if second.ID != first.ID {
		t.Errorf("an item in doubt that had been written as %s is now %s", first.ID, second.ID)
	}
	if !second.Existed && !object.Idempotent {
		t.Error("an item in doubt that had been written is not reported as existing")
	}
	never := d.Item()
	never.InDoubt = true
	r := create(t, c, d.Object, never)[0]
	mustWrite(t, r)
	if r.Existed {
		t.Error("an item in doubt that had not been written is reported as existing")
	}
}

// testRefused writes a bad item next to a good one, if the object takes two.
func testRefused(t *testing.T, d Destination, c plugin.Destination, object plugin.Object) {
	items := []plugin.Item{d.BadItem()}
	if object.MaxCreate > 1 {
		items = append(items, d.Item())
	}
	results := create(t, c, d.Object, items...)
	switch e := results[0].Err; {
	case e == nil:
		t.Error("the bad item was written")
	case e.Code != plugin.CodeInvalidRecord || e.Retryable || e.Uncertain:
		t.Errorf("the bad item's error is %+v, want one of code %s, neither retryable nor uncertain", e, plugin.CodeInvalidRecord)
	}
	for _, r := range results[1:] {
		mustWrite(t, r)
	}
}

func testFind(t *testing.T, d Destination, c plugin.Destination, f plugin.Finder) {
	item, never := d.Item(), d.Item()
	written := create(t, c, d.Object, item)[0]
	mustWrite(t, written)
	d.Settle()
	resp, err := f.Find(t.Context(), &plugin.FindRequest{Object: d.Object, Items: []plugin.FindItem{
		{Key: never.Key, Target: never.Target, Time: never.Time},
		{Key: item.Key, Target: item.Target, Time: item.Time},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Results) != 1 || resp.Results[0].Key != item.Key || resp.Results[0].ID != written.ID {
		t.Errorf("Find returned %+v, want only key %s with id %s", resp.Results, item.Key, written.ID)
	}
}

func testResolve(t *testing.T, d Destination, c plugin.Resolver, object plugin.Object) {
	matches := map[string]plugin.Match{}
	for part := range slices.Chunk(slices.Concat(d.Known, d.Unknown), object.MaxResolve) {
		resp, err := c.Resolve(t.Context(), &plugin.ResolveRequest{Object: d.Object, Addresses: part})
		if err != nil {
			t.Fatalf("Resolve(%v): %v", part, err)
		}
		for _, m := range resp.Matches {
			if !slices.Contains(part, m.Address) {
				t.Errorf("match for %q, which was not asked for", m.Address)
			}
			matches[m.Address] = m
		}
	}
	for _, a := range d.Known {
		m, ok := matches[a]
		if !ok {
			t.Errorf("no match for %s", a)
		}
		if !slices.IsSortedFunc(m.Targets, func(a, b plugin.Target) int {
			return cmp2(strings.Compare(a.Name, b.Name), a.ID, b.ID)
		}) {
			t.Errorf("the targets of %s are not ordered by name, then by id: %+v", a, m.Targets)
		}
	}
	for _, a := range d.Unknown {
		if _, ok := matches[a]; ok {
			t.Errorf("a match for %s, which the destination does not know", a)
		}
	}
}

// cmp2 is first unless that is equal, and then the order of a and b.
func cmp2(first int, a, b string) int {
	if first != 0 {
		return first
	}
	return strings.Compare(a, b)
}

// testStalledCreate writes to a system that takes the request and does not answer: nobody knows whether it was written.
func testStalledCreate(t *testing.T, h Harness, d Destination, c plugin.Destination) {
	stalled(t, h, func(ctx context.Context) {
		resp, err := c.Create(ctx, &plugin.CreateRequest{Object: d.Object, Items: []plugin.Item{d.Item()}})
		e := plugin.AsError(err)
		if e == nil && len(resp.Results) == 1 {
			e = resp.Results[0].Err
		}
		if e == nil || !e.Uncertain {
			t.Errorf("error %+v for a write without an answer, want an uncertain one", e)
		}
	})
}
