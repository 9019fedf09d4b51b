package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/durasync/durasync/plugin"
)

var troubleRules = []rule{
	{
		name:     "calls: at once",
		contract: "Connector: any method is called from any number of goroutines at once.",
		check:    checkAtOnce,
	},
	{
		name:     "calls: cancelled",
		contract: "Connector: a method does nothing when its context has ended.",
		check:    checkCancelled,
	},
	{
		name:     "calls: abandoned",
		contract: "Connector: a method returns within a second of its context's end, and a write is then uncertain.",
		check:    checkAbandoned,
	},
	{
		name:     "errors: classes",
		contract: "Code: what the other system refuses is CodeUnauthenticated or CodePermissionDenied, its trouble is CodeUnavailable.",
		check:    checkClasses,
	},
	{
		name:     "errors: rate limited",
		contract: "CodeRateLimited: too many requests; RetryAfter says when to come back.",
		check:    checkRateLimited,
	},
	{
		name:     "requests: counted",
		contract: "Requests stands in every answer and in Error, and says how many requests the call made.",
		check:    checkCounted,
	},
	{
		name:     "requests: limits",
		contract: "RateLimit allows Requests requests in any period of length Per; the host paces calls, not the requests of one call.",
		check:    checkLimits,
	},
	{
		name:     "secrets: hidden",
		contract: "Attribute.Sensitive: the value is never shown.",
		check:    checkSecrets,
	},
	{
		name:     "end: no goroutine left",
		contract: "Connector: a method leaves nothing behind when it has returned.",
		only:     direct,
		check: func(t *probe) {
			var left []string
			if !eventually(func() bool { left = goroutines(t.label()); return len(left) == 0 }) {
				t.Errorf("goroutines are left: %s", strings.Join(left, "; "))
			}
		},
	},
	{
		name:     "end: no process left",
		contract: "Connector: a program ends, with all that it started, when the host closes it.",
		only:     asProgram,
		check: func(t *probe) {
			_ = t.connector() // else nothing can be called
			c, followed := t.startTraced()
			t.configure(c, t.config())
			_, _ = c.Check(t.ctx, &plugin.CheckRequest{}) // what comes of it is a matter of other rules
			if s := t.Source; s != nil {
				_, _ = c.List(t.ctx, &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To})
			}
			c.close()
			if !followed.gone() {
				t.Errorf("a process is left when the connector is closed")
			}
		},
	},
}

// patience is how long a call may go on after its context has ended. The contract is a second; a loaded machine gets more.
const patience = 3 * time.Second

// eventually reports whether the condition comes true before the patience ends.
func eventually(condition func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return condition()
}

// goroutines are those with the label, less the ones in which package net/http keeps connections: each by the function that it
// runs.
func goroutines(label string) []string {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes all
	var found []string
	for block := range strings.SplitSeq(profile.String(), "\n\n") {
		if !strings.Contains(block, fmt.Sprintf("%q:%q", labelKey, label)) {
			continue
		}
		root := block[strings.LastIndex(strings.TrimSpace(block), "\n")+1:]
		if frame := strings.Fields(root); len(frame) > 2 && !strings.HasPrefix(frame[2], "net/http.") {
			function, _, _ := strings.Cut(frame[2], "+0x")
			found = append(found, function)
		}
	}
	return found
}

// call is a call of a method that can work.
type call struct {
	name string
	make func() (requests int, e *plugin.Error)
}

// calls are a call of each method that the harness says enough about, with as much in each as it may hold. A method that the
// connector does not have fails with [plugin.CodeUnimplemented].
func (t *probe) calls(c *conn) []call {
	all := []call{{"Check", func() (int, *plugin.Error) {
		return outcome(func() (*plugin.CheckResponse, error) { return c.Check(t.ctx, &plugin.CheckRequest{}) },
			func(r *plugin.CheckResponse) (int, *plugin.Error) { return r.Requests, nil })
	}}}
	if t.Source != nil {
		all = append(all, t.readingCalls(c)...)
	}
	if t.Destination != nil {
		all = append(all, t.writingCalls(c)...)
	}
	return all
}

