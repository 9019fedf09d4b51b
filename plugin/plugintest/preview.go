package plugintest

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/durasync/durasync/plugin"
)

// previewBatch is how many times the items of a Create a Preview takes.
const previewBatch = 25

func testPreview(t *testing.T, d Destination, c plugin.Destination, p plugin.Previewer, object plugin.Object) {
	t.Run("writes nothing", func(t *testing.T) { testPreviewWritesNothing(t, d, c, p) })
	t.Run("attributes", func(t *testing.T) { testPreviewAttributes(t, d, p, object) })
	t.Run("unknown object", func(t *testing.T) {
		_, err := p.Preview(t.Context(), &plugin.PreviewRequest{Object: "no_such_object", Items: []plugin.Item{d.Item()}})
		_ = mustFail(t, err, plugin.CodeInvalidRequest, plugin.CodeNotFound)
	})
	if d.Unwritable != nil {
		t.Run("unwritable", func(t *testing.T) { testPreviewRefusal(t, d, c, p) })
	}
	if d.BadItem != nil {
		t.Run("refused", func(t *testing.T) { testPreviewOfRefused(t, d, c, p) })
	}
}

// preview returns the previews of items, which match the items.
func preview(t *testing.T, p plugin.Previewer, object string, items ...plugin.Item) []plugin.Preview {
	t.Helper()
	resp, err := p.Preview(t.Context(), &plugin.PreviewRequest{Object: object, Items: items})
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

// testPreviewWritesNothing looks for the item after its preview, the way that Create itself looks for an item in doubt.
func testPreviewWritesNothing(t *testing.T, d Destination, c plugin.Destination, p plugin.Previewer) {
	item := d.Item()
	if e := preview(t, p, d.Object, item)[0].Err; e != nil {
		t.Errorf("the preview of an item that can be written says %v", e)
	}
	d.Settle()
	item.InDoubt = true
	r := create(t, c, d.Object, item)[0]
	mustWrite(t, r)
	if r.Existed {
		t.Error("the preview has written the item")
	}
}

// testPreviewAttributes asks for as many items at once as the host does.
func testPreviewAttributes(t *testing.T, d Destination, p plugin.Previewer, object plugin.Object) {
	var items []plugin.Item
	for len(items) < object.MaxCreate*previewBatch {
		items = append(items, d.Item())
	}
	for _, v := range preview(t, p, d.Object, items...) {
		if v.Err != nil {
			t.Errorf("the preview of item %s says %v", v.Key, v.Err)
			continue
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(v.Attributes, &members); err != nil || len(members) == 0 {
			t.Fatalf("the preview of item %s has the attributes %.200q: want a JSON object with members (%v)", v.Key, v.Attributes, err)
		}
		for name, value := range members {
			i := slices.IndexFunc(object.Attributes, func(a plugin.Attribute) bool { return a.Name == name })
			if i < 0 {
				t.Errorf("the preview has attribute %q, which the description does not have", name)
			} else if err := object.Attributes[i].Type.Check(value); err != nil {
				t.Errorf("the preview's attribute %s is not as described: %v", name, err)
			}
		}
	}
}

// testPreviewRefusal compares what Preview and Create say of an item that Create does not even send, next to a good one.
func testPreviewRefusal(t *testing.T, d Destination, c plugin.Destination, p plugin.Previewer) {
	item, good := d.Unwritable(), d.Item()
	want := refusal(t, c, d.Object, item)
	if want == nil {
		t.Fatal("Create wrote the item that it should refuse")
	}
	previews := preview(t, p, d.Object, item, good)
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

// testPreviewOfRefused lets a preview not know what the other system will refuse, but not contradict it.
func testPreviewOfRefused(t *testing.T, d Destination, c plugin.Destination, p plugin.Previewer) {
	item := d.BadItem()
	e := preview(t, p, d.Object, item)[0].Err
	if want := refusal(t, c, d.Object, item); want == nil {
		t.Error("the bad item was written")
	} else if e != nil && e.Code != want.Code {
		t.Errorf("the preview of a bad item says %s, Create says %s", e.Code, want.Code)
	}
}

// refusal returns why Create does not write an item: for itself or for the whole call.
func refusal(t *testing.T, c plugin.Destination, object string, item plugin.Item) *plugin.Error {
	t.Helper()
	resp, err := c.Create(t.Context(), &plugin.CreateRequest{Object: object, Items: []plugin.Item{item}})
	if err != nil {
		return plugin.AsError(err)
	}
	return resp.Results[0].Err
}
