package plugin

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/durasync/durasync/plugin/internal/calllog"
	"github.com/durasync/durasync/plugin/internal/gate"
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

// Register adds the connector's service to a gRPC server, for tests and for programs that serve a connector in a way of their
// own; everybody else calls [Serve]. Each call's context carries the logger, for [hclog.FromContext].
func Register(registrar grpc.ServiceRegistrar, c Connector, logger hclog.Logger) {
	wirev1.RegisterConnectorServer(registrar, &server{connector: c, log: logger, gate: gate.New()})
}

// server is the connector's end of the boundary.
type server struct {
	wirev1.UnimplementedConnectorServer

	connector Connector
	log       hclog.Logger
	gate      *gate.Gate
}

// Describe implements the service.
func (s *server) Describe(ctx context.Context, _ *wirev1.DescribeRequest) (*wirev1.DescribeResponse, error) {
	return unary(ctx, s, "Describe", s.connector.Describe, &DescribeRequest{}, toDescribeResponse)
}

// Configure implements the service.
func (s *server) Configure(ctx context.Context, req *wirev1.ConfigureRequest) (*wirev1.ConfigureResponse, error) {
	return unary(ctx, s, "Configure", s.connector.Configure, &ConfigureRequest{Config: req.GetConfig()}, toConfigureResponse)
}

// Check implements the service.
func (s *server) Check(ctx context.Context, _ *wirev1.CheckRequest) (*wirev1.CheckResponse, error) {
	c, ok := s.connector.(Checker)
	if !ok {
		return nil, unimplemented("cannot check its configuration")
	}
	return unary(ctx, s, "Check", c.Check, &CheckRequest{}, toCheckResponse)
}

// List implements the service.
func (s *server) List(ctx context.Context, req *wirev1.ListRequest) (*wirev1.ListResponse, error) {
	c, ok := s.connector.(Source)
	if !ok {
		return nil, unimplemented("is no source")
	}
	return unary(ctx, s, "List", c.List, fromListRequest(req), toListResponse)
}

// Read implements the service.
func (s *server) Read(req *wirev1.ReadRequest, stream grpc.ServerStreamingServer[wirev1.ReadResponse]) error {
	c, ok := s.connector.(Source)
	if !ok {
		return unimplemented("is no source")
	}
	if !s.gate.Enter() {
		return toStatus(errStopping())
	}
	defer s.gate.Leave()
	ctx, log := calllog.With(stream.Context())
	resp, err := call(ctx, s, "Read", c.Read, fromReadRequest(req))
	stream.SetTrailer(log.Metadata())
	if err != nil {
		return toStatus(err)
	}
	return sendRecords(resp, stream.Send)
}

// sendRecords sends an answer of Read in messages of about [wire.ChunkSize] bytes; at least one.
func sendRecords(resp *ReadResponse, send func(*wirev1.ReadResponse) error) error {
	chunk, size := &wirev1.ReadResponse{Requests: int64(resp.Requests)}, 0
	for _, r := range resp.Records {
		record := toRecord(r)
		n := proto.Size(record)
		if n > wire.MaxMessage-1<<10 {
			e := Errorf(CodeTooLarge, "record %s is of %d bytes; a record can be of at most %d", r.ID, n, wire.MaxMessage-1<<10)
			e.Requests = resp.Requests
			return toStatus(e)
		}
		if size > 0 && size+n > wire.ChunkSize {
			if err := send(chunk); err != nil {
				return err
			}
			chunk, size = &wirev1.ReadResponse{}, 0
		}
		chunk.Records = append(chunk.Records, record)
		size += n
	}
	return send(chunk)
}

// Create implements the service.
func (s *server) Create(ctx context.Context, req *wirev1.CreateRequest) (*wirev1.CreateResponse, error) {
	c, ok := s.connector.(Destination)
	if !ok {
		return nil, unimplemented("is no destination")
	}
	if t := req.GetTimeout(); t != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.AsDuration())
		defer cancel()
	}
	return unary(ctx, s, methodCreate, c.Create, fromCreateRequest(req), toCreateResponse)
}

