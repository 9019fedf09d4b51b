package totango

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// requestTimeout bounds one request that is no write.
const requestTimeout = 30 * time.Second

// The hosts by region ("Touchpoints API").
var hosts = map[string]string{
	"us": "https://api.totango.com",
	"eu": "https://api-eu1.totango.com",
}

const (
	formatText = "text"
	formatHTML = "html"
)

type config struct {
	AppToken          string      `json:"app_token"`
	Region            string      `json:"region"`
	BaseURL           string      `json:"base_url"`
	RequestsPerMinute json.Number `json:"requests_per_minute"` // a number, or a string of digits
	ContentFormat     string      `json:"content_format"`
	SearchLag         string      `json:"search_lag"`
	WriteTimeout      string      `json:"write_timeout"`
	DisableSync       bool        `json:"disable_sync"`
	TeamAttributes    []string    `json:"team_attributes"`

	perMinute    int
	searchLag    time.Duration
	writeTimeout time.Duration
}

// baseURL returns where the API is.
func (c *config) baseURL() string {
	if c.BaseURL != "" {
		return strings.TrimRight(c.BaseURL, "/")
	}
	return hosts[c.Region]
}

// hostAttribute names the attribute that the host comes from.
func (c *config) hostAttribute() string {
	if c.BaseURL != "" {
		return "base_url"
	}
	return "region"
}

func parseConfig(raw json.RawMessage) (config, error) {
	c := config{Region: "us", RequestsPerMinute: "100", ContentFormat: formatText, SearchLag: "30s", WriteTimeout: "20s", TeamAttributes: slices.Clone(defaultTeamAttributes)}
	if err := plugin.DecodeConfig(raw, &c); err != nil {
		return c, err
	}
	// A token is pasted more often than typed.
	c.AppToken = strings.TrimSpace(c.AppToken)
	switch {
	case c.AppToken == "":
		return c, plugin.InvalidConfig("app_token", "is empty; create a token in Totango under Edit profile > Integration > Create Token")
	case strings.ContainsFunc(c.AppToken, func(r rune) bool { return r <= ' ' || r > '~' }):
		return c, plugin.InvalidConfig("app_token", "holds a character that no token has, such as a space or a line break inside it")
	case hosts[c.Region] == "":
		return c, plugin.InvalidConfig("region", `is %q and has to be "us" or "eu"`, c.Region)
	case c.ContentFormat != formatText && c.ContentFormat != formatHTML:
		return c, plugin.InvalidConfig("content_format", `is %q and has to be "text" or "html"`, c.ContentFormat)
	}
	if slices.ContainsFunc(c.TeamAttributes, func(name string) bool { return strings.TrimSpace(name) == "" }) {
		return c, plugin.InvalidConfig("team_attributes", "has an empty name; leave it out, or set it to [] if no attribute names the team")
	}
	var err error
	if c.perMinute, err = strconv.Atoi(c.RequestsPerMinute.String()); err != nil || c.perMinute < 0 {
		return c, plugin.InvalidConfig("requests_per_minute", "is %s and has to be a whole number; 0 means no limit", c.RequestsPerMinute)
	}
	if c.searchLag, err = duration("search_lag", c.SearchLag, 0, 24*time.Hour); err != nil {
		return c, err
	}
	c.writeTimeout, err = duration("write_timeout", c.WriteTimeout, time.Second, 10*time.Minute)
	return c, err
}

func duration(attribute, text string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, plugin.InvalidConfig(attribute, `is %q and has to be a duration such as "30s" or "2m"`, text)
	}
	if d < least || d > most {
		return 0, plugin.InvalidConfig(attribute, "is %v and has to be between %v and %v", d, least, most)
	}
	return d, nil
}
