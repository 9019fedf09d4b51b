package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
)

const (
	defaultPort = 587 // message submission (RFC 6409)
	tlsPort     = 465 // message submission over TLS (RFC 8314)
)

// emailConfig is the configuration of an e-mail notifier; see the package's documentation.
type emailConfig struct {
	Host     string   `json:"host"`
	Port     int      `json:"port"`
	Username string   `json:"username"`
	Password string   `json:"password"`
	From     string   `json:"from"`
	To       []string `json:"to"`
	StartTLS *bool    `json:"starttls"`
}

// email sends notices as mail.
type email struct {
	server smtpServer
	from   *mail.Address
	to     []*mail.Address
}

func newEmail(config json.RawMessage, roots *x509.CertPool) (*email, *plugin.Error) {
	c := emailConfig{Port: defaultPort}
	if err := decode(config, &c); err != nil {
		return nil, err
	}
	e := &email{server: smtpServer{host: c.Host, port: c.Port, username: c.Username, password: c.Password, roots: roots}}
	switch starttls := c.StartTLS == nil || *c.StartTLS; {
	case c.Host == "" || strings.ContainsAny(c.Host, "/:@ \t\r\n") && strings.Count(c.Host, ":") < 2: // an IPv6 address has several colons
		return nil, invalid("host", "has to be the name of a mail server, such as smtp.example.com")
	case c.Port < 1 || c.Port > 65535:
		return nil, invalid("port", "has to be between 1 and 65535")
	case c.Port == tlsPort:
		e.server.tls = tlsAtOnce
	case starttls:
		e.server.tls = tlsByCommand
	case c.Username != "":
		return nil, invalid("starttls", "is false, and so the password would be sent in the clear; leave it out, or the username")
	}
	if c.Username == "" && c.Password != "" {
		return nil, invalid("username", "is missing, although there is a password")
	}
	var err error
	if e.from, err = mail.ParseAddress(c.From); err != nil {
		return nil, invalid("from", "has to be an e-mail address")
	}
	e.server.name = domainOf(e.from)
	if len(c.To) == 0 {
		return nil, invalid("to", "has to name somebody")
	}
	for i, s := range c.To {
		to, err := mail.ParseAddress(s)
		if err != nil {
			return nil, invalid("to", "has to be a list of e-mail addresses; number %d is none", i+1)
		}
		e.to = append(e.to, to)
	}
	return e, nil
}

// send implements sender.
func (e *email) send(ctx context.Context, n *activities.Notice) *plugin.Error {
	to := make([]string, len(e.to))
	for i, a := range e.to {
		to[i] = a.Address
	}
	return e.server.send(ctx, e.from.Address, to, e.compose(n))
}

// compose makes the message. It is the same for every attempt: its date is that of the run's end.
func (e *email) compose(n *activities.Notice) []byte {
	m := compose(n)
	date := n.Run.Ended
	if date.IsZero() {
		date = time.Now()
	}
	to := make([]string, len(e.to))
	for i, a := range e.to {
		to[i] = a.String()
	}
	var b bytes.Buffer
	for _, h := range []struct{ name, value string }{
		{"From", e.from.String()},
		{"To", strings.Join(to, ",\r\n ")},
		{"Subject", mime.QEncoding.Encode("utf-8", m.title)},
		{"Date", date.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + idOf(n) + "@" + domainOf(e.from) + ">"},
		{"Auto-Submitted", "auto-generated"}, // nobody's holiday reply (RFC 3834)
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(h.name + ": " + h.value + "\r\n")
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = q.Write([]byte(text(m))) // a buffer takes everything
	_ = q.Close()
	return b.Bytes()
}

// text is a message as plain text.
func text(m *message) string {
	var b strings.Builder
	paragraph := func(s string) {
		if s != "" {
			b.WriteString(s + "\n\n")
		}
	}
	paragraph(m.summary)
	paragraph(m.problem)
	paragraph(m.advice)
	for _, f := range m.facts {
		fmt.Fprintf(&b, "%-9s %s\n", f.name, f.value)
	}
	if len(m.rejects) > 0 {
		b.WriteString("\nNot delivered:\n")
		for _, r := range m.rejects {
			fmt.Fprintf(&b, "\n- %s (%s)\n  %s\n", r.title, r.when, r.why)
			if r.url != "" {
				b.WriteString("  " + r.url + "\n")
			}
		}
		b.WriteString("\nAll of them: " + m.more + "\n")
	}
	if m.url != "" {
		b.WriteString("\nThe run: " + m.url + "\n")
	}
	return b.String()
}

// domainOf is the domain of an address in the form that a Message-ID and a greeting can hold.
func domainOf(a *mail.Address) string {
	domain := a.Address[strings.LastIndex(a.Address, "@")+1:]
	return cmp.Or(strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return -1
	}, domain), "localhost")
}
