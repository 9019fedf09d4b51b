package totango

import (
	"context"
	"encoding/json"

	"github.com/durasync/durasync/plugin"
)

// Version is the connector's version.
const Version = "1.0.0"

const (
	objectName  = "touchpoint"
	maxResolve  = 100
	defaultType = "Web Meeting"

	// maxContent is the longest text of a touchpoint in UTF-16 code units. The documentation says "12K characters" and leaves
	// open what a character is; no other reading is stricter for text without supplementary characters.
	maxContent = 12_000
)

// Describe implements [plugin.Connector].
func (c *Connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name:    "totango",
		Version: Version,
		Doc:     "Totango: writes meetings to the timelines of accounts as touchpoints.",
		Config:  connectionAttributes(),
		Objects: []plugin.Object{{
			Name: objectName,
			Doc: "A touchpoint on an account's timeline. The account is found by the addresses of the participants, among its users " +
				"by user id and by the attribute Email. Touchpoints are created and never changed.",
			Attributes: touchpointAttributes(),
			MaxCreate:  1, // the API writes one for each request
			ResolvedBy: "account_id",
			MaxResolve: maxResolve,
			CreateOnly: true,
		}},
	}, nil
}

func connectionAttributes() []plugin.Attribute {
	return []plugin.Attribute{
		{
			Name: "app_token", Type: plugin.String, Required: true, Sensitive: true,
			Doc: "A personal access token of a global administrator: in Totango, Edit profile > Integration > Create Token. It stops " +
				"working when it expires or when its owner is disabled.",
		},
		{
			Name: "region", Type: plugin.String, Default: js("us"), OneOf: []string{"us", "eu"},
			Doc: `Where the Totango instance lives: "us" for api.totango.com, "eu" for api-eu1.totango.com.`,
		},
		{
			Name: "base_url", Type: plugin.String,
			Doc: "The API's address, if it is neither of the regions', such as that of a proxy. It overrides region.",
		},
		{
			Name: "requests_per_minute", Type: plugin.Int, Default: js(100),
			Doc: "The rate limit. Totango allows 100 requests a minute for each token, over all its APIs: lower it if the token has other " +
				"users. 0 means no limit.",
		},
		{
			Name: "content_format", Type: plugin.String, Default: js(formatText), OneOf: []string{formatText, formatHTML},
			Doc: `How the text of a touchpoint is sent: "text" as it is, "html" with each line in an element of its own, for instances ` +
				"that run the lines together. Markup in the text is shown, not interpreted, in both.",
		},
		{
			Name: "search_lag", Type: plugin.String, Default: js("30s"),
			Doc: `How long a new touchpoint may take to appear in Totango's search, such as "30s". After a write without an answer this ` +
				"long is waited before the touchpoint is looked for.",
		},
		{
			Name: "write_timeout", Type: plugin.String, Default: js("20s"),
			Doc: `How long writing one touchpoint may take, such as "20s".`,
		},
		{
			Name: "disable_sync", Type: plugin.Bool, Default: js(false),
			Doc: "Whether Totango must not pass the touchpoints on to Salesforce and other systems. By default they are passed on as the " +
				"instance is set up to, like touchpoints that a person enters. Set it if the meetings reach those systems in another way.",
		},
		{
			Name: "team_attributes", Type: plugin.ListOf(plugin.String), Default: js(defaultTeamAttributes),
			Doc: "The attributes of an account that hold the people who look after it, by name or address. Only jobs whose policy is " +
				"host_team read them.",
		},
	}
}

func touchpointAttributes() []plugin.Attribute {
	return []plugin.Attribute{
		{
			Name: "touchpoint_id", Type: plugin.String, Required: true, Locked: true, Semantic: plugin.MeetingID,
			Doc: "The id of the record that the touchpoint is made from. Totango's API has no place for it, so it stands in the last line of " +
				"the text.",
		},
		{
			Name: "account_id", Type: plugin.String, Required: true, Semantic: plugin.MeetingAccount,
			Doc: "The account, found by the addresses of the participants.",
		},
		{
			Name: "subject", Type: plugin.String, Locked: true, Semantic: plugin.MeetingTitle,
			Doc: "The title.",
		},
		{
			Name: "content", Type: plugin.String, Semantic: plugin.MeetingNotes, MaxLength: maxContent,
			Doc: "The text. Together with its last line, which names the record, it is at most 12,000 characters long; what is longer is " +
				"cut with a mark that says so and gives the record's address.",
		},
		{
			Name: "date", Type: plugin.Time, Required: true, Locked: true, Semantic: plugin.MeetingStarted,
			Doc: "The touchpoint's date.",
		},
		{
			Name: "type", Type: plugin.String, Default: js(defaultType), Locked: true,
			Doc: "The touchpoint type, by its name in any case, or by its id.",
		},
		{
			Name: "flow", Type: plugin.String,
			Doc: "The SuccessFlow, by its id or by its name in any case. Without it the touchpoint gets the instance's default flow.",
		},
		{
			Name: "created_by", Type: plugin.String, Locked: true, Semantic: plugin.MeetingHostEmail,
			Doc: "The address of the creator. Totango shows a team member by name and anybody else by the address. Without it the creator is " +
				"the token's owner.",
		},
		{
			Name: "participants", Type: plugin.ListOf(plugin.String), Locked: true, Semantic: plugin.MeetingParticipants,
			Doc: "The addresses of the participants.",
		},
		{
			Name: "tags", Type: plugin.ListOf(plugin.String),
			Doc: "The touchpoint reasons, by their names in any case, or by their ids.",
		},
	}
}

// js encodes a default.
func js(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only called with literals
	}
	return b
}
