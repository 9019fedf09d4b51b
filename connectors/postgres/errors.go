package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/durasync/durasync/plugin"
)

// maxMessage is how much of what the server says is shown, in bytes. It can quote a value.
const maxMessage = 400

// codes are what errors of the server mean, by the first five or two characters of their SQLSTATE:
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
var codes = map[string]plugin.Code{
	"08": plugin.CodeUnavailable, // connection exception
	"21": plugin.CodeInvalidRecord,
	"22": plugin.CodeInvalidRecord, // data exception
	"23": plugin.CodeInvalidRecord, // integrity constraint violation
	"25": plugin.CodeUnavailable,   // above all read_only_sql_transaction: the server is a standby, which the one that was asked for may be for a moment
	"28": plugin.CodeUnauthenticated,
	"40": plugin.CodeUnavailable, // serialization failure, deadlock
	"42": plugin.CodeInvalidRequest,
	"44": plugin.CodeInvalidRecord, // with check option violation
	"53": plugin.CodeUnavailable,   // insufficient resources
	"54": plugin.CodeInvalidRecord, // program limit exceeded: the value is too long for an index
	"55": plugin.CodeUnavailable,   // object not in prerequisite state: locked, in recovery
	"57": plugin.CodeUnavailable,   // operator intervention
	"58": plugin.CodeUnavailable,   // system error
	"P0": plugin.CodeInvalidRecord, // a trigger has raised an exception

	"0A":    plugin.CodeInvalidRequest, // feature not supported
	"3D000": plugin.CodeNotFound,       // the database does not exist
	"42501": plugin.CodePermissionDenied,
}

func codeOf(e *pgconn.PgError) plugin.Code {
	for _, n := range []int{5, 2} {
		if code, ok := codes[e.Code[:min(n, len(e.Code))]]; ok {
			return code
		}
	}
	return plugin.CodeInternal
}

// isRefusal reports whether the server does not take a row for what is in it.
func isRefusal(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && codeOf(e) == plugin.CodeInvalidRecord
}

// isOutcomeKnown reports whether nothing was written by what failed: the server says so, and goes on serving.
func isOutcomeKnown(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.SeverityUnlocalized == "ERROR"
}

// failed makes the error of a call from an error of the driver.
func (c *config) failed(ctx context.Context, err error) *plugin.Error {
	var ours *plugin.Error
	var server *pgconn.PgError
	var connecting *pgconn.ConnectError
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &server):
		e := plugin.Errorf(codeOf(server), "%s: %s", c.where(), saying(server))
		switch e.Code {
		case plugin.CodeUnauthenticated:
			e.Attribute = c.attribute("password")
		case plugin.CodeNotFound:
			e.Attribute = c.attribute("database")
		}
		return e
	case errors.Is(ctx.Err(), context.Canceled):
		return plugin.Errorf(plugin.CodeUnavailable, "%s: the call was cancelled", c.where())
	case ctx.Err() != nil:
		return plugin.Errorf(plugin.CodeUnavailable, "%s: no complete answer before the deadline", c.where())
	case errors.As(err, &connecting):
		return c.unconnected(errors.Unwrap(connecting))
	case isLost(err):
		return plugin.Errorf(plugin.CodeUnavailable, "%s: the connection was lost", c.where())
	default:
		return plugin.Errorf(plugin.CodeInternal, "%s: %v", c.where(), err)
	}
}

// where is the server, for people.
func (c *config) where() string {
	if network, address := pgconn.NetworkAddress(c.server.Host, c.server.Port); network == "unix" {
		return "PostgreSQL at " + address
	}
	return "PostgreSQL at " + net.JoinHostPort(c.server.Host, strconv.Itoa(int(c.server.Port)))
}

// saying is what the server says. Its detail is left out: that can be a whole row.
func saying(e *pgconn.PgError) string {
	message := e.Message
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message + " (SQLSTATE " + e.Code + ")"
}

// unconnected makes the error of a connection that did not come about, for a reason other than what the server said.
func (c *config) unconnected(err error) *plugin.Error {
	why := strings.ReplaceAll(err.Error(), "\n", "; ")
	if !isTLS(err) {
		return plugin.Errorf(plugin.CodeUnavailable, "%s cannot be reached: %s", c.where(), why)
	}
	attribute := c.attribute("sslmode")
	e := plugin.Errorf(plugin.CodeInvalidConfig, "%s: no TLS connection that can be trusted: %s; check the host, and sslmode and sslrootcert%s",
		c.where(), why, map[bool]string{true: " in url"}[c.byURL])
	e.Attribute = attribute
	return e
}

// isTLS reports whether TLS failed for the server's certificate, or because the server does not offer it.
func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) ||
		strings.Contains(err.Error(), "server refused TLS connection") // the driver has no type for this
}

func isLost(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed)
}
