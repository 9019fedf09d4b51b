package shim

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/durasync/durasync/plugin"
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

// text makes a string fit for a protobuf string, which must be valid UTF-8.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func toTimestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func toListRequest(r *plugin.ListRequest) *wirev1.ListRequest {
	return &wirev1.ListRequest{
		Stream:    text(r.Stream),
		From:      toTimestamp(r.From),
		To:        toTimestamp(r.To),
		PageToken: []byte(r.PageToken),
	}
}

func toReadRequest(r *plugin.ReadRequest) *wirev1.ReadRequest {
	return &wirev1.ReadRequest{Stream: text(r.Stream), Ids: each(r.IDs, text), Fields: each(r.Fields, text)}
}

func toCreateRequest(r *plugin.CreateRequest) *wirev1.CreateRequest {
	return &wirev1.CreateRequest{
		Object: text(r.Object),
		Items: each(r.Items, func(i plugin.Item) *wirev1.Item {
			return &wirev1.Item{
				Key:        text(i.Key),
				RecordId:   text(i.RecordID),
				Url:        text(i.URL),
				Time:       toTimestamp(i.Time),
				Target:     text(i.Target),
				Attributes: i.Attributes,
				InDoubt:    i.InDoubt,
			}
		}),
	}
}

func toResolveRequest(r *plugin.ResolveRequest) *wirev1.ResolveRequest {
	return &wirev1.ResolveRequest{Object: text(r.Object), Addresses: each(r.Addresses, text)}
}

func toFindRequest(r *plugin.FindRequest) *wirev1.FindRequest {
	return &wirev1.FindRequest{
		Object: text(r.Object),
		Items: each(r.Items, func(i plugin.FindItem) *wirev1.FindItem {
			return &wirev1.FindItem{Key: text(i.Key), Target: text(i.Target), Time: toTimestamp(i.Time)}
		}),
	}
}
