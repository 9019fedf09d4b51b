package httpkit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// follow reads a listing as connectors do, with each place on its way through a page token, and returns the ids that it saw.
func follow(listing func(cursor string) (ids []string, next string)) (seen []string, err error) {
	for token := ""; ; {
		at, err := httpkit.ParseCursor(token)
		if err != nil {
			return seen, err
		}
		ids, next := listing(at.Value)
		behind, err := at.Next("Blog", next, ids)
		if err != nil {
			return seen, err
		}
		seen = append(seen, ids...)
		if token = behind.PageToken(); token == "" {
			return seen, nil
		}
	}
}

func TestCursorFollowsAListingToItsEnd(t *testing.T) {
	pages := map[string][]string{"": {"a", "b"}, "p2": {}, "p3": {"c"}, "p4": {"d", "e"}}
	next := map[string]string{"": "p2", "p2": "p3", "p3": "p4"}
	seen, err := follow(func(cursor string) ([]string, string) { return pages[cursor], next[cursor] })
	if got := strings.Join(seen, ""); err != nil || got != "abcde" {
		t.Errorf("the listing has %q and ended with %v, want abcde", got, err)
	}
}

func TestCursorNoticesListingsThatDoNotEnd(t *testing.T) {
	calls := 0
	for name, listing := range map[string]func(string) ([]string, string){
		"names itself as the next one": func(string) ([]string, string) { return nil, "same" },
		"is one that was there before": func(string) ([]string, string) { // an API that ignores the cursor
			calls++
			return []string{"a", "b"}, fmt.Sprint("next-", calls)
		},
		"does not end after 10000 pages": func(string) ([]string, string) {
			calls++
			return []string{fmt.Sprint(calls)}, fmt.Sprint("next-", calls)
		},
	} {
		_, err := follow(listing)
		e := plugin.AsError(err)
		if e == nil || e.Code != plugin.CodeInternal || e.Retryable || !strings.Contains(e.Message, name) || !strings.Contains(e.Message, "Blog") {
			t.Errorf("a listing that %s ended with %v", name, err)
		}
	}
}

func TestForeignPageTokensHaveExpired(t *testing.T) {
	for _, token := range []string{"p2", "!", plugin.EncodePageToken("p2"), plugin.EncodePageToken(httpkit.Cursor{})} {
		_, err := httpkit.ParseCursor(token)
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeExpired {
			t.Errorf("token %q: got error %v, want one that it has expired", token, err)
		}
	}
}
