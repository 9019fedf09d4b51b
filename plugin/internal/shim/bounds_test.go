package shim

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/durasync/durasync/plugin"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

// answers is a connection to a connector that answers every call with the bytes.
type answers []byte

func (a answers) Invoke(_ context.Context, _ string, _, reply any, opts ...grpc.CallOption) error {
	for _, o := range opts {
		if p, ok := o.(grpc.PeerCallOption); ok {
			p.PeerAddr.Addr = &net.UnixAddr{} // the call was sent
		}
	}
	return newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(a)}, reply)
}

func (a answers) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return &stream{answers: a}, nil
}

// stream sends the bytes as its only message.
type stream struct {
	grpc.ClientStream
	answers
	sent bool
}

func (s *stream) SendMsg(any) error { return nil }
func (s *stream) CloseSend() error  { return nil }

func (s *stream) RecvMsg(m any) error {
	if s.sent {
		return io.EOF
	}
	s.sent = true
	return s.Invoke(nil, "", nil, m) //nolint:staticcheck // the context is not used
}

// answering is a client of a connector that answers every call with the message.
func answering(t testing.TB, m protov2.Message) *Client {
	t.Helper()
	b, err := protov2.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return NewClient(answers(b))
}

// What a connector must not answer is an error that names it, without being tried again.
func TestBrokenAnswersAreRefused(t *testing.T) {
	entries := func(ids ...string) *wirev1.ListResponse {
		r := &wirev1.ListResponse{Requests: 1}
		for _, id := range ids {
			r.Entries = append(r.Entries, &wirev1.Entry{Id: id, Time: timestamppb.Now()})
		}
		return r
	}
	targets := func(ids ...string) *wirev1.ResolveResponse {
		m := &wirev1.Match{Address: "a@b.example"}
		for _, id := range ids {
			m.Targets = append(m.Targets, &wirev1.Target{Id: id})
		}
		return &wirev1.ResolveResponse{Matches: []*wirev1.Match{m}, Requests: 1}
	}
	limit := func(requests int64, per time.Duration) *wirev1.ConfigureResponse {
		return &wirev1.ConfigureResponse{RateLimits: []*wirev1.RateLimit{{Requests: requests, Per: durationpb.New(per)}}}
	}
	list := func(c *Client) error { _, err := c.List(t.Context(), &plugin.ListRequest{}); return err }
	resolve := func(c *Client) error { _, err := c.Resolve(t.Context(), &plugin.ResolveRequest{}); return err }
	configure := func(c *Client) error { _, err := c.Configure(t.Context(), &plugin.ConfigureRequest{}); return err }
	tests := map[string]struct {
		answer protov2.Message
		call   func(*Client) error
		say    string // part of the message; empty if the answer is good
	}{
		"a good page":                {entries("7782342274025937895", " ~"), list, ""},
		"an id of 128 bytes":         {entries(strings.Repeat("x", 128)), list, ""},
		"an id of 129 bytes":         {entries("1", strings.Repeat("x", 129)), list, "of 129 bytes"},
		"an empty id":                {entries(""), list, `the id ""`},
		"an id with a line end":      {entries("1\n2"), list, `the id "1\n2"`},
		"an id with an escape":       {entries("\x1b[2J"), list, `\x1b[2J`},
		"an id with an umlaut":       {entries("ü"), list, "printable ASCII"},
		"an id of a megabyte":        {entries(strings.Repeat("x", 1<<20)), list, "of 1048576 bytes"},
		"good targets":               {targets("1", strings.Repeat("x", 256)), resolve, ""},
		"a target without id":        {targets("1", ""), resolve, "the target"},
		"a target's id of 257 bytes": {targets(strings.Repeat("x", 257)), resolve, "of 257 bytes"},
		"a good limit":               {limit(1, time.Nanosecond), configure, ""},
		"no requests":                {limit(0, time.Second), configure, "0 requests in 1s"},
		"a negative limit":           {limit(-5, time.Second), configure, "-5 requests"},
		"a limit of no time":         {limit(3, 0), configure, "3 requests in 0s"},
		"a limit of negative time":   {limit(3, -time.Hour), configure, "in -1h0m0s"},
		"17 limits":                  {&wirev1.ConfigureResponse{RateLimits: make([]*wirev1.RateLimit, 17)}, configure, "17 rate limits"},
		"a negative write timeout":   {&wirev1.ConfigureResponse{WriteTimeout: durationpb.New(-1)}, configure, "write timeout"},
		"a write timeout of a day":   {&wirev1.ConfigureResponse{WriteTimeout: durationpb.New(24 * time.Hour)}, configure, "write timeout"},
		"an endless search lag":      {&wirev1.ConfigureResponse{SearchLag: &durationpb.Duration{Seconds: 1 << 62}}, configure, "search lag"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.call(answering(t, tt.answer))
			if tt.say == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			e := plugin.AsError(err)
			if e == nil || e.Code != plugin.CodeInternal || e.Retryable || !strings.Contains(e.Message, tt.say) || len(e.Message) > 500 {
				t.Errorf("error %+v, want an internal one of some words with %q, not to be tried again", e, tt.say)
			}
		})
	}
}

