package gong

import (
	"cmp"
	"slices"
	"time"

	"github.com/durasync/durasync/plugin"
)

// field is a field of the stream: its description, what it needs of Gong, and how a record gets it.
type field struct {
	plugin.Field

	// needs asks for the parts of a call that the field is made of; nil if the metadata is enough.
	needs func(*selector)

	// host says that the field is about the host.
	host bool

	// parties says that the field shows who is one of the company's own people.
	parties bool

	// written says that Gong writes the field's text some time after the call has appeared.
	written bool

	// value returns the field's value for JSON; nil if Gong has none. Lists are never nil, so that expressions can go through
	// them.
	value func(*projected) any
}

// projected is what a record's fields are made of.
type projected struct {
	*call
	started time.Time
	host    host
	text    budget
}

// untitled is the title of calls that have none.
const untitled = "Untitled meeting"

// fields are the fields of a call. Their order is the one in which they use up a record's text.
var fields = slices.Concat(metaFields, peopleFields, textFields, moreFields)

var metaFields = []field{
	{Field: plugin.Field{Name: "id", Type: plugin.String, Semantic: plugin.MeetingID, Doc: "The call's id, in digits (metaData.id)."},
		value: func(p *projected) any { return optional(p.MetaData.ID) }},
	{Field: plugin.Field{Name: "url", Type: plugin.String, Semantic: plugin.MeetingURL,
		Doc: "The page of the recording in Gong (metaData.url)."},
		value: func(p *projected) any { return optional(p.MetaData.URL) }},
	{Field: plugin.Field{Name: "title", Type: plugin.String, Semantic: plugin.MeetingTitle,
		Doc: `The title (metaData.title); "` + untitled + `" if Gong has none.`},
		value: func(p *projected) any { return p.text.take(cmp.Or(string(p.MetaData.Title), untitled)) }},
	{Field: plugin.Field{Name: "started", Type: plugin.Time, Semantic: plugin.MeetingStarted,
		Doc: "When the recording began (metaData.started), with the company's offset."},
		value: func(p *projected) any { return p.started.Format(time.RFC3339Nano) }},
	{Field: plugin.Field{Name: "scheduled", Type: plugin.Time,
		Doc: "When the calendar had it (metaData.scheduled); not set for calls that were not planned."},
		value: func(p *projected) any {
			if t, err := time.Parse(time.RFC3339, string(p.MetaData.Scheduled)); err == nil {
				return t.Format(time.RFC3339Nano)
			}
			return nil
		}},
	{Field: plugin.Field{Name: "duration", Type: plugin.Int, Semantic: plugin.MeetingDuration,
		Doc: "The length in whole seconds, as Gong measured it (metaData.duration)."},
		value: func(p *projected) any { return p.MetaData.Duration.int() }},
	{Field: plugin.Field{Name: "purpose", Type: plugin.String, Semantic: plugin.MeetingPurpose,
		Doc: "The purpose (metaData.purpose); set only if somebody wrote one."},
		value: func(p *projected) any { return optional(text(p.text.take(string(p.MetaData.Purpose)))) }},
	{Field: plugin.Field{Name: "direction", Type: plugin.String,
		Doc: "Inbound, Outbound, Conference (a web meeting) or Unknown (metaData.direction)."},
		value: func(p *projected) any { return optional(p.MetaData.Direction) }},
	{Field: plugin.Field{Name: "system", Type: plugin.String,
		Doc: "What it was recorded from, such as Zoom or Gong Connect (metaData.system)."},
		value: func(p *projected) any { return optional(p.MetaData.System) }},
	{Field: plugin.Field{Name: "scope", Type: plugin.String,
		Doc: "Internal (only people of the company), External or Unknown (metaData.scope)."},
		value: func(p *projected) any { return optional(p.MetaData.Scope) }},
	{Field: plugin.Field{Name: "media", Type: plugin.String, Doc: "Video or Audio (metaData.media)."},
		value: func(p *projected) any { return optional(p.MetaData.Media) }},
	{Field: plugin.Field{Name: "language", Type: plugin.String,
		Doc: "The language in ISO 639-2/B, such as eng; und if unsupported, zxx if hardly anything was said (metaData.language)."},
		value: func(p *projected) any { return optional(p.MetaData.Language) }},
	{Field: plugin.Field{Name: "workspace_id", Type: plugin.String, Doc: "The workspace (metaData.workspaceId)."},
		value: func(p *projected) any { return optional(p.MetaData.WorkspaceID) }},
	{Field: plugin.Field{Name: "meeting_url", Type: plugin.String, Doc: "The link of the conference (metaData.meetingUrl)."},
		value: func(p *projected) any { return optional(p.MetaData.MeetingURL) }},
}

