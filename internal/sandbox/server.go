package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

// AppToken is the token that a sandbox's Totango accepts. Its Gong accepts [gongtest.AccessKey] and [gongtest.AccessKeySecret].
const AppToken = "sandbox-app-token"

// totangoPerMinute is Totango's limit for a token ("API rate limit" in its help centre).
const totangoPerMinute = 100

// Options configure [Start]. The zero value serves the company of seed 0 on free ports without limits.
type Options struct {
	Seed uint64
	Size Size

	// GongAddr and TotangoAddr are where to listen; empty means a free port of 127.0.0.1.
	GongAddr, TotangoAddr string

	// Limits makes both simulators enforce the rate limits of the real systems.
	Limits bool

	// Clock is the time of both simulators, and its first reading the company's Now; nil means time.Now. With a clock that stands
	// still, nothing becomes visible or ready while a test runs. Limits need a clock that moves.
	Clock func() time.Time
}

// Server is a company that runs.
type Server struct {
	Company *Company

	// Gong and Totango are the simulators, for looking into them and for making them fail.
	Gong    *gongtest.Server
	Totango *totangotest.Server

	// GongURL and TotangoURL are where they answer. TotangoURL is also a page for people, with all accounts and touchpoints.
	GongURL, TotangoURL string

	limits bool
	stops  []func() error
	once   sync.Once
	err    error
}

// Start makes a company and serves it until [Server.Stop], or until ctx ends.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	gongOpts := gongtest.Options{
		Clock: o.Clock, Topics: workspaceTopics, Location: companyZone,
		Workspaces: []gongtest.Workspace{{ID: "623457276584334", Name: "Customer Success"}},
	}
	totangoOpts := totangotest.Options{
		Clock: o.Clock, Tokens: []string{AppToken}, TokenUser: "durasync@" + vendorLabel + domainTail, RequestsPerMinute: -1,
	}
	if o.Limits {
		gongOpts.Limits, totangoOpts.RequestsPerMinute = gongtest.DefaultLimits, totangoPerMinute
	}
	s := &Server{
		Company: Generate(o.Seed, o.Clock(), o.Size), Gong: gongtest.New(gongOpts), Totango: totangotest.New(totangoOpts), limits: o.Limits,
	}
	Load(s.Company, s.Gong, s.Totango)
	for _, side := range []struct {
		name, addr string
		handler    http.Handler
		url        *string
	}{
		{"Gong", o.GongAddr, s.Gong, &s.GongURL},
		{"Totango", o.TotangoAddr, s.Totango, &s.TotangoURL},
	} {
		url, stop, err := serve(ctx, side.name, side.addr, side.handler)
		if err != nil {
			return nil, errors.Join(err, s.Stop())
		}
		*side.url = url
		s.stops = append(s.stops, stop)
	}
	context.AfterFunc(ctx, func() { _ = s.Stop() }) // who calls Stop gets the error
	return s, nil
}

// serve runs a handler on an address and returns where, and how to stop it.
func serve(ctx context.Context, name, addr string, h http.Handler) (url string, stop func() error, err error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "", nil, fmt.Errorf("the simulated %s cannot listen on %s because another program does: stop that program or choose another port", name, addr)
	case err != nil:
		return "", nil, fmt.Errorf("the simulated %s cannot listen on %s: %w", name, addr, err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() error {
		closeErr := srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(closeErr, err)
		}
		return closeErr
	}, nil
}

// Stop ends both simulators, open requests included. It may be called more than once and from several goroutines.
func (s *Server) Stop() error {
	s.once.Do(func() {
		for _, stop := range s.stops {
			s.err = errors.Join(s.err, stop())
		}
	})
	return s.err
}

// Env returns the environment variables with which the job files of examples/demo reach this sandbox. The limits that it names are
// those that the simulators enforce; 0 is none.
func (s *Server) Env() map[string]string {
	perSecond, perDay, perMinute := 0, 0, 0
	if s.limits {
		perSecond, perDay, perMinute = gongtest.DefaultLimits.PerSecond, gongtest.DefaultLimits.PerDay, totangoPerMinute
	}
	return map[string]string{
		"GONG_BASE_URL":               s.GongURL,
		"GONG_ACCESS_KEY":             gongtest.AccessKey,
		"GONG_ACCESS_KEY_SECRET":      gongtest.AccessKeySecret,
		"GONG_REQUESTS_PER_SECOND":    strconv.Itoa(perSecond),
		"GONG_REQUESTS_PER_DAY":       strconv.Itoa(perDay),
		"TOTANGO_BASE_URL":            s.TotangoURL,
		"TOTANGO_APP_TOKEN":           AppToken,
		"TOTANGO_REQUESTS_PER_MINUTE": strconv.Itoa(perMinute),
	}
}
