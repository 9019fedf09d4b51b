package host

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/durasync/durasync/plugin"
)

const (
	// hidden stands where a secret was.
	hidden = "(hidden)"

	// minSecret is the length of the shortest secret that is hidden, in bytes: shorter ones would tear words apart.
	minSecret = 4

	// ellipsis ends a text that was cut.
	ellipsis = "…"
)

// secrets hides the secrets of a connection in what its connector says. It protects from carelessness: a connector that wants to tell a
// secret finds a form of it that is not known here. Nil hides nothing.
type secrets struct {
	forms    []string // as they can stand in a text, the longest first
	replacer *strings.Replacer
}

// newSecrets knows the texts in the sensitive attributes of a configuration, and passwords in addresses; nil if there are none.
func newSecrets(config json.RawMessage, attrs []plugin.Attribute) *secrets {
	var values map[string]any
	if json.Unmarshal(config, &values) != nil {
		return nil // no connector takes it
	}
	var all, secret []string
	for _, a := range attrs {
		texts := textsIn(values[a.Name])
		all = append(all, texts...)
		if a.Sensitive {
			for _, text := range texts {
				secret = append(secret, text)
				secret = append(secret, partsOf(text)...)
			}
		}
	}
	for _, text := range all {
		if u, err := url.Parse(text); err == nil {
			password, _ := u.User.Password()
			secret = append(secret, password)
		}
	}
	known := map[string]bool{}
	for _, text := range secret {
		if len(text) < minSecret {
			continue
		}
		for _, form := range formsOf(text) {
			known[form] = true
		}
		for _, user := range all {
			for _, form := range inBase64(user + ":" + text) { // basic authorization
				known[form] = true
			}
		}
	}
	if len(known) == 0 {
		return nil
	}
	s := &secrets{}
	for form := range known {
		s.forms = append(s.forms, form)
	}
	slices.SortFunc(s.forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	var pairs []string
	for _, form := range s.forms {
		pairs = append(pairs, form, hidden)
	}
	s.replacer = strings.NewReplacer(pairs...)
	return s
}

// textsIn returns the texts in a JSON value.
func textsIn(v any) []string {
	var texts []string
	switch v := v.(type) {
	case string:
		texts = append(texts, v)
	case []any:
		for _, elem := range v {
			texts = append(texts, textsIn(elem)...)
		}
	case map[string]any:
		for _, member := range v {
			texts = append(texts, textsIn(member)...)
		}
	}
	return texts
}

// partsOf returns the parts of a secret that are secrets of their own: the lines of a key, what gives access in the address of a
// webhook, the token in a header.
func partsOf(secret string) []string {
	var parts []string
	for line := range strings.Lines(secret) {
		parts = append(parts, strings.TrimSpace(line))
	}
	if u, err := url.Parse(secret); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		parts = append(parts, u.Path, u.EscapedPath(), u.RawQuery)
	}
	for _, scheme := range []string{"Bearer ", "Basic ", "Token "} {
		if token, ok := strings.CutPrefix(secret, scheme); ok {
			parts = append(parts, token)
		}
	}
	return parts
}

// formsOf returns a secret as it is, as it stands in an address and as Base64, each also as a text in JSON or Go, and as such a text
// within another one.
func formsOf(secret string) []string {
	forms := append(inBase64(secret), secret, url.QueryEscape(secret), url.PathEscape(secret), (&url.URL{Path: secret}).EscapedPath())
	for range 2 {
		for _, form := range slices.Clone(forms) {
			inJSON, _ := json.Marshal(form) // of a string, it cannot fail
			for _, quoted := range []string{strconv.Quote(form), strconv.QuoteToASCII(form), string(inJSON)} {
				forms = append(forms, quoted[1:len(quoted)-1])
			}
		}
		slices.Sort(forms)
		forms = slices.Compact(forms)
	}
	return forms
}

func inBase64(text string) []string {
	var forms []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(text)))
	}
	return forms
}

// hide returns a text without secrets, also without the one at whose middle it was cut.
func (s *secrets) hide(text string) string {
	if s == nil || text == "" {
		return text
	}
	text = s.replacer.Replace(text)
	if rest, cut := strings.CutSuffix(text, ellipsis); cut {
		text = rest[:len(rest)-s.begun(rest)] + ellipsis
	}
	return text
}

// begun returns the length of the longest secret's beginning that the text ends with.
func (s *secrets) begun(text string) int {
	longest := 0
	for _, form := range s.forms {
		for n := min(len(form)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, form[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// fault hides the secrets in an error that came with an answer.
func (s *secrets) fault(e *plugin.Error) {
	if s != nil && e != nil {
		e.Message, e.Attribute = s.hide(e.Message), s.hide(e.Attribute)
	}
}

// answer hides the secrets in the words of an answer. Data is left as it is: records, targets, ids and previews.
func (s *secrets) answer(resp any) {
	if s == nil {
		return
	}
	switch r := resp.(type) {
	case *plugin.CheckResponse:
		r.Summary = s.hide(r.Summary)
	case *plugin.ReadResponse:
		for i := range r.Records {
			r.Records[i].Pending = s.hide(r.Records[i].Pending)
		}
	case *plugin.CreateResponse:
		for i := range r.Results {
			s.fault(r.Results[i].Err)
		}
	case *plugin.FindResponse:
		for i := range r.Results {
			s.fault(r.Results[i].Err)
		}
	case *plugin.PreviewResponse:
		for i := range r.Previews {
			s.fault(r.Previews[i].Err)
		}
	}
}

// requests hides the secrets in the log of a call.
func (s *secrets) requests(log []Request) {
	for i := range log {
		r := &log[i]
		r.Method, r.Host, r.Path = s.hide(r.Method), s.hide(r.Host), s.hide(r.Path)
	}
}

// stream hides the secrets in a text that comes in pieces. It asks for them at each piece: they come while the text does.
type stream struct {
	secrets func() *secrets
	kept    string // of the text, the beginning of what may be a secret
}

// next returns what can be told after one more piece, which may be the last one.
func (t *stream) next(piece string, last bool) string {
	s := t.secrets()
	if s == nil {
		return piece
	}
	text := s.replacer.Replace(t.kept + piece)
	told := len(text)
	if !last {
		told -= s.begun(text)
	}
	t.kept = text[told:]
	return text[:told]
}

// secretless is a writer without secrets, for the use of one goroutine.
type secretless struct {
	to   io.Writer
	text stream
}

// Write implements [io.Writer].
func (w *secretless) Write(p []byte) (int, error) {
	if text := w.text.next(string(p), false); text != "" {
		if _, err := io.WriteString(w.to, text); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