var peopleFields = []field{
	{Field: plugin.Field{Name: "primary_user_id", Type: plugin.String, Doc: "The host's Gong user id (metaData.primaryUserId)."},
		value: func(p *projected) any { return optional(p.MetaData.PrimaryUserID) }},
	{Field: plugin.Field{Name: "host_email", Type: plugin.String, Semantic: plugin.MeetingHostEmail,
		Doc: "The host's address: of the party with the host's user id, else of that user; not set if Gong does not know it."},
		needs: needParties, host: true,
		value: func(p *projected) any { return optional(text(p.host.email)) }},
	{Field: plugin.Field{Name: "host_name", Type: plugin.String, Doc: "The host's name, from the same place."},
		needs: needParties, host: true,
		value: func(p *projected) any { return optional(text(p.host.name)) }},
	{Field: plugin.Field{Name: "parties", Type: partyType(), Semantic: plugin.MeetingParticipants,
		Doc: "The people who were invited or took part (parties). Empty for some imported calls."},
		needs: needParties, parties: true, value: (*projected).parties},
}

var textFields = []field{
	{Field: plugin.Field{Name: "brief", Type: plugin.String, Semantic: plugin.MeetingBrief,
		Doc: "Gong's summary in a few sentences (content.brief)."},
		needs: needBrief, written: true,
		value: func(p *projected) any { return optional(text(p.text.take(string(p.Content.Brief)))) }},
	{Field: plugin.Field{Name: "key_points", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingKeyPoints,
		Doc: "Gong's key points (content.keyPoints[].text)."},
		needs: needKeyPoints, written: true,
		value: func(p *projected) any { return p.items(p.Content.KeyPoints) }},
	{Field: plugin.Field{Name: "action_items", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingActionItems,
		Doc: "What was agreed to do: the items of content.highlights titled Next steps, Next step or Action items."},
		needs:   func(s *selector) { s.ExposedFields.Content.Highlights = true },
		written: true, value: (*projected).actionItems},
	{Field: plugin.Field{Name: "agenda", Type: spanType(), Semantic: plugin.MeetingAgenda,
		Doc: "The agenda (content.structure), which most companies do not have; else the sections of the outline."},
		needs: func(s *selector) {
			s.ExposedFields.Content.Structure, s.ExposedFields.Content.Outline = true, true
		},
		written: true, value: (*projected).agenda},
	{Field: plugin.Field{Name: "topics", Type: spanType(), Semantic: plugin.MeetingTopics,
		Doc: "The topics that were talked about (content.topics). Gong lists all of the company's topics; those with no time are dropped."},
		needs: func(s *selector) { s.ExposedFields.Content.Topics = true }, value: (*projected).topics},
	{Field: plugin.Field{Name: "outcome", Type: plugin.String, Doc: "The outcome that was chosen for the call (content.callOutcome.name)."},
		needs: func(s *selector) { s.ExposedFields.Content.CallOutcome = true },
		value: func(p *projected) any { return optional(text(p.text.take(string(p.Content.Outcome.Name)))) }},
	{Field: plugin.Field{Name: "outline", Type: outlineType(),
		Doc: "Gong's outline of the call in sections (content.outline); long."},
		needs:   func(s *selector) { s.ExposedFields.Content.Outline = true },
		written: true, value: (*projected).outline},
}

var moreFields = []field{
	{Field: plugin.Field{Name: "interaction", Type: interactionType(),
		Doc: "Figures about who talked how (interaction.interactionStats, interaction.questions); not set if Gong has none."},
		needs: func(s *selector) {
			s.ExposedFields.Interaction.Stats, s.ExposedFields.Interaction.Questions = true, true
		},
		value: (*projected).interaction},
	{Field: plugin.Field{Name: "crm_accounts", Type: crmAccountType(),
		Doc: "The CRM accounts that the call is linked to now (context[].objects of type Account)."},
		needs: func(s *selector) { s.Context, s.ContextTiming = "Extended", []string{"Now"} },
		value: (*projected).crmAccounts},
}

func needParties(s *selector) { s.ExposedFields.Parties = true }

func needBrief(s *selector) { s.ExposedFields.Content.Brief = true }

func needKeyPoints(s *selector) { s.ExposedFields.Content.KeyPoints = true }

// optional is a string, or nil if it is empty.
func optional(s text) any {
	if s == "" {
		return nil
	}
	return string(s)
}
