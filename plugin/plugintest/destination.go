package plugintest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

var destinationRules = []rule{
	{
		name:     "create: results",
		contract: "Destination.Create writes the items and answers for each of them, in the order of the request.",
		check:    checkCreate,
	},
	{
		name:     "create: in doubt",
		contract: "Item.InDoubt: the connector looks for the item by its key, and writes it only if it is not there.",
		check:    checkInDoubt,
	},
	{
		name:     "create: still in doubt",
		contract: "Item.InDoubt: while the other system cannot be asked about an item in doubt, its outcome is not known: Uncertain.",
		check:    checkStillInDoubt,
	},
	{
		name:     "create: idempotent",
		contract: "Object.Idempotent: writing an item again under the same key changes nothing.",
		check:    checkIdempotent,
	},
	{
		name:     "create: refused",
		contract: "Destination.Create: what is wrong with one item goes into its result, as CodeInvalidRecord, and the others are written.",
		check:    checkRefused,
	},
	{
		name:     "create: unknown object",
		contract: "Error: what does not exist is CodeInvalidRequest or CodeNotFound.",
		check: func(t *probe) {
			d, _ := t.object()
			_, err := t.connector().Create(t.ctx, &plugin.CreateRequest{Object: "no_such_object", Items: []plugin.Item{d.Item()}})
			if e := t.mustFail("Create", err, plugin.CodeInvalidRequest, plugin.CodeNotFound); e != nil && e.Uncertain {
				t.Errorf("the error is uncertain, although nothing can have been written")
			}
		},
	},
	{
		name:     "create: lost answer",
		contract: "Destination.Create: a write whose outcome is not known is reported with Uncertain, and found again by its key.",
		check:    checkLostAnswer,
	},
	{
		name:     "create: crash",
		contract: "Item.InDoubt: what a process wrote before it died is found by the next one, by its key.",
		only:     asProgram,
		check:    checkCrash,
	},
	{
		name:     "find: by key",
		contract: "Finder.Find returns a result for each key that exists in the destination; the others are left out.",
		check:    checkFind,
	},
	{
		name:     "resolve: addresses",
		contract: "Resolver.Resolve: known addresses have a match, with targets ordered by name, then by id; unknown ones are left out.",
		check:    checkResolve,
	},
}

// object is what is given of the destination, and the object's description.
func (t *probe) object() (Destination, plugin.Object) {
	if t.Destination == nil {
		t.Skipf("no object and item are given")
	}
	i := slices.IndexFunc(t.first.Objects, func(o plugin.Object) bool { return o.Name == t.Destination.Object })
	if i < 0 {
		t.Fatalf("the description has no object %q", t.Destination.Object)
	}
	return *t.Destination, t.first.Objects[i]
}

