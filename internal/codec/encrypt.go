package codec

import (
	"crypto/rand"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	encodingEncrypted = "binary/encrypted"

	// metadataKeyID is the metadata that names the key of an encrypted payload.
	metadataKeyID = "encryption-key-id"
)

// ErrNoKey is wrapped by the error for a payload whose key is not there.
var ErrNoKey = errors.New("no key for an encrypted payload")

// encrypter encrypts payloads with AES-256-GCM: what the metadata of a payload says is inside, too. A payload's data is a random
// nonce followed by the sealed message. Which key it is stands in the metadata, and changing it there makes the payload unreadable.
type encrypter struct{ keys *Keyring }

// Encode encrypts the payloads with the first key. It changes none of its arguments.
func (e encrypter) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	key := e.keys.current()
	if key == nil {
		return payloads, nil
	}
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encode payload: %w", err)
		}
		nonce := make([]byte, key.aead.NonceSize(), key.aead.NonceSize()+len(plain)+key.aead.Overhead())
		_, _ = rand.Read(nonce) // never fails
		return &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encodingEncrypted), metadataKeyID: []byte(key.id)},
			Data:     key.aead.Seal(nonce, nonce, plain, nil),
		}, nil
	})
}

// Decode gives back what Encode was given. Payloads that are not encrypted pass through. It changes none of its arguments.
func (e encrypter) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != encodingEncrypted {
			return p, nil
		}
		id := string(p.GetMetadata()[metadataKeyID])
		key := e.keys.find(id)
		if key == nil {
			return nil, fmt.Errorf("%w: it was encrypted with the key %.80q, and %s", ErrNoKey, id, e.keys.have())
		}
		n := key.aead.NonceSize()
		if len(p.GetData()) < n {
			return nil, fmt.Errorf("decrypt payload: %d bytes are too few", len(p.GetData()))
		}
		plain, err := key.aead.Open(nil, p.GetData()[:n], p.GetData()[n:], nil)
		if err != nil {
			return nil, fmt.Errorf("decrypt payload with the key %q: it was changed, or another key once had this id", id)
		}
		decoded := &commonpb.Payload{}
		if err := proto.Unmarshal(plain, decoded); err != nil {
			return nil, fmt.Errorf("decode payload: %w", err)
		}
		return decoded, nil
	})
}
