package activities

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const cutMark = "… [cut]"

// shrink returns a record of at most max bytes. Records are small; one that is not, as a transcript pasted into a title, has its
// long strings cut, each with a visible mark, until it fits.
func shrink(data json.RawMessage, max int) json.RawMessage {
	if len(data) <= max {
		return data
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return data // not JSON: rendering it says so
	}
	for limit := max / 2; limit >= len(cutMark); limit /= 2 {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(cut(v, limit)); err != nil {
			return data
		}
		if out.Len() <= max {
			return json.RawMessage(bytes.TrimSpace(out.Bytes()))
		}
	}
	return json.RawMessage(`{}`) // thousands of fields: no connector describes that; rendering it names what is missing
}

// cut returns v with strings of at most limit bytes and lists of at most limit elements.
func cut(v any, limit int) any {
	switch v := v.(type) {
	case string:
		return cutText(v, limit)
	case []any:
		out := make([]any, 0, len(v))
		for i, e := range v {
			if i == limit {
				break
			}
			out = append(out, cut(e, limit))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = cut(e, limit)
		}
		return out
	default:
		return v
	}
}

// cutText returns a text of at most limit bytes, with a mark if it was cut.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := max(0, limit-len(cutMark))
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimSpace(s[:end]) + cutMark
}