func (t *probe) readingCalls(c *conn) []call {
	s, stream := t.stream()
	var ids []string
	for _, e := range t.all()[:min(max(stream.MaxRead, 1), len(t.all()))] {
		ids = append(ids, e.ID)
	}
	return []call{
		{"List", func() (int, *plugin.Error) {
			return outcome(func() (*plugin.ListResponse, error) {
				return c.List(t.ctx, &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To})
			}, func(r *plugin.ListResponse) (int, *plugin.Error) { return r.Requests, nil })
		}},
		{"Read", func() (int, *plugin.Error) {
			return outcome(func() (*plugin.ReadResponse, error) {
				return c.Read(t.ctx, &plugin.ReadRequest{Stream: s.Stream, IDs: ids, Fields: t.fields()})
			}, func(r *plugin.ReadResponse) (int, *plugin.Error) { return r.Requests, nil })
		}},
	}
}

func (t *probe) writingCalls(c *conn) []call {
	d, object := t.object()
	all := []call{
		{"Preview", func() (int, *plugin.Error) {
			return outcome(func() (*plugin.PreviewResponse, error) {
				return c.Preview(t.ctx, &plugin.PreviewRequest{Object: d.Object, Items: []plugin.Item{d.Item()}})
			}, func(r *plugin.PreviewResponse) (int, *plugin.Error) {
				for _, v := range r.Previews {
					return r.Requests, v.Err
				}
				return r.Requests, nil
			})
		}},
		{"Find", func() (int, *plugin.Error) {
			i := d.Item()
			return outcome(func() (*plugin.FindResponse, error) {
				return c.Find(t.ctx, &plugin.FindRequest{Object: d.Object, Items: []plugin.FindItem{{Key: i.Key, Target: i.Target, Time: i.Time}}})
			}, func(r *plugin.FindResponse) (int, *plugin.Error) { return r.Requests, nil })
		}},
		{"Create", func() (int, *plugin.Error) {
			var items []plugin.Item
			for range min(max(object.MaxCreate, 1), 3) {
				items = append(items, d.Item())
			}
			return outcome(func() (*plugin.CreateResponse, error) {
				return c.Create(t.ctx, &plugin.CreateRequest{Object: d.Object, Items: items})
			}, func(r *plugin.CreateResponse) (int, *plugin.Error) {
				for _, x := range r.Results {
					return r.Requests, x.Err
				}
				return r.Requests, nil
			})
		}},
	}
	if len(d.Known) == 0 {
		return all
	}
	return append(all, call{"Resolve", func() (int, *plugin.Error) {
		return outcome(func() (*plugin.ResolveResponse, error) {
			return c.Resolve(t.ctx, &plugin.ResolveRequest{Object: d.Object, Addresses: d.Known[:min(max(object.MaxResolve, 1), len(d.Known))]})
		}, func(r *plugin.ResolveResponse) (int, *plugin.Error) { return r.Requests, nil })
	}})
}

// outcome is what an answer or an error says of a call.
func outcome[Resp any](make func() (*Resp, error), of func(*Resp) (int, *plugin.Error)) (requests int, e *plugin.Error) {
	resp, err := make()
	if err != nil {
		e = plugin.AsError(err)
		return e.Requests, e
	}
	return of(resp)
}

const atOnce = 8

