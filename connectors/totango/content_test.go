package totango

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	testKey = "gong/calls/7782342274025937895"
	testRef = "[durasync gong/calls/7782342274025937895]"
	testURL = "https://app.gong.example/call?id=1&x=2"
	mark    = "… [cut at 12,000 characters; the full meeting: " + testURL + "]"
)

// length counts UTF-16 code units by encoding.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

func TestComposeShort(t *testing.T) {
	tests := map[string]struct{ format, body, want string }{
		"text":        {formatText, "Brief\n\n- one\r\n- two\n\n", "Brief\n\n- one\n- two\n\n" + testRef},
		"empty":       {formatText, " \n ", testRef},
		"markup":      {formatText, "<b>x</b> & y", "<b>x</b> & y\n\n" + testRef},
		"quoted line": {formatText, "see [durasync gong/calls/1]", "see (durasync gong/calls/1]\n\n" + testRef},
		"not UTF-8":   {formatText, "a\xffb", "a\uFFFDb\n\n" + testRef},
		"html": {formatHTML, "One & <b>two</b>\n\nthree",
			`<div class="html-parser-container"><div>One &amp; &lt;b&gt;two&lt;/b&gt;</div><br /><div>three</div><br /><div>` + testRef + `</div></div>`},
		"empty html": {formatHTML, "", `<div class="html-parser-container"><div>` + testRef + `</div></div>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := compose(tt.format, tt.body, testURL, testKey); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestComposeCutsExactly(t *testing.T) {
	room := 12_000 - length("\n\n"+testRef)                // for a body that is not cut
	cutRoom := 12_000 - length("\n"+mark+"\n\n"+testRef)   // for one that is
	emoji := strings.Repeat("😀", cutRoom/2)                // two units each
	solid := strings.Repeat("x", cutRoom)                  // without a place to cut at
	words := strings.Repeat("x", cutRoom-5) + " yyy zz zz" // a word ends five units before the end
	tests := map[string]struct{ body, kept string }{
		"just fits":             {strings.Repeat("x", room), strings.Repeat("x", room)},
		"one too long":          {strings.Repeat("x", room+1), solid},
		"emoji just fit":        {strings.Repeat("😀", room/2), strings.Repeat("😀", room/2)},
		"emoji are not split":   {strings.Repeat("😀", 7_000), emoji},
		"odd emoji":             {"a" + strings.Repeat("😀", 7_000), "a" + strings.Repeat("😀", (cutRoom-1)/2)},
		"at a word":             {words + strings.Repeat("z", 300), strings.Repeat("x", cutRoom-5) + " yyy"},
		"at the end of a word":  {solid + " " + strings.Repeat("y", 300), solid},
		"at a line":             {strings.Repeat("x", cutRoom-150) + "\n" + strings.Repeat("two words ", 60), strings.Repeat("x", cutRoom-150)},
		"line end is too far":   {"x\n" + strings.Repeat("y", 13_000), "x\n" + strings.Repeat("y", cutRoom-2)},
		"no trailing blanks":    {strings.Repeat("x", cutRoom-4) + "      " + strings.Repeat("y", 300), strings.Repeat("x", cutRoom-4)},
		"a very long body":      {strings.Repeat("x", 2_000_000), solid},
		"two-byte letters":      {strings.Repeat("é", 13_000), strings.Repeat("é", cutRoom)},
		"separators of another": {strings.Repeat("x", cutRoom-3) + "\u3000" + strings.Repeat("y", 600), strings.Repeat("x", cutRoom-3)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := compose(formatText, tt.body, testURL, testKey)
			want := tt.kept + "\n\n" + testRef
			if tt.kept != tt.body {
				want = tt.kept + "\n" + mark + "\n\n" + testRef
			}
			if got != want {
				t.Errorf("got %d units ending in %q, want %d ending in %q", length(got), tail(got), length(want), tail(want))
			}
			if n := length(got); n > 12_000 {
				t.Errorf("%d units", n)
			}
		})
	}
}

func tail(s string) string { return s[max(0, len(s)-260):] }

func TestComposeCutsHTMLByItsLength(t *testing.T) {
	for _, unit := range []string{"x", "<", "&", "😀", "line\n", "a b "} {
		t.Run(fmt.Sprintf("%q", unit), func(t *testing.T) {
			got := compose(formatHTML, strings.Repeat(unit, 13_000), testURL, testKey)
			if n := length(got); n > 12_000 || n < 11_700 {
				t.Errorf("%d units, want a little under 12000", n)
			}
			if !strings.HasSuffix(got, "<div>"+html.EscapeString(mark)+"</div><br /><div>"+testRef+"</div></div>") {
				t.Errorf("ends in %q", tail(got))
			}
		})
	}
}

func TestComposeCutWithoutUsableURL(t *testing.T) {
	for _, url := range []string{"", "https://x.example/" + strings.Repeat("y", 3_000), "https://x.example/\xff", "two\nlines"} {
		got := compose(formatText, strings.Repeat("x", 13_000), url, testKey)
		if !strings.HasSuffix(got, "x\n… [cut at 12,000 characters]\n\n"+testRef) || length(got) != 12_000 {
			t.Errorf("%d units ending in %q", length(got), tail(got))
		}
	}
}

func TestReferencesTellKeysApart(t *testing.T) {
	keys := []string{
		testKey, testKey + "1", "x" + testKey, "gong/calls/a]b", "gong/calls/a", "gong/calls/a%5Db", "gong/calls/a b", "gong/calls/a+b",
		"gong/calls/<a>", "gong/calls/&lt;a&gt;", `gong/calls/"`, "gong/calls/[durasync gong/calls/a]",
	}
	for _, a := range keys {
		for _, b := range keys {
			if a != b && strings.Contains(reference(a), reference(b)) {
				t.Errorf("the line of %q holds that of %q: %s", a, b, reference(a))
			}
		}
		if r := reference(a); html.EscapeString(r) != r {
			t.Errorf("%s is changed by HTML", r)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("body", uint16(1), testURL, "gong/calls/1", true)
	f.Add("😀 ", uint16(9_000), "", "a/b/]", false)
	f.Add("x ", uint16(9_000), "\xff", "a/b/c", false)
	f.Add("<\n", uint16(9_000), testURL, "a/b/c", true)
	f.Fuzz(func(t *testing.T, unit string, times uint16, url, key string, asHTML bool) {
		key = key[:min(len(key), 200)]
		format := formatText
		if asHTML {
			format = formatHTML
		}
		got := compose(format, strings.Repeat(unit, int(times)*min(1, 100_000/(len(unit)*int(times)+1))), url, key)
		if length(got) > 12_000 || !utf8.ValidString(got) {
			t.Fatalf("%d units, valid %v", length(got), utf8.ValidString(got))
		}
		if n := strings.Count(got, "[durasync "); n != 1 {
			t.Fatalf("%d references", n)
		}
		if !strings.Contains(got, reference(key)) {
			t.Fatal("the reference is not there")
		}
	})
}
