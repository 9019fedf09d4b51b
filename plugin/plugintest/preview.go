package plugintest

import (
	"encoding/json"
	"slices"

	"github.com/durasync/durasync/plugin"
)

// previewBatch is how many times the items of a Create a Preview takes.
const previewBatch = 25

var previewRules = []rule{
	{
		name:     "preview: writes nothing",
		contract: "Previewer.Preview does everything that Create does but write.",
		check:    checkPreviewWritesNothing,
	},
	{
		name:     "preview: attributes",
		contract: "Preview.Attributes is a JSON object with the object's attributes, of their types; there is one for each item, in order.",
		check:    checkPreviewAttributes,
	},
	{
		name:     "preview: unknown object",
		contract: "Error: what does not exist is CodeInvalidRequest or CodeNotFound.",
		check: func(t *probe) {
			d := t.previewed()
			_, err := t.connector().Preview(t.ctx, &plugin.PreviewRequest{Object: "no_such_object", Items: []plugin.Item{d.Item()}})
			_ = t.mustFail("Preview", err, plugin.CodeInvalidRequest, plugin.CodeNotFound)
		},
	},
	{
		name:     "preview: unwritable",
		contract: "Previewer.Preview finds what is wrong with an item as Create does, as far as that can be known without writing it.",
		check:    checkPreviewRefusal,
	},
	{
		name:     "preview: refused",
		contract: "Previewer.Preview does not contradict what Create says of a bad item.",
		check:    checkPreviewOfRefused,
	},
}

// previewed is what is given of the destination, if the connector shows previews.
func (t *probe) previewed() Destination {
	d, _ := t.object()
	_, err := t.connector().Preview(t.ctx, &plugin.PreviewRequest{Object: d.Object, Items: []plugin.Item{d.Item()}})
	if lacks(err) {
		t.Skipf("the connector has no Preview")
	}
	return d
}

// preview returns the previews of items, which match the items.
func (t *probe) preview(items ...plugin.Item) []plugin.Preview {
	resp, err := t.connector().Preview(t.ctx, &plugin.PreviewRequest{Object: t.Destination.Object, Items: items})
	if err != nil {
		t.Fatalf("Preview: %v", err)
	}
	if len(resp.Previews) != len(items) {
		t.Fatalf("%d previews for %d items", len(resp.Previews), len(items))
	}
	for i, v := range resp.Previews {
		if v.Key != items[i].Key {
			t.Fatalf("preview %d is for key %q, want %q", i, v.Key, items[i].Key)
		}
	}
	return resp.Previews
}

// checkPreviewWritesNothing looks for the item after its preview, the way that Create itself looks for an item in doubt.
func checkPreviewWritesNothing(t *probe) {
	item := t.previewed().Item()
	if e := t.preview(item)[0].Err; e != nil {
		t.Errorf("the preview of an item that can be written says: %v", e)
	}
	t.mustHold(item, 0)
	t.settle()
	item.InDoubt = true
	if t.write(t.connector(), item).Existed {
		t.Errorf("the preview has written the item")
	}
}

// checkPreviewAttributes asks for as many items at once as the host does.
func checkPreviewAttributes(t *probe) {
	d := t.previewed()
	_, object := t.object()
	var items []plugin.Item
	for len(items) < object.MaxCreate*previewBatch {
		items = append(items, d.Item())
	}
	for _, v := range t.preview(items...) {
		if v.Err != nil {
			t.Errorf("the preview of item %s says: %v", v.Key, v.Err)
			continue
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(v.Attributes, &members); err != nil || len(members) == 0 {
			t.Fatalf("the preview of item %s has the attributes %.200q: want a JSON object with members (%v)", v.Key, v.Attributes, err)
		}
		for name, value := range members {
			i := slices.IndexFunc(object.Attributes, func(a plugin.Attribute) bool { return a.Name == name })
			if i < 0 {
				t.Fatalf("the preview of item %s has attribute %q, which the description does not have", v.Key, name)
			}
			if err := object.Attributes[i].Type.Check(value); err != nil {
				t.Fatalf("attribute %s in the preview of item %s is not as described: %v", name, v.Key, err)
			}
		}
	}
}

// checkPreviewRefusal compares what Preview and Create say of an item that Create does not even send, next to a good one.
func checkPreviewRefusal(t *probe) {
	d := t.previewed()
	if d.Unwritable == nil {
		t.Skipf("no unwritable item is given")
	}
	item, good := d.Unwritable(), d.Item()
	want := t.refusal(t.ctx, t.connector(), item)
	if want == nil {
		t.Fatalf("Create wrote the item that it should refuse")
	}
	previews := t.preview(item, good)
	if e := previews[1].Err; e != nil {
		t.Errorf("a good item next to an unwritable one: %v", e)
	}
	switch e := previews[0].Err; {
	case e == nil:
		t.Errorf("the preview of an item of which Create says %q has no error", want.Message)
	case e.Code != want.Code || e.Attribute != want.Attribute || e.Uncertain:
		t.Errorf("the preview says %s about attribute %q, uncertain %t; Create says %s about attribute %q",
			e.Code, e.Attribute, e.Uncertain, want.Code, want.Attribute)
	}
}

// checkPreviewOfRefused lets a preview not know what the other system will refuse, but not contradict it.
func checkPreviewOfRefused(t *probe) {
	d := t.previewed()
	if d.BadItem == nil {
		t.Skipf("no bad item is given")
	}
	item := d.BadItem()
	e := t.preview(item)[0].Err
	if want := t.refusal(t.ctx, t.connector(), item); want == nil {
		t.Errorf("the bad item was written")
	} else if e != nil && e.Code != want.Code {
		t.Errorf("the preview of a bad item says %s, Create says %s", e.Code, want.Code)
	}
}
