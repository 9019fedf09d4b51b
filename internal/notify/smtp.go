package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// security says how a connection is made safe.
type security int

const (
	tlsNever     security = iota
	tlsByCommand          // by STARTTLS, or not at all
	tlsAtOnce
)

// smtpServer is a mail server that takes messages for others.
type smtpServer struct {
	host               string
	port               int
	name               string // by which we greet it
	username, password string
	tls                security
	roots              *x509.CertPool
}

// send hands a message over. Once the end of the message has been sent, the server may have taken it, until it says otherwise; before
// that it surely has not. A message that was taken for some of the recipients only is an error that is not worth trying again.
func (s *smtpServer) send(ctx context.Context, from string, to []string, message []byte) *plugin.Error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return s.failed(ctx, "connect", err)
	}
	defer func() { _ = conn.Close() }() // after QUIT, or after an error that says more
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// A server that says little is fine, one that never stops is not.
	c, perr := s.greet(ctx, &limited{Conn: conn, left: maxAnswer})
	if perr != nil {
		return perr
	}
	return s.deliver(ctx, c, from, to, message)
}

// greet opens the session: TLS, then authentication.
func (s *smtpServer) greet(ctx context.Context, conn net.Conn) (*smtp.Client, *plugin.Error) {
	config := &tls.Config{ServerName: s.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if s.tls == tlsAtOnce {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, s.failed(ctx, "connect", err)
	}
	if err := c.Hello(s.name); err != nil {
		return nil, s.failed(ctx, "EHLO", err)
	}
	if s.tls == tlsByCommand {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			e := invalid("starttls", "cannot be: %s does not offer it on port %d; try port %d", s.host, s.port, tlsPort)
			return nil, e
		}
		if err := c.StartTLS(config); err != nil {
			return nil, s.failed(ctx, "STARTTLS", err)
		}
	}
	if s.username == "" {
		return c, nil
	}
	if _, methods := c.Extension("AUTH"); !slices.Contains(strings.Fields(methods), "PLAIN") {
		return nil, invalid("username", "is of no use: %s does not offer AUTH PLAIN (%s)", s.host, line(s.redact("AUTH "+methods), 100))
	}
	if err := c.Auth(smtp.PlainAuth("", s.username, s.password, s.host)); err != nil {
		e := s.failed(ctx, "AUTH", err)
		if e.Code == plugin.CodeInvalidConfig && e.Attribute == "" {
			e.Code, e.Attribute = plugin.CodeUnauthenticated, "password"
			e.Message += "; check username and password"
		}
		return nil, e
	}
	return c, nil
}

func (s *smtpServer) deliver(ctx context.Context, c *smtp.Client, from string, to []string, message []byte) *plugin.Error {
	if err := c.Mail(from); err != nil {
		return s.failed(ctx, "MAIL FROM:<"+from+">", err)
	}
	var refused []*plugin.Error
	for _, address := range to {
		err := c.Rcpt(address)
		if err == nil {
			continue
		}
		e := s.failed(ctx, "RCPT TO:<"+address+">", err)
		refused = append(refused, e)
		if e.Retryable || len(refused) == len(to) {
			return e
		}
	}
	w, err := c.Data()
	if err != nil {
		return s.failed(ctx, "DATA", err)
	}
	if _, err := w.Write(message); err != nil {
		return s.failed(ctx, "the message", err)
	}
	if err := w.Close(); err != nil {
		e := s.failed(ctx, "the message", err)
		var answer *textproto.Error
		e.Uncertain = !errors.As(err, &answer)
		return e
	}
	_ = c.Quit() // the message was taken, whatever the server says now
	if len(refused) > 0 {
		e := refused[0]
		e.Message = fmt.Sprintf("delivered to %d of %d: %s", len(to)-len(refused), len(to), e.Message)
		return e
	}
	return nil
}

// failed classifies what went wrong in a step: an answer by its code (RFC 5321, 4.2.1), and everything else by whether a person has
// to mend it.
func (s *smtpServer) failed(ctx context.Context, step string, err error) *plugin.Error {
	where := net.JoinHostPort(s.host, strconv.Itoa(s.port))
	var answer *textproto.Error
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.As(err, &answer):
		code := plugin.CodeInvalidConfig
		if answer.Code/100 == 4 {
			code = plugin.CodeUnavailable
		}
		return plugin.Errorf(code, "%s answered %d to %s: %s", where, answer.Code, step, line(s.redact(answer.Msg), 240))
	case errors.Is(ctx.Err(), context.Canceled):
		return plugin.Errorf(plugin.CodeUnavailable, "%s: %s was cancelled", where, step)
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return plugin.Errorf(plugin.CodeUnavailable, "%s: no answer to %s in time", where, step)
	case errors.As(err, &cert), errors.As(err, &record):
		e := plugin.Errorf(plugin.CodeInvalidConfig, "%s: no TLS connection that can be trusted: %s; check host and port", where, line(s.redact(err.Error()), 240))
		e.Attribute = "host"
		return e
	}
	return plugin.Errorf(plugin.CodeUnavailable, "%s: %s: %s; check host and port, unless the network is to blame", where, step, line(s.redact(err.Error()), 240))
}

// redact takes the credentials out of what a server says, in the forms in which they were sent to it.
func (s *smtpServer) redact(text string) string {
	if s.password == "" {
		return text
	}
	for _, secret := range []string{
		base64.StdEncoding.EncodeToString([]byte("\x00" + s.username + "\x00" + s.password)),
		base64.StdEncoding.EncodeToString([]byte(s.password)), s.password,
	} {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// limited is a connection that reads so many bytes and no more.
type limited struct {
	net.Conn
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errors.New("the server does not stop talking")
	}
	n, err := l.Conn.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
