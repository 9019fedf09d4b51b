package host

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func nothingSecret() *secrets { return nil }

func TestLogLinesMarkWhatWouldEndTheHost(t *testing.T) {
	long := strings.Repeat("x", maxLogLine+10)
	for in, want := range map[string]string{
		"":                                  "",
		"plain\n":                           "plain\n",
		"a\n\nb":                            "a\n\nb",
		`{"@message":"ok","@level":"info"}`: `{"@message":"ok","@level":"info"}`,
		"{\"@message\":5}\nnext\n":          unlogged + "{\"@message\":5}\nnext\n",
		`{"@level":null}`:                   unlogged + `{"@level":null}`,
		"\t{\"@timestamp\":{\"a\":1}}":      unlogged + "\t{\"@timestamp\":{\"a\":1}}",
		`{"@message":"a","@message":["b"]}`: unlogged + `{"@message":"a","@message":["b"]}`,
		`["@message"]`:                      `["@message"]`,
		`{"@message":5`:                     `{"@message":5`,
		`{"@message":"` + long + `","@level":5}` + "\n{\"@level\":5}\n": `{"@message":"` + long + `","@level":5}` + "\n" + unlogged + "{\"@level\":5}\n",
	} {
		for name, from := range map[string]io.Reader{"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in))} {
			got, err := io.ReadAll(iotest.HalfReader(newLogLines(io.NopCloser(from), nothingSecret)))
			if err != nil || string(got) != want {
				t.Errorf("%.60q, read %s: got %.80q and error %v, want %.80q", in, name, got, err, want)
			}
		}
	}
}