// Texts and numbers that only people and quotas see are cut to what those can bear.
func TestTextsAndNumbersAreBounded(t *testing.T) {
	long := strings.Repeat("ü", 1<<19)
	read, err := answering(t, &wirev1.ReadResponse{Requests: -7, Records: []*wirev1.Record{
		{Id: "2", Data: []byte("not asked for")},
		{Id: "1", Url: "https://" + long, Pending: "\x1b[2Jno brief" + long, Data: []byte("{}")},
		{Id: "1", Data: []byte("the same again")},
	}}).Read(t.Context(), &plugin.ReadRequest{IDs: []string{"1", "3"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Records) != 1 || string(read.Records[0].Data) != "{}" || read.Requests != 0 {
		t.Fatalf("records %.200v after %d requests, want the one that was asked for, once, after none", read.Records, read.Requests)
	}
	if r := read.Records[0]; r.URL != "" || !strings.HasPrefix(r.Pending, " [2Jno brief") || len(r.Pending) > 300 {
		t.Errorf("url %.40q, pending %.40q of %d bytes", r.URL, r.Pending, len(r.Pending))
	}

	created, err := answering(t, &wirev1.CreateResponse{Requests: 1 << 62, Results: []*wirev1.Result{
		{Key: "a", Id: long},
		{Key: "b", Error: &wirev1.Error{
			Message: "no\x00\r\x1b]0;title\x07" + long, Attribute: long, Requests: -1, RetryAfter: &durationpb.Duration{Seconds: 1 << 62},
		}},
		{Key: "c", Error: &wirev1.Error{Code: long, RetryAfter: durationpb.New(-time.Hour)}},
	}}).Create(t.Context(), &plugin.CreateRequest{Items: []plugin.Item{{Key: "a"}, {Key: "b"}, {Key: "c"}}})
	if err != nil {
		t.Fatal(err)
	}
	if created.Requests != 100_000 || len(created.Results[0].ID) > 300 {
		t.Errorf("%d requests, an id of %d bytes", created.Requests, len(created.Results[0].ID))
	}
	b := created.Results[1].Err
	if len(b.Message) > 2100 || len(b.Attribute) > 300 || strings.ContainsAny(b.Message, "\x00\r\x1b\x07") || b.Code != plugin.CodeInternal {
		t.Errorf("code %q, a message of %d bytes: %.40q, an attribute of %d bytes", b.Code, len(b.Message), b.Message, len(b.Attribute))
	}
	c := created.Results[2].Err
	if got, want := []time.Duration{b.RetryAfter, c.RetryAfter}, []time.Duration{7 * 24 * time.Hour, 0}; !cmp.Equal(got, want) {
		t.Errorf("waits of %v, want %v", got, want)
	}
	if len(c.Code) > 300 || c.Message == "" {
		t.Errorf("a code of %d bytes, the message %q", len(c.Code), c.Message)
	}
}

// A message of very many tiny parts, or of parts in parts in parts, is refused before memory is spent on it.
func TestCrowdedMessagesAreRefused(t *testing.T) {
	deep := &wirev1.Type{Kind: "string"}
	for range 100 {
		deep = &wirev1.Type{Kind: "list", Elem: deep}
	}
	tests := map[string]protov2.Message{
		"300,000 records": &wirev1.ReadResponse{Records: make([]*wirev1.Record, 300_000)},
		"a type in 100 lists": &wirev1.DescribeResponse{
			Streams: []*wirev1.Stream{{Fields: []*wirev1.Field{{Type: deep}}}},
		},
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := protov2.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			got := m.ProtoReflect().New().Interface()
			spent := testing.AllocsPerRun(1, func() { err = newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, got) })
			if err == nil || spent > 100 {
				t.Errorf("error %v after %.0f allocations, want one after a few", err, spent)
			}
		})
	}
	m := &wirev1.ReadResponse{Records: []*wirev1.Record{{Id: "1"}}}
	b, err := newCodec().Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got := &wirev1.ReadResponse{}
	if err := newCodec().Unmarshal(b, got); err != nil || !protov2.Equal(m, got) || newCodec().Name() != proto.Name {
		t.Errorf("a usual message: %v, %v", got, err)
	}
}
