package shim

import (
	"bytes"
	"math"
	"runtime/metrics"
	"testing"
	"time"

	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/durasync/durasync/plugin"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

// methods are the calls that the answers are taken for, each with an answer to start from.
var methods = []struct {
	name   string
	answer protov2.Message
	call   func(*testing.T, *Client) error
}{
	{"Describe", &wirev1.DescribeResponse{
		Name: "crm", Version: "1",
		Config: []*wirev1.Attribute{{Name: "tags", Type: &wirev1.Type{Kind: "list", Elem: &wirev1.Type{Kind: "int"}}, Default: []byte(`[1,null]`)}},
		Streams: []*wirev1.Stream{{Name: "calls", Record: "call", MaxRead: 1, Fields: []*wirev1.Field{{
			Name: "p", Type: &wirev1.Type{Kind: "struct", Fields: []*wirev1.Field{{Name: "n", Type: &wirev1.Type{Kind: "time"}}}},
		}}}},
	}, func(t *testing.T, c *Client) error {
		d, err := c.Describe(t.Context(), &plugin.DescribeRequest{})
		if err != nil {
			return err
		}
		if err := d.Validate(); err != nil && (err.Error() == "" || len(err.Error()) > 64<<10) {
			t.Errorf("the mistakes of a description take %d bytes", len(err.Error()))
		}
		return nil
	}},
	{"Configure", &wirev1.ConfigureResponse{
		RateLimits: []*wirev1.RateLimit{{Requests: 3, Per: durationpb.New(time.Second)}}, WriteTimeout: durationpb.New(time.Minute),
	}, func(t *testing.T, c *Client) error {
		s, err := c.Configure(t.Context(), &plugin.ConfigureRequest{})
		if err == nil && (s.WriteTimeout < 0 || s.WriteTimeout > time.Hour || s.SearchLag < 0 || s.SearchLag > 24*time.Hour) {
			t.Errorf("settings %+v", s)
		}
		return err
	}},
	{"Check", &wirev1.CheckResponse{Summary: "the workspace", Requests: 1}, func(t *testing.T, c *Client) error {
		r, err := c.Check(t.Context(), &plugin.CheckRequest{})
		if err == nil {
			counts(t, r.Requests)
		}
		return err
	}},
	{"List", &wirev1.ListResponse{Entries: []*wirev1.Entry{{Id: "1", Time: timestamppb.New(time.Unix(0, 0))}}, NextPageToken: []byte("t")},
		func(t *testing.T, c *Client) error {
			r, err := c.List(t.Context(), &plugin.ListRequest{})
			if err != nil {
				return err
			}
			counts(t, r.Requests)
			for _, e := range r.Entries {
				if e.ID == "" || len(e.ID) > 128 {
					t.Errorf("the id %q", e.ID)
				}
			}
			return nil
		}},
	{"Read", &wirev1.ReadResponse{Records: []*wirev1.Record{{Id: "1", Url: "u", Pending: "p", Data: []byte("{}")}}, Requests: math.MaxInt64},
		func(t *testing.T, c *Client) error {
			r, err := c.Read(t.Context(), &plugin.ReadRequest{IDs: []string{"1"}})
			if err != nil {
				return err
			}
			counts(t, r.Requests)
			if len(r.Records) > 1 || len(r.Records) == 1 && r.Records[0].ID != "1" {
				t.Errorf("records %+v", r.Records)
			}
			return nil
		}},
	{"Create", &wirev1.CreateResponse{Results: []*wirev1.Result{{Key: "k", Id: "1", Error: &wirev1.Error{Code: "internal", Message: "m"}}}},
		func(t *testing.T, c *Client) error {
			r, err := c.Create(t.Context(), &plugin.CreateRequest{Items: []plugin.Item{{Key: "k"}}})
			if err != nil {
				if !plugin.AsError(err).Uncertain {
					t.Errorf("what was written is taken to be known: %v", err)
				}
				return err
			}
			counts(t, r.Requests)
			if len(r.Results) != 1 || r.Results[0].Key != "k" {
				t.Errorf("results %+v", r.Results)
			}
			return nil
		}},
	{"Resolve", &wirev1.ResolveResponse{Matches: []*wirev1.Match{{Address: "a@b", Targets: []*wirev1.Target{{Id: "1", Team: []string{"x"}}}}}},
		func(t *testing.T, c *Client) error {
			_, err := c.Resolve(t.Context(), &plugin.ResolveRequest{})
			return err
		}},
	{"Find", &wirev1.FindResponse{Results: []*wirev1.Result{{Key: "k"}}}, func(t *testing.T, c *Client) error {
		_, err := c.Find(t.Context(), &plugin.FindRequest{})
		return err
	}},
	{"Preview", &wirev1.PreviewResponse{Previews: []*wirev1.Preview{{Key: "k", Attributes: []byte("{}")}}}, func(t *testing.T, c *Client) error {
		_, err := c.Preview(t.Context(), &plugin.PreviewRequest{Items: []plugin.Item{{Key: "k"}}})
		return err
	}},
}

func counts(t *testing.T, requests int) {
	t.Helper()
	if requests < 0 || requests > 100_000 {
		t.Errorf("%d requests", requests)
	}
}

// FuzzAnswer takes any bytes for what a connector answers. The host never panics and never hangs, spends no more memory than the
// size of the answer explains, and every error is classified and of a bounded length.
func FuzzAnswer(f *testing.F) {
	for i, m := range methods {
		b, err := protov2.Marshal(m.answer)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), b)
		f.Add(byte(i), bytes.Repeat([]byte{1<<3 | 2, 0}, 300_000)) // an empty first field, again and again
	}
	f.Fuzz(func(t *testing.T, method byte, answer []byte) {
		defer time.AfterFunc(time.Minute, func() { panic("the call hangs") }).Stop()
		m := methods[int(method)%len(methods)]
		before := allocated()
		err := m.call(t, NewClient(answers(answer)))
		if spent := allocated() - before; spent > 4<<20+1000*uint64(len(answer)) {
			t.Errorf("%s: an answer of %d bytes costs %d bytes of memory", m.name, len(answer), spent)
		}
		if err == nil {
			return
		}
		if e := plugin.AsError(err); e.Code == "" || e.Message == "" || len(e.Message) > 3<<10 {
			t.Errorf("%s: error %+v", m.name, e)
		}
	})
}

// allocated returns how many bytes the process has ever allocated, in steps of some kilobytes.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
