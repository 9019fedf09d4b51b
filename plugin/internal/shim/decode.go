package shim

import (
	"cmp"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

func fromError(e *wirev1.Error) *plugin.Error {
	if e == nil {
		return nil
	}
	return &plugin.Error{
		Code:       cmp.Or(plugin.Code(plain(e.GetCode(), maxLabel)), plugin.CodeInternal),
		Message:    cmp.Or(plain(e.GetMessage(), maxMessage), "the connector does not say what is wrong"),
		Retryable:  e.GetRetryable(),
		RetryAfter: min(max(e.GetRetryAfter().AsDuration(), 0), maxRetryAfter),
		Uncertain:  e.GetUncertain(),
		Attribute:  plain(e.GetAttribute(), maxLabel),
		Requests:   requestsOf(e.GetRequests()),
	}
}

func fromDescribeResponse(r *wirev1.DescribeResponse) *plugin.DescribeResponse {
	return &plugin.DescribeResponse{
		Name:    r.GetName(),
		Version: r.GetVersion(),
		Doc:     r.GetDoc(),
		Config:  wire.Each(r.GetConfig(), fromAttribute),
		Streams: wire.Each(r.GetStreams(), fromStream),
		Objects: wire.Each(r.GetObjects(), fromObject),
	}
}

func fromStream(s *wirev1.Stream) plugin.Stream {
	return plugin.Stream{
		Name:    s.GetName(),
		Record:  s.GetRecord(),
		Doc:     s.GetDoc(),
		Fields:  wire.Each(s.GetFields(), fromField),
		MaxRead: int(s.GetMaxRead()),
	}
}

func fromField(f *wirev1.Field) plugin.Field {
	return plugin.Field{Name: f.GetName(), Type: fromType(f.GetType()), Semantic: f.GetSemantic(), Doc: f.GetDoc()}
}

func fromType(t *wirev1.Type) plugin.Type {
	out := plugin.Type{Kind: plugin.Kind(t.GetKind()), Fields: wire.Each(t.GetFields(), fromField)}
	if t.GetElem() != nil {
		elem := fromType(t.GetElem())
		out.Elem = &elem
	}
	return out
}

func fromObject(o *wirev1.Object) plugin.Object {
	return plugin.Object{
		Name:       o.GetName(),
		Doc:        o.GetDoc(),
		Attributes: wire.Each(o.GetAttributes(), fromAttribute),
		MaxCreate:  int(o.GetMaxCreate()),
		Idempotent: o.GetIdempotent(),
		ResolvedBy: o.GetResolvedBy(),
		MaxResolve: int(o.GetMaxResolve()),
		CreateOnly: o.GetCreateOnly(),
	}
}

func fromAttribute(a *wirev1.Attribute) plugin.Attribute {
	out := plugin.Attribute{
		Name:      a.GetName(),
		Type:      fromType(a.GetType()),
		Doc:       a.GetDoc(),
		Required:  a.GetRequired(),
		OneOf:     a.GetOneOf(),
		Sensitive: a.GetSensitive(),
		Semantic:  a.GetSemantic(),
		Locked:    a.GetLocked(),
		MaxLength: int(a.GetMaxLength()),
	}
	if len(a.GetDefault()) > 0 {
		out.Default = a.GetDefault()
	}
	return out
}

func fromConfigureResponse(r *wirev1.ConfigureResponse) *plugin.ConfigureResponse {
	return &plugin.ConfigureResponse{
		RateLimits: wire.Each(r.GetRateLimits(), func(l *wirev1.RateLimit) plugin.RateLimit {
			return plugin.RateLimit{Requests: int(l.GetRequests()), Per: l.GetPer().AsDuration()}
		}),
		WriteTimeout: r.GetWriteTimeout().AsDuration(),
		SearchLag:    r.GetSearchLag().AsDuration(),
	}
}

func fromListResponse(r *wirev1.ListResponse) *plugin.ListResponse {
	return &plugin.ListResponse{
		Entries: wire.Each(r.GetEntries(), func(e *wirev1.Entry) plugin.Entry {
			return plugin.Entry{ID: e.GetId(), Time: wire.FromTimestamp(e.GetTime())}
		}),
		NextPageToken: string(r.GetNextPageToken()),
		Requests:      requestsOf(r.GetRequests()),
	}
}

func fromRecord(r *wirev1.Record) plugin.Record {
	out := plugin.Record{
		ID:      r.GetId(),
		Time:    wire.FromTimestamp(r.GetTime()),
		Pending: plain(r.GetPending(), maxLabel),
		Data:    r.GetData(),
	}
	if len(r.GetUrl()) <= maxURL {
		out.URL = plain(r.GetUrl(), maxURL)
	}
	return out
}

func fromCreateResponse(r *wirev1.CreateResponse) *plugin.CreateResponse {
	return &plugin.CreateResponse{Results: wire.Each(r.GetResults(), fromResult), Requests: requestsOf(r.GetRequests())}
}

func fromFindResponse(r *wirev1.FindResponse) *plugin.FindResponse {
	return &plugin.FindResponse{Results: wire.Each(r.GetResults(), fromResult), Requests: requestsOf(r.GetRequests())}
}

func fromResult(r *wirev1.Result) plugin.Result {
	return plugin.Result{Key: r.GetKey(), ID: plain(r.GetId(), maxLabel), Existed: r.GetExisted(), Err: fromError(r.GetError())}
}

func fromResolveResponse(r *wirev1.ResolveResponse) *plugin.ResolveResponse {
	return &plugin.ResolveResponse{
		Matches: wire.Each(r.GetMatches(), func(m *wirev1.Match) plugin.Match {
			return plugin.Match{
				Address:  m.GetAddress(),
				Internal: m.GetInternal(),
				Targets:  wire.Each(m.GetTargets(), fromTarget),
			}
		}),
		Requests: requestsOf(r.GetRequests()),
	}
}

func fromTarget(t *wirev1.Target) plugin.Target {
	return plugin.Target{
		ID: t.GetId(), Name: plain(t.GetName(), maxLabel), Contact: t.GetContact(), KeyContact: t.GetKeyContact(), Team: t.GetTeam(),
	}
}

func fromPreviewResponse(r *wirev1.PreviewResponse) *plugin.PreviewResponse {
	return &plugin.PreviewResponse{
		Previews: wire.Each(r.GetPreviews(), func(p *wirev1.Preview) plugin.Preview {
			return plugin.Preview{Key: p.GetKey(), Attributes: p.GetAttributes(), Err: fromError(p.GetError())}
		}),
		Requests: requestsOf(r.GetRequests()),
	}
}
