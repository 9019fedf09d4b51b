package httpkit

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/durasync/durasync/plugin"
)

// maxPages bounds a listing, which at a hundred records a page is a million of them.
const maxPages = 10_000

// Cursor is a place in a listing that an API gives out page by page, with a cursor or token for the next page in each answer. It
// holds what it takes to see that the listing goes round in circles, as it does when an API ignores the cursor.
//
// The zero Cursor is the beginning, and what stands behind the last page: a loop over all pages ends when Value is empty. As part of
// a page token it goes through [plugin.EncodePageToken].
type Cursor struct {
	// Value is the API's own cursor: the part of a request that asks for the page. Empty asks for the first one.
	Value string `json:"c,omitempty"`

	Pages int    `json:"n,omitempty"` // so far
	First string `json:"f,omitempty"` // digest of the first page that was not empty
	Last  string `json:"l,omitempty"` // digest of the last one
}

// Next returns the place behind a page at c that names next as its successor and has the records of the ids; without any, only the
// cursors are looked at. An empty next is the end. It fails as [Malformed] does if the page cannot be behind c, or the listing does
// not end after 10,000 pages.
func (c Cursor) Next(system, next string, ids []string) (Cursor, error) {
	n := Cursor{Value: next, Pages: c.Pages + 1, First: c.First, Last: c.Last}
	if len(ids) > 0 {
		n.Last = digest(ids)
		if n.First == "" {
			n.First = n.Last
		}
		if c.First != "" && (n.Last == c.First || n.Last == c.Last) {
			return c, Malformed(system, "page %d of a listing is one that was there before", n.Pages)
		}
	}
	switch {
	case next == "":
		return Cursor{}, nil
	case next == c.Value:
		return c, Malformed(system, "page %d of a listing names itself as the next one", n.Pages)
	case n.Pages >= maxPages:
		return c, Malformed(system, "a listing does not end after %d pages", n.Pages)
	}
	return n, nil
}

// PageToken returns the place as a page token; empty for the end of the listing.
func (c Cursor) PageToken() string {
	if c.Value == "" {
		return ""
	}
	return plugin.EncodePageToken(c)
}

// ParseCursor returns the place that a page token of [Cursor.PageToken] stands for: the beginning for the empty one. A token of
// something else is [plugin.CodeExpired].
func ParseCursor(token string) (Cursor, error) {
	var c Cursor
	err := plugin.DecodePageToken(token, &c)
	if err == nil && token != "" && c.Value == "" {
		err = plugin.Errorf(plugin.CodeExpired, "the page token is not one of this version of the connector")
	}
	return c, err
}

// digest is equal for pages with the same records in the same order.
func digest(ids []string) string {
	h := sha256.New()
	for _, id := range ids {
		h.Write([]byte(id))
		h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