// Resolve implements the service.
func (s *server) Resolve(ctx context.Context, req *wirev1.ResolveRequest) (*wirev1.ResolveResponse, error) {
	c, ok := s.connector.(Resolver)
	if !ok {
		return nil, unimplemented("cannot resolve addresses")
	}
	return unary(ctx, s, "Resolve", c.Resolve, fromResolveRequest(req), toResolveResponse)
}

// Find implements the service.
func (s *server) Find(ctx context.Context, req *wirev1.FindRequest) (*wirev1.FindResponse, error) {
	c, ok := s.connector.(Finder)
	if !ok {
		return nil, unimplemented("cannot look up what was written")
	}
	return unary(ctx, s, "Find", c.Find, fromFindRequest(req), toFindResponse)
}

// Preview implements the service.
func (s *server) Preview(ctx context.Context, req *wirev1.PreviewRequest) (*wirev1.PreviewResponse, error) {
	c, ok := s.connector.(Previewer)
	if !ok {
		return nil, unimplemented("cannot show what it would write")
	}
	return unary(ctx, s, "Preview", c.Preview, fromPreviewRequest(req), toPreviewResponse)
}

// methodCreate is the one method after whose unforeseen failure something may have been written.
const methodCreate = "Create"

func unary[Req, Resp, Wire any](
	ctx context.Context, s *server, method string,
	fn func(context.Context, *Req) (*Resp, error), req *Req, convert func(*Resp) *Wire,
) (*Wire, error) {
	if !s.gate.Enter() {
		return nil, toStatus(errStopping())
	}
	defer s.gate.Leave()
	logged, log := calllog.With(ctx)
	resp, err := call(logged, s, method, fn, req)
	_ = grpc.SetTrailer(ctx, log.Metadata()) // fails outside of a call, which this is not
	if err != nil {
		return nil, toStatus(err)
	}
	return convert(resp), nil
}

// call runs a method of the connector: exactly one of its results is not nil. A panic ends the call, not the process.
func call[Req, Resp any](
	ctx context.Context, s *server, method string, fn func(context.Context, *Req) (*Resp, error), req *Req,
) (resp *Resp, fault *Error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("the connector panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
			resp, fault = nil, Errorf(CodeInternal, "the connector panicked in %s; its log has the stack", method)
			fault.Uncertain = method == methodCreate
		}
	}()
	resp, err := fn(hclog.WithContext(ctx, s.log), req)
	if fault = classify(method, err); fault != nil {
		return nil, fault
	}
	if resp == nil {
		fault = Errorf(CodeInternal, "the connector answered nothing to %s: neither a response nor an error", method)
		fault.Uncertain = method == methodCreate
	}
	return resp, fault
}

// classify returns what crosses the boundary for an error of a method: the [*Error] inside it, with the text of what wraps it,
// or one made for it. An error of Create that the connector did not classify says nothing about what was written.
func classify(method string, err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		if e == nil { // a nil *Error in an error interface: the author meant no error
			return nil
		}
		wrapped := *e
		wrapped.Message = err.Error()
		return &wrapped
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = Errorf(CodeUnavailable, "%v", err)
	default:
		e = Errorf(CodeInternal, "%v", err)
	}
	e.Uncertain = method == methodCreate
	return e
}

func unimplemented(what string) error {
	return toStatus(Errorf(CodeUnimplemented, "the connector %s", what))
}

func errStopping() *Error { return Errorf(CodeUnavailable, "the connector's process is stopping") }

// toStatus puts the error into a detail of a gRPC status. The status's own code and message are for people who look at the
// wire.
func toStatus(e *Error) error {
	code := codes.Unknown
	if e.Code == CodeUnimplemented {
		code = codes.Unimplemented
	}
	st, err := status.New(code, wire.Short(string(e.Code), wire.MaxText)).WithDetails(toError(e))
	if err != nil {
		return status.Error(codes.Internal, "the error could not be encoded")
	}
	return st.Err()
}
