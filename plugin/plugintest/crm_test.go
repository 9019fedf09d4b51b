package plugintest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durasync/durasync/plugin"
)

// day is the day of all calls of the simulated CRM, one each hour.
var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const calls = 5

func callTime(i int) time.Time { return day.Add(time.Duration(i) * time.Hour) }

// crm is the simulated system: five calls, of which the last is private, and notes that can be written.
type crm struct {
	*httptest.Server

	mu      sync.Mutex
	notes   map[string]string // by key: id
	stalled chan struct{}     // closed to go on; nil if it does not stall
}

func newCRM(t testing.TB) *crm {
	c := &crm{notes: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /calls/{id}", func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || i >= calls {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"id": 1844674407370955161%d, "title": "Call %d"}`, i, i)
	})
	mux.HandleFunc("GET /notes/{key}", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, _ = w.Write([]byte(c.notes[r.PathValue("key")]))
	})
	mux.HandleFunc("POST /notes/{key}", func(w http.ResponseWriter, r *http.Request) {
		var note struct{ Text *string }
		if json.NewDecoder(r.Body).Decode(&note) != nil || note.Text == nil {
			http.Error(w, "a note has a text", http.StatusUnprocessableEntity)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.notes[r.PathValue("key")] = fmt.Sprintf("note-%d", len(c.notes))
		_, _ = w.Write([]byte(c.notes[r.PathValue("key")]))
	})
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		stalled := c.stalled
		c.mu.Unlock()
		if stalled != nil {
			<-stalled
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *crm) stall() (resume func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stalled := make(chan struct{})
	c.stalled = stalled
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.stalled = nil
		close(stalled)
	}
}

// connector is a connector for it. The mistake is one that the kit must find.
type connector struct {
	base    string
	mistake string
	listed  int
}

func (c *connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	d := &plugin.DescribeResponse{
		Name: "crm", Version: "1.0.0", Doc: "A CRM.",
		Config: []plugin.Attribute{{Name: "base_url", Type: plugin.String, Required: true}},
		Streams: []plugin.Stream{{
			Name: "calls", Record: "call", MaxRead: 2,
			Fields: []plugin.Field{{Name: "id", Type: plugin.Int}, {Name: "title", Type: plugin.String}},
		}},
		Objects: []plugin.Object{{
			Name: "note", MaxCreate: 10, CreateOnly: true, ResolvedBy: "account", MaxResolve: 2,
			Attributes: []plugin.Attribute{{Name: "text", Type: plugin.String, Required: true}, {Name: "account", Type: plugin.String}},
		}},
	}
	if c.mistake == "version" {
		c.listed++
		d.Version = strconv.Itoa(c.listed)
	}
	if c.mistake == "description" {
		d.Streams[0].MaxRead = 0
	}
	return d, nil
}

func (c *connector) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	var config struct {
		BaseURL string `json:"base_url"`
	}
	_ = json.Unmarshal(req.Config, &config)
	c.base = config.BaseURL
	if u, err := url.Parse(c.base); err != nil || u.Host == "" {
		e := plugin.Errorf(plugin.CodeInvalidConfig, "base_url is no URL")
		if c.mistake != "attribute" {
			e.Attribute = "base_url"
		}
		return nil, e
	}
	return &plugin.ConfigureResponse{}, nil
}

func (c *connector) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	_, err := c.do(ctx, http.MethodGet, "/calls/0", nil)
	return &plugin.CheckResponse{Summary: "the CRM", Requests: 1}, err
}

// do makes a request; writes without an answer are uncertain.
func (c *connector) do(ctx context.Context, method, path string, body []byte) (string, error) {
	if c.mistake == "no context" {
		ctx = context.WithoutCancel(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e := plugin.Errorf(plugin.CodeUnavailable, "%v", err)
		e.Uncertain = method == http.MethodPost && c.mistake != "certain"
		return "", e
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		return "", err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return b.String(), nil
	case http.StatusNotFound:
		return "", plugin.Errorf(plugin.CodeNotFound, "not there")
	case http.StatusUnprocessableEntity:
		return "", plugin.Errorf(plugin.CodeInvalidRecord, "%s", strings.TrimSpace(b.String()))
	}
	return "", plugin.Errorf(plugin.CodeInternal, "%s", resp.Status)
}

func (c *connector) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	if req.Stream != "calls" && c.mistake != "any stream" {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "there is no stream %s", req.Stream)
	}
	if req.PageToken == "old" && c.mistake != "token" {
		return nil, plugin.Errorf(plugin.CodeExpired, "the token is too old")
	}
	if _, err := c.do(ctx, http.MethodGet, "/calls/0", nil); err != nil {
		return nil, err
	}
	page, _ := strconv.Atoi(req.PageToken)
	from := req.From
	if c.mistake == "from" {
		from = from.Add(1)
	}
	resp := &plugin.ListResponse{Requests: 1}
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
	return resp, nil
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
		data, err := c.do(ctx, http.MethodGet, "/calls/"+id, nil)
		resp.Requests++
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
	return resp, nil
}

func (c *connector) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	if req.Object != "note" {
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
			id, err := c.do(ctx, http.MethodGet, "/notes/"+url.PathEscape(i.Key), nil)
			if err != nil {
				return nil, err
			}
			r.ID, r.Existed = id, id != "" && c.mistake != "existed"
		}
		if r.ID == "" {
			id, err := c.do(ctx, http.MethodPost, "/notes/"+url.PathEscape(i.Key), i.Attributes)
			r.ID, r.Err = id, plugin.AsError(err)
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

// Preview knows what the CRM refuses, and what it does to a text.
func (c *connector) Preview(ctx context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	if req.Object != "note" && c.mistake != "any object" {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "there is no object %s", req.Object)
	}
	resp := &plugin.PreviewResponse{}
	for _, i := range req.Items {
		if c.mistake == "previewing writes" {
			if _, err := c.do(ctx, http.MethodPost, "/notes/"+url.PathEscape(i.Key), i.Attributes); err != nil {
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
		id, err := c.do(ctx, http.MethodGet, "/notes/"+url.PathEscape(i.Key), nil)
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
