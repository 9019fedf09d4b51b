package plugin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/durasync/durasync/plugin"
)

// Blog is a connector for an imaginary blog, whose API answers GET /posts?from=T&to=T with a list of ids and times, and
// GET /posts/ID with a post.
type Blog struct {
	config struct {
		BaseURL string `json:"base_url"`
		Token   string `json:"token"`
	}
}

// The compiler checks that the connector is a source.
var _ plugin.Source = (*Blog)(nil)

// Describe says what there is.
func (b *Blog) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name: "blog", Version: "1.0.0", Doc: "The posts of a blog.",
		Config: []plugin.Attribute{
			{Name: "base_url", Type: plugin.String, Required: true, Doc: "Where the blog is, such as https://blog.example.com."},
			{Name: "token", Type: plugin.String, Required: true, Sensitive: true, Doc: "From the blog's settings, under API."},
		},
		Streams: []plugin.Stream{{
			Name: "posts", Record: "post", MaxRead: 10, Doc: "What was published.",
			Fields: []plugin.Field{
				{Name: "title", Type: plugin.String, Doc: "The headline."},
				{Name: "reads", Type: plugin.Int, Doc: "How often it was read."},
			},
		}},
	}, nil
}

// Configure gets what the user wrote into the connection block, checked against the description.
func (b *Blog) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	if err := plugin.DecodeConfig(req.Config, &b.config); err != nil {
		return nil, err
	}
	if u, err := url.Parse(b.config.BaseURL); err != nil || u.Scheme != "https" && u.Hostname() != "127.0.0.1" {
		return nil, plugin.InvalidConfig("base_url", "must be an https URL, so that the token stays secret")
	}
	return &plugin.ConfigureResponse{RateLimits: []plugin.RateLimit{{Requests: 5, Per: time.Second}}}, nil
}

// List returns the ids of a window.
func (b *Blog) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	if req.Stream != "posts" {
		return nil, plugin.UnknownStream(req.Stream)
	}
	var posts []struct {
		ID   string    `json:"id"`
		Time time.Time `json:"time"`
	}
	query := url.Values{"from": {req.From.Format(time.RFC3339Nano)}, "to": {req.To.Format(time.RFC3339Nano)}}
	if err := b.get(ctx, "/posts?"+query.Encode(), &posts); err != nil {
		return nil, err
	}
	resp := &plugin.ListResponse{Requests: 1}
	for _, p := range posts {
		resp.Entries = append(resp.Entries, plugin.Entry{ID: p.ID, Time: p.Time})
	}
	return resp, nil
}

// Read returns posts by id, and leaves out those that are gone.
func (b *Blog) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	resp := &plugin.ReadResponse{}
	for _, id := range req.IDs {
		var post struct {
			Time time.Time       `json:"time"`
			Data json.RawMessage `json:"post"`
		}
		err := b.get(ctx, "/posts/"+url.PathEscape(id), &post)
		resp.Requests++
		if err != nil {
			if err.Code == plugin.CodeNotFound {
				continue
			}
			err.Requests = resp.Requests
			return nil, err
		}
		resp.Records = append(resp.Records, plugin.Record{ID: id, Time: post.Time, URL: b.config.BaseURL + "/" + id, Data: post.Data})
	}
	return resp, nil
}

// get makes a request and classifies what can go wrong. It never repeats it: that is the host's part.
func (b *Blog) get(ctx context.Context, path string, into any) *plugin.Error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.config.BaseURL+path, nil)
	if err != nil {
		return plugin.Errorf(plugin.CodeInternal, "%v", err)
	}
	req.Header.Set("Authorization", "Bearer "+b.config.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return plugin.Errorf(plugin.CodeUnavailable, "the blog does not answer: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return plugin.Errorf(plugin.CodeUnauthenticated, "the blog does not accept the token; make a new one in its settings, under API")
	case resp.StatusCode == http.StatusNotFound:
		return plugin.Errorf(plugin.CodeNotFound, "the blog has no %s", req.URL.Path)
	case resp.StatusCode == http.StatusTooManyRequests:
		e := plugin.Errorf(plugin.CodeRateLimited, "the blog asks for fewer requests")
		e.RetryAfter, _ = time.ParseDuration(resp.Header.Get("Retry-After") + "s") // zero if it is missing
		return e
	case resp.StatusCode >= 500:
		return plugin.Errorf(plugin.CodeUnavailable, "the blog is in trouble: %s", resp.Status)
	case resp.StatusCode != http.StatusOK:
		return plugin.Errorf(plugin.CodeInvalidRequest, "the blog does not understand %s: %s", req.URL.Path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return plugin.Errorf(plugin.CodeUnavailable, "the blog's answer breaks off: %v", err)
	}
	return nil
}

// A whole connector. Its program has one more line:
//
//	func main() { plugin.Serve(&Blog{}) }
func Example() {
	blog := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/posts":
			_, _ = fmt.Fprint(w, `[{"id": "hello", "time": "2026-03-01T09:00:00Z"}]`)
		case r.URL.Path == "/posts/hello":
			_, _ = fmt.Fprint(w, `{"time": "2026-03-01T09:00:00Z", "post": {"title": "Hello, world", "reads": 18446744073709551617}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer blog.Close()

	// What follows is what the host does, less the process.
	ctx := context.Background()
	connector := &Blog{}
	config := fmt.Appendf(nil, `{"base_url": %q, "token": "secret"}`, blog.URL)
	if _, err := connector.Configure(ctx, &plugin.ConfigureRequest{Config: config}); err != nil {
		fmt.Println(err)
		return
	}
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	listed, err := connector.List(ctx, &plugin.ListRequest{Stream: "posts", From: from, To: from.AddDate(0, 0, 1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := []string{listed.Entries[0].ID, "deleted since"}
	read, err := connector.Read(ctx, &plugin.ReadRequest{Stream: "posts", IDs: ids})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range read.Records {
		fmt.Printf("%s at %s: %s\n", r.ID, r.Time.Format(time.RFC3339), r.Data)
	}
	// Output: hello at 2026-03-01T09:00:00Z: {"title": "Hello, world", "reads": 18446744073709551617}
}
