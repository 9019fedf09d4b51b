package zoom

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
)

// part is what a field needs besides the meeting itself.
type part int

const (
	_ part = iota
	people
	writing // what AI Companion writes
)

// field is a field of the stream: its description, what it needs of Zoom, and how a record gets it.
type field struct {
	plugin.Field
	needs part

	// value returns the field's value for JSON; nil or empty if Zoom has none. Lists are never nil, so that expressions can go
	// through them.
	value func(*meeting) any
}

// untitled is the title of meetings that have none.
const untitled = "Untitled meeting"

var fields = []field{
	{Field: plugin.Field{Name: "id", Type: plugin.String, Semantic: plugin.MeetingID,
		Doc: "The UUID of this instance of the meeting (uuid)."},
		value: func(m *meeting) any { return m.UUID }},
	{Field: plugin.Field{Name: "number", Type: plugin.String,
		Doc: "The meeting number (id), which all instances of a recurring meeting share."},
		value: func(m *meeting) any { return m.ID.String() }},
	{Field: plugin.Field{Name: "title", Type: plugin.String, Semantic: plugin.MeetingTitle,
		Doc: `The topic (topic); "` + untitled + `" if Zoom has none.`},
		value: func(m *meeting) any { return first(m.Topic, untitled) }},
	{Field: plugin.Field{Name: "started", Type: plugin.Time, Semantic: plugin.MeetingStarted, Doc: "When it began (start_time), in UTC."},
		value: func(m *meeting) any { return m.started.Format(time.RFC3339) }},
	{Field: plugin.Field{Name: "duration", Type: plugin.Int, Semantic: plugin.MeetingDuration,
		Doc: "The length in seconds, from start_time to end_time."},
		value: (*meeting).duration},
	{Field: plugin.Field{Name: "url", Type: plugin.String, Semantic: plugin.MeetingURL,
		Doc: "The page of the summary in Zoom (summary_doc_url); not set without a summary."},
		needs: writing, value: func(m *meeting) any { return m.summaryURL() }},
	{Field: plugin.Field{Name: "host_email", Type: plugin.String, Semantic: plugin.MeetingHostEmail, Doc: "The host's address (user_email)."},
		value: func(m *meeting) any { return strings.ToLower(strings.TrimSpace(m.HostEmail)) }},
	{Field: plugin.Field{Name: "host_name", Type: plugin.String, Doc: "The host's name (user_name)."},
		value: func(m *meeting) any { return strings.TrimSpace(m.HostName) }},
	{Field: plugin.Field{Name: "participants", Semantic: plugin.MeetingParticipants,
		Doc: "The people who took part, each once, however often they joined (participants).",
		Type: plugin.ListOf(plugin.StructOf(
			plugin.Field{Name: "name", Type: plugin.String, Semantic: plugin.ParticipantName, Doc: "The name (name)."},
			plugin.Field{Name: "email", Type: plugin.String, Semantic: plugin.ParticipantEmail,
				Doc: "The address (user_email). Zoom leaves out those of people outside of the account, except where its email address display " +
					"rules show them."},
			plugin.Field{Name: "affiliation", Type: plugin.String, Semantic: plugin.ParticipantAffiliation,
				Doc: "Internal for people of the account, else External (internal_user); Unknown if Zoom does not say."},
			plugin.Field{Name: "duration", Type: plugin.Int, Doc: "How long the person was there, in seconds (duration)."},
		))},
		needs: people, value: (*meeting).people},
	{Field: plugin.Field{Name: "brief", Type: plugin.String, Semantic: plugin.MeetingBrief,
		Doc: "The summary's overview, as edited if it was (summary_overview); the whole summary if that is all there is (summary_content)."},
		needs: writing, value: (*meeting).brief},
	{Field: plugin.Field{Name: "key_points", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingKeyPoints,
		Doc: "The parts of the summary with their titles, as edited if they were (summary_details)."},
		needs: writing, value: (*meeting).keyPoints},
	{Field: plugin.Field{Name: "action_items", Type: plugin.ListOf(plugin.String), Semantic: plugin.MeetingActionItems,
		Doc: "The next steps, as edited if they were (next_steps)."},
		needs: writing, value: (*meeting).actionItems},
}

