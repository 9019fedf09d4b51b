// Package wire holds what both ends of the connector boundary must agree on. The messages are in package wirev1.
package wire

//go:generate go -C ../../.. tool -modfile=tools/go.mod buf generate --template plugin/internal/wire/buf.gen.yaml plugin/protocol

// The go-plugin handshake. The cookie tells a connector that a host started it; it is no secret and never changes.
const (
	CookieKey   = "DURASYNC_CONNECTOR"
	CookieValue = "3f0c9d52-7a41-4e1b-9d0e-6b1f2c8a5e17"

	// Version is the version of the protocol in connector.proto.
	Version = 1

	// Service is the name of the only thing that a connector process serves in go-plugin's sense.
	Service = "connector"
)

// What the host tells a connector process in its environment.
const (
	// EnvLifeFD is the number of an open file that reaches its end when the host is gone.
	EnvLifeFD = "DURASYNC_LIFE_FD"

	// EnvLogLevel is the lowest level of log lines that the host does not throw away, in hclog's words.
	EnvLogLevel = "DURASYNC_LOG_LEVEL"
)

// MaxMessage is the size of the largest message, in either direction, in bytes.
const MaxMessage = 16 << 20

// MaxText is the length of the longest text of an error, in bytes. gRPC carries errors in the headers of its answers, which are
// far more limited than its messages.
const MaxText = 16 << 10

// ChunkSize is about how many bytes of records one message of a Read holds.
const ChunkSize = 1 << 20
