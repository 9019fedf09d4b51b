package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// The test binary is the connector's program as well, which nothing of the tests gets to see.
func init() {
	if len(os.Args) == 2 && (os.Args[1] == "hostile" || os.Args[1] == "misdescribed") {
		plugin.Serve(&hostile{misdescribed: os.Args[1] == "misdescribed"}, plugin.WithArgs(nil))
	}
}

// hostile is a connector, source and destination, that breaks the protocol as its mode says. Its records belong to nobody, so that
// none of them gets anywhere but into notes.
type hostile struct {
	misdescribed bool
	mode         string
}

// things are the ids that the connector lists unless it has other ideas.
var things = []string{"1", "2", "3"}

func (h *hostile) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	d := &plugin.DescribeResponse{
		Name: "hostile", Version: "6.6.6",
		Config: []plugin.Attribute{{Name: "mode", Type: plugin.String, Required: true}},
		Streams: []plugin.Stream{{Name: "things", Record: "thing", MaxRead: 25, Fields: []plugin.Field{
			{Name: "id", Type: plugin.String, Semantic: plugin.MeetingID},
			{Name: "title", Type: plugin.String, Semantic: plugin.MeetingTitle},
			{Name: "started", Type: plugin.Time, Semantic: plugin.MeetingStarted},
			{Name: "people", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingParticipants},
		}}},
		Objects: []plugin.Object{{Name: "note", MaxCreate: 1, Attributes: []plugin.Attribute{
			{Name: "subject", Type: plugin.String, Required: true, Semantic: plugin.MeetingTitle},
		}}},
	}
	if h.misdescribed {
		d.Name = "misdescribed"
		d.Streams[0].Fields = make([]plugin.Field, 100_000)
		d.Config[0] = plugin.Attribute{
			Name: "mode", Doc: strings.Repeat("x", 8<<20), Type: plugin.Type{Kind: plugin.KindList}, Default: json.RawMessage(`["a"]`),
		}
	}
	return d, nil
}

func (h *hostile) Configure(_ context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	var config struct{ Mode string }
	if err := json.Unmarshal(req.Config, &config); err != nil {
		return nil, err
	}
	h.mode = config.Mode
	res := &plugin.ConfigureResponse{WriteTimeout: time.Second}
	switch h.mode {
	case "limit of no time":
		res.RateLimits = []plugin.RateLimit{{Requests: 3}}
	case "endless write timeout":
		res.WriteTimeout = math.MaxInt64
	case "noise":
		go func() {
			line := append(bytes.Repeat([]byte("\x00\xffgarbage\x1b[2J"), 1<<18), '\n')
			for range 100 {
				_, _ = os.Stderr.Write(line)
			}
			for range 100_000 {
				_, _ = os.Stderr.WriteString(`{"@level":"debug","@message":` + "\n" + `{"@level":7,"@message":[]}` + "\n")
			}
		}()
	}
	return res, nil
}

// onePage makes a page of entries of a window.
func onePage(req *plugin.ListRequest, ids ...string) *plugin.ListResponse {
	res := &plugin.ListResponse{Requests: 1}
	for i, id := range ids {
		res.Entries = append(res.Entries, plugin.Entry{ID: id, Time: req.To.Add(-time.Hour - time.Duration(i)*time.Second)})
	}
	return res
}

// numbered returns so many ids that begin with a text.
func numbered(text string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%d", text, i)
	}
	return ids
}

func (h *hostile) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	res := onePage(req, things...)
	n, _ := strconv.Atoi(req.PageToken) // 0 for the first page
	next := strconv.Itoa(n + 1)
	switch h.mode {
	case "huge page":
		return onePage(req, strings.Repeat("x", 20<<20)), nil
	case "crowded page":
		res.Entries = make([]plugin.Entry, 1_000_000)
	case "huge error":
		return nil, plugin.Errorf(plugin.CodePermissionDenied, "no\x1b[2J way %s", strings.Repeat("x", 20<<20))
	case "endless pages":
		res.NextPageToken = next
	case "endless records":
		res = onePage(req, numbered(next+strings.Repeat("x", 100), 50_000)...)
		res.NextPageToken = next
	case "same token":
		res.NextPageToken = "again"
	case "repeated ids":
		res = onePage(req, append(things, things...)...)
		if n < 10 {
			res.NextPageToken = next
		}
	case "control characters":
		res = onePage(req, "1", "2\n\x1b[2J")
	case "long ids":
		res = onePage(req, strings.Repeat("9", 129))
	case "outside of the window":
		for i, t := range []time.Time{{}, req.From.Add(-time.Nanosecond), req.To} {
			res.Entries[i].Time = t
		}
	case "one time":
		res = onePage(req, numbered("thing", 50_000)...)
		for i := range res.Entries {
			res.Entries[i].Time = req.From
		}
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "dying list":
		os.Exit(7)
	case "huge wait":
		e := plugin.Errorf(plugin.CodeRateLimited, "come back later")
		e.RetryAfter = math.MaxInt64
		return nil, e
	case "negative numbers":
		res.Requests = math.MinInt64
	}
	return res, nil
}

func (h *hostile) Read(_ context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	res := &plugin.ReadResponse{Requests: 1}
	for _, id := range req.IDs {
		res.Records = append(res.Records, plugin.Record{ID: id, Time: time.Now(), Data: json.RawMessage(`{"title":"A thing"}`)})
	}
	first := &res.Records[0]
	switch h.mode {
	case "huge record":
		first.Data = json.RawMessage(`{"people":[` + strings.Repeat(`"a@b.example",`, 700_000) + `"c@d.example"]}`)
	case "huge texts":
		first.URL, first.Pending = strings.Repeat("u", 5<<20), strings.Repeat("p", 5<<20)
	case "many people":
		var people []string
		for i := range 40_000 {
			people = append(people, fmt.Sprintf("p%d@nowhere.example", i))
		}
		first.Data, _ = json.Marshal(map[string]any{"people": people})
	case "wrong types":
		for i, data := range []string{`{"people":7}`, `{"people":[{"x":[[[]]]}],"title":{}}`, `[]`} {
			res.Records[i].Data = json.RawMessage(data)
		}
	case "not json":
		first.Data = json.RawMessage(`{"people":["a@b.example"],`)
	case "not asked for":
		for i := range res.Records {
			res.Records[i].ID = "other" + res.Records[i].ID
		}
	case "dying read":
		os.Exit(7)
	case "negative numbers":
		res.Requests = -1
	}
	return res, nil
}

func (h *hostile) Create(_ context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	result := plugin.Result{Key: req.Items[0].Key, ID: "1"}
	res := &plugin.CreateResponse{Results: []plugin.Result{result}, Requests: 1}
	switch h.mode {
	case "wrong key":
		res.Results[0].Key = strings.Repeat("other", 1_000_000)
	case "more results":
		res.Results = make([]plugin.Result, 100_000)
	case "dying write":
		os.Exit(7)
	case "unclassified":
		return nil, errors.New(strings.Repeat("x", 20<<20))
	case "huge id":
		res.Results[0].ID = strings.Repeat("\x07x", 5<<20)
	case "huge refusal":
		res.Results[0].Err = plugin.Errorf(plugin.CodeInvalidRecord, "no %s", strings.Repeat("x", 10<<20))
	}
	return res, nil
}