// checkAtOnce lists the same window and writes different items, from several goroutines.
func checkAtOnce(t *probe) {
	c := t.connector()
	if t.Source == nil && t.Destination == nil {
		t.Skipf("neither a stream nor an object is given")
	}
	var wg sync.WaitGroup
	if t.Source != nil {
		s, _ := t.stream()
		want := t.all()
		for range atOnce {
			wg.Go(func() {
				req := plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To}
				var got []plugin.Entry
				for range maxPages {
					resp, err := c.List(t.ctx, &req)
					if err != nil {
						t.Errorf("List, called at once with others: %v", err)
						return
					}
					got = append(got, resp.Entries...)
					if req.PageToken = resp.NextPageToken; req.PageToken == "" {
						break
					}
				}
				t.same("a list that is made at once with others", want, got)
			})
		}
	}
	if t.Destination != nil {
		d, _ := t.object()
		for range atOnce {
			item := d.Item()
			wg.Go(func() {
				if e := t.refusal(t.ctx, c, item); e != nil {
					t.Errorf("Create, called at once with others: %v", e)
				}
				t.mustHold(item, 1)
			})
		}
	}
	wg.Wait()
}

func checkCancelled(t *probe) {
	c := t.connector()
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	if t.Source == nil && t.Destination == nil {
		t.Skipf("neither a stream nor an object is given")
	}
	if t.Source != nil {
		s, _ := t.stream()
		if _, err := c.List(ctx, &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To}); err == nil {
			t.Errorf("List answers although its context has ended")
		}
	}
	if t.Destination != nil {
		d, _ := t.object()
		item := d.Item()
		if t.refusal(ctx, c, item) == nil {
			t.Errorf("Create answers although its context has ended")
		}
		t.mustHold(item, 0)
	}
}

// checkAbandoned makes calls while the other system takes requests and does not answer.
func checkAbandoned(t *probe) {
	t.proxy()
	c := t.connector()
	if t.Source == nil && t.Destination == nil {
		t.Skipf("neither a stream nor an object is given")
	}
	if t.Source != nil {
		s, _ := t.stream()
		t.abandon("List", func(ctx context.Context) {
			if _, err := c.List(ctx, &plugin.ListRequest{Stream: s.Stream, From: s.From, To: s.To}); err == nil {
				t.Errorf("List answers although the other system does not")
			}
		})
	}
	if t.Destination == nil {
		return
	}
	d, _ := t.object()
	t.write(c, d.Item()) // so that the connector has looked up what it looks up once
	t.abandon("Create", func(ctx context.Context) {
		item := d.Item()
		e := t.refusal(ctx, c, item)
		if e == nil {
			t.Errorf("Create answers although the other system does not")
		} else if !e.Uncertain && d.Written != nil && d.Written(item) > 0 {
			t.Errorf("the item was written, and nothing answered; but the error %q is not uncertain", e.Message)
		}
	})
}

// abandon makes a call, and has its context end when the other system has handled the first request.
func (t *probe) abandon(name string, call func(context.Context)) {
	handled, release := make(chan struct{}, maxPages), make(chan struct{})
	hangUp := sync.OnceFunc(func() { close(release) })
	defer hangUp()
	t.front.answer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.front.unheard(r)
		handled <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
			panic(http.ErrAbortHandler)
		}
	}))
	defer t.front.answer(t, nil)
	// A deadline, as the host sets it: the connector has to answer then.
	ctx, cancel := context.WithTimeout(t.ctx, 500*time.Millisecond)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(ctx)
	}()
	select {
	case <-handled:
	case <-done:
		return // it makes no requests
	}
	<-ctx.Done()
	select {
	case <-done:
	case <-time.After(patience):
		t.Errorf("%s goes on although its context has ended %s ago", name, patience)
		hangUp()
	}
	if !eventually(func() bool { return t.front.waiting() == 0 }) {
		t.Errorf("the requests of %s go on although its context has ended %s ago", name, patience)
		hangUp()
	}
	<-done
}

