// Package codec is how payloads are written into Temporal's histories: compressed from 1 KiB up, and encrypted if there are keys.
//
// Clients and workers use the data and the failure converter of a [Codec], the web UI decodes through its Handler. A payload is
// decoded by what its metadata says, whatever keys there are for new ones. So payloads that were never encoded, such as the input
// that a command-line tool sends, those from before encryption was switched on, and those of older keys can stand side by side
// in one history.
//
// The compression is the one of the Temporal SDK's own zlib codec ("binary/zlib": a compressed Payload message), so that other tools
// can read it. It differs in cost: the compressor's state, close to a megabyte, is pooled. The encryption is the one of Temporal's
// samples ("binary/encrypted": a Payload message, sealed with AES-GCM).
package codec

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Codec encodes and decodes payloads. It is safe for concurrent use.
type Codec struct {
	chain []converter.PayloadCodec // outermost first: the last one encodes first and decodes last
	data  converter.DataConverter
	keys  *Keyring
}

// New returns a codec that encrypts with the keys. Without keys (nil) it compresses alone.
func New(keys *Keyring) *Codec {
	chain := []converter.PayloadCodec{encrypter{keys}, compressor{}}
	return &Codec{chain: chain, data: outside{converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), chain...)}, keys: keys}
}

// DataConverter is the data converter of every client and worker. A payload whose key is missing is an [ErrNoKey] for clients and
// activities. In a workflow it blocks the task, which Temporal gives to a worker again until one has the key: there, an error would
// end the workflow, and with a ledger the memory of what was written.
func (c *Codec) DataConverter() converter.DataConverter { return c.data }

// FailureConverter is the failure converter of every client and worker: with keys, messages and stack traces are encrypted, too.
func (c *Codec) FailureConverter() converter.FailureConverter {
	return failures{
		FailureConverter: temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{DataConverter: c.data}),
		encoded: temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
			DataConverter: c.data, EncodeCommonAttributes: true,
		}),
		keys: c.keys,
	}
}

// failures encodes failures while there is a key to encrypt them with. Both of its converters decode both kinds.
type failures struct {
	converter.FailureConverter
	encoded converter.FailureConverter
	keys    *Keyring
}

// ErrorToFailure implements [converter.FailureConverter].
func (c failures) ErrorToFailure(err error) *failurepb.Failure {
	if c.keys.current() == nil {
		return c.FailureConverter.ErrorToFailure(err)
	}
	return c.encoded.ErrorToFailure(err)
}

// Decode reads a payload into what to points to, and reports whether that worked.
func (c *Codec) Decode(p *commonpb.Payload, to any) bool {
	return p != nil && c.data.FromPayload(p, to) == nil
}

// Message returns the message of a failure, as far as there are keys to read it.
func (c *Codec) Message(f *failurepb.Failure) string {
	var attributes struct {
		Message string `json:"message"`
	}
	if c.Decode(f.GetEncodedAttributes(), &attributes) {
		return attributes.Message
	}
	return f.GetMessage()
}

// outside is the data converter outside of workflows.
type outside struct{ converter.DataConverter }

var _ workflow.ContextAware = outside{}

// WithWorkflowContext implements [workflow.ContextAware].
func (c outside) WithWorkflowContext(workflow.Context) converter.DataConverter { return inside{c} }

// WithContext implements [workflow.ContextAware].
func (c outside) WithContext(context.Context) converter.DataConverter { return c }

// inside is the data converter in workflows. A panic ends the workflow task, an error the workflow.
type inside struct{ outside }

func must(err error) error {
	if errors.Is(err, ErrNoKey) {
		panic(err)
	}
	return err
}

// FromPayload implements [converter.DataConverter].
func (c inside) FromPayload(p *commonpb.Payload, to any) error {
	return must(c.outside.FromPayload(p, to))
}

// FromPayloads implements [converter.DataConverter].
func (c inside) FromPayloads(p *commonpb.Payloads, to ...any) error {
	return must(c.outside.FromPayloads(p, to...))
}
