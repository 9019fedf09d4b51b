package gong

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// The defaults of a connection. The limits are Gong's own for a company; its support can raise them.
const (
	defaultBaseURL   = "https://api.gong.io"
	defaultPerSecond = 3
	defaultPerDay    = "10000"
)

// config is the configuration of a connection, checked.
type config struct {
	key, secret string
	baseURL     string
	workspaceID string
	readUsers   bool
	limits      []plugin.RateLimit
}

func (c *config) authorize(r *http.Request) { r.SetBasicAuth(c.key, c.secret) }

func parseConfig(data json.RawMessage) (config, error) {
	in := struct {
		AccessKey         string      `json:"access_key"`
		AccessKeySecret   string      `json:"access_key_secret"`
		BaseURL           string      `json:"base_url"`
		WorkspaceID       string      `json:"workspace_id"`
		ReadUsers         bool        `json:"read_users"`
		RequestsPerSecond float64     `json:"requests_per_second"`
		RequestsPerDay    json.Number `json:"requests_per_day"` // a number, or a string of digits
	}{BaseURL: defaultBaseURL, ReadUsers: true, RequestsPerSecond: defaultPerSecond, RequestsPerDay: defaultPerDay}
	if err := plugin.DecodeConfig(data, &in); err != nil {
		return config{}, err
	}
	c := config{
		key:         strings.TrimSpace(in.AccessKey), // a key that was read from a file ends with a line break
		secret:      strings.TrimSpace(in.AccessKeySecret),
		baseURL:     cmp.Or(in.BaseURL, defaultBaseURL),
		workspaceID: in.WorkspaceID,
		readUsers:   in.ReadUsers,
	}
	if err := c.check(); err != nil {
		return config{}, err
	}
	var err error
	if c.limits, err = httpkit.PerSecond(in.RequestsPerSecond); err != nil {
		return config{}, err
	}
	perDay, err := in.RequestsPerDay.Int64()
	if err != nil || perDay < 0 || perDay > 1_000_000_000 {
		return config{}, plugin.InvalidConfig("requests_per_day", "must be a whole number between 0, which is no limit, and 1000000000")
	}
	if perDay > 0 {
		c.limits = append(c.limits, plugin.RateLimit{Requests: int(perDay), Per: 24 * time.Hour})
	}
	return c, nil
}

func (c *config) check() error {
	switch {
	case c.key == "":
		return plugin.InvalidConfig("access_key", "must not be empty; a Gong administrator makes a key under Company settings > API")
	case strings.Contains(c.key, ":"):
		return plugin.InvalidConfig("access_key", "must not contain a colon; give the key and its secret each in its own attribute")
	case c.secret == "":
		return plugin.InvalidConfig("access_key_secret", "must not be empty; Gong shows it once, when the key is made")
	case c.workspaceID != "" && !isID(c.workspaceID):
		return plugin.InvalidConfig("workspace_id", "must be a workspace's number, as in its address in Gong")
	}
	if u, err := url.Parse(c.baseURL); err == nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/v2") {
		return plugin.InvalidConfig("base_url", "must end before /v2, like "+defaultBaseURL)
	}
	return nil
}

// isID reports whether s can be an id of Gong's, which are numbers of 64 bits written in digits.
func isID(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}
