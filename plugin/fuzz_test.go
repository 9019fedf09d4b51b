package plugin

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/durasync/durasync/plugin/internal/gate"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

// mirror is a connector that answers with what it was asked, in texts that need not be UTF-8.
type mirror struct{ fake }

func (mirror) List(_ context.Context, r *ListRequest) (*ListResponse, error) {
	return &ListResponse{Entries: []Entry{{ID: r.Stream, Time: r.From}, {ID: "\xff" + r.PageToken, Time: r.To}}, NextPageToken: r.PageToken}, nil
}

func (mirror) Read(context.Context, *ReadRequest) (*ReadResponse, error) { return &ReadResponse{}, nil }

func (mirror) Create(_ context.Context, r *CreateRequest) (*CreateResponse, error) {
	resp := &CreateResponse{}
	for _, i := range r.Items {
		resp.Results = append(resp.Results, Result{Key: i.Key, ID: string(i.Attributes), Existed: i.InDoubt, Err: Errorf(CodeInternal, "\xff%s%s", i.URL, i.Target)})
	}
	return resp, nil
}

func (mirror) Resolve(_ context.Context, r *ResolveRequest) (*ResolveResponse, error) {
	resp := &ResolveResponse{}
	for _, a := range r.Addresses {
		resp.Matches = append(resp.Matches, Match{Address: a + "\xff", Targets: []Target{{ID: r.Object, Team: r.Addresses}}})
	}
	return resp, nil
}

func (mirror) Preview(_ context.Context, r *PreviewRequest) (*PreviewResponse, error) {
	resp := &PreviewResponse{}
	for _, i := range r.Items {
		resp.Previews = append(resp.Previews, Preview{Key: i.Key, Attributes: i.Attributes})
	}
	return resp, nil
}

// FuzzRequest takes any bytes for what a host sends. A connector's process never panics outside of the connector's own code, and what
// it answers can be sent.
func FuzzRequest(f *testing.F) {
	item := &wirev1.Item{Key: "gong/calls/1", Url: "u", Time: timestamppb.New(time.Unix(1, 1)), Target: "t", Attributes: []byte("{}")}
	for i, m := range []proto.Message{
		&wirev1.ConfigureRequest{Config: []byte(`{"a":1}`)},
		&wirev1.ListRequest{Stream: "calls", From: &timestamppb.Timestamp{Seconds: -1 << 62}, To: timestamppb.New(time.Unix(1, 1)), PageToken: []byte{0, 255}},
		&wirev1.CreateRequest{Object: "o", Items: []*wirev1.Item{item}, Timeout: &durationpb.Duration{Seconds: 1 << 62, Nanos: -1}},
		&wirev1.ResolveRequest{Object: "o", Addresses: []string{"a@b.c"}, Team: true},
		&wirev1.PreviewRequest{Object: "o", Items: []*wirev1.Item{item, nil}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), b)
	}
	s := &server{connector: mirror{}, log: hclog.NewNullLogger(), gate: gate.New()}
	f.Fuzz(func(t *testing.T, method byte, request []byte) {
		defer time.AfterFunc(time.Minute, func() { panic("the call hangs") }).Stop()
		var answer proto.Message
		var err error
		switch method % 5 {
		case 0:
			answer, err = serveBytes(t, request, &wirev1.ConfigureRequest{}, s.Configure)
		case 1:
			answer, err = serveBytes(t, request, &wirev1.ListRequest{}, s.List)
		case 2:
			answer, err = serveBytes(t, request, &wirev1.CreateRequest{}, s.Create)
		case 3:
			answer, err = serveBytes(t, request, &wirev1.ResolveRequest{}, s.Resolve)
		case 4:
			answer, err = serveBytes(t, request, &wirev1.PreviewRequest{}, s.Preview)
		}
		if err != nil {
			t.Errorf("the mirror is blind: %v", err)
		}
		if _, err := proto.Marshal(answer); err != nil {
			t.Errorf("the answer cannot be sent: %v", err)
		}
	})
}

// serveBytes answers a request that is in bytes; those that are no request are gRPC's to refuse.
func serveBytes[Req, Resp proto.Message](t *testing.T, b []byte, req Req, method func(context.Context, Req) (Resp, error)) (proto.Message, error) {
	if proto.Unmarshal(b, req) != nil {
		t.Skip("no request")
	}
	return method(t.Context(), req)
}

// FuzzValidate checks descriptions of any form, as JSON: each is right, or wrong in some lines of bounded length; and the check of a
// right one's defaults says the same again.
func FuzzValidate(f *testing.F) {
	b, err := json.Marshal(valid())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"Name":"x","Config":[{"Name":"a","Type":{"Kind":"list"},"Default":[1]}]}`))
	f.Add([]byte(`{"Streams":[{"Fields":[{"Type":{"Kind":"struct","Fields":[{"Type":{"Kind":"list","Elem":{"Kind":"struct"}}}]}}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		defer time.AfterFunc(time.Minute, func() { panic("the check hangs") }).Stop()
		d := &DescribeResponse{}
		if json.Unmarshal(b, d) != nil {
			t.Skip("no description")
		}
		if err := d.Validate(); err != nil {
			if n := len(err.Error()); n == 0 || n > 64<<10 {
				t.Errorf("the mistakes take %d bytes", n)
			}
			return
		}
		for _, a := range d.Config {
			if a.Default != nil && a.Type.Check(a.Default) != nil {
				t.Errorf("the default of %s is wrong", a.Name)
			}
		}
	})
}
