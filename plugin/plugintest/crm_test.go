package plugintest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/plugin"
)

// day is the day of all calls of the simulated CRM, one each hour.
var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const calls = 5

func callTime(i int) time.Time { return day.Add(time.Duration(i) * time.Hour) }

// crm is the simulated system: five calls, of which the last is private, and notes that can be written, twice as well.
type crm struct {
	http.ServeMux

	mu    sync.Mutex
	notes map[string][]string // by key: ids
	last  int
}

func newCRM() *crm {
	c := &crm{notes: map[string][]string{}}
	c.HandleFunc("GET /calls/{id}", func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || i >= calls {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"id": 1844674407370955161%d, "title": "Call %d"}`, i, i)
	})
	c.HandleFunc("GET /notes/{key}", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if ids := c.notes[r.PathValue("key")]; len(ids) > 0 {
			_, _ = w.Write([]byte(ids[0]))
		}
	})
	c.HandleFunc("POST /notes/{key}", func(w http.ResponseWriter, r *http.Request) {
		var note struct{ Text *string }
		if json.NewDecoder(r.Body).Decode(&note) != nil || note.Text == nil {
			http.Error(w, "a note has a text", http.StatusUnprocessableEntity)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.last++
		id, key := fmt.Sprintf("note-%d", c.last), r.PathValue("key")
		c.notes[key] = append(c.notes[key], id)
		_, _ = w.Write([]byte(id))
	})
	return c
}

func (c *crm) written(i plugin.Item) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.notes[i.Key])
}

// connector is a connector for it. The mistake is one that the kit must find.
type connector struct {
	mistake string
	config  struct {
		BaseURL string `json:"base_url"`
		Token   string `json:"token"`
		Limited bool   `json:"limited"`
	}

	mu        sync.Mutex
	described int
	next      time.Time         // when a request may be sent
	tokens    map[string]bool   // the page tokens, for the mistake to know one's own only
	wrote     map[string]string // what was written, for the mistake to look there only
	busy      sync.Mutex
}

// period is the period of the rate limit: one request in each.
const period = 300 * time.Millisecond

// startChild starts a process that leaves the connector's process group; nil where that is unknown.
var startChild func() error

func (c *connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	d := &plugin.DescribeResponse{
		Name: "crm", Version: "1.0.0", Doc: "A CRM.",
		Config: []plugin.Attribute{
			{Name: "base_url", Type: plugin.String, Required: true},
			{Name: "token", Type: plugin.String, Required: true, Sensitive: true},
			{Name: "limited", Type: plugin.Bool},
		},
		Streams: []plugin.Stream{{
			Name: "calls", Record: "call", MaxRead: 2,
			Fields: []plugin.Field{{Name: "id", Type: plugin.Int}, {Name: "title", Type: plugin.String}},
		}},
		Objects: []plugin.Object{{
			Name: "note", MaxCreate: 10, CreateOnly: true, ResolvedBy: "account", MaxResolve: 2, Idempotent: c.mistake == "idempotent",
			Attributes: []plugin.Attribute{{Name: "text", Type: plugin.String, Required: true}, {Name: "account", Type: plugin.String}},
		}},
	}
	switch c.mistake {
	case "version":
		c.described++
		d.Version = strconv.Itoa(c.described)
	case "version when configured":
		d.Version = "for " + c.config.BaseURL
	case "description":
		d.Streams[0].MaxRead = 0
	case "secret described":
		d.Doc += c.config.Token
	}
	return d, nil
}

func (c *connector) Configure(ctx context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	_ = json.Unmarshal(req.Config, &c.config)
	if u, err := url.Parse(c.config.BaseURL); err != nil || u.Host == "" {
		e := plugin.Errorf(plugin.CodeInvalidConfig, "base_url is no URL")
		switch c.mistake {
		case "attribute":
		case "secret in an error":
			e = plugin.Errorf(plugin.CodeInvalidConfig, "no good: %s", req.Config)
			e.Attribute = "base_url"
		default:
			e.Attribute = "base_url"
		}
		return nil, e
	}
	resp := &plugin.ConfigureResponse{}
	switch {
	case c.mistake == "early":
		n := 0
		_, _ = c.do(ctx, &n, http.MethodGet, "/calls/0", nil)
	case c.mistake == "no configuration":
		return nil, plugin.Errorf(plugin.CodeInternal, "out of order")
	case c.mistake == "limit of nothing":
		resp.RateLimits = []plugin.RateLimit{{Per: time.Second}}
	case c.config.Limited:
		resp.RateLimits = []plugin.RateLimit{{Requests: 1, Per: period}}
	}
	return resp, nil
}

func (c *connector) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	resp := &plugin.CheckResponse{Summary: "the CRM"}
	if c.mistake == "no summary" {
		resp.Summary = ""
	}
	if c.mistake == "secret logged" {
		hclog.FromContext(ctx).Debug("checking", "config", c.config)
	}
	_, err := c.do(ctx, &resp.Requests, http.MethodGet, "/calls/0", nil)
	return resp, err
}

// wait returns when the limit allows a request.
func (c *connector) wait() {
	c.mu.Lock()
	at := c.next
	c.next = time.Now().Add(period)
	if at.After(time.Now()) {
		c.next = at.Add(period)
	}
	c.mu.Unlock()
	time.Sleep(time.Until(at))
}

// do makes a request and counts it; writes without an answer are uncertain.
func (c *connector) do(ctx context.Context, n *int, method, path string, body []byte) (string, error) {
	if c.mistake == "no context" || c.mistake == "no patience" && ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	if c.config.Limited && c.mistake != "no limit" {
		c.wait()
	}
	req, err := http.NewRequestWithContext(ctx, method, c.config.BaseURL+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+c.config.Token)
	if c.mistake != "uncounted" {
		*n++
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e := plugin.Errorf(plugin.CodeUnavailable, "%v", err)
		e.Uncertain = method == http.MethodPost && c.mistake != "certain"
		e.Requests = *n
		return "", e
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode == http.StatusOK {
		return b.String(), nil
	}
	e := c.refused(resp, strings.TrimSpace(b.String()))
	e.Uncertain = method == http.MethodPost && resp.StatusCode >= 500
	e.Requests = *n
	return "", e
}

func (c *connector) refused(resp *http.Response, body string) *plugin.Error {
	switch {
	case c.mistake == "everything is a failure":
		return plugin.Errorf(plugin.CodeInternal, "%s", resp.Status)
	case c.mistake == "secret echoed":
		return plugin.Errorf(plugin.CodeUnavailable, "%s", body)
	case resp.StatusCode == http.StatusUnauthorized:
		return plugin.Errorf(plugin.CodeUnauthenticated, "wrong token")
	case resp.StatusCode == http.StatusForbidden:
		return plugin.Errorf(plugin.CodePermissionDenied, "not allowed")
	case resp.StatusCode == http.StatusNotFound:
		return plugin.Errorf(plugin.CodeNotFound, "not there")
	case resp.StatusCode == http.StatusUnprocessableEntity:
		return plugin.Errorf(plugin.CodeInvalidRecord, "%s", body)
	case resp.StatusCode == http.StatusTooManyRequests:
		e := plugin.Errorf(plugin.CodeRateLimited, "too many requests")
		if c.mistake != "impatient" {
			e.RetryAfter, _ = time.ParseDuration(resp.Header.Get("Retry-After") + "s")
		}
		return e
	}
	return plugin.Errorf(plugin.CodeUnavailable, "%s", resp.Status)
}

func (c *connector) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	if c.mistake == "offers" {
		return nil, plugin.Errorf(plugin.CodeUnimplemented, "not yet")
	}
	if req.Stream != "calls" && c.mistake != "any stream" {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "there is no stream %s", req.Stream)
	}
	if req.PageToken == "old" && c.mistake != "token" {
		return nil, plugin.Errorf(plugin.CodeExpired, "the token is too old")
	}
	if err := c.beforeList(req); err != nil {
		return nil, err
	}
	if c.mistake == "one at a time" {
		if !c.busy.TryLock() {
			return nil, plugin.Errorf(plugin.CodeUnavailable, "busy")
		}
		defer c.busy.Unlock()
	}
	resp := &plugin.ListResponse{}
	if _, err := c.do(ctx, &resp.Requests, http.MethodGet, "/calls/0", nil); err != nil {
		return nil, err
	}
	page, _ := strconv.Atoi(req.PageToken)
	from := req.From
	if c.mistake == "from" {
		from = from.Add(1)
	}
	for i := page; i < calls; i++ {
		t := callTime(i)
		private := i == calls-1 && c.mistake != "private listed"
		if t.Before(from) || t.After(req.To) || t.Equal(req.To) && c.mistake != "to" || private {
			continue
		}
		resp.Entries = append(resp.Entries, plugin.Entry{ID: strconv.Itoa(i), Time: t})
		if c.mistake == "twice" {
			resp.Entries = append(resp.Entries, resp.Entries[0])
		}
		if len(resp.Entries) == 2 {
			resp.NextPageToken = strconv.Itoa(i + 1)
			break
		}
	}
	if c.mistake == "no end" {
		resp.NextPageToken = "1"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens == nil {
		c.tokens = map[string]bool{"": true}
	}
	c.tokens[resp.NextPageToken] = true
	return resp, nil
}

// beforeList makes mistakes that have nothing to do with the list.
func (c *connector) beforeList(req *plugin.ListRequest) error {
	switch c.mistake {
	case "tokens at home":
		c.mu.Lock()
		defer c.mu.Unlock()
		if req.PageToken != "" && !c.tokens[req.PageToken] {
			return plugin.Errorf(plugin.CodeInternal, "what page?")
		}
	case "goroutine":
		go func() { select {} }()
	case "child":
		return startChild()
	}
	return nil
}

func (c *connector) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	if req.Stream != "calls" {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "there is no stream %s", req.Stream)
	}
	resp := &plugin.ReadResponse{}
	for _, id := range req.IDs {
		i, _ := strconv.Atoi(id)
		if i == calls-1 && c.mistake != "private read" {
			continue
		}
		data, err := c.do(ctx, &resp.Requests, http.MethodGet, "/calls/"+id, nil)
		if e := plugin.AsError(err); e != nil && e.Code == plugin.CodeNotFound && c.mistake != "unknown" {
			continue
		} else if err != nil {
			return nil, err
		}
		switch c.mistake {
		case "float":
			var v map[string]any
			_ = json.Unmarshal([]byte(data), &v)
			b, _ := json.Marshal(v)
			data = string(b)
		case "type":
			data = `{"id": "seven"}`
		case "forgets fields":
			if len(req.Fields) == 1 {
				data = `{}`
			}
		}
		t := callTime(i)
		if c.mistake == "time" {
			t = t.Add(time.Second)
		}
		resp.Records = append(resp.Records, plugin.Record{ID: id, Time: t, URL: "https://crm.example.com/" + id, Data: json.RawMessage(data)})
	}
	if c.mistake == "half" {
		resp.Records = resp.Records[:len(resp.Records)/2]
	}
	return resp, nil
}

func (c *connector) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	if req.Object != "note" && c.mistake != "any object written" {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "there is no object %s", req.Object)
	}
	resp := &plugin.CreateResponse{}
	for _, i := range req.Items {
		r := plugin.Result{Key: i.Key, Err: tooLong(i)}
		if r.Err != nil {
			resp.Results = append(resp.Results, r)
			continue
		}
		if i.InDoubt && c.mistake != "doubt" {
			id, err := c.look(ctx, &resp.Requests, i.Key)
			if err != nil {
				e := *plugin.AsError(err)
				e.Uncertain = c.mistake != "doubt forgotten"
				return nil, &e
			}
			r.ID, r.Existed = id, id != "" && c.mistake != "existed"
		}
		if r.ID == "" {
			id, err := c.do(ctx, &resp.Requests, http.MethodPost, "/notes/"+url.PathEscape(i.Key), i.Attributes)
			r.ID, r.Err = id, plugin.AsError(err)
			c.remember(i.Key, id)
		}
		if c.mistake == "refusal" && r.Err != nil && r.Err.Code == plugin.CodeInvalidRecord {
			return nil, r.Err
		}
		resp.Results = append(resp.Results, r)
	}
	if c.mistake == "order" {
		slices.Reverse(resp.Results)
	}
	return resp, nil
}

// look looks for what was written under a key; by mistake, where only the process itself can have left it.
func (c *connector) look(ctx context.Context, n *int, key string) (string, error) {
	if c.mistake != "memory" {
		return c.do(ctx, n, http.MethodGet, "/notes/"+url.PathEscape(key), nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote[key], nil
}

func (c *connector) remember(key, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrote == nil {
		c.wrote = map[string]string{}
	}
	c.wrote[key] = id
}

// Preview knows what the CRM refuses, and what it does to a text.
func (c *connector) Preview(ctx context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	if req.Object != "note" && c.mistake != "any object" {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "there is no object %s", req.Object)
	}
	resp := &plugin.PreviewResponse{}
	for _, i := range req.Items {
		if c.mistake == "previewing writes" {
			if _, err := c.do(ctx, &resp.Requests, http.MethodPost, "/notes/"+url.PathEscape(i.Key), i.Attributes); err != nil {
				return nil, err
			}
		}
		v := plugin.Preview{Key: i.Key, Attributes: i.Attributes, Err: tooLong(i)}
		switch c.mistake {
		case "no preview":
			v.Attributes = nil
		case "undescribed":
			v.Attributes = json.RawMessage(`{"colour": "red"}`)
		case "previewed type":
			v.Attributes = json.RawMessage(`{"text": 7}`)
		case "blind preview":
			v.Err = nil
		case "other refusal":
			if v.Err != nil {
				v.Err.Attribute = ""
			}
		case "contradiction":
			if !strings.Contains(string(i.Attributes), "text") {
				v.Err = plugin.Errorf(plugin.CodeNotFound, "no such note")
			}
		}
		resp.Previews = append(resp.Previews, v)
	}
	if c.mistake == "preview order" {
		slices.Reverse(resp.Previews)
	}
	if c.mistake == "short preview" {
		resp.Previews = resp.Previews[:1]
	}
	return resp, nil
}

// tooLong refuses a text without asking the CRM.
func tooLong(i plugin.Item) *plugin.Error {
	if len(i.Attributes) <= 100 {
		return nil
	}
	e := plugin.Errorf(plugin.CodeInvalidRecord, "a text has at most 100 characters")
	e.Attribute = "text"
	return e
}

func (c *connector) Find(ctx context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	resp := &plugin.FindResponse{}
	for _, i := range req.Items {
		id, err := c.do(ctx, &resp.Requests, http.MethodGet, "/notes/"+url.PathEscape(i.Key), nil)
		if err != nil {
			return nil, err
		}
		if id != "" || c.mistake == "found" {
			resp.Results = append(resp.Results, plugin.Result{Key: i.Key, ID: id, Existed: true})
		}
	}
	return resp, nil
}

func (c *connector) Resolve(_ context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	resp := &plugin.ResolveResponse{}
	for _, a := range req.Addresses {
		targets := []plugin.Target{{ID: "2", Name: "Acme"}, {ID: "10", Name: "Beta"}}
		if c.mistake == "target order" {
			slices.Reverse(targets)
		}
		if strings.HasSuffix(a, "@acme.example") || c.mistake == "knows all" {
			resp.Matches = append(resp.Matches, plugin.Match{Address: a, Targets: targets})
		}
	}
	return resp, nil
}
