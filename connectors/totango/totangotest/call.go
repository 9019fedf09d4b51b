package totangotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Endpoint names a call of the API.
type Endpoint string

// The endpoints that the server answers, with or without a slash at the end.
const (
	CreateTouchpoint Endpoint = "POST /api/v3/touchpoints/"
	UpdateTouchpoint Endpoint = "PUT /api/v3/touchpoints/{note_id}"
	DeleteTouchpoint Endpoint = "DELETE /api/v3/touchpoints/{note_id}"
	ReadTouchpoint   Endpoint = "GET /api/v3/touchpoints/{note_id}"
	AccountEvents    Endpoint = "GET /api/v2/events/"
	SearchEvents     Endpoint = "POST /api/v2/events/search"
	TouchpointTypes  Endpoint = "GET /api/v3/touchpoint-types/"
	TouchpointTags   Endpoint = "GET /api/v3/touchpoint-tags/"
	ActivityTypes    Endpoint = "GET /api/v3/activity-types/"
	SearchAccounts   Endpoint = "POST /api/v1/search/accounts"
	SearchUsers      Endpoint = "POST /api/v1/search/users"
	SearchTeam       Endpoint = "POST /api/v1/search/users/internal"
	Domains          Endpoint = "GET /domains/"
	OAuthToken       Endpoint = "POST /t01/on/oauth2/api/v1/token"
	Unknown          Endpoint = "unknown"
)

// open reports whether the endpoint answers without a token.
func (e Endpoint) open() bool { return e == Domains || e == OAuthToken }

// handler answers a call. It runs with the server's mutex held.
type handler func(*Server, *call) *answer

var routes = map[string]struct {
	endpoint Endpoint
	handler  handler
}{
	"POST /api/v3/touchpoints":           {CreateTouchpoint, (*Server).createTouchpoint},
	"PUT /api/v3/touchpoints/*":          {UpdateTouchpoint, (*Server).updateTouchpoint},
	"DELETE /api/v3/touchpoints/*":       {DeleteTouchpoint, (*Server).deleteTouchpoint},
	"GET /api/v3/touchpoints/*":          {ReadTouchpoint, (*Server).readTouchpoint},
	"GET /api/v2/events":                 {AccountEvents, (*Server).accountEvents},
	"POST /api/v2/events/search":         {SearchEvents, (*Server).searchEvents},
	"GET /api/v3/touchpoint-types":       {TouchpointTypes, (*Server).touchpointTypes},
	"GET /api/v3/touchpoint-tags":        {TouchpointTags, (*Server).touchpointTags},
	"GET /api/v3/activity-types":         {ActivityTypes, (*Server).activityTypes},
	"POST /api/v1/search/accounts":       {SearchAccounts, (*Server).searchAccounts},
	"POST /api/v1/search/users":          {SearchUsers, (*Server).searchUsers},
	"POST /api/v1/search/users/internal": {SearchTeam, (*Server).searchTeam},
	"GET /domains":                       {Domains, (*Server).domains},
	"POST /t01/on/oauth2/api/v1/token":   {OAuthToken, (*Server).oauthToken},
}

const touchpointPath = "/api/v3/touchpoints/"

// route finds the endpoint of a request; the handler is nil if the request is for the page for people.
func route(r *http.Request) (Endpoint, handler) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if id, ok := strings.CutPrefix(path, touchpointPath); ok && id != "" && !strings.Contains(id, "/") {
		path = touchpointPath + "*"
	}
	if hit, ok := routes[r.Method+" "+path]; ok {
		return hit.endpoint, hit.handler
	}
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/t01/") {
		return Unknown, func(*Server, *call) *answer { return htmlAnswer(http.StatusNotFound, "Not Found") }
	}
	return "", nil
}

// call is a request with its parameters decoded, whichever way they were sent.
type call struct {
	id     string // the last element of the path
	params map[string]any
	client [2]string // id and secret of an OAuth client
}

// parseCall reads query, form or JSON.
func parseCall(r *http.Request) (*call, error) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	c := &call{id: path[strings.LastIndex(path, "/")+1:], params: map[string]any{}}
	c.client[0], c.client[1], _ = r.BasicAuth()
	addForm(c.params, r.URL.Query())
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return c, fmt.Errorf("the body could not be read: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&c.params); err != nil && len(body) > 0 {
			return c, fmt.Errorf("the body is not a JSON object")
		}
		return c, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return c, fmt.Errorf("the body is not a form")
	}
	addForm(c.params, form)
	return c, nil
}

// element matches the spellings of an array's element in a form: name[], name[0], name[0][key] and name[][key].
var element = regexp.MustCompile(`^([^\[\]]+)\[(\d*)\](?:\[([^\[\]]+)\])?$`)

// addForm adds a form's values. Elements of arrays become a []any in the order of their indexes; a name that occurs several times
// becomes one too.
func addForm(params map[string]any, form url.Values) {
	type item struct {
		index int
		value any
	}
	lists := map[string][]item{}
	for name, values := range form {
		m := element.FindStringSubmatch(name)
		if m == nil {
			if len(values) == 1 {
				params[name] = values[0]
				continue
			}
			m = []string{name, name, "", ""}
		}
		index, _ := strconv.Atoi(m[2]) // no index counts as 0; the order of the values then decides
		for _, v := range values {
			it := item{index, v}
			if m[3] != "" {
				it.value = map[string]any{m[3]: v}
			}
			lists[m[1]] = append(lists[m[1]], it)
		}
	}
	for name, items := range lists {
		slices.SortStableFunc(items, func(a, b item) int { return a.index - b.index })
		list := make([]any, 0, len(items))
		for _, it := range items {
			list = append(list, it.value)
		}
		params[name] = list
	}
}

func (c *call) has(name string) bool {
	v, ok := c.params[name]
	return ok && v != nil
}

// text returns a parameter as text; a missing one is empty.
func (c *call) text(name string) string { return asText(c.params[name]) }

func asText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// integer returns a parameter as a whole number.
func (c *call) integer(name string) (int64, error) {
	n, err := strconv.ParseInt(c.text(name), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is not a whole number", name)
	}
	return n, nil
}

// list returns a parameter as a list: an array, a JSON array in a string, or a single value.
func (c *call) list(name string) ([]any, error) {
	switch v := c.params[name].(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	case string:
		if strings.HasPrefix(strings.TrimSpace(v), "[") {
			var out []any
			if err := json.Unmarshal([]byte(v), &out); err != nil {
				return nil, fmt.Errorf("%s is not an array", name)
			}
			return out, nil
		}
		return []any{v}, nil
	default:
		return nil, fmt.Errorf("%s is not an array", name)
	}
}

// texts returns a parameter as a list of strings.
func (c *call) texts(name string) ([]string, error) {
	items, err := c.list(name)
	var out []string
	for _, it := range items {
		s, ok := it.(string)
		if !ok {
			return nil, fmt.Errorf("%s is not an array of strings", name)
		}
		out = append(out, s)
	}
	return out, err
}

// members returns one member of each object of a list, such as the userid of each participant.
func (c *call) members(name, key string) ([]string, error) {
	items, err := c.list(name)
	var out []string
	for _, it := range items {
		m, ok := it.(map[string]any)
		s, isText := m[key].(string)
		if !ok || !isText || s == "" {
			return nil, fmt.Errorf("%s is not an array of objects with %q", name, key)
		}
		out = append(out, s)
	}
	return out, err
}
