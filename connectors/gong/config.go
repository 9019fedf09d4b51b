package gong

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// The defaults of a connection. The limits are Gong's own for a company; its support can raise them.
const (
	defaultBaseURL   = "https://api.gong.io"
	defaultPerSecond = 3
	defaultPerDay    = 10_000
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
	var in struct {
		AccessKey         string      `json:"access_key"`
		AccessKeySecret   string      `json:"access_key_secret"`
		BaseURL           string      `json:"base_url"`
		WorkspaceID       string      `json:"workspace_id"`
		ReadUsers         *bool       `json:"read_users"`
		RequestsPerSecond *float64    `json:"requests_per_second"`
		RequestsPerDay    json.Number `json:"requests_per_day"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		// The text of err can quote the configuration, and with it a secret.
		return config{}, plugin.Errorf(plugin.CodeInvalidConfig, "the configuration is not a JSON object of the described attributes")
	}
	c := config{
		key:         strings.TrimSpace(in.AccessKey), // a key that was read from a file ends with a line break
		secret:      strings.TrimSpace(in.AccessKeySecret),
		baseURL:     in.BaseURL,
		workspaceID: in.WorkspaceID,
		readUsers:   in.ReadUsers == nil || *in.ReadUsers,
	}
	if c.baseURL == "" {
		c.baseURL = defaultBaseURL
	}
	perSecond, perDay := float64(defaultPerSecond), int64(defaultPerDay)
	if in.RequestsPerSecond != nil {
		perSecond = *in.RequestsPerSecond
	}
	if in.RequestsPerDay != "" {
		var err error
		if perDay, err = in.RequestsPerDay.Int64(); err != nil {
			return config{}, invalid("requests_per_day", "must be a whole number")
		}
	}
	if err := c.check(perSecond, perDay); err != nil {
		return config{}, err
	}
	c.limits = rateLimits(perSecond, perDay)
	return c, nil
}

func (c *config) check(perSecond float64, perDay int64) error {
	switch {
	case c.key == "":
		return invalid("access_key", "must not be empty; a Gong administrator makes a key under Company settings > API")
	case strings.Contains(c.key, ":"):
		return invalid("access_key", "must not contain a colon; give the key and its secret each in its own attribute")
	case c.secret == "":
		return invalid("access_key_secret", "must not be empty; Gong shows it once, when the key is made")
	case perSecond < 0 || perSecond > 1000:
		return invalid("requests_per_second", "must lie between 0, which is no limit, and 1000")
	case perDay < 0 || perDay > 1_000_000_000:
		return invalid("requests_per_day", "must lie between 0, which is no limit, and 1000000000")
	case c.workspaceID != "" && !isID(c.workspaceID):
		return invalid("workspace_id", "must be a workspace's number, as in its address in Gong")
	}
	if u, err := url.Parse(c.baseURL); err == nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/v2") {
		return invalid("base_url", "must end before /v2, like "+defaultBaseURL)
	}
	return nil
}

func rateLimits(perSecond float64, perDay int64) []plugin.RateLimit {
	var limits []plugin.RateLimit
	switch {
	case perSecond == 0:
	case perSecond == float64(int(perSecond)):
		limits = append(limits, plugin.RateLimit{Requests: int(perSecond), Per: time.Second})
	default: // 2.5 per second is 1 per 400 ms
		limits = append(limits, plugin.RateLimit{Requests: 1, Per: time.Duration(float64(time.Second) / max(perSecond, 1e-6))})
	}
	if perDay > 0 {
		limits = append(limits, plugin.RateLimit{Requests: int(perDay), Per: 24 * time.Hour})
	}
	return limits
}

func invalid(attribute, problem string) error {
	e := plugin.Errorf(plugin.CodeInvalidConfig, "%s %s", attribute, problem)
	e.Attribute = attribute
	return e
}

// isID reports whether s can be an id of Gong's, which are numbers of 64 bits written in digits.
func isID(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}
