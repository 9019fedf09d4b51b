package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/durasync/durasync/plugin"
)

// The descriptions that the tests compile against: a source of meetings, a destination of touchpoints, and one that belongs to
// nothing.

var party = plugin.StructOf(
	plugin.Field{Name: "id", Type: plugin.String},
	plugin.Field{Name: "name", Type: plugin.String, Semantic: plugin.ParticipantName},
	plugin.Field{Name: "email", Type: plugin.String, Semantic: plugin.ParticipantEmail},
	plugin.Field{Name: "affiliation", Type: plugin.String, Semantic: plugin.ParticipantAffiliation},
)

var timedItem = plugin.StructOf(
	plugin.Field{Name: "name", Type: plugin.String, Semantic: plugin.ItemName},
	plugin.Field{Name: "duration", Type: plugin.Int, Semantic: plugin.ItemDuration},
)

var meetings = &plugin.DescribeResponse{
	Name: "gong",
	Config: []plugin.Attribute{
		{Name: "access_key", Type: plugin.String, Required: true, Sensitive: true, Doc: "The access key."},
		{Name: "access_key_secret", Type: plugin.String, Required: true, Sensitive: true, Doc: "The access key's secret."},
		{Name: "base_url", Type: plugin.String, Default: json.RawMessage(`"https://api.gong.io"`)},
		{Name: "requests_per_second", Type: plugin.Number, Default: json.RawMessage(`2.5`)},
		{Name: "workspaces", Type: plugin.ListOf(plugin.Int)},
	},
	Streams: []plugin.Stream{{
		Name: "calls", Record: "call", MaxRead: 100,
		Fields: []plugin.Field{
			{Name: "id", Type: plugin.String, Semantic: plugin.MeetingID},
			{Name: "title", Type: plugin.String, Semantic: plugin.MeetingTitle},
			{Name: "url", Type: plugin.String, Semantic: plugin.MeetingURL},
			{Name: "started", Type: plugin.Time, Semantic: plugin.MeetingStarted},
			{Name: "duration", Type: plugin.Int, Semantic: plugin.MeetingDuration},
			{Name: "purpose", Type: plugin.String, Semantic: plugin.MeetingPurpose},
			{Name: "scope", Type: plugin.String},
			{Name: "video", Type: plugin.Bool},
			{Name: "workspace", Type: plugin.Int},
			{Name: "host_email", Type: plugin.String, Semantic: plugin.MeetingHostEmail},
			{Name: "parties", Type: plugin.ListOf(party), Semantic: plugin.MeetingParticipants},
			{Name: "brief", Type: plugin.String, Semantic: plugin.MeetingBrief},
			{Name: "key_points", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingKeyPoints},
			{Name: "agenda", Type: plugin.ListOf(timedItem), Semantic: plugin.MeetingAgenda},
			{Name: "topics", Type: plugin.ListOf(timedItem), Semantic: plugin.MeetingTopics},
			{Name: "action_items", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingActionItems},
			{Name: "crm", Type: plugin.StructOf(
				plugin.Field{Name: "account", Type: plugin.String}, plugin.Field{Name: "stage", Type: plugin.String})},
		},
	}, {
		Name: "users", Record: "user", MaxRead: 10,
		Fields: []plugin.Field{{Name: "id", Type: plugin.String}, {Name: "email", Type: plugin.String}},
	}},
}

var touchpoints = &plugin.DescribeResponse{
	Name: "totango",
	Config: []plugin.Attribute{
		{Name: "region", Type: plugin.String, OneOf: []string{"us", "eu"}, Default: json.RawMessage(`"us"`)},
		{Name: "app_token", Type: plugin.String, Required: true, Sensitive: true},
	},
	Objects: []plugin.Object{{
		Name: "touchpoint", MaxCreate: 1, ResolvedBy: "account_id", MaxResolve: 50, CreateOnly: true,
		Attributes: []plugin.Attribute{
			{Name: "id", Type: plugin.String, Required: true, Semantic: plugin.MeetingID, Locked: true},
			{Name: "account_id", Type: plugin.String, Required: true, Semantic: plugin.MeetingAccount},
			{Name: "subject", Type: plugin.String, Required: true, Semantic: plugin.MeetingTitle, MaxLength: 100},
			{Name: "content", Type: plugin.String, Semantic: plugin.MeetingNotes, MaxLength: 12000},
			{Name: "created_by", Type: plugin.String, Semantic: plugin.MeetingHostEmail},
			{Name: "date", Type: plugin.Time, Required: true, Semantic: plugin.MeetingStarted},
			{Name: "type", Type: plugin.String, Default: json.RawMessage(`"web_meeting"`)},
			{Name: "participants", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingParticipants},
			{Name: "flow", Type: plugin.String, OneOf: []string{"adoption", "renewal", "escalation"}},
			{Name: "tags", Type: plugin.ListOf(plugin.String)},
			{Name: "minutes", Type: plugin.Int},
			{Name: "score", Type: plugin.Number},
			{Name: "internal", Type: plugin.Bool},
		},
	}},
}

var rows = &plugin.DescribeResponse{
	Name: "table",
	Objects: []plugin.Object{{
		Name: "row", MaxCreate: 500, Idempotent: true,
		Attributes: []plugin.Attribute{
			{Name: "key", Type: plugin.String, Required: true},
			{Name: "title", Type: plugin.String, Semantic: plugin.MeetingTitle, Default: json.RawMessage(`"Untitled"`)},
			{Name: "points", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingKeyPoints},
			{Name: "topics", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingTopics},
		},
	}},
}

func describeTest(_ context.Context, connector string) (*plugin.DescribeResponse, error) {
	switch connector {
	case "gong":
		return meetings, nil
	case "totango":
		return touchpoints, nil
	case "table":
		return rows, nil
	default:
		return nil, fmt.Errorf("no connector %q is installed", connector)
	}
}

const connectionsHCL = `
connection "gong" "acme" {
  access_key        = env("GONG_ACCESS_KEY")
  access_key_secret = env("GONG_ACCESS_KEY_SECRET")
}

connection "totango" "success" {
  app_token = env("TOTANGO_APP_TOKEN")
}
`

const notifiersHCL = `
notifier "webhook" "ops" {
  url = env("OPS_WEBHOOK_URL")
}

notifier "email" "team" {
  host = "smtp.example.com"
  from = "durasync@example.com"
  to   = ["team@example.com"]
}
`

// dir makes a directory of name, content pairs.
func dir(pairs ...string) fs.FS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func options() Options { return Options{Describe: describeTest} }
