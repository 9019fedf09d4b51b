package codec

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"
)

// secretOf is a key of 32 equal letters, as it is written down.
func secretOf(letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

// keyring is a ring of the keys in a text.
func keyring(t interface {
	Helper()
	Fatal(...any)
}, text string) *Keyring {
	t.Helper()
	r, err := NewKeyring(context.Background(), func(context.Context) (string, error) { return text, nil }, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEncryptedPayloadsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payloads := drawPayloads(t)
		want := clone(payloads)
		e := encrypter{keyring(t, "new:"+secretOf("n")+",old:"+secretOf("o"))}
		encoded, err := e.Encode(payloads)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, payloads, protocmp.Transform()); diff != "" {
			t.Fatalf("Encode changed its argument (-want +got):\n%s", diff)
		}
		decoded, err := e.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, decoded, protocmp.Transform()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// What is written is what Temporal's samples read: the nonce, then the sealed message, AES-256-GCM, with the key's id beside it.
func TestEncryptionIsTheOneOfTheSamples(t *testing.T) {
	want := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"pat@acme.example"`)}
	encoded, err := encrypter{keyring(t, "k1:"+secretOf("x"))}.Encode([]*commonpb.Payload{want})
	if err != nil {
		t.Fatal(err)
	}
	p := encoded[0]
	if got := string(p.GetMetadata()["encoding"]); got != "binary/encrypted" {
		t.Errorf("the encoding is %q", got)
	}
	if got := string(p.GetMetadata()["encryption-key-id"]); got != "k1" {
		t.Errorf("the key's id is %q", got)
	}
	block, err := aes.NewCipher([]byte(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gcm.Open(nil, p.GetData()[:12], p.GetData()[12:], nil)
	if err != nil {
		t.Fatal(err)
	}
	got := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Long texts are compressed before they are encrypted: afterwards nothing could be.
func TestCompressedBeforeEncrypted(t *testing.T) {
	p, err := New(keyring(t, "k:"+secretOf("k"))).DataConverter().ToPayload(strings.Repeat("Pricing came up twice. ", 400))
	if err != nil {
		t.Fatal(err)
	}
	if got := proto.Size(p); got > 500 {
		t.Errorf("9 kB of repeated text take %d bytes", got)
	}
}

// Whatever was written before can be read after a key was rotated, and after encryption was switched off.
func TestRotation(t *testing.T) {
	payload := func(keys string) *commonpb.Payload {
		t.Helper()
		var ring *Keyring
		if keys != "" {
			ring = keyring(t, keys)
		}
		p, err := New(ring).DataConverter().ToPayload("brief")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	before, old := payload(""), payload("old:"+secretOf("o"))
	for name, keys := range map[string]string{
		"the key before the last": "new:" + secretOf("n") + "\nold:" + secretOf("o") + " # until June\n",
		"a key that waits":        "old:" + secretOf("o") + ",new:" + secretOf("n"),
		"switched off":            "off\nold:" + secretOf("o"),
	} {
		c := New(keyring(t, keys))
		for _, p := range []*commonpb.Payload{before, old, payload(keys)} {
			var got string
			if err := c.DataConverter().FromPayload(p, &got); err != nil || got != "brief" {
				t.Errorf("%s: a payload with the metadata %s reads %q, %v", name, p.GetMetadata(), got, err)
			}
		}
	}
	if p := payload("off\nold:" + secretOf("o")); len(p.GetMetadata()["encryption-key-id"]) > 0 {
		t.Error("a payload was encrypted although encryption is off")
	}
}

func TestPayloadsThatCannotBeRead(t *testing.T) {
	p, err := New(keyring(t, "k1:"+secretOf("x"))).DataConverter().ToPayload("brief")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		keys, want string
		change     func(*commonpb.Payload)
	}{
		"no keys":         {keys: "", want: `encrypted with the key "k1", and this process was given no keys`},
		"other keys":      {keys: "k2:" + secretOf("y"), want: `encrypted with the key "k1", and this process has the keys "k2"`},
		"same id":         {keys: "k1:" + secretOf("y"), want: `the key "k1": it was changed, or another key once had this id`},
		"changed":         {keys: "k1:" + secretOf("x"), want: "it was changed", change: func(p *commonpb.Payload) { p.Data[20] ^= 1 }},
		"cut off":         {keys: "k1:" + secretOf("x"), want: "it was changed", change: func(p *commonpb.Payload) { p.Data = p.Data[:20] }},
		"nothing in it":   {keys: "k1:" + secretOf("x"), want: "too few", change: func(p *commonpb.Payload) { p.Data = nil }},
		"another's nonce": {keys: "k1:" + secretOf("x"), want: "it was changed", change: func(p *commonpb.Payload) { p.Data[0] ^= 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			var ring *Keyring
			if tc.keys != "" {
				ring = keyring(t, tc.keys)
			}
			p := clone([]*commonpb.Payload{p})[0]
			if tc.change != nil {
				tc.change(p)
			}
			var got string
			err := New(ring).DataConverter().FromPayload(p, &got)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %q and error %v, want one that says %q", got, err, tc.want)
			}
		})
	}
}

// A failure holds what an API said about a record: it is encrypted like everything else.
func TestFailuresAreEncrypted(t *testing.T) {
	c := New(keyring(t, "k:"+secretOf("k")))
	cause := temporal.NewApplicationError("Totango refused pat@acme.example", "invalid_record")
	f := c.FailureConverter().ErrorToFailure(temporal.NewApplicationErrorWithCause("the step failed for Acme", "step", cause))
	text := f.String()
	for _, secret := range []string{"acme", "Acme", "Totango refused"} {
		if strings.Contains(text, secret) {
			t.Errorf("the failure says %q: %s", secret, text)
		}
	}
	if got := c.Message(f.GetCause()); got != "Totango refused pat@acme.example" {
		t.Errorf("the message of the cause is %q", got)
	}
	back := New(keyring(t, "off,k:"+secretOf("k"))).FailureConverter().FailureToError(f)
	if !strings.Contains(back.Error(), "the step failed for Acme") {
		t.Errorf("the failure came back as %v", back)
	}
	if plain := New(nil).FailureConverter().ErrorToFailure(cause); New(nil).Message(plain) != "Totango refused pat@acme.example" {
		t.Errorf("without keys, the failure is %s", plain)
	}
}

// Keys are read again in the background, and at once for a payload whose key is missing.
func TestKeysAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text atomic.Pointer[string]
		set := func(s string) { text.Store(&s) }
		var failures atomic.Int32
		set("old:" + secretOf("o"))
		ring, err := NewKeyring(t.Context(), func(context.Context) (string, error) {
			if *text.Load() == "" {
				return "", errors.New("the vault is sealed")
			}
			return *text.Load(), nil
		}, func(error) { failures.Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		if got := ring.current().id; got != "old" {
			t.Fatalf("the key is %q", got)
		}
		set("new:" + secretOf("n") + ",old:" + secretOf("o"))
		if k := ring.find("new"); k != nil {
			t.Error("the source was asked again within five seconds")
		}
		time.Sleep(hurriedInterval)
		if k := ring.find("new"); k == nil {
			t.Error("the key that a payload needs was not looked for")
		}
		set("newest:" + secretOf("z"))
		time.Sleep(refreshInterval)
		_ = ring.current() // asks
		synctest.Wait()
		if got := ring.current().id; got != "newest" {
			t.Errorf("a minute later the key is %q", got)
		}
		set("")
		time.Sleep(refreshInterval)
		_ = ring.current()
		synctest.Wait()
		if got := ring.current().id; got != "newest" || failures.Load() != 1 {
			t.Errorf("when the source failed the key became %q, and it was said %d times", got, failures.Load())
		}
	})
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	for text, want := range map[string]string{
		"":                "there is no key in it",
		"# nothing yet\n": "there is no key in it",
		secretOf("a"):     "not a key of the form ID:KEY",
		"k:hunter2":       `the key "k" is not Base64`,
		"k:aHVudGVyMg==":  `the key "k" is of 7 bytes and has to be of 32; make one with: openssl rand -base64 32`,
		"\nk:" + secretOf("a") + ",k:" + secretOf("b"): `line 2: there are two keys with the id "k"`,
		"a b:" + secretOf("a"):                         "not a key of the form ID:KEY",
		"k:" + secretOf("a") + ",off":                  "not a key of the form ID:KEY",
	} {
		_, err := NewKeyring(t.Context(), func(context.Context) (string, error) { return text, nil }, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want one that says %q", text, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), secretOf("a"))) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}
