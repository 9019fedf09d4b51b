package wire

import (
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Each converts the elements of a slice and keeps nil as nil.
func Each[T, U any](in []T, convert func(T) U) []U {
	if in == nil {
		return nil
	}
	out := make([]U, len(in))
	for i, v := range in {
		out[i] = convert(v)
	}
	return out
}

// Text makes a string fit for a protobuf string, which must be valid UTF-8: gRPC fails the whole message otherwise, with an
// error that does not say where.
func Text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Short is Text of at most max bytes and an ellipsis that shows the cut.
func Short(s string, max int) string {
	if len(s) <= max {
		return Text(s)
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return Text(s[:max]) + "…"
}

// ToTimestamp returns nil for the zero time.
func ToTimestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// FromTimestamp returns the zero time for nil, else a time in UTC.
func FromTimestamp(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// ToDuration returns nil for zero.
func ToDuration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}
