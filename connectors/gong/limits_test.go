package gong

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// network carries requests to a company in this process. Each takes its time on the way there and back, so that they do not arrive
// in the rhythm in which they are sent.
type network struct {
	company *gongtest.Server
	jitter  time.Duration

	mu   sync.Mutex
	dice *rand.Rand
}

func (n *network) delay() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Duration(n.dice.Int64N(int64(n.jitter)))
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	<-time.After(n.delay())
	got := r.Clone(r.Context())
	if got.Body == nil {
		got.Body = http.NoBody // as a server has it
	}
	w := httptest.NewRecorder()
	n.company.ServeHTTP(w, got)
	<-time.After(n.delay())
	return w.Result(), nil
}

// join returns a connector for the company with Gong's own limits, in a bubble of synctest, and the company's journal.
func join(t *testing.T, company *gongtest.Server, attributes string) *Connector {
	t.Helper()
	cfg, err := parseConfig(fmt.Appendf(nil, `{"access_key":%q,"access_key_secret":%q%s}`, gongtest.AccessKey, gongtest.AccessKeySecret, attributes))
	if err != nil {
		t.Fatal(err)
	}
	api, err := httpkit.New(httpkit.Options{
		System: "Gong", BaseURL: "http://127.0.0.1", Authorize: cfg.authorize, Limits: cfg.limits,
		Transport: &network{company: company, jitter: 90 * time.Millisecond, dice: rand.New(rand.NewPCG(7, 7))},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := New()
	c.conn.Set(newConnection(cfg, api))
	return c
}

// Under Gong's limits no request is refused, whatever it is for: the look-ups of hosts wait like the others.
func TestNoRequestRunsAheadOfTheLimit(t *testing.T) {
	for name, attributes := range map[string]string{"one list of users": "", "host by host": `,"read_users":false`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				company := gongtest.New(gongtest.Options{Limits: gongtest.DefaultLimits, Clock: time.Now, PageSize: 10})
				var ids []string
				for i := range 60 {
					user := strconv.Itoa(1000 + i)
					company.AddUser(gongtest.User{ID: user, Email: user + "@ours.example"})
					ids = append(ids, company.AddCall(gongtest.Call{Started: begin.Add(-time.Hour), PrimaryUserID: user}))
				}
				c := join(t, company, attributes)
				var wg sync.WaitGroup
				for i := range 6 {
					wg.Go(func() {
						req := &plugin.ReadRequest{Stream: "calls", IDs: ids[10*i : 10*i+10], Fields: []string{"host_email"}}
						resp, err := c.Read(t.Context(), req)
						if err != nil {
							t.Errorf("a read: %v", err)
						} else if len(resp.Records) != 10 {
							t.Errorf("%d records", len(resp.Records))
						}
					})
					wg.Go(func() {
						req := &plugin.ListRequest{Stream: "calls", From: begin.Add(-2 * time.Hour), To: begin}
						if _, err := c.List(t.Context(), req); err != nil {
							t.Errorf("a list: %v", err)
						}
					})
				}
				wg.Wait()
				for _, r := range company.Requests() {
					if r.Status == http.StatusTooManyRequests {
						t.Errorf("%s was refused %v after the beginning", r.Endpoint, r.At.Sub(begin))
					}
				}
				t.Logf("%d requests in %v", len(company.Requests()), time.Since(begin))
			})
		})
	}
}

// The users are read anew after a day, so that new colleagues and new addresses are known.
func TestUsersAreReadAgainAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		company := gongtest.New(gongtest.Options{Clock: time.Now})
		company.AddUser(gongtest.User{ID: "77", Email: "jon@ours.example"})
		id := company.AddCall(gongtest.Call{Started: time.Now().Add(-time.Hour), PrimaryUserID: "77"})
		c := join(t, company, "")
		host := func() string {
			resp, err := c.Read(t.Context(), &plugin.ReadRequest{Stream: "calls", IDs: []string{id}, Fields: []string{"host_email"}})
			if err != nil {
				t.Fatal(err)
			}
			return string(resp.Records[0].Data)
		}
		const before, after = `{"host_email":"jon@ours.example"}`, `{"host_email":"jonathan@ours.example"}`
		if got := host(); got != before {
			t.Errorf("at first %s", got)
		}
		company.AddUser(gongtest.User{ID: "77", Email: "jonathan@ours.example"})
		<-time.After(23 * time.Hour)
		if got := host(); got != before {
			t.Errorf("within a day %s", got)
		}
		<-time.After(2 * time.Hour)
		if got := host(); got != after {
			t.Errorf("after a day %s", got)
		}
		if n := company.Count("GET /v2/users"); n != 2 {
			t.Errorf("%d lists of users, want 2", n)
		}
	})
}

// Whoever waits for the users that another call is reading does not wait longer than its context.
func TestWaitingForUsersEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		company := gongtest.New(gongtest.Options{Clock: time.Now})
		company.AddUser(gongtest.User{ID: "77", Email: "jon@ours.example"})
		id := company.AddCall(gongtest.Call{Started: time.Now().Add(-time.Hour), PrimaryUserID: "77"})
		c := join(t, company, "")
		conn, err := c.conn.Get()
		if err != nil {
			t.Fatal(err)
		}
		leave, err := conn.users.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		_, err = c.Read(ctx, &plugin.ReadRequest{Stream: "calls", IDs: []string{id}, Fields: []string{"host_email"}})
		if e := plugin.AsError(err); e == nil || e.Code != plugin.CodeUnavailable || e.Requests != 1 {
			t.Errorf("error %+v", e)
		}
		if waited := time.Since(begin); waited != 5*time.Second {
			t.Errorf("waited %v, want 5s", waited)
		}
	})
}
