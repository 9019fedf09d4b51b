package shim

import (
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

func toListRequest(r *plugin.ListRequest) *wirev1.ListRequest {
	return &wirev1.ListRequest{
		Stream:    wire.Text(r.Stream),
		From:      wire.ToTimestamp(r.From),
		To:        wire.ToTimestamp(r.To),
		PageToken: []byte(r.PageToken),
	}
}

func toReadRequest(r *plugin.ReadRequest) *wirev1.ReadRequest {
	return &wirev1.ReadRequest{Stream: wire.Text(r.Stream), Ids: wire.Each(r.IDs, wire.Text), Fields: wire.Each(r.Fields, wire.Text)}
}

func toCreateRequest(r *plugin.CreateRequest) *wirev1.CreateRequest {
	return &wirev1.CreateRequest{Object: wire.Text(r.Object), Items: wire.Each(r.Items, toItem)}
}

func toPreviewRequest(r *plugin.PreviewRequest) *wirev1.PreviewRequest {
	return &wirev1.PreviewRequest{Object: wire.Text(r.Object), Items: wire.Each(r.Items, toItem)}
}

func toItem(i plugin.Item) *wirev1.Item {
	return &wirev1.Item{
		Key:        wire.Text(i.Key),
		RecordId:   wire.Text(i.RecordID),
		Url:        wire.Text(i.URL),
		Time:       wire.ToTimestamp(i.Time),
		Target:     wire.Text(i.Target),
		Attributes: i.Attributes,
		InDoubt:    i.InDoubt,
	}
}

func toResolveRequest(r *plugin.ResolveRequest) *wirev1.ResolveRequest {
	return &wirev1.ResolveRequest{Object: wire.Text(r.Object), Addresses: wire.Each(r.Addresses, wire.Text), Team: r.Team}
}

func toFindRequest(r *plugin.FindRequest) *wirev1.FindRequest {
	return &wirev1.FindRequest{
		Object: wire.Text(r.Object),
		Items: wire.Each(r.Items, func(i plugin.FindItem) *wirev1.FindItem {
			return &wirev1.FindItem{Key: wire.Text(i.Key), Target: wire.Text(i.Target), Time: wire.ToTimestamp(i.Time)}
		}),
	}
}
