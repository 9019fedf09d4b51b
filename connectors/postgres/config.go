package postgres

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/durasync/durasync/plugin"
)

// The defaults of a connection.
const (
	defaultPort = 5432
	defaultID   = "id"
	defaultTime = "time"
)

// What becomes of a row whose key is in the table.
const (
	onConflictUpdate  = "update"
	onConflictNothing = "nothing"
)

// The ways to use TLS that matter here.
const (
	sslPrefer     = "prefer"
	sslVerifyFull = "verify-full"
)

// sslModes are those of libpq: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION.
var sslModes = []string{"disable", "allow", sslPrefer, "require", "verify-ca", sslVerifyFull}

// settings are the attributes of a connection.
type settings struct {
	URL         string      `json:"url"`
	Host        string      `json:"host"`
	Port        json.Number `json:"port"`
	User        string      `json:"user"`
	Password    string      `json:"password"`
	Database    string      `json:"database"`
	SSLMode     string      `json:"sslmode"`
	SSLRootCert string      `json:"sslrootcert"`
	Table       string      `json:"table"`
	ID          string      `json:"id"`
	Time        string      `json:"time"`
	OnConflict  string      `json:"on_conflict"`
}

// config is the configuration of a connection, checked.
type config struct {
	server   *pgx.ConnConfig
	byURL    bool // the server is given by url, and not by host and the others
	relation pgx.Identifier
	id, time string // columns
	keep     bool   // a row whose key is in the table is left as it is
}

func parseConfig(data json.RawMessage) (*config, error) {
	in := settings{ID: defaultID, Time: defaultTime, OnConflict: onConflictUpdate}
	if err := plugin.DecodeConfig(data, &in); err != nil {
		return nil, err
	}
	c := &config{
		byURL:    in.URL != "",
		relation: strings.SplitN(in.Table, ".", 2),
		id:       in.ID, time: in.Time, keep: in.OnConflict == onConflictNothing,
	}
	switch {
	case slices.Contains(c.relation, ""):
		return nil, plugin.InvalidConfig("table", `must name a table, with its schema before it, such as "sales.meetings"`)
	case in.ID == "":
		return nil, plugin.InvalidConfig("id", "must be the name of a column")
	case in.Time == "":
		return nil, plugin.InvalidConfig("time", "must be the name of a column")
	case in.OnConflict != onConflictUpdate && in.OnConflict != onConflictNothing:
		return nil, plugin.InvalidConfig("on_conflict", "must be %q or %q", onConflictUpdate, onConflictNothing)
	}
	var err error
	if c.byURL {
		c.server, err = in.byURL()
	} else {
		c.server, err = in.byParts()
	}
	return c, err
}

// form is what is said of a URL that cannot be used, which itself is never shown.
const form = "must be of the form postgres://user:password@host:5432/database?sslmode=verify-full, " +
	"with %%40 for @, %%2F for / and so on in the password"

// byURL is the server that the URL leads to. It has a user and one @, so that no part of a password with special characters that are not
// escaped is taken for the host, which errors show.
func (in *settings) byURL() (*pgx.ConnConfig, error) {
	for name, value := range map[string]string{
		"host": in.Host, "port": in.Port.String(), "user": in.User, "password": in.Password, "database": in.Database,
		"sslmode": in.SSLMode, "sslrootcert": in.SSLRootCert,
	} {
		if value != "" {
			return nil, plugin.InvalidConfig(name, "must not be set beside url, which can hold it as well")
		}
	}
	u, err := url.Parse(in.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.User.Username() == "" || strings.Count(in.URL, "@") != 1 {
		return nil, plugin.InvalidConfig("url", form)
	}
	q := u.Query()
	if u.Hostname() == "" && q.Get("host") == "" {
		return nil, plugin.InvalidConfig("url", form)
	}
	c, err := connConfig(in.URL, q.Has("sslmode") || q.Has("ssl"))
	if err != nil {
		e := plugin.InvalidConfig("url", "has a port or a parameter, after the question mark, that cannot be used")
		if file := (*fs.PathError)(nil); errors.As(err, &file) {
			e.Message += ": " + file.Error()
		}
		return nil, e
	}
	return c, nil
}

// byParts is the server that the single attributes lead to.
func (in *settings) byParts() (*pgx.ConnConfig, error) {
	if in.Port == "" {
		in.Port = json.Number(strconv.Itoa(defaultPort))
	}
	switch port, err := in.Port.Int64(); {
	case in.Host == "":
		return nil, plugin.InvalidConfig("host", "must be set, or url")
	case err != nil || port < 1 || port > 65535:
		return nil, plugin.InvalidConfig("port", "must be a number from 1 to 65535")
	case in.User == "":
		return nil, plugin.InvalidConfig("user", "must be set")
	case in.SSLMode != "" && !slices.Contains(sslModes, in.SSLMode):
		return nil, plugin.InvalidConfig("sslmode", "must be one of %s", strings.Join(sslModes, ", "))
	}
	q := url.Values{"host": {in.Host}, "port": {in.Port.String()}}
	for name, value := range map[string]string{"dbname": in.Database, "sslmode": in.SSLMode, "sslrootcert": in.SSLRootCert} {
		if value != "" {
			q.Set(name, value)
		}
	}
	query := strings.ReplaceAll(q.Encode(), "+", "%20") // libpq's URLs have no other form of a space
	c, err := connConfig("postgres://"+url.UserPassword(in.User, in.Password).String()+"@?"+query, in.SSLMode != "")
	if err != nil { // all else is checked above
		return nil, plugin.InvalidConfig("sslrootcert", "must name a file with certificates in PEM that can be read")
	}
	return c, nil
}

// connConfig is how to connect to a URL. If that does not say how to use TLS, it is as libpq has it on this machine, and has to be
// trusted elsewhere.
func connConfig(address string, saysHow bool) (*pgx.ConnConfig, error) {
	how := func(mode string) string {
		if strings.Contains(address, "?") {
			return address + "&sslmode=" + mode
		}
		return address + "?sslmode=" + mode
	}
	var c *pgx.ConnConfig
	var err error
	if saysHow {
		c, err = pgx.ParseConfig(address)
	} else if c, err = pgx.ParseConfig(how(sslPrefer)); err == nil && !isHere(c) {
		c, err = pgx.ParseConfig(how(sslVerifyFull))
	}
	if err != nil {
		return nil, err
	}
	// Each statement is sent without being prepared on the server, so that connection poolers can be in between.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.StatementCacheCapacity, c.DescriptionCacheCapacity = 0, 0
	// Times without a zone are read as UTC.
	maps.DeleteFunc(c.RuntimeParams, func(name, _ string) bool { return strings.EqualFold(name, "timezone") })
	c.RuntimeParams["timezone"] = "UTC"
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "durasync"
	}
	return c, nil
}

// isHere reports whether all hosts are this machine.
func isHere(c *pgx.ConnConfig) bool {
	hosts := []string{c.Host}
	for _, f := range c.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	return !slices.ContainsFunc(hosts, func(host string) bool {
		return host != "localhost" && !filepath.IsAbs(host) && !net.ParseIP(host).IsLoopback()
	})
}

// attribute is the attribute that holds a part of the server's address.
func (c *config) attribute(part string) string {
	if c.byURL {
		return "url"
	}
	return part
}
