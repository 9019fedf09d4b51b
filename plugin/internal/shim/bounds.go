package shim

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/wire"
)

// What a connector answers ends up in the worker's memory, in histories, and in ledgers that other jobs share. The bounds are far
// from what connectors need. Texts for people are cut to them; an answer that breaks another one fails the call.
const (
	// maxMessage is the longest text of an error, in bytes.
	maxMessage = 2 << 10

	// maxLabel is the longest text that is a name, a code or a remark, in bytes.
	maxLabel = 256

	// maxURL is the longest URL of a record, in bytes. A longer one is left out: half a URL leads nowhere.
	maxURL = 2 << 10

	// maxID is the longest id of a record, in bytes, as the protocol says.
	maxID = 128

	// maxAnswer bounds the records of one Read, in bytes.
	maxAnswer = 32 << 20

	// maxRequests is more requests than one call can make.
	maxRequests = 100_000

	// maxRetryAfter is longer than any API's limit lasts.
	maxRetryAfter = 7 * 24 * time.Hour

	// maxLimits is how many rate limits a connection can have.
	maxLimits = 16

	// The longest that a write may take, and then to be found. Claims last a few times as long.
	maxWriteTimeout = time.Hour
	maxSearchLag    = 24 * time.Hour
)

// broken is the error of a call whose answer breaks the protocol. Asking again would not mend it.
func broken(method, format string, args ...any) *plugin.Error {
	e := plugin.Errorf(plugin.CodeInternal, "the connector's answer to %s cannot be used: %s; tell its author", method, fmt.Sprintf(format, args...))
	e.Retryable = false
	return e
}

// plain makes a text fit for logs and terminals: at most max bytes, without control characters but line ends and tabs.
func plain(s string, max int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, wire.Short(s, max))
}

// requestsOf returns a number of requests that a quota can be told.
func requestsOf(n int64) int { return int(min(max(n, 0), maxRequests)) }

// isID reports whether a record can have the id: ids are part of the keys of ledgers.
func isID(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxID
}

func checkSettings(r *plugin.ConfigureResponse) *plugin.Error {
	if len(r.RateLimits) > maxLimits {
		return broken("Configure", "it has %d rate limits", len(r.RateLimits))
	}
	for _, l := range r.RateLimits {
		if l.Requests < 1 || l.Per <= 0 {
			return broken("Configure", "a rate limit allows %d requests in %v", l.Requests, l.Per)
		}
	}
	if r.WriteTimeout < 0 || r.WriteTimeout > maxWriteTimeout {
		return broken("Configure", "its write timeout is %v; at most %v are possible", r.WriteTimeout, maxWriteTimeout)
	}
	if r.SearchLag < 0 || r.SearchLag > maxSearchLag {
		return broken("Configure", "its search lag is %v; at most %v are possible", r.SearchLag, maxSearchLag)
	}
	return nil
}

func checkEntries(r *plugin.ListResponse) *plugin.Error {
	for _, e := range r.Entries {
		if !isID(e.ID) {
			return broken("List", "it has the id %.60q of %d bytes; an id is of 1 to %d printable ASCII characters", e.ID, len(e.ID), maxID)
		}
	}
	return nil
}

func checkMatches(r *plugin.ResolveResponse) *plugin.Error {
	for _, m := range r.Matches {
		for _, t := range m.Targets {
			if t.ID == "" || len(t.ID) > maxLabel {
				return broken("Resolve", "it has the target %.60q of %d bytes; its id is of 1 to %d", t.ID, len(t.ID), maxLabel)
			}
		}
	}
	return nil
}
