// Package shim is the host's end of the connector boundary: it calls a connector over gRPC. The connector's end is in package
// plugin itself, so that a connector's program holds no code of the host.
package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/calllog"
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

// answerGrace is how much longer than its context a Create is waited for: connectors answer within a second of the end of
// theirs, and only their answer says which items were written.
const answerGrace = time.Second

// DialOptions are what a connection to a connector needs.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(wire.MaxMessage), grpc.MaxCallSendMsgSize(wire.MaxMessage), grpc.ForceCodecV2(newCodec())),
		grpc.WithUnaryInterceptor(readLog),
	}
}

// readLog reads what a connector logs of a call; Read, which is a stream, does so itself.
func readLog(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	var trailer metadata.MD
	err := invoker(ctx, method, req, reply, conn, append(opts, grpc.Trailer(&trailer))...)
	calllog.Read(ctx, trailer)
	return err
}

// Client calls a connector. It has all methods, whatever the connector offers; the others fail with
// [plugin.CodeUnimplemented]. All errors hold a [*plugin.Error]; those of a context that has ended also hold the context's error.
type Client struct {
	rpc wirev1.ConnectorClient
}

var (
	_ plugin.Source      = (*Client)(nil)
	_ plugin.Destination = (*Client)(nil)
	_ plugin.Checker     = (*Client)(nil)
	_ plugin.Resolver    = (*Client)(nil)
	_ plugin.Finder      = (*Client)(nil)
	_ plugin.Previewer   = (*Client)(nil)
)

// NewClient returns a client for the connector at the other end of the connection.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{rpc: wirev1.NewConnectorClient(conn)}
}

// Describe implements [plugin.Connector].
func (c *Client) Describe(ctx context.Context, _ *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	resp, err := c.rpc.Describe(ctx, &wirev1.DescribeRequest{})
	if err != nil {
		return nil, fault(ctx, "Describe", err)
	}
	return fromDescribeResponse(resp), nil
}

// Configure implements [plugin.Connector].
func (c *Client) Configure(ctx context.Context, req *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	resp, err := c.rpc.Configure(ctx, &wirev1.ConfigureRequest{Config: req.Config})
	if err != nil {
		return nil, fault(ctx, "Configure", err)
	}
	out := fromConfigureResponse(resp)
	if e := checkSettings(out); e != nil {
		return nil, e
	}
	return out, nil
}

// Check implements [plugin.Checker].
func (c *Client) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	resp, err := c.rpc.Check(ctx, &wirev1.CheckRequest{})
	if err != nil {
		return nil, fault(ctx, "Check", err)
	}
	return &plugin.CheckResponse{Summary: plain(resp.GetSummary(), maxLabel), Requests: requestsOf(resp.GetRequests())}, nil
}

// List implements [plugin.Source].
func (c *Client) List(ctx context.Context, req *plugin.ListRequest) (*plugin.ListResponse, error) {
	resp, err := c.rpc.List(ctx, toListRequest(req))
	if err != nil {
		return nil, fault(ctx, "List", err)
	}
	out := fromListResponse(resp)
	if e := checkEntries(out); e != nil {
		e.Requests = out.Requests
		return nil, e
	}
	return out, nil
}

// Read implements [plugin.Source]. Of what the connector sends it keeps the records that were asked for, each once.
func (c *Client) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream, whatever is left of it
	var trailer metadata.MD
	stream, err := c.rpc.Read(ctx, toReadRequest(req), grpc.Trailer(&trailer))
	if err != nil {
		return nil, fault(ctx, "Read", err)
	}
	resp := &plugin.ReadResponse{}
	wanted := make(map[string]bool, len(req.IDs))
	for _, id := range req.IDs {
		wanted[id] = true
	}
	defer func() { calllog.Read(ctx, trailer) }()
	size := 0
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return resp, nil
		}
		if err != nil {
			return nil, fault(ctx, "Read", err)
		}
		resp.Requests = requestsOf(int64(resp.Requests + requestsOf(part.GetRequests())))
		if size += proto.Size(part); size > maxAnswer {
			e := plugin.Errorf(plugin.CodeTooLarge, "the connector answered Read of %d records with more than %d MiB", len(req.IDs), maxAnswer>>20)
			e.Requests = resp.Requests
			return nil, e
		}
		for _, r := range part.GetRecords() {
			if wanted[r.GetId()] {
				delete(wanted, r.GetId())
				resp.Records = append(resp.Records, fromRecord(r))
			}
		}
	}
}