// checkClasses has the other system answer with statuses that mean the same everywhere.
func checkClasses(t *probe) {
	t.proxy()
	for status, want := range map[int]plugin.Code{
		http.StatusUnauthorized:        plugin.CodeUnauthenticated,
		http.StatusForbidden:           plugin.CodePermissionDenied,
		http.StatusInternalServerError: plugin.CodeUnavailable,
		http.StatusServiceUnavailable:  plugin.CodeUnavailable,
	} {
		t.eachRefused(status, nil, func(name string, e *plugin.Error) {
			if e == nil || e.Code != want || e.Retryable != want.Retryable() {
				t.Errorf("%s after the status %d: %s; want code %s, retryable %t", name, status, about(e), want, want.Retryable())
			}
		})
	}
	// What is not there can mean that there is nothing to list; but it does not come into being.
	t.eachRefused(http.StatusNotFound, nil, func(name string, e *plugin.Error) {
		if e != nil && e.Retryable {
			t.Errorf("%s after the status %d: %s; want none that is retryable", name, http.StatusNotFound, about(e))
		}
	})
}

func checkRateLimited(t *probe) {
	t.proxy()
	const wait = 7 * time.Second
	header := http.Header{"Retry-After": {"7"}}
	t.eachRefused(http.StatusTooManyRequests, header, func(name string, e *plugin.Error) {
		if e == nil || e.Code != plugin.CodeRateLimited || !e.Retryable || e.RetryAfter != wait {
			t.Errorf("%s after the status 429 with Retry-After: 7: %s; want code %s, retryable, after %s",
				name, about(e), plugin.CodeRateLimited, wait)
		}
	})
}

func about(e *plugin.Error) string {
	if e == nil {
		return "no error"
	}
	return fmt.Sprintf("the error %q of code %s, retryable %t, after %s", e.Message, e.Code, e.Retryable, e.RetryAfter)
}

// eachRefused makes each call of a fresh connector, while the other system answers everything with the status. A call that makes
// no request is not checked.
func (t *probe) eachRefused(status int, header http.Header, check func(name string, e *plugin.Error)) {
	c := t.configured(t.config())
	calls := t.calls(c)
	t.front.answer(t, trouble(status, header))
	for _, call := range calls {
		mark := t.front.mark()
		if _, e := call.make(); len(t.front.requests(mark)) > 0 {
			check(call.name, e)
		}
	}
	t.front.answer(t, nil)
	c.close()
}

// checkCounted compares what is counted on both sides, when all is well and when nothing is.
func checkCounted(t *probe) {
	f := t.proxy()
	calls := t.calls(t.configured(t.config()))
	for _, handler := range []http.Handler{nil, trouble(http.StatusServiceUnavailable, nil)} {
		f.answer(t, handler)
		for _, call := range calls {
			mark := f.mark()
			said, e := call.make()
			if made := len(f.requests(mark)); made != said {
				t.Errorf("%s says that it made %d requests, and made %d (%s)", call.name, said, made, about(e))
			}
		}
	}
}

// checkLimits looks at the requests of one call at a time. It measures from the beginning of the call, so that a slow machine can
// hide what a connector does wrong, but makes no right one wrong.
func checkLimits(t *probe) {
	f := t.proxy()
	config := t.config()
	if t.Limited != nil {
		config = t.Limited(f.url)
	}
	c := t.open()
	limits := t.configure(c, config).RateLimits
	if len(limits) == 0 {
		t.Skipf("the configuration declares no rate limit")
	}
	most := 0
	for _, call := range t.calls(c) {
		mark, start := f.mark(), time.Now()
		_, _ = call.make()
		at := f.requests(mark)
		most = max(most, len(at))
		for _, l := range limits {
			for i := range at {
				if took := at[i].Sub(start); took < l.Per*time.Duration(i/max(l.Requests, 1)) {
					t.Errorf("%s made %d requests in %s, where %d are allowed in %s", call.name, i+1, took, l.Requests, l.Per)
					break
				}
			}
		}
	}
	if !slices.ContainsFunc(limits, func(l plugin.RateLimit) bool { return most > l.Requests }) {
		t.Skipf("no call makes more than %d requests, which every declared limit allows at once", most)
	}
}

