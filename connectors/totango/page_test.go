package totango_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// article is what a person reads of a touchpoint.
var article = regexp.MustCompile(`(?s)<article>(.*)</article>`)

// TestBothFormatsReadAlike opens touchpoints on the simulated pages.
func TestBothFormatsReadAlike(t *testing.T) {
	bodies := map[string]string{
		"notes": "Start time: 1 July 2026, 10:30 UTC\nDuration: 29 min\nPurpose: not set\nRecording: " + callURL + "\n\n" +
			"Brief:\nThey met & talked about <b>prices</b>; 5 < 6 > 4.\n\nKey points:\n- \"First\" 😀\n- Second\n\nAction items:\n1. Ünd so weiter\n",
		"too long": strings.Repeat("A line & more of it <so> that there is plenty.\n\n- an item\n", 400),
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			read := map[string]string{}
			for _, format := range []string{"text", "html"} {
				s := connect(t, totangotest.Options{}, map[string]any{"content_format": format})
				s.mustCreate(s.item(map[string]any{"content": body}))
				page := httptest.NewServer(s.Server)
				t.Cleanup(page.Close)
				resp, err := http.Get(page.URL + "/touchpoints/" + noteID(s.only()))
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(resp.Body)
				if err := errors.Join(err, resp.Body.Close()); err != nil {
					t.Fatal(err)
				}
				m := article.FindSubmatch(b)
				if m == nil {
					t.Fatalf("no article in %s", b)
				}
				read[format] = string(m[1])
			}
			if strings.Contains(read["html"], "&lt;div") {
				t.Errorf("markup of ours is shown: %s", read["html"])
			}
			if name == "too long" { // cut at different places, because markup takes room
				for format, text := range read {
					if !strings.Contains(text, "[cut at 12,000 characters; the full meeting: ") {
						t.Errorf("%s is not marked as cut: %s", format, text)
					}
				}
				return
			}
			if diff := cmp.Diff(read["text"], read["html"]); diff != "" {
				t.Errorf("(-text +html):\n%s", diff)
			}
			for _, want := range []string{"<strong>Duration:</strong> 29 min", "<li>&#34;First&#34; 😀</li>", "talked about &lt;b&gt;prices&lt;/b&gt;; 5 &lt; 6 &gt; 4."} {
				if !strings.Contains(read["html"], want) {
					t.Errorf("%q is missing in %s", want, read["html"])
				}
			}
		})
	}
}
