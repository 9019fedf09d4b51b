package totango

import (
	"context"
	"time"

	"github.com/durasync/durasync/plugin"
)

// cached is a value that is fetched from Totango when it is first needed, and kept. Whoever needs it while it is being fetched
// waits for that, or for the end of the own context.
type cached[T any] struct {
	gate    chan struct{} // holds an element while somebody is inside
	value   T
	fetched time.Time // zero if never
}

func newCached[T any]() *cached[T] { return &cached[T]{gate: make(chan struct{}, 1)} }

// get returns the value as it was fetched after the given time, fetching it anew if it is older. It also returns when it was
// fetched. A fetch that fails leaves the old value.
func (c *cached[T]) get(ctx context.Context, after time.Time, fetch func(context.Context) (T, error)) (T, time.Time, error) {
	var none T
	select {
	case c.gate <- struct{}{}:
	case <-ctx.Done():
		return none, time.Time{}, plugin.Errorf(plugin.CodeUnavailable, "waiting for an answer of Totango: %v", ctx.Err())
	}
	defer func() { <-c.gate }()
	if !c.fetched.IsZero() && c.fetched.After(after) {
		return c.value, c.fetched, nil
	}
	v, err := fetch(ctx)
	if err != nil {
		return none, time.Time{}, err
	}
	c.value, c.fetched = v, time.Now()
	return c.value, c.fetched, nil
}
