package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/internal/temporaltest"
)

// system is everything that a company runs: Gong, Totango, Temporal and a directory with job files.
type system struct {
	t       testing.TB
	gong    *gongtest.Server
	totango *totangotest.Server
	server  *process // Temporal, if it is embedded
	address string   // of Temporal
	ui      string   // URL of its web UI, if it is embedded
	dir     string   // with the job files
	env     []string // of every command

	namespace string // in Temporal
}

// jobFiles are two connections and a job that leaves everything to its defaults.
const jobFiles = `
connection "gong" "acme" {
  access_key          = env("GONG_ACCESS_KEY")
  access_key_secret   = env("GONG_ACCESS_KEY_SECRET")
  base_url            = env("GONG_BASE_URL")
  requests_per_second = 0
  requests_per_day    = 0
}

connection "totango" "success" {
  app_token           = env("TOTANGO_APP_TOKEN")
  base_url            = env("TOTANGO_BASE_URL")
  requests_per_minute = 0
  write_timeout       = "2s"
  search_lag          = "1s"
}

job "meetings" {
  source {
    connection = connection.gong.acme
    stream     = "calls"
    initial    = "30d"
  }
  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }
}
`

const token = "e2e-app-token"

// newSystem starts the simulators, without limits and with a clock that moves, and a Temporal server.
func newSystem(t testing.TB) *system {
	t.Helper()
	return newSystemWith(t, &gongtest.Server{}, unlimitedTotango())
}

func unlimitedTotango() *totangotest.Server {
	return totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1})
}

// newSystemWith is newSystem with other simulators.
func newSystemWith(t testing.TB, gong *gongtest.Server, totango *totangotest.Server) *system {
	t.Helper()
	s := newSimulators(t, gong, totango)
	if onPostgres {
		s.useServer(temporaltest.Shared(t), nil)
	} else {
		s.embed()
	}
	return s
}

// embed starts the embedded Temporal server, for a test that needs that one.
func (s *system) embed() {
	s.t.Helper()
	s.server = s.serveTemporal("--port", "0", "--ui-port", "0")
	s.env = append(s.env, "TEMPORAL_ADDRESS="+s.address)
}

// newSimulators is a system without Temporal.
func newSimulators(t testing.TB, gong *gongtest.Server, totango *totangotest.Server) *system {
	t.Helper()
	s := &system{t: t, gong: gong, totango: totango, dir: t.TempDir(), namespace: "default"}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_COLOR=1",
		"GONG_ACCESS_KEY=" + gongtest.AccessKey, "GONG_ACCESS_KEY_SECRET=" + gongtest.AccessKeySecret, "GONG_BASE_URL=" + serve(t, s.gong),
		"TOTANGO_APP_TOKEN=" + token, "TOTANGO_BASE_URL=" + serve(t, s.totango),
	}
	s.write("jobs.hcl", jobFiles)
	return s
}

// serveTemporal starts a Temporal server and waits until it serves.
func (s *system) serveTemporal(args ...string) *process {
	s.t.Helper()
	p := start(s.t, s.env, append([]string{"server", "--json"}, args...)...)
	at := decode[struct{ Address, UI string }](s.t, p.line(`"address"`))
	s.address, s.ui = at.Address, at.UI
	return p
}

func serve(t testing.TB, h http.Handler) string {
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL
}

// company fills the simulators with a company.
func (s *system) company(size sandbox.Size) *sandbox.Company {
	c := sandbox.Generate(7, time.Now(), size)
	sandbox.Load(c, s.gong, s.totango)
	return c
}

// write writes a job file.
func (s *system) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run runs a command of the program.
func (s *system) run(args ...string) result { return run(s.t, s.env, args...) }

