package host

import (
	"fmt"
	"time"

	"github.com/durasync/durasync/plugin"
)

// Reason says why a connector's process does not serve.
type Reason string

// The reasons of a [LaunchError].
const (
	// Missing: there is no such program.
	Missing Reason = "missing"
	// NotExecutable: the program's file cannot be run on this machine.
	NotExecutable Reason = "not_executable"
	// ChecksumMismatch: the program's file is not the one that was wanted.
	ChecksumMismatch Reason = "checksum_mismatch"
	// NotConnector: it runs, but is no connector, or not the one that was asked for, or describes itself wrongly.
	NotConnector Reason = "not_connector"
	// Incompatible: it is a connector for another version of the protocol.
	Incompatible Reason = "incompatible"
	// Exited: its process ended before it served.
	Exited Reason = "exited"
	// TimedOut: its process did not serve in time.
	TimedOut Reason = "timed_out"
	// BackingOff: its process ended several times and is started again later.
	BackingOff Reason = "backing_off"
)

// LaunchError says that a connector's process does not serve and what to do about it. It holds a [*plugin.Error] as well, for
// callers that only ask whether to try again: an unavailable connector if time may help (Exited, TimedOut, BackingOff), else an
// invalid configuration.
type LaunchError struct {
	Reason Reason

	// Name is the name of the connection, if the process is for one.
	Name string

	// Path is the program's file.
	Path string

	// RetryAt is when the process is started again, for BackingOff.
	RetryAt time.Time

	problem string        // the second half of the sentence
	wait    time.Duration // until RetryAt
	err     error
}

// Error implements error, in one sentence.
func (e *LaunchError) Error() string {
	if e.Name != "" {
		return fmt.Sprintf("connection %s: connector %s: %s", e.Name, e.Path, e.problem)
	}
	return fmt.Sprintf("connector %s: %s", e.Path, e.problem)
}

// Unwrap returns what the error holds: the [*plugin.Error], and the cause if there is one.
func (e *LaunchError) Unwrap() []error {
	code := plugin.CodeInvalidConfig
	switch e.Reason {
	case Exited, TimedOut, BackingOff:
		code = plugin.CodeUnavailable
	}
	fault := plugin.Errorf(code, "%s", e.Error())
	fault.RetryAfter = e.wait
	if e.err == nil {
		return []error{fault}
	}
	return []error{fault, e.err}
}