// choose returns the named fields.
func choose(names []string) ([]*field, error) {
	var chosen []*field
	for _, name := range names {
		i := slices.IndexFunc(fields, func(f field) bool { return f.Name == name })
		if i < 0 {
			return nil, plugin.Errorf(plugin.CodeInvalidRequest, "meetings have no field %q", name)
		}
		chosen = append(chosen, &fields[i])
	}
	return chosen, nil
}

// record makes the record of a meeting. Absent values are left out.
func (m *meeting) record(chosen []*field) (plugin.Record, error) {
	r := plugin.Record{ID: m.UUID, Time: m.started, URL: m.summaryURL(), Pending: m.pending}
	data := make(map[string]any, len(chosen))
	for _, f := range chosen {
		if v := f.value(m); v != nil && v != "" {
			data[f.Name] = v
		}
	}
	var err error
	if r.Data, err = json.Marshal(data); err != nil {
		return r, plugin.Errorf(plugin.CodeInternal, "encoding meeting %s: %v", m.UUID, err)
	}
	return r, nil
}

func (m *meeting) duration() any {
	if ended, ok := parseTime(m.End); ok && !ended.Before(m.started) {
		return int64(ended.Sub(m.started) / time.Second)
	}
	if m.Duration > 0 {
		return m.Duration * 60
	}
	return nil
}

// people are the participants. Those who joined more than once are told by their address, else by their id, else by their name.
func (m *meeting) people() any {
	type person struct {
		Name        string `json:"name,omitempty"`
		Email       string `json:"email,omitempty"`
		Affiliation string `json:"affiliation"`
		Duration    int64  `json:"duration"`
	}
	out := []*person{}
	known := map[string]*person{}
	for _, p := range m.participants {
		email := strings.ToLower(strings.TrimSpace(p.Email))
		who := first(email, p.ID, p.Name)
		one := known[who]
		if one == nil {
			one = &person{Name: strings.TrimSpace(p.Name), Email: email, Affiliation: "Unknown"}
			known[who] = one
			out = append(out, one)
		}
		if p.Internal != nil {
			one.Affiliation = map[bool]string{true: "Internal", false: "External"}[*p.Internal]
		}
		one.Duration += p.Duration
	}
	return out
}

func (m *meeting) summaryURL() string {
	if m.summary == nil {
		return ""
	}
	return m.summary.DocURL
}

func (m *meeting) brief() any {
	if m.summary == nil {
		return nil
	}
	return first(m.summary.Edited.Overview, m.summary.Overview, m.summary.Content)
}

func (m *meeting) keyPoints() any {
	out := []string{}
	if m.summary == nil {
		return out
	}
	for _, d := range firstList(m.summary.Edited.Details, m.summary.Details) {
		switch label, text := strings.TrimSpace(d.Label), strings.TrimSpace(d.Summary); {
		case label != "" && text != "":
			out = append(out, label+": "+text)
		case label+text != "":
			out = append(out, label+text)
		}
	}
	return out
}

func (m *meeting) actionItems() any {
	out := []string{}
	if m.summary == nil {
		return out
	}
	for _, step := range firstList(m.summary.Edited.NextSteps, m.summary.NextSteps) {
		if step = strings.TrimSpace(step); step != "" {
			out = append(out, step)
		}
	}
	return out
}

// first returns the first text that is not blank, trimmed.
func first(texts ...string) string {
	for _, s := range texts {
		if s = strings.TrimSpace(s); s != "" {
			return s
		}
	}
	return ""
}

// firstList returns the first list that is not empty.
func firstList[S ~[]E, E any](lists ...S) S {
	for _, l := range lists {
		if len(l) > 0 {
			return l
		}
	}
	return nil
}
