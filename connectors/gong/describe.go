package gong

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/durasync/durasync/plugin"
)

const streamCalls = "calls"

// Describe implements [plugin.Connector].
func (c *Connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name:    "gong",
		Version: Version,
		Doc: "Gong, read through its public API. The access key needs the scopes api:calls:read:extensive and api:users:read, and " +
			"api:workspaces:read to check the connection with. Private calls are never read.",
		Config:  attributes(),
		Streams: []plugin.Stream{callStream()},
	}, nil
}

func attributes() []plugin.Attribute {
	return []plugin.Attribute{
		{Name: "access_key", Type: plugin.String, Required: true, Sensitive: true,
			Doc: "The access key, made by a Gong administrator under Company settings > API."},
		{Name: "access_key_secret", Type: plugin.String, Required: true, Sensitive: true,
			Doc: "The access key's secret, which Gong shows once."},
		{Name: "base_url", Type: plugin.String, Default: quote(defaultBaseURL),
			Doc: "The host of the company's API. Many companies have their own, such as https://us-12345.api.gong.io; Gong shows it " +
				"under Company settings > API."},
		{Name: "workspace_id", Type: plugin.String,
			Doc: "The only workspace whose calls are listed, by its number. All workspaces if not set."},
		{Name: "read_users", Type: plugin.Bool, Default: json.RawMessage("true"),
			Doc: "Whether to read the company's users when a call leaves open who its host is or who is one of the company's own " +
				"people: 1 request for each 100 users, at most once a day. Whoever has an address or an alias of a user is Internal then. " +
				"Without it hosts are asked for one by one, and participants whom Gong calls Unknown stay so."},
		{Name: "requests_per_second", Type: plugin.Number, Default: json.RawMessage(strconv.Itoa(defaultPerSecond)),
			Doc: "How many requests to send in a second. Gong allows 3 to a company, all integrations together, unless its support " +
				"raised that. 0 is no limit."},
		{Name: "requests_per_day", Type: plugin.Int, Default: json.RawMessage(defaultPerDay),
			Doc: "How many requests to send in a day. Gong allows 10000 to a company, all integrations together, unless its support " +
				"raised that. 0 is no limit."},
	}
}

func quote(s string) json.RawMessage { return json.RawMessage(strconv.Quote(s)) }

func callStream() plugin.Stream {
	s := plugin.Stream{
		Name:    streamCalls,
		Record:  "call",
		MaxRead: maxRead,
		Doc: "The company's recorded calls and meetings, by the time at which they started. Gong shows a call when it has processed " +
			"its recording, which takes from minutes to a day. The text of one call is cut at 64 KiB, with … [cut] at its end.",
	}
	for _, f := range fields {
		s.Fields = append(s.Fields, f.Field)
	}
	return s
}

// spanType is a part of a call with its name and length.
func spanType() plugin.Type {
	return plugin.ListOf(plugin.StructOf(
		plugin.Field{Name: "name", Type: plugin.String, Semantic: plugin.ItemName, Doc: "Its name."},
		plugin.Field{Name: "duration", Type: plugin.Int, Semantic: plugin.ItemDuration, Doc: "Its length in seconds."},
	))
}

func partyType() plugin.Type {
	return plugin.ListOf(plugin.StructOf(
		plugin.Field{Name: "id", Type: plugin.String, Doc: "The participant's id in this call (id)."},
		plugin.Field{Name: "email", Type: plugin.String, Semantic: plugin.ParticipantEmail,
			Doc: "The address (emailAddress); not set for people who dialled in."},
		plugin.Field{Name: "name", Type: plugin.String, Semantic: plugin.ParticipantName,
			Doc: "The name (name), which Gong may have made up, such as Phone Caller #1."},
		plugin.Field{Name: "title", Type: plugin.String, Doc: "The job title (title)."},
		plugin.Field{Name: "user_id", Type: plugin.String, Doc: "The Gong user's id (userId); only the company's own people have one."},
		plugin.Field{Name: "affiliation", Type: plugin.String, Semantic: plugin.ParticipantAffiliation,
			Doc: "Internal, External or Unknown (affiliation). Unknown is common and does not mean External; it becomes Internal for an " +
				"address or alias of one of the company's users."},
		plugin.Field{Name: "phone_number", Type: plugin.String, Doc: "The telephone number (phoneNumber)."},
		plugin.Field{Name: "methods", Type: plugin.ListOf(plugin.String),
			Doc: "Invitee, Attendee or both (methods); an Invitee alone did not join."},
	))
}

func outlineType() plugin.Type {
	return plugin.ListOf(plugin.StructOf(
		plugin.Field{Name: "section", Type: plugin.String, Doc: "The section's title (section)."},
		plugin.Field{Name: "items", Type: plugin.ListOf(plugin.String), Doc: "What was said, in sentences (items[].text)."},
	))
}

func interactionType() plugin.Type {
	return plugin.StructOf(
		plugin.Field{Name: "talk_ratio", Type: plugin.Number, Doc: "The company's share of the talking, 0 to 1 (Talk Ratio)."},
		plugin.Field{Name: "longest_monologue", Type: plugin.Number, Doc: "In seconds (Longest Monologue)."},
		plugin.Field{Name: "longest_customer_story", Type: plugin.Number, Doc: "In seconds (Longest Customer Story)."},
		plugin.Field{Name: "interactivity", Type: plugin.Number, Doc: "How often the speaker changes (Interactivity)."},
		plugin.Field{Name: "patience", Type: plugin.Number, Doc: "The pause before answering, in seconds (Patience)."},
		plugin.Field{Name: "company_questions", Type: plugin.Int, Doc: "Questions by the company (questions.companyCount)."},
		plugin.Field{Name: "customer_questions", Type: plugin.Int, Doc: "Questions by the others (questions.nonCompanyCount)."},
	)
}

func crmAccountType() plugin.Type {
	return plugin.ListOf(plugin.StructOf(
		plugin.Field{Name: "system", Type: plugin.String, Doc: "The CRM, such as Salesforce (system)."},
		plugin.Field{Name: "id", Type: plugin.String, Doc: "The account's id there (objectId)."},
		plugin.Field{Name: "name", Type: plugin.String, Doc: "The account's name, if the CRM calls it Name."},
	))
}
