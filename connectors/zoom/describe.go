package zoom

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/durasync/durasync/plugin"
)

const streamMeetings = "meetings"

// Describe implements [plugin.Connector].
func (c *Connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	stream := plugin.Stream{
		Name:    streamMeetings,
		Record:  "meeting",
		MaxRead: maxRead,
		Doc: "The account's meetings that have ended, by the time at which they began; webinars are left out. Zoom's reports reach back six " +
			"months and list meetings of two or more people. A meeting takes up to three requests: itself, its participants and its summary.",
	}
	for _, f := range fields {
		stream.Fields = append(stream.Fields, f.Field)
	}
	return &plugin.DescribeResponse{
		Name:    "zoom",
		Version: Version,
		Doc: "Zoom, read through its public API with a Server-to-Server OAuth app of a Pro account or a higher plan. The app needs the scopes " +
			"report:read:list_history_meetings:admin, meeting:read:past_meeting:admin, meeting:read:list_past_participants:admin and, for " +
			"summaries, meeting:read:summary:admin.",
		Config: []plugin.Attribute{
			{Name: "account_id", Type: plugin.String, Required: true,
				Doc: "The account, as the Server-to-Server OAuth app shows it under App Credentials in the Zoom App Marketplace."},
			{Name: "client_id", Type: plugin.String, Required: true, Doc: "The app's client id, from the same place."},
			{Name: "client_secret", Type: plugin.String, Required: true, Sensitive: true, Doc: "The app's client secret, from the same place."},
			{Name: "read_summaries", Type: plugin.Bool, Default: json.RawMessage("true"),
				Doc: "Whether to read the summaries that Zoom's AI Companion writes. Without them brief, key_points, action_items and url are not " +
					"set, and no meeting waits for its summary. Set it to false if the account writes none, or does not offer their scope to its apps."},
			{Name: "requests_per_second", Type: plugin.Number, Default: json.RawMessage(strconv.Itoa(defaultPerSecond)),
				Doc: "How many requests to send in a second. Zoom allows a Pro account 10 to its reports, which it calls heavy, 20 medium ones " +
					"and 30 light ones, a Business account 40, 60 and 80, all apps of the account together. 0 is no limit."},
			{Name: "base_url", Type: plugin.String, Default: quote(defaultBaseURL),
				Doc: "The API's host, such as https://api.zoomgov.com for Zoom for Government."},
			{Name: "token_url", Type: plugin.String, Default: quote(defaultTokenURL),
				Doc: "Where access tokens come from, such as https://zoomgov.com/oauth/token for Zoom for Government."},
		},
		Streams: []plugin.Stream{stream},
	}, nil
}

func quote(s string) json.RawMessage { return json.RawMessage(strconv.Quote(s)) }