// ok runs a command that must succeed.
func (s *system) ok(args ...string) string {
	s.t.Helper()
	r := s.run(args...)
	if r.code != 0 {
		s.t.Fatalf("durasync %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// worker starts a worker on the directory and waits until it serves.
func (s *system) worker() *process {
	s.t.Helper()
	p := start(s.t, s.env, "worker", s.dir)
	p.line("gong.acme")
	return p
}

// summary is what the program says of a run.
type summary struct {
	Job     string
	Outcome activities.Outcome
	From    time.Time
	To      time.Time
	Counts  activities.Counts
}

// sync runs a job to its end and checks that the counts add up.
func (s *system) sync(job string) summary {
	s.t.Helper()
	return s.summary(s.ok("sync", job, "--json"))
}

func (s *system) summary(text string) summary {
	s.t.Helper()
	sum := decode[summary](s.t, text)
	c := sum.Counts
	if c.Listed != c.Known+c.New || c.New != c.Created+c.Rejected+c.Deferred+c.Failed {
		s.t.Errorf("the counts do not add up: %+v", c)
	}
	return sum
}

// temporal returns a client of the server.
func (s *system) temporal() client.Client {
	s.t.Helper()
	return s.temporalWith(codec.New(nil))
}

// temporalWith returns a client that reads payloads with the codec.
func (s *system) temporalWith(payloads *codec.Codec) client.Client {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{
		HostPort: s.address, Namespace: s.namespace, DataConverter: payloads.DataConverter(), Logger: silent{},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

// checkTruth compares what is in Totango with what must be there after a run at a time, and the run's counts with it.
func (s *system) checkTruth(c *sandbox.Company, sum summary) {
	s.t.Helper()
	s.checkTruthAt(c, sum, sum.To)
}

// checkTruthAt is checkTruth of a run whose Gong had another time than the end of its window.
func (s *system) checkTruthAt(c *sandbox.Company, sum summary, at time.Time) {
	s.t.Helper()
	want := c.Truth(at, sum.From, sum.To, 24*time.Hour)
	for _, d := range sandbox.Diff(want, s.totango.Touchpoints()) {
		s.t.Error(d)
	}
	var n activities.Counts
	for _, e := range want {
		switch e.Outcome {
		case sandbox.Delivered:
			n.Created++
		case sandbox.Rejected:
			n.Rejected++
		case sandbox.Deferred:
			n.Deferred++
		}
	}
	got := sum.Counts
	if got.Created+got.Known != n.Created || got.Rejected != n.Rejected || got.Deferred != n.Deferred || got.Failed != 0 {
		s.t.Errorf("the run says %+v, the truth is %d touchpoints, %d rejected, %d deferred", got, n.Created, n.Rejected, n.Deferred)
	}
}

// until asks again and again until the condition holds.
func (s *system) until(what string, condition func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("it did not happen that %s", what)
		case <-tick.C:
		}
	}
}

// meeting adds an account with one contact to Totango, unless it is there, and a meeting with that person to Gong.
func (s *system) meeting(account string, change func(*gongtest.Call)) string {
	s.customer(account)
	call := gongtest.Call{
		Title: "Weekly sync", Started: time.Now().Add(-2 * time.Hour), Duration: 30 * time.Minute,
		Brief: "They talked.", KeyPoints: []string{"All is well."}, PrimaryUserID: "1",
		Parties: []gongtest.Party{
			{Name: "Hana Host", Email: "hana@vendor.example", UserID: "1", Affiliation: "Internal"},
			{Name: "Pat", Email: contact(account), Affiliation: "External"},
		},
	}
	if change != nil {
		change(&call)
	}
	return s.gong.AddCall(call)
}

func (s *system) customer(account string) {
	s.totango.AddAccount(totangotest.Account{ID: account, Name: "Account " + account})
	s.totango.AddUser(totangotest.User{ID: contact(account), Name: "Pat", AccountID: account, Contact: true})
}

func contact(account string) string { return fmt.Sprintf("pat@%s.example", account) }

// touchpoints returns how many touchpoints there are of each call.
func (s *system) touchpoints() map[string]int {
	n := map[string]int{}
	for _, t := range s.totango.Touchpoints() {
		n[callOf(&t)]++
	}
	return n
}

// callOf returns the id of the call that a touchpoint says it comes from.
func callOf(t *totangotest.Touchpoint) string {
	_, rest, _ := strings.Cut(t.Content, "[durasync gong/calls/")
	id, _, _ := strings.Cut(rest, "]")
	return id
}

// once checks that there is one touchpoint of each of the calls and nothing else.
func (s *system) once(ids ...string) {
	s.t.Helper()
	got := s.touchpoints()
	for _, id := range ids {
		if got[id] != 1 {
			s.t.Errorf("there are %d touchpoints of call %s, want 1", got[id], id)
		}
	}
	if len(got) != len(ids) {
		s.t.Errorf("there are touchpoints of %d calls, want %d: %v", len(got), len(ids), got)
	}
}

// silent throws away what the Temporal SDK logs.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
