package webhook

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

const (
	defaultTimeout   = "20s"
	defaultPerSecond = 5

	// secretPrefix begins secrets in the form of Standard Webhooks: what follows is the key in Base64.
	secretPrefix = "whsec_"
)

// config is the configuration of a connection, checked.
type config struct {
	base    string // the address without its query
	query   url.Values
	secrets []string // never shown; longest first
	key     []byte   // of the signature; nil for none
	timeout time.Duration
	limits  []plugin.RateLimit
}

func parseConfig(data json.RawMessage) (config, error) {
	in := struct {
		URL               string  `json:"url"`
		Secret            string  `json:"secret"`
		Timeout           string  `json:"timeout"`
		RequestsPerSecond float64 `json:"requests_per_second"`
		Insecure          bool    `json:"insecure"`
	}{Timeout: defaultTimeout, RequestsPerSecond: defaultPerSecond}
	if err := plugin.DecodeConfig(data, &in); err != nil {
		return config{}, err
	}
	var c config
	if err := c.address(strings.TrimSpace(in.URL), in.Insecure); err != nil {
		return c, err
	}
	if err := c.sign(strings.TrimSpace(in.Secret)); err != nil {
		return c, err
	}
	slices.SortFunc(c.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var err error
	if c.timeout, err = time.ParseDuration(in.Timeout); err != nil || c.timeout < time.Second || c.timeout > 10*time.Minute {
		return c, plugin.InvalidConfig("timeout", `must be a duration between "1s" and "10m", such as "20s"`)
	}
	c.limits, err = httpkit.PerSecond(in.RequestsPerSecond)
	return c, err
}

// address takes the URL apart. Whatever follows the host can be what gives access, so it is kept out of messages.
func (c *config) address(text string, insecure bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return plugin.InvalidConfig("url", "must be an address like https://example.com/hooks/meetings")
	}
	if u.Scheme == "http" && !insecure && !loopback(u.Hostname()) {
		return plugin.InvalidConfig("url", "begins with http://, so that everybody on the way can read what is sent; use https://, or set insecure = true")
	}
	if c.query, err = url.ParseQuery(u.RawQuery); err != nil {
		return plugin.InvalidConfig("url", "has a query that cannot be read; characters with a meaning of their own, such as ; and %, have to be escaped")
	}
	for _, values := range c.query {
		c.secrets = append(c.secrets, values...)
	}
	c.secrets = append(c.secrets, u.RawQuery, u.EscapedPath(), u.Path)
	c.secrets = slices.DeleteFunc(c.secrets, func(s string) bool { return len(s) < 4 }) // shorter ones would tear words apart
	u.RawQuery, u.ForceQuery = "", false
	c.base = u.String()
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sign takes the key out of a secret.
func (c *config) sign(secret string) error {
	if secret == "" {
		return nil
	}
	c.secrets = append(c.secrets, secret)
	coded, standard := strings.CutPrefix(secret, secretPrefix)
	if !standard {
		c.key = []byte(secret)
		return nil
	}
	var err error
	if c.key, err = base64.StdEncoding.DecodeString(coded); err != nil || len(bytes.TrimSpace(c.key)) == 0 {
		return plugin.InvalidConfig("secret", "begins with "+secretPrefix+", and what follows is no Base64; copy it as a whole, or use another form")
	}
	return nil
}