// minSecret is the shortest secret that can be told from other text.
const minSecret = 6

func checkSecrets(t *probe) {
	secrets := map[string]string{} // by value: what it is
	configs := []json.RawMessage{t.config()}
	for _, config := range t.BadConfig {
		configs = append(configs, config)
	}
	for _, a := range t.first.Config {
		if !a.Sensitive {
			continue
		}
		for _, config := range configs {
			var values map[string]json.RawMessage
			var value string
			if json.Unmarshal(config, &values) == nil && json.Unmarshal(values[a.Name], &value) == nil {
				secrets[value] = "the value of " + a.Name
				secrets[url.QueryEscape(value)] = "the value of " + a.Name
			}
		}
	}
	if len(secrets) == 0 {
		t.Skipf("no secrets are given")
	}
	if t.front != nil {
		for _, c := range t.front.authorized() {
			if secrets[c] == "" {
				secrets[c] = "what the connector sends as Authorization"
			}
		}
	}
	for value, what := range secrets {
		if len(value) < minSecret {
			continue
		}
		for _, where := range t.heard.containing(value) {
			t.Errorf("%s stands in %s", what, where)
		}
	}
}

// checkStillInDoubt lets nobody look whether an item in doubt was written.
func checkStillInDoubt(t *probe) {
	d, object := t.object()
	if object.Idempotent {
		t.Skipf("the object is idempotent, so nobody asks about doubt")
	}
	f := t.proxy()
	c, item := t.connector(), d.Item()
	item.InDoubt = true
	f.answer(t, trouble(http.StatusServiceUnavailable, nil))
	switch e := t.refusal(t.ctx, c, item); {
	case e == nil:
		t.Errorf("an item in doubt is reported as written, although the system answered 503 to everything")
	case !e.Uncertain:
		t.Errorf("the system answered 503 to everything; but the error %q of an item in doubt is not uncertain", e.Message)
	}
}

// checkLostAnswer loses the answer to each request of a Create in turn.
func checkLostAnswer(t *probe) {
	t.interrupted(func() (*conn, func()) { return t.configured(t.config()), func() {} })
}

// checkCrash kills the connector before the answer to each request of a Create in turn.
func checkCrash(t *probe) {
	t.interrupted(func() (*conn, func()) {
		c, followed := t.startTraced()
		t.configure(c, t.config())
		return c, followed.kill
	})
}

// maxRequests is more than the requests of a Create that makes sense.
const maxRequests = 50

// interrupted has the other system handle the first request of a Create, of another one the second, and so on, and calls die
// instead of answering it. Whichever of them is the write, the next connector makes it good.
func (t *probe) interrupted(start func() (c *conn, die func())) {
	d, _ := t.object()
	f := t.proxy()
	_ = t.connector() // for what is declared
	for last := int64(1); last <= maxRequests; last++ {
		c, die := start()
		item := d.Item()
		var n atomic.Int64
		f.answer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) != last {
				f.system.ServeHTTP(w, r)
				return
			}
			f.unheard(r)
			die()
			panic(http.ErrAbortHandler)
		}))
		e := t.refusal(t.ctx, c, item)
		f.answer(t, nil)
		c.close()
		if n.Load() < last {
			return
		}
		if e != nil && !e.Uncertain && d.Written != nil && d.Written(item) > 0 {
			t.Errorf("the answer to request %d is lost, the item was written; but the error %q is not uncertain", last, e.Message)
		}
		t.settle()
		next := t.configured(t.config())
		item.InDoubt = true
		r := t.write(next, item)
		t.mustHold(item, 1)
		t.settle()
		if again := t.write(next, item); again.ID != r.ID {
			t.Errorf("after the answer to request %d was lost, the item is %s, and later %s", last, r.ID, again.ID)
		}
		t.mustHold(item, 1)
		next.close()
	}
}
