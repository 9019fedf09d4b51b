package plugin

import (
	"encoding/json"
	"sync/atomic"
)

// Configured holds what a connector's Configure makes of the configuration, for the methods that need it. The zero Configured is
// ready; it may be used from many goroutines at once.
type Configured[T any] struct{ value atomic.Pointer[T] }

// Set is for the end of Configure, once nothing can fail any more.
func (c *Configured[T]) Set(value *T) { c.value.Store(value) }

// Get returns what was set; before that, it is [CodeInvalidRequest].
func (c *Configured[T]) Get() (*T, error) {
	if v := c.value.Load(); v != nil {
		return v, nil
	}
	return nil, Errorf(CodeInvalidRequest, "the connector was not configured")
}

// DecodeConfig reads a configuration into the struct that into points to, whose fields hold the defaults. Its error never quotes the
// configuration, which can hold secrets.
func DecodeConfig(config json.RawMessage, into any) error {
	if json.Unmarshal(config, into) != nil {
		return Errorf(CodeInvalidConfig, "the configuration is not a JSON object of the described attributes")
	}
	return nil
}

// InvalidConfig makes the error of Configure for an attribute's value, which the user sees at the place where it is written. The
// format goes on after the attribute's name: "must be a whole number".
func InvalidConfig(attribute, format string, args ...any) *Error {
	e := Errorf(CodeInvalidConfig, attribute+" "+format, args...)
	e.Attribute = attribute
	return e
}
