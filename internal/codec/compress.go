package codec

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	// minSize is the size of a payload, in bytes, from which on it is compressed. Below, the few bytes saved are not worth a
	// payload that no tool can show without a codec.
	minSize = 1 << 10

	// maxSize bounds what a payload may decompress to. Temporal's default limit for a payload is 2 MB; a payload of any origin
	// must not be able to exhaust the memory.
	maxSize = 16 << 20

	encodingZlib = "binary/zlib"
)

// ErrTooLarge is returned for a payload that decompresses to more than 16 MiB.
var ErrTooLarge = errors.New("payload decompresses to more than 16 MiB")

// compressor compresses payloads. A payload is decoded by its metadata alone, whoever encoded it.
type compressor struct{}

// Encode compresses the payloads that are large enough and that get smaller by it. It changes none of its arguments.
func (compressor) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if proto.Size(p) < minSize {
			return p, nil
		}
		// Equal payloads give equal bytes.
		plain, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encode payload: %w", err)
		}
		packed, err := compress(plain)
		if err != nil {
			return nil, fmt.Errorf("compress payload of %d bytes: %w", len(plain), err)
		}
		encoded := &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encodingZlib)},
			Data:     packed,
		}
		if proto.Size(encoded) >= len(plain) {
			return p, nil
		}
		return encoded, nil
	})
}

// Decode gives back what Encode was given. Payloads that are not compressed pass through. It changes none of its arguments.
func (compressor) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != encodingZlib {
			return p, nil
		}
		plain, err := decompress(p.GetData())
		if err != nil {
			return nil, fmt.Errorf("decompress payload of %d bytes: %w", len(p.GetData()), err)
		}
		decoded := &commonpb.Payload{}
		if err := proto.Unmarshal(plain, decoded); err != nil {
			return nil, fmt.Errorf("decode payload: %w", err)
		}
		return decoded, nil
	})
}

func each(
	payloads []*commonpb.Payload, f func(*commonpb.Payload) (*commonpb.Payload, error),
) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		var err error
		if out[i], err = f(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var writers = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func compress(plain []byte) ([]byte, error) {
	w := writers.Get().(*zlib.Writer)
	defer writers.Put(w)
	buf := bytes.NewBuffer(make([]byte, 0, len(plain)/4)) // text in JSON shrinks to about that
	w.Reset(buf)
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// readers holds decompressors, which are io.ReadClosers and zlib.Resetters. It starts empty, since making one takes valid input.
var readers sync.Pool

func decompress(packed []byte) ([]byte, error) {
	r, err := openReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	defer readers.Put(r)
	plain, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > maxSize {
		return nil, ErrTooLarge
	}
	return plain, r.Close()
}

func openReader(packed io.Reader) (io.ReadCloser, error) {
	r, ok := readers.Get().(io.ReadCloser)
	if !ok {
		return zlib.NewReader(packed)
	}
	if err := r.(zlib.Resetter).Reset(packed, nil); err != nil {
		return nil, err
	}
	return r, nil
}
