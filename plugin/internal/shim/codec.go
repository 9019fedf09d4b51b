package shim

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	protov2 "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	// maxParts is how many texts and messages one message may hold, in all. An empty one takes two bytes of a message and more than
	// a hundred of memory, so the size of a message alone bounds nothing.
	maxParts = 1 << 18

	// maxDepth is how deep messages may lie in each other. Only types of fields do: no connector describes more than a few levels.
	maxDepth = 64
)

// codec is gRPC's own with a look at what a connector sends before memory is spent on it.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Unmarshal implements [encoding.CodecV2].
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(protov2.Message); ok {
		buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
		_, err := countParts(buf.ReadOnlyData(), m.ProtoReflect().Descriptor(), maxParts, maxDepth)
		buf.Free()
		if err != nil {
			return err
		}
	}
	return c.CodecV2.Unmarshal(data, v)
}

// countParts returns how many of the parts are left when those of an encoded message are taken off. What is not well-formed is the
// decoder's to report.
func countParts(b []byte, d protoreflect.MessageDescriptor, left, depth int) (int, error) {
	if depth == 0 {
		return 0, fmt.Errorf("a message whose parts lie in each other more than %d levels deep", maxDepth)
	}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return left, nil
		}
		size := protowire.ConsumeFieldValue(num, typ, b[n:])
		if size < 0 {
			return left, nil
		}
		value := b[n : n+size]
		b = b[n+size:]
		if typ != protowire.BytesType {
			continue
		}
		if left--; left < 0 {
			return 0, fmt.Errorf("a message of more than %d parts", maxParts)
		}
		field := d.Fields().ByNumber(num)
		if field == nil || field.Message() == nil {
			continue
		}
		inner, _ := protowire.ConsumeBytes(value)
		var err error
		if left, err = countParts(inner, field.Message(), left, depth-1); err != nil {
			return 0, err
		}
	}
	return left, nil
}
