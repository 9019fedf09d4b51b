package plugin

import (
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

func toError(e *Error) *wirev1.Error {
	if e == nil {
		return nil
	}
	return &wirev1.Error{
		Code:       wire.Short(string(e.Code), wire.MaxText),
		Message:    wire.Short(e.Message, wire.MaxText),
		Retryable:  e.Retryable,
		RetryAfter: wire.ToDuration(e.RetryAfter),
		Uncertain:  e.Uncertain,
		Attribute:  wire.Short(e.Attribute, wire.MaxText),
		Requests:   int64(e.Requests),
	}
}

func toDescribeResponse(r *DescribeResponse) *wirev1.DescribeResponse {
	return &wirev1.DescribeResponse{
		Name:    wire.Text(r.Name),
		Version: wire.Text(r.Version),
		Doc:     wire.Text(r.Doc),
		Config:  wire.Each(r.Config, toAttribute),
		Streams: wire.Each(r.Streams, toStream),
		Objects: wire.Each(r.Objects, toObject),
	}
}

func toStream(s Stream) *wirev1.Stream {
	return &wirev1.Stream{
		Name:    wire.Text(s.Name),
		Record:  wire.Text(s.Record),
		Doc:     wire.Text(s.Doc),
		Fields:  wire.Each(s.Fields, toField),
		MaxRead: int64(s.MaxRead),
	}
}

func toField(f Field) *wirev1.Field {
	return &wirev1.Field{Name: wire.Text(f.Name), Type: toType(f.Type), Semantic: wire.Text(f.Semantic), Doc: wire.Text(f.Doc)}
}

func toType(t Type) *wirev1.Type {
	out := &wirev1.Type{Kind: wire.Text(string(t.Kind)), Fields: wire.Each(t.Fields, toField)}
	if t.Elem != nil {
		out.Elem = toType(*t.Elem)
	}
	return out
}

func toObject(o Object) *wirev1.Object {
	return &wirev1.Object{
		Name:       wire.Text(o.Name),
		Doc:        wire.Text(o.Doc),
		Attributes: wire.Each(o.Attributes, toAttribute),
		MaxCreate:  int64(o.MaxCreate),
		Idempotent: o.Idempotent,
		ResolvedBy: wire.Text(o.ResolvedBy),
		MaxResolve: int64(o.MaxResolve),
		CreateOnly: o.CreateOnly,
	}
}

func toAttribute(a Attribute) *wirev1.Attribute {
	return &wirev1.Attribute{
		Name:      wire.Text(a.Name),
		Type:      toType(a.Type),
		Doc:       wire.Text(a.Doc),
		Required:  a.Required,
		Default:   a.Default,
		OneOf:     wire.Each(a.OneOf, wire.Text),
		Sensitive: a.Sensitive,
		Semantic:  wire.Text(a.Semantic),
		Locked:    a.Locked,
		MaxLength: int64(a.MaxLength),
	}
}

func toConfigureResponse(r *ConfigureResponse) *wirev1.ConfigureResponse {
	return &wirev1.ConfigureResponse{
		RateLimits: wire.Each(r.RateLimits, func(l RateLimit) *wirev1.RateLimit {
			return &wirev1.RateLimit{Requests: int64(l.Requests), Per: wire.ToDuration(l.Per)}
		}),
		WriteTimeout: wire.ToDuration(r.WriteTimeout),
		SearchLag:    wire.ToDuration(r.SearchLag),
	}
}

func toCheckResponse(r *CheckResponse) *wirev1.CheckResponse {
	return &wirev1.CheckResponse{Summary: wire.Text(r.Summary), Requests: int64(r.Requests)}
}

func toListResponse(r *ListResponse) *wirev1.ListResponse {
	return &wirev1.ListResponse{
		Entries: wire.Each(r.Entries, func(e Entry) *wirev1.Entry {
			return &wirev1.Entry{Id: wire.Text(e.ID), Time: wire.ToTimestamp(e.Time)}
		}),
		NextPageToken: []byte(r.NextPageToken),
		Requests:      int64(r.Requests),
	}
}

func toRecord(r Record) *wirev1.Record {
	return &wirev1.Record{
		Id:      wire.Text(r.ID),
		Time:    wire.ToTimestamp(r.Time),
		Url:     wire.Text(r.URL),
		Pending: wire.Text(r.Pending),
		Data:    r.Data,
	}
}

func toCreateResponse(r *CreateResponse) *wirev1.CreateResponse {
	return &wirev1.CreateResponse{Results: wire.Each(r.Results, toResult), Requests: int64(r.Requests)}
}

func toFindResponse(r *FindResponse) *wirev1.FindResponse {
	return &wirev1.FindResponse{Results: wire.Each(r.Results, toResult), Requests: int64(r.Requests)}
}

func toResult(r Result) *wirev1.Result {
	return &wirev1.Result{Key: wire.Text(r.Key), Id: wire.Text(r.ID), Existed: r.Existed, Error: toError(r.Err)}
}

func toResolveResponse(r *ResolveResponse) *wirev1.ResolveResponse {
	return &wirev1.ResolveResponse{
		Matches: wire.Each(r.Matches, func(m Match) *wirev1.Match {
			return &wirev1.Match{Address: wire.Text(m.Address), Internal: m.Internal, Targets: wire.Each(m.Targets, toTarget)}
		}),
		Requests: int64(r.Requests),
	}
}

func toTarget(t Target) *wirev1.Target {
	return &wirev1.Target{
		Id: wire.Text(t.ID), Name: wire.Text(t.Name), Contact: t.Contact, KeyContact: t.KeyContact, Team: wire.Each(t.Team, wire.Text),
	}
}

func toPreviewResponse(r *PreviewResponse) *wirev1.PreviewResponse {
	return &wirev1.PreviewResponse{
		Previews: wire.Each(r.Previews, func(p Preview) *wirev1.Preview {
			return &wirev1.Preview{Key: wire.Text(p.Key), Attributes: p.Attributes, Error: toError(p.Err)}
		}),
		Requests: int64(r.Requests),
	}
}
