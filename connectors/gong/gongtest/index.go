package gongtest

import (
	"cmp"
	"slices"
	"time"
)

// filing is the time by which an endpoint orders calls and takes windows over them.
type filing int

const (
	byStart    filing = iota
	bySchedule        // that of the calendar for web conferences, else the start
	filings
)

// entry is a call of the company. Only gone ever changes: an update makes a new entry.
type entry struct {
	call   *Call
	keys   [filings]key // of the call as it was added; an edit can change them
	gone   bool         // updated or deleted since
	edited bool         // some time, by the call's own edits
}

func (s *Server) newEntry(c *Call) *entry {
	full := s.complete(*c)
	e := &entry{call: c, edited: len(c.Edits) > 0}
	for by := range filings {
		e.keys[by] = full.key(by)
	}
	return e
}

// key is the call's place in an order.
func (c *Call) key(by filing) key {
	if by == bySchedule && c.Direction == "Conference" {
		return key{c.Scheduled, c.ID}
	}
	return c.startKey()
}

// index finds the calls of a window without looking at all of them.
type index struct {
	sorted [filings][]*entry // calls without edits
	edited []*entry          // the others, few: where they are is known only when a time is
	added  []*entry          // not yet in one of them
	gone   bool              // there are entries that are no longer the company's
}

func (x *index) add(e *entry) { x.added = append(x.added, e) }

func (x *index) remove(e *entry) { e.gone, x.gone = true, true }

// settle puts everything where it belongs.
func (x *index) settle() {
	if x.gone {
		gone := func(e *entry) bool { return e.gone }
		for by := range x.sorted {
			x.sorted[by] = slices.DeleteFunc(x.sorted[by], gone)
		}
		x.edited, x.added, x.gone = slices.DeleteFunc(x.edited, gone), slices.DeleteFunc(x.added, gone), false
	}
	if len(x.added) == 0 {
		return
	}
	var steady []*entry
	for _, e := range x.added {
		if e.edited {
			x.edited = append(x.edited, e)
		} else {
			steady = append(steady, e)
		}
	}
	x.added = nil
	for by := range filings {
		order := func(a, b *entry) int { return compareKeys(a.keys[by], b.keys[by]) }
		slices.SortFunc(steady, order)
		x.sorted[by] = merge(x.sorted[by], steady, order)
	}
}

// merge returns the elements of two sorted slices in one.
func merge[T any](a, b []T, order func(a, b T) int) []T {
	if len(a) == 0 || len(b) == 0 || order(a[len(a)-1], b[0]) <= 0 {
		return append(a, b...)
	}
	out := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if order(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// window returns the calls without edits in a window, in their order, and all others. A zero end is open. The caller holds the
// server's lock.
func (x *index) window(by filing, from, to time.Time) (steady, edited []*entry) {
	x.settle()
	all := x.sorted[by]
	at := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(all, t, func(e *entry, t time.Time) int {
			if e.keys[by].time.Before(t) {
				return -1
			}
			return 1
		})
		return i
	}
	start, end := 0, len(all)
	if !from.IsZero() {
		start = at(from)
	}
	if !to.IsZero() {
		end = max(start, at(to))
	}
	return slices.Clone(all[start:end]), slices.Clone(x.edited)
}

// matching returns the calls that the filter matches at the request's time, in order. On a later page those before it are left out,
// and those far behind it. Those that are not to be shown are invisible. Values still have to go through [Server.state].
func (x *exchange) matching(by filing, f filter, show func(*Call) bool) []item[*Call] {
	var after key
	enough := -1
	if at, ok := x.place(); ok {
		after, enough = at.key(), at.PageSize+1 // one more tells that there is another page
		if f.from.Before(after.time) {
			f.from = after.time
		}
	}
	steady, edited := x.server.candidates(by, f)
	var found, late []item[*Call]
	for _, e := range steady {
		if enough == 0 {
			break
		}
		i, ok := x.match(&f, e.call, e.keys[by], show)
		if !ok {
			continue
		}
		found = append(found, i)
		if i.visible && compareKeys(i.key, after) > 0 {
			enough--
		}
	}
	for _, e := range edited {
		c := x.server.state(e.call, x.now)
		c.Edits = nil // they have been made
		if i, ok := x.match(&f, &c, c.key(by), show); ok {
			late = append(late, i)
		}
	}
	order := func(a, b item[*Call]) int { return compareKeys(a.key, b.key) }
	slices.SortFunc(late, order)
	return merge(found, late, order)
}

// place is where the request's cursor points to, if it has a good one that counts.
func (x *exchange) place() (cursor, bool) {
	token := x.cursor()
	if token == "" || x.fault.kind == faultRepeat {
		return cursor{}, false
	}
	at, err := parseCursor(token, x.server.opts.CursorKey, x.now)
	return at, err == nil && at.Time != ""
}

// match makes the item of a call, if the filter matches it.
func (x *exchange) match(f *filter, c *Call, k key, show func(*Call) bool) (item[*Call], bool) {
	ok := c.existsAt(x.now) && f.matches(c, cmp.Or(c.WorkspaceID, x.server.opts.Workspaces[0].ID), k.time)
	return item[*Call]{k, c, c.visibleAt(x.now) && show(c)}, ok
}

// candidates returns the calls that may match a filter: those without edits, in order, and the others.
func (s *Server) candidates(by filing, f filter) (steady, edited []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.callIDs == nil {
		return s.index.window(by, f.from, f.to)
	}
	for _, id := range f.callIDs {
		if e := s.calls[id]; e == nil || slices.Contains(steady, e) || slices.Contains(edited, e) {
			continue
		} else if e.edited {
			edited = append(edited, e)
		} else {
			steady = append(steady, e)
		}
	}
	slices.SortFunc(steady, func(a, b *entry) int { return compareKeys(a.keys[by], b.keys[by]) })
	return steady, edited
}

// every shows every call.
func every(*Call) bool { return true }

// state returns a call as it is at a time, complete.
func (s *Server) state(c *Call, now time.Time) Call { return s.complete(c.at(now)) }
