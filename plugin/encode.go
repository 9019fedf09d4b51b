package plugin

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

// each converts the elements of a slice and keeps nil as nil.
func each[T, U any](in []T, convert func(T) U) []U {
	if in == nil {
		return nil
	}
	out := make([]U, len(in))
	for i, v := range in {
		out[i] = convert(v)
	}
	return out
}

// text makes a string fit for a protobuf string, which must be valid UTF-8: gRPC fails the whole answer otherwise, with an
// error that does not say where.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func toTimestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func toDuration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func toError(e *Error) *wirev1.Error {
	if e == nil {
		return nil
	}
	return &wirev1.Error{
		Code:       text(string(e.Code)),
		Message:    text(e.Message),
		Retryable:  e.Retryable,
		RetryAfter: toDuration(e.RetryAfter),
		Uncertain:  e.Uncertain,
		Attribute:  text(e.Attribute),
		Requests:   int64(e.Requests),
	}
}

func toDescribeResponse(r *DescribeResponse) *wirev1.DescribeResponse {
	return &wirev1.DescribeResponse{
		Name:    text(r.Name),
		Version: text(r.Version),
		Doc:     text(r.Doc),
		Config:  each(r.Config, toAttribute),
		Streams: each(r.Streams, toStream),
		Objects: each(r.Objects, toObject),
	}
}

func toStream(s Stream) *wirev1.Stream {
	return &wirev1.Stream{
		Name:    text(s.Name),
		Record:  text(s.Record),
		Doc:     text(s.Doc),
		Fields:  each(s.Fields, toField),
		MaxRead: int64(s.MaxRead),
	}
}

func toField(f Field) *wirev1.Field {
	return &wirev1.Field{Name: text(f.Name), Type: toType(f.Type), Semantic: text(f.Semantic), Doc: text(f.Doc)}
}

func toType(t Type) *wirev1.Type {
	out := &wirev1.Type{Kind: text(string(t.Kind)), Fields: each(t.Fields, toField)}
	if t.Elem != nil {
		out.Elem = toType(*t.Elem)
	}
	return out
}

func toObject(o Object) *wirev1.Object {
	return &wirev1.Object{
		Name:       text(o.Name),
		Doc:        text(o.Doc),
		Attributes: each(o.Attributes, toAttribute),
		MaxCreate:  int64(o.MaxCreate),
		Idempotent: o.Idempotent,
		ResolvedBy: text(o.ResolvedBy),
		MaxResolve: int64(o.MaxResolve),
		CreateOnly: o.CreateOnly,
	}
}

func toAttribute(a Attribute) *wirev1.Attribute {
	return &wirev1.Attribute{
		Name:      text(a.Name),
		Type:      toType(a.Type),
		Doc:       text(a.Doc),
		Required:  a.Required,
		Default:   a.Default,
		OneOf:     each(a.OneOf, text),
		Sensitive: a.Sensitive,
		Semantic:  text(a.Semantic),
		Locked:    a.Locked,
		MaxLength: int64(a.MaxLength),
	}
}

func toConfigureResponse(r *ConfigureResponse) *wirev1.ConfigureResponse {
	return &wirev1.ConfigureResponse{
		RateLimits: each(r.RateLimits, func(l RateLimit) *wirev1.RateLimit {
			return &wirev1.RateLimit{Requests: int64(l.Requests), Per: toDuration(l.Per)}
		}),
		WriteTimeout: toDuration(r.WriteTimeout),
		SearchLag:    toDuration(r.SearchLag),
	}
}

func toCheckResponse(r *CheckResponse) *wirev1.CheckResponse {
	return &wirev1.CheckResponse{Summary: text(r.Summary), Requests: int64(r.Requests)}
}

func toListResponse(r *ListResponse) *wirev1.ListResponse {
	return &wirev1.ListResponse{
		Entries: each(r.Entries, func(e Entry) *wirev1.Entry {
			return &wirev1.Entry{Id: text(e.ID), Time: toTimestamp(e.Time)}
		}),
		NextPageToken: []byte(r.NextPageToken),
		Requests:      int64(r.Requests),
	}
}

func toRecord(r Record) *wirev1.Record {
	return &wirev1.Record{
		Id:      text(r.ID),
		Time:    toTimestamp(r.Time),
		Url:     text(r.URL),
		Pending: text(r.Pending),
		Data:    r.Data,
	}
}

func toCreateResponse(r *CreateResponse) *wirev1.CreateResponse {
	return &wirev1.CreateResponse{Results: each(r.Results, toResult), Requests: int64(r.Requests)}
}

func toFindResponse(r *FindResponse) *wirev1.FindResponse {
	return &wirev1.FindResponse{Results: each(r.Results, toResult), Requests: int64(r.Requests)}
}

func toResult(r Result) *wirev1.Result {
	return &wirev1.Result{Key: text(r.Key), Id: text(r.ID), Existed: r.Existed, Error: toError(r.Err)}
}

func toResolveResponse(r *ResolveResponse) *wirev1.ResolveResponse {
	return &wirev1.ResolveResponse{
		Matches: each(r.Matches, func(m Match) *wirev1.Match {
			return &wirev1.Match{Address: text(m.Address), Internal: m.Internal, Targets: each(m.Targets, toTarget)}
		}),
		Requests: int64(r.Requests),
	}
}

func toTarget(t Target) *wirev1.Target {
	return &wirev1.Target{Id: text(t.ID), Name: text(t.Name), Contact: t.Contact, KeyContact: t.KeyContact}
}
