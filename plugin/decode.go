package plugin

import (
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

func fromListRequest(r *wirev1.ListRequest) *ListRequest {
	return &ListRequest{
		Stream:    r.GetStream(),
		From:      wire.FromTimestamp(r.GetFrom()),
		To:        wire.FromTimestamp(r.GetTo()),
		PageToken: string(r.GetPageToken()),
	}
}

func fromReadRequest(r *wirev1.ReadRequest) *ReadRequest {
	return &ReadRequest{Stream: r.GetStream(), IDs: r.GetIds(), Fields: r.GetFields()}
}

func fromCreateRequest(r *wirev1.CreateRequest) *CreateRequest {
	return &CreateRequest{Object: r.GetObject(), Items: wire.Each(r.GetItems(), fromItem)}
}

func fromPreviewRequest(r *wirev1.PreviewRequest) *PreviewRequest {
	return &PreviewRequest{Object: r.GetObject(), Items: wire.Each(r.GetItems(), fromItem)}
}

func fromItem(i *wirev1.Item) Item {
	return Item{
		Key:        i.GetKey(),
		RecordID:   i.GetRecordId(),
		URL:        i.GetUrl(),
		Time:       wire.FromTimestamp(i.GetTime()),
		Target:     i.GetTarget(),
		Attributes: i.GetAttributes(),
		InDoubt:    i.GetInDoubt(),
	}
}

func fromResolveRequest(r *wirev1.ResolveRequest) *ResolveRequest {
	return &ResolveRequest{Object: r.GetObject(), Addresses: r.GetAddresses(), Team: r.GetTeam()}
}

func fromFindRequest(r *wirev1.FindRequest) *FindRequest {
	return &FindRequest{
		Object: r.GetObject(),
		Items: wire.Each(r.GetItems(), func(i *wirev1.FindItem) FindItem {
			return FindItem{Key: i.GetKey(), Target: i.GetTarget(), Time: wire.FromTimestamp(i.GetTime())}
		}),
	}
}
