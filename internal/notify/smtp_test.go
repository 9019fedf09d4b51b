package notify

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
)

var quiet = log.New(io.Discard, "", 0)

// cancelWhen returns a context that ends when the channel is closed.
func cancelWhen(t *testing.T, ch <-chan struct{}) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		select {
		case <-ch:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx
}

// mailServer is a mail server for one test. It speaks as much of SMTP as a client of ours uses.
type mailServer struct {
	t        *testing.T
	port     int
	cert     tls.Certificate
	roots    *x509.CertPool
	answers  map[string]string // instead of the usual ones, by the command's first word; "." is for the end of the message
	hang     string            // the command that gets no answer
	drop     string            // the command upon which the connection is closed
	hung     chan struct{}
	offers   []string
	tlsFirst bool
	sessions sync.WaitGroup

	mu       sync.Mutex
	commands []string
	messages []string
	secure   bool // whether the last command came over TLS
}

// newMailServer starts a server on 127.0.0.1.
func newMailServer(t *testing.T, change func(*mailServer)) *mailServer {
	t.Helper()
	s := &mailServer{t: t, hung: make(chan struct{}), offers: []string{"STARTTLS", "AUTH PLAIN LOGIN", "8BITMIME"}}
	s.cert, s.roots = certificate(t)
	if change != nil {
		change(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the listener was closed
			}
			stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() }) // t.Context ends just before the clean-up
			s.sessions.Go(func() {
				defer stop()
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		s.sessions.Wait()
	})
	return s
}