// Create implements [plugin.Destination]. Its error is uncertain unless it is known that nothing was sent to the connector or
// the connector itself says that nothing was written.
func (c *Client) Create(ctx context.Context, req *plugin.CreateRequest) (*plugin.CreateResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, ended(methodCreate, err)
	}
	msg := toCreateRequest(req)
	call := ctx
	if deadline, ok := ctx.Deadline(); ok {
		msg.Timeout = durationpb.New(time.Until(deadline))
		var cancel context.CancelFunc
		call, cancel = extend(ctx, deadline.Add(answerGrace))
		defer cancel()
	}
	var to peer.Peer
	resp, err := c.rpc.Create(call, msg, grpc.Peer(&to))
	if err != nil {
		return nil, createFault(ctx, err, to.Addr != nil)
	}
	out := fromCreateResponse(resp)
	got := wire.Each(out.Results, func(r plugin.Result) string { return r.Key })
	if e := mismatch(methodCreate, req.Items, got, out.Requests); e != nil {
		e.Uncertain = true // nobody knows which items were written
		return nil, e
	}
	return out, nil
}

// extend returns a context that outlives the deadline of ctx until a later one, but not its cancellation.
func extend(ctx context.Context, until time.Time) (context.Context, context.CancelFunc) {
	extended, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})
	return extended, func() {
		stop()
		cancel()
	}
}

// mismatch returns an error unless the answer has the key of each item, in the order of the items.
func mismatch(method string, items []plugin.Item, keys []string, requests int) *plugin.Error {
	problem := ""
	if len(keys) != len(items) {
		problem = fmt.Sprintf("%d answers for %d items", len(keys), len(items))
	} else {
		for i, key := range keys {
			if key != items[i].Key {
				problem = fmt.Sprintf("answer %d is for the key %.200q, the item's key is %q", i, key, items[i].Key)
				break
			}
		}
	}
	if problem == "" {
		return nil
	}
	e := plugin.Errorf(plugin.CodeInternal, "the connector's answer to %s does not match the request: %s", method, problem)
	e.Requests = requests
	return e
}

// Resolve implements [plugin.Resolver].
func (c *Client) Resolve(ctx context.Context, req *plugin.ResolveRequest) (*plugin.ResolveResponse, error) {
	resp, err := c.rpc.Resolve(ctx, toResolveRequest(req))
	if err != nil {
		return nil, fault(ctx, "Resolve", err)
	}
	out := fromResolveResponse(resp)
	if e := checkMatches(out); e != nil {
		e.Requests = out.Requests
		return nil, e
	}
	return out, nil
}

// Find implements [plugin.Finder].
func (c *Client) Find(ctx context.Context, req *plugin.FindRequest) (*plugin.FindResponse, error) {
	resp, err := c.rpc.Find(ctx, toFindRequest(req))
	if err != nil {
		return nil, fault(ctx, "Find", err)
	}
	return fromFindResponse(resp), nil
}

// Preview implements [plugin.Previewer].
func (c *Client) Preview(ctx context.Context, req *plugin.PreviewRequest) (*plugin.PreviewResponse, error) {
	resp, err := c.rpc.Preview(ctx, toPreviewRequest(req))
	if err != nil {
		return nil, fault(ctx, "Preview", err)
	}
	out := fromPreviewResponse(resp)
	got := wire.Each(out.Previews, func(p plugin.Preview) string { return p.Key })
	if e := mismatch("Preview", req.Items, got, out.Requests); e != nil {
		return nil, e
	}
	return out, nil
}