// create writes the items and returns the results, which match the items.
func (t *probe) create(c *conn, items ...plugin.Item) []plugin.Result {
	resp, err := c.Create(t.ctx, &plugin.CreateRequest{Object: t.Destination.Object, Items: items})
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

// write writes an item that can be written.
func (t *probe) write(c *conn, item plugin.Item) plugin.Result {
	r := t.create(c, item)[0]
	t.mustBeWritten(r)
	return r
}

func (t *probe) mustBeWritten(r plugin.Result) {
	switch {
	case r.Err != nil:
		t.Errorf("item %s: %v", r.Key, r.Err)
	case r.ID == "":
		t.Errorf("item %s was written, but its result has no id", r.Key)
	}
}

// settle waits until a write can be seen.
func (t *probe) settle() {
	select {
	case <-time.After(t.settings.SearchLag):
	case <-t.ctx.Done():
	}
}

// mustHold checks how often the system holds what was written for an item.
func (t *probe) mustHold(item plugin.Item, want int) {
	if t.Destination.Written == nil {
		return
	}
	if n := t.Destination.Written(item); n != want {
		t.Errorf("the system holds item %s %d times, want %d", item.Key, n, want)
	}
}

func checkCreate(t *probe) {
	d, object := t.object()
	items := []plugin.Item{d.Item()}
	for len(items) < min(object.MaxCreate, 3) {
		items = append(items, d.Item())
	}
	ids := map[string]bool{}
	for i, r := range t.create(t.connector(), items...) {
		t.mustBeWritten(r)
		if r.Existed {
			t.Errorf("item %s was never written before, but existed", r.Key)
		}
		if ids[r.ID] {
			t.Errorf("two items have the id %s", r.ID)
		}
		ids[r.ID] = true
		t.mustHold(items[i], 1)
	}
}

// checkInDoubt writes items a second time: those that were written are found, those that were not are written.
func checkInDoubt(t *probe) {
	d, object := t.object()
	c, item, never := t.connector(), d.Item(), d.Item()
	first := t.write(c, item)
	t.settle()
	item.InDoubt, never.InDoubt = true, true
	second := t.write(c, item)
	if second.ID != first.ID {
		t.Errorf("an item in doubt that had been written as %s is now %s", first.ID, second.ID)
	}
	if !second.Existed && !object.Idempotent {
		t.Errorf("an item in doubt that had been written is not reported as existing")
	}
	t.mustHold(item, 1)
	if t.write(c, never).Existed {
		t.Errorf("an item in doubt that had not been written is reported as existing")
	}
	t.mustHold(never, 1)
}

func checkIdempotent(t *probe) {
	d, object := t.object()
	if !object.Idempotent {
		t.Skipf("the object does not say that it is idempotent")
	}
	item := d.Item()
	first, second := t.write(t.connector(), item), t.write(t.connector(), item)
	if first.ID != second.ID {
		t.Errorf("an item that is written twice has the ids %s and %s", first.ID, second.ID)
	}
	t.mustHold(item, 1)
}

// checkRefused writes a bad item next to a good one, if the object takes two.
func checkRefused(t *probe) {
	d, object := t.object()
	if d.BadItem == nil {
		t.Skipf("no bad item is given")
	}
	items := []plugin.Item{d.BadItem()}
	if object.MaxCreate > 1 {
		items = append(items, d.Item())
	}
	results := t.create(t.connector(), items...)
	switch e := results[0].Err; {
	case e == nil:
		t.Errorf("the bad item was written")
	case e.Code != plugin.CodeInvalidRecord || e.Retryable || e.Uncertain:
		t.Errorf("the bad item's error %q is of code %s, retryable %t, uncertain %t; want code %s and neither",
			e.Message, e.Code, e.Retryable, e.Uncertain, plugin.CodeInvalidRecord)
	}
	t.mustHold(items[0], 0)
	for _, r := range results[1:] {
		t.mustBeWritten(r)
	}
}

func checkFind(t *probe) {
	d, _ := t.object()
	c, item, never := t.connector(), d.Item(), d.Item()
	find := plugin.FindRequest{Object: d.Object, Items: []plugin.FindItem{
		{Key: never.Key, Target: never.Target, Time: never.Time},
		{Key: item.Key, Target: item.Target, Time: item.Time},
	}}
	if _, err := c.Find(t.ctx, &find); lacks(err) {
		t.Skipf("the connector has no Find")
	}
	written := t.write(c, item)
	t.settle()
	resp, err := c.Find(t.ctx, &find)
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	if len(resp.Results) != 1 || resp.Results[0].Key != item.Key || resp.Results[0].ID != written.ID {
		t.Errorf("Find returned %+v, want only key %s with id %s", resp.Results, item.Key, written.ID)
	}
}

func checkResolve(t *probe) {
	d, object := t.object()
	if len(d.Known) == 0 {
		t.Skipf("no known addresses are given")
	}
	matches := map[string]plugin.Match{}
	for part := range slices.Chunk(slices.Concat(d.Known, d.Unknown), max(object.MaxResolve, 1)) {
		resp, err := t.connector().Resolve(t.ctx, &plugin.ResolveRequest{Object: d.Object, Addresses: part})
		if err != nil {
			t.Fatalf("Resolve(%q): %v", part, err)
		}
		for _, m := range resp.Matches {
			if !slices.Contains(part, m.Address) {
				t.Errorf("a match for %q, which was not asked for", m.Address)
			}
			matches[m.Address] = m
		}
	}
	for _, a := range d.Known {
		m, ok := matches[a]
		if !ok {
			t.Errorf("no match for %s", a)
		}
		if !slices.IsSortedFunc(m.Targets, func(a, b plugin.Target) int { return orElse(strings.Compare(a.Name, b.Name), a.ID, b.ID) }) {
			t.Errorf("the targets of %s are not ordered by name, then by id: %+v", a, m.Targets)
		}
	}
	for _, a := range d.Unknown {
		if _, ok := matches[a]; ok {
			t.Errorf("a match for %s, which the destination does not know", a)
		}
	}
}

// refusal returns why Create does not write an item: for itself or for the whole call; nil if it does.
func (t *probe) refusal(ctx context.Context, c *conn, item plugin.Item) *plugin.Error {
	resp, err := c.Create(ctx, &plugin.CreateRequest{Object: t.Destination.Object, Items: []plugin.Item{item}})
	if err != nil {
		return plugin.AsError(err)
	}
	if len(resp.Results) != 1 {
		t.Fatalf("%d results for 1 item", len(resp.Results))
	}
	return resp.Results[0].Err
}