// certificate makes one for 127.0.0.1 that the returned pool trusts.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// serve talks to one client until either side has enough.
func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	secure := false
	startTLS := func() bool {
		t := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}})
		if t.Handshake() != nil {
			return false
		}
		conn, secure = t, true
		return true
	}
	if s.tlsFirst && !startTLS() {
		return
	}
	in := bufio.NewReader(conn)
	say := func(lines ...string) {
		for _, l := range lines {
			_, _ = io.WriteString(conn, l+"\r\n") // a client that is gone sends nothing more, which ends the session
		}
	}
	say("220 mail.example ESMTP")
	for {
		l, err := in.ReadString('\n')
		if err != nil {
			return
		}
		l = strings.TrimRight(l, "\r\n")
		verb, _, _ := strings.Cut(l, " ")
		s.note(l, secure)
		if answer, ok := s.answers[l]; ok {
			say(answer)
			continue
		}
		switch {
		case s.stops(verb):
			return
		case s.answers[verb] != "":
			say(s.answers[verb])
		case verb == "EHLO":
			say("250-mail.example")
			for _, o := range s.offers {
				if !secure || o != "STARTTLS" {
					say("250-" + o)
				}
			}
			say("250 HELP")
		case verb == "STARTTLS":
			say("220 go ahead")
			if !startTLS() {
				return
			}
			in = bufio.NewReader(conn)
		case verb == "AUTH":
			say("235 welcome")
		case verb == "DATA":
			say("354 go ahead")
			body, ok := s.read(in)
			if !ok || s.stops(".") {
				return
			}
			if a := s.answers["."]; a != "" {
				say(a)
				continue
			}
			s.mu.Lock()
			s.messages = append(s.messages, body)
			s.mu.Unlock()
			say("250 queued")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// stops reports whether the session ends here, by silence or by hanging up.
func (s *mailServer) stops(verb string) bool {
	if verb == s.hang {
		close(s.hung)
		<-s.t.Context().Done()
	}
	return verb == s.hang || verb == s.drop
}

// read reads a message up to the dot.
func (s *mailServer) read(in *bufio.Reader) (string, bool) {
	var b strings.Builder
	for {
		l, err := in.ReadString('\n')
		if err != nil {
			return "", false
		}
		if l == ".\r\n" {
			return b.String(), true
		}
		b.WriteString(strings.TrimPrefix(l, "."))
	}
}

func (s *mailServer) note(command string, secure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands, s.secure = append(s.commands, command), secure
}

// seen waits until the clients have left and returns what they sent: commands, messages, and whether the last command came over TLS.
func (s *mailServer) seen() (commands, messages []string, secure bool) {
	s.sessions.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands, s.messages, s.secure
}

const mailPassword = "hunter2-mail"

// notifier is an e-mail notifier that uses the server.
func (s *mailServer) notifier(change map[string]any) *Notifiers {
	s.t.Helper()
	config := map[string]any{
		"host": "127.0.0.1", "port": s.port, "username": "sync", "password": mailPassword,
		"from": "Durasync <sync@vendor.example>", "to": []string{"Ops Team <ops@vendor.example>", "lee@vendor.example"},
	}
	for k, v := range change {
		config[k] = v
	}
	b, err := json.Marshal(config)
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := newNotifiers(map[string]json.RawMessage{"email.ops": b}, s.roots)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func TestMailArrives(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, nil)
	n := notices()["rejected"]
	n.Job = "größe"
	for range 2 {
		if err := s.notifier(nil).Notify(t.Context(), "email.ops", n); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"EHLO vendor.example", "STARTTLS", "EHLO vendor.example",
		"AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00sync\x00"+mailPassword)),
		"MAIL FROM:<sync@vendor.example> BODY=8BITMIME", "RCPT TO:<ops@vendor.example>", "RCPT TO:<lee@vendor.example>", "DATA", "QUIT",
	}
	commands, messages, _ := s.seen()
	if diff := cmp.Diff(append(want, want...), commands); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if len(messages) != 2 || messages[0] != messages[1] {
		t.Fatalf("%d messages, which have to be the same", len(messages))
	}
	m, err := mail.ReadMessage(strings.NewReader(messages[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "größe rejected 3 records" {
		t.Errorf("subject %q, %v", subject, err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[0].Name != "Ops Team" {
		t.Errorf("to %v, %v", to, err)
	}
	if d, err := m.Header.Date(); err != nil || !d.Equal(n.Run.Ended) {
		t.Errorf("date %v, %v", d, err)
	}
	if id := m.Header.Get("Message-ID"); id != "<"+idOf(&n)+"@vendor.example>" {
		t.Errorf("Message-ID %s", id)
	}
	if m.Header.Get("Bcc") != "" {
		t.Error("a meeting's title became a header")
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || !strings.Contains(string(body), "Größe: Überblick Bcc: everybody@example.com") {
		t.Errorf("body %v:\n%s", err, body)
	}
	for _, l := range strings.Split(messages[0], "\r\n") {
		if len(l) > 78 && !strings.HasPrefix(l, "Message-ID: ") {
			t.Errorf("a line of %d characters: %s", len(l), l)
		}
	}
}

// TestPasswordNeedsTLS: whatever a server offers, the password is never sent in the clear.
func TestPasswordNeedsTLS(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, func(s *mailServer) { s.offers = []string{"AUTH PLAIN"} })
	err := s.notifier(nil).Notify(t.Context(), "email.ops", notices()["failed"])
	if got := outcomeOf(t, err); got != (outcome{Code: plugin.CodeInvalidConfig}) || !strings.Contains(err.Error(), "starttls") {
		t.Errorf("%+v: %v", got, err)
	}
	commands, _, _ := s.seen()
	for _, c := range commands {
		if strings.HasPrefix(c, "AUTH") {
			t.Error("the password was sent in the clear")
		}
	}
}

func TestMailWithoutTLSAndPassword(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, func(s *mailServer) { s.offers = nil })
	if err := s.notifier(map[string]any{"username": "", "password": "", "starttls": false}).Notify(t.Context(), "email.ops", notices()["failed"]); err != nil {
		t.Fatal(err)
	}
	if _, messages, secure := s.seen(); len(messages) != 1 || secure {
		t.Errorf("%d messages, secure %v", len(messages), secure)
	}
}

func TestMailOverTLSAtOnce(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, func(s *mailServer) { s.tlsFirst = true })
	e, perr := newEmail(json.RawMessage(strings.Replace(mailConfig, `"from"`, `"port":465,"from"`, 1)), s.roots)
	if perr != nil {
		t.Fatal(perr)
	}
	e.server.host, e.server.port = "127.0.0.1", s.port // 465 needs root
	n := notices()["failed"]
	if err := e.send(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	if _, messages, secure := s.seen(); len(messages) != 1 || !secure {
		t.Errorf("%d messages, secure %v", len(messages), secure)
	}
}

func TestMailServerIsNotTrusted(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, nil)
	_, s.roots = certificate(t)
	got := outcomeOf(t, s.notifier(nil).Notify(t.Context(), "email.ops", notices()["failed"]))
	if got != (outcome{Code: plugin.CodeInvalidConfig}) {
		t.Errorf("%+v", got)
	}
	if _, messages, _ := s.seen(); len(messages) > 0 {
		t.Error("a message was sent")
	}
}

func TestAnswersOfMailServers(t *testing.T) {
	t.Parallel()
	const lee = "RCPT TO:<lee@vendor.example>"
	unavailable := outcome{Code: plugin.CodeUnavailable, Retryable: true}
	refused := outcome{Code: plugin.CodeInvalidConfig}
	uncertain := outcome{Code: plugin.CodeUnavailable, Uncertain: true}
	tests := map[string]struct {
		change    func(*mailServer)
		want      outcome
		delivered int
		says      string
	}{
		"wrong password":            {answers("AUTH", "535 5.7.8 you are not "+mailPassword), outcome{Code: plugin.CodeUnauthenticated}, 0, "check username"},
		"no password now":           {answers("AUTH", "454 4.7.0 later"), unavailable, 0, "later"},
		"sender refused":            {answers("MAIL", "550 not from you"), refused, 0, "sync@vendor.example"},
		"sender refused for now":    {answers("MAIL", "451 busy"), unavailable, 0, "busy"},
		"one recipient refused":     {answers(lee, "550 no such user"), refused, 1, "delivered to 1 of 2"},
		"one recipient for now not": {answers(lee, "450 greylisted"), unavailable, 0, "greylisted"},
		"all recipients refused":    {answers("RCPT", "550 no such user"), refused, 0, "no such user"},
		"no data":                   {answers("DATA", "554 no"), refused, 0, "no"},
		"message refused":           {answers(".", "554 spam"), refused, 0, "spam"},
		"message refused for now":   {answers(".", "452 disk full"), unavailable, 0, "disk full"},
		"gone before the message":   {func(s *mailServer) { s.drop = "DATA" }, unavailable, 0, "DATA"},
		"gone after the message":    {func(s *mailServer) { s.drop = "." }, uncertain, 0, "may have been delivered"},
		"gone after taking it":      {func(s *mailServer) { s.drop = "QUIT" }, outcome{}, 1, ""},
		"endless talk":              {answers("EHLO", strings.Repeat("250-x\r\n", 50_000)+"250 x"), unavailable, 0, "does not stop"},
		"talk that is none":         {func(s *mailServer) { s.answers = map[string]string{"EHLO": "\x1b[31m???", "HELO": "???"} }, unavailable, 0, "EHLO"},
		"no AUTH PLAIN":             {func(s *mailServer) { s.offers = []string{"STARTTLS", "AUTH LOGIN XOAUTH2"} }, refused, 0, "LOGIN XOAUTH2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMailServer(t, test.change)
			err := s.notifier(nil).Notify(t.Context(), "email.ops", notices()["failed"])
			if _, messages, _ := s.seen(); len(messages) != test.delivered {
				t.Errorf("%d messages, want %d", len(messages), test.delivered)
			}
			if test.want == (outcome{}) {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if diff := cmp.Diff(test.want, outcomeOf(t, err)); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("%v does not say %q", err, test.says)
			}
		})
	}
}

func answers(command, answer string) func(*mailServer) {
	return func(s *mailServer) { s.answers = map[string]string{command: answer} }
}

func TestMailServerDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]outcome{
		"MAIL": {Code: plugin.CodeUnavailable, Retryable: true},
		".":    {Code: plugin.CodeUnavailable, Uncertain: true},
	} {
		s := newMailServer(t, func(s *mailServer) { s.hang = at })
		got := outcomeOf(t, s.notifier(nil).Notify(cancelWhen(t, s.hung), "email.ops", notices()["failed"]))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("silence at %s (-want +got):\n%s", at, diff)
		}
	}
}

func TestNoMailServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{t: t, port: l.Addr().(*net.TCPAddr).Port}
	_ = l.Close()
	got := outcomeOf(t, s.notifier(nil).Notify(t.Context(), "email.ops", notices()["failed"]))
	if got != (outcome{Code: plugin.CodeUnavailable, Retryable: true}) {
		t.Errorf("%+v", got)
	}
}
