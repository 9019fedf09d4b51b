package zoom

import (
	"encoding/json"
	"strings"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// The defaults of a connection. Zoom limits requests by the label of the API: a Pro account may send 10 heavy (reports), 20 medium
// (participants) and 30 light ones (meetings, summaries) a second, and 30,000 heavy ones a day; a Business account more. All apps of
// the account share them, so the default takes half of the least.
const (
	defaultBaseURL   = "https://api.zoom.us"
	defaultTokenURL  = "https://zoom.us/oauth/token"
	defaultPerSecond = 5
)

// config is the configuration of a connection, checked.
type config struct {
	AccountID         string  `json:"account_id"`
	ClientID          string  `json:"client_id"`
	ClientSecret      string  `json:"client_secret"`
	BaseURL           string  `json:"base_url"`
	TokenURL          string  `json:"token_url"`
	ReadSummaries     bool    `json:"read_summaries"`
	RequestsPerSecond float64 `json:"requests_per_second"`

	limits []plugin.RateLimit
}

func parseConfig(data json.RawMessage) (config, error) {
	c := config{BaseURL: defaultBaseURL, TokenURL: defaultTokenURL, ReadSummaries: true, RequestsPerSecond: defaultPerSecond}
	err := plugin.DecodeConfig(data, &c)
	if err != nil {
		return c, err
	}
	for name, value := range map[string]*string{"account_id": &c.AccountID, "client_id": &c.ClientID, "client_secret": &c.ClientSecret} {
		if *value = strings.TrimSpace(*value); *value == "" { // what was read from a file ends with a line break
			return c, plugin.InvalidConfig(name, "must not be empty; the Server-to-Server OAuth app shows it under App Credentials")
		}
	}
	if strings.HasSuffix(strings.TrimSuffix(c.BaseURL, "/"), "/v2") {
		return c, plugin.InvalidConfig("base_url", "must end before /v2, like "+defaultBaseURL)
	}
	c.limits, err = httpkit.PerSecond(c.RequestsPerSecond)
	return c, err
}
