package codec

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"
)

// peer is the SDK's own codec, whose encoding ours has to be.
var peer = converter.NewZlibCodec(converter.ZlibCodecOptions{AlwaysEncode: true})

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payloads := drawPayloads(t)
		want := clone(payloads)

		encoded, err := compressor{}.Encode(payloads)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, payloads, protocmp.Transform()); diff != "" {
			t.Fatalf("Encode changed its argument (-want +got):\n%s", diff)
		}
		for i := range encoded {
			if before, after := proto.Size(payloads[i]), proto.Size(encoded[i]); after > before {
				t.Fatalf("payload %d grew from %d to %d bytes", i, before, after)
			}
		}
		for name, codec := range map[string]converter.PayloadCodec{"ours": compressor{}, "the SDK's": peer} {
			decoded, err := codec.Decode(encoded)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, decoded, protocmp.Transform()); diff != "" {
				t.Fatalf("decoded by %s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestDecodesWhatTheSDKEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawPayloads(t)
		encoded, err := peer.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := compressor{}.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestEncodes(t *testing.T) {
	// Bytes that no compressor makes smaller: a linear congruential generator's high bits.
	noise := make([]byte, 4096)
	for i, x := 0, uint64(1); i < len(noise); i++ {
		x = x*6364136223846793005 + 1442695040888963407
		noise[i] = byte(x >> 56)
	}
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"empty":            {nil, "json/plain"},
		"just below 1 KiB": {bytes.Repeat([]byte("a"), 1023-24-3), "json/plain"}, // metadata 24 bytes, length prefix 3
		"1 KiB":            {bytes.Repeat([]byte("a"), 1024-24-3), "binary/zlib"},
		"incompressible":   {noise, "json/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &commonpb.Payload{
				Metadata: map[string][]byte{"encoding": []byte("json/plain")},
				Data:     tc.data,
			}
			out, err := compressor{}.Encode([]*commonpb.Payload{in})
			if err != nil {
				t.Fatal(err)
			}
			if got := string(out[0].GetMetadata()["encoding"]); got != tc.want {
				t.Errorf("payload of %d bytes has encoding %q, want %q", proto.Size(in), got, tc.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := zlibbed(t, []byte("\x12\x01x"))
	for name, tc := range map[string]struct {
		data []byte
		want error
	}{
		"no zlib":                    {[]byte("plain text"), zlib.ErrHeader},
		"changed":                    {append(whole[:len(whole)-1:len(whole)-1], whole[len(whole)-1]^1), zlib.ErrChecksum},
		"cut off":                    {whole[:len(whole)-5], nil},
		"no payload inside":          {zlibbed(t, []byte("\xff")), nil},
		"more than 16 MiB inside":    {zlibbed(t, make([]byte, 16<<20+1)), ErrTooLarge},
		"nothing, encoding set only": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := compressor{}.Decode([]*commonpb.Payload{compressed(tc.data)})
			if err == nil {
				t.Fatalf("decoded to %v", got)
			}
			if tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
			// The decompressor that failed is reused.
			ok, err := compressor{}.Decode([]*commonpb.Payload{compressed(whole)})
			if err != nil || string(ok[0].GetData()) != "x" {
				t.Errorf("the next payload: %v, %v", ok, err)
			}
		})
	}
}

func TestDataConverter(t *testing.T) {
	type record struct {
		ID    string
		Brief string
	}
	dc := New(nil).DataConverter()
	want := record{ID: "7782342274025937895", Brief: strings.Repeat("Pricing came up twice. ", 200)}

	// Workers of one process encode and decode at the same time.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			p, err := dc.ToPayload(want)
			if err != nil {
				t.Error(err)
				return
			}
			if got := proto.Size(p); got > 400 {
				t.Errorf("4.6 kB of repeated text take %d bytes", got)
			}
			var got record
			if err := dc.FromPayload(p, &got); err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	wg.Wait()

	// What `temporal workflow start -i '{"job":"gong_meetings"}'` sends.
	var input struct{ Job string }
	if err := dc.FromPayload(&commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")},
		Data:     []byte(`{"job":"gong_meetings"}`),
	}, &input); err != nil {
		t.Fatal(err)
	}
	if input.Job != "gong_meetings" {
		t.Errorf("job = %q, want %q", input.Job, "gong_meetings")
	}
}

func FuzzDecode(f *testing.F) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err := w.Write([]byte("\x12\x05hello")); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Add([]byte(nil))
	f.Add([]byte{0x78, 0x9c})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := compressor{}.Decode([]*commonpb.Payload{compressed(data)})
		if err != nil {
			return
		}
		want, err := peer.Decode([]*commonpb.Payload{compressed(data)})
		if err != nil {
			t.Fatalf("the SDK refuses what was decoded to %v: %v", got, err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("(-the SDK's +got):\n%s", diff)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		for name, codec := range map[string]converter.PayloadCodec{"pooled": compressor{}, "sdk": peer} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				payloads := []*commonpb.Payload{{Data: calls(b, size)}}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := codec.Encode(payloads); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		encoded, err := compressor{}.Encode([]*commonpb.Payload{{Data: calls(b, size)}})
		if err != nil {
			b.Fatal(err)
		}
		for name, codec := range map[string]converter.PayloadCodec{"pooled": compressor{}, "sdk": peer} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := codec.Decode(encoded); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// calls is JSON of the kind that activities pass on, of at least size bytes.
func calls(b *testing.B, size int) []byte {
	type call struct{ ID, Title, Host, Brief string }
	var list []call
	for i := 0; ; i++ {
		list = append(list, call{
			ID:    fmt.Sprint(7712341234567 + i*7919),
			Title: fmt.Sprintf("Quarterly review %d", i),
			Host:  fmt.Sprintf("person%d@acme.example", i*31),
			Brief: strings.Repeat("The team went through the roadmap and asked about pricing. ", i%4),
		})
		data, err := json.Marshal(list)
		if err != nil {
			b.Fatal(err)
		}
		if len(data) >= size {
			return data
		}
	}
}

func drawPayloads(t *rapid.T) []*commonpb.Payload {
	data := rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 0, 1500),
		rapid.Map(rapid.IntRange(0, 20_000), func(n int) []byte { return bytes.Repeat([]byte("text "), n/5) }),
	)
	payload := rapid.Custom(func(t *rapid.T) *commonpb.Payload {
		return &commonpb.Payload{
			Metadata: rapid.MapOfN(
				rapid.StringMatching(`[a-z-]{1,12}`), rapid.SliceOfN(rapid.Byte(), 1, 40), 0, 4,
			).Filter(func(m map[string][]byte) bool { return string(m["encoding"]) != "binary/zlib" }).Draw(t, "metadata"),
			Data: data.Draw(t, "data"),
		}
	})
	return rapid.SliceOfN(payload, 0, 4).Draw(t, "payloads")
}

func clone(payloads []*commonpb.Payload) []*commonpb.Payload {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		out[i] = proto.CloneOf(p)
	}
	return out
}

func compressed(data []byte) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/zlib")}, Data: data}
}

func zlibbed(t *testing.T, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zlib.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
