package gongtest

import (
	"slices"
	"strconv"
	"time"
)

// metaData is the part of a call that is always there, with all of its 20 members.
type metaData struct {
	ID              string  `json:"id"`
	URL             string  `json:"url"`
	Title           *string `json:"title"`
	Scheduled       *string `json:"scheduled"`
	Started         string  `json:"started"`
	Duration        int64   `json:"duration"`
	PrimaryUserID   *string `json:"primaryUserId"`
	Direction       string  `json:"direction"`
	System          string  `json:"system"`
	Scope           string  `json:"scope"`
	Media           string  `json:"media"`
	Language        string  `json:"language"`
	WorkspaceID     string  `json:"workspaceId"`
	SDRDisposition  *string `json:"sdrDisposition"`
	ClientUniqueID  *string `json:"clientUniqueId"`
	CustomData      *string `json:"customData"`
	Purpose         *string `json:"purpose"`
	MeetingURL      *string `json:"meetingUrl"`
	IsPrivate       bool    `json:"isPrivate"`
	CalendarEventID *string `json:"calendarEventId"`
}

// document is a call of the extensive endpoint: parts that were not asked for, or are not there, are left out.
type document struct {
	MetaData      metaData       `json:"metaData"`
	Context       *[]crmContext  `json:"context,omitempty"`
	Parties       []party        `json:"parties,omitempty"`
	Content       *content       `json:"content,omitempty"`
	Interaction   *interaction   `json:"interaction,omitempty"`
	Collaboration *collaboration `json:"collaboration,omitempty"`
	Media         *media         `json:"media,omitempty"`
}

type crmContext struct {
	System  string      `json:"system"`
	Objects []crmObject `json:"objects"`
}

type crmObject struct {
	ObjectType string     `json:"objectType"`
	ObjectID   string     `json:"objectId"`
	Fields     []CRMField `json:"fields"`
	Timing     string     `json:"timing"`
}

type party struct {
	ID          string       `json:"id"`
	Email       string       `json:"emailAddress,omitempty"`
	Name        string       `json:"name,omitempty"`
	Title       string       `json:"title,omitempty"`
	UserID      string       `json:"userId,omitempty"`
	SpeakerID   *string      `json:"speakerId"`
	Context     []crmContext `json:"context"`
	Affiliation string       `json:"affiliation"`
	Phone       string       `json:"phoneNumber,omitempty"`
	Methods     []string     `json:"methods"`
}

type span struct {
	Name     string `json:"name"`
	Duration int64  `json:"duration"`
}

type text struct {
	Text string `json:"text"`
}

type content struct {
	Structure  []span      `json:"structure,omitempty"`
	Topics     *[]span     `json:"topics,omitempty"`
	Trackers   *[]tracker  `json:"trackers,omitempty"`
	Brief      string      `json:"brief,omitempty"`
	Outline    []section   `json:"outline,omitempty"`
	Highlights []highlight `json:"highlights,omitempty"`
	Outcome    *Outcome    `json:"callOutcome,omitempty"`
	KeyPoints  []text      `json:"keyPoints,omitempty"`
}

type section struct {
	Section   string      `json:"section"`
	StartTime float64     `json:"startTime"`
	Duration  float64     `json:"duration"`
	Items     []timedText `json:"items"`
}

type timedText struct {
	Text      string  `json:"text"`
	StartTime float64 `json:"startTime"`
}

type highlight struct {
	Title string          `json:"title"`
	Items []highlightItem `json:"items"`
}

type highlightItem struct {
	Text       string    `json:"text"`
	StartTimes []float64 `json:"startTimes"`
}

type tracker struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Count       int          `json:"count"`
	Type        string       `json:"type"`
	Occurrences []occurrence `json:"occurrences,omitempty"`
	Phrases     []phrase     `json:"phrases"`
}

type phrase struct {
	Count       int          `json:"count"`
	Phrase      string       `json:"phrase"`
	Occurrences []occurrence `json:"occurrences,omitempty"`
}

type occurrence struct {
	StartTime float64 `json:"startTime"`
	SpeakerID *string `json:"speakerId"`
}

type interaction struct {
	Speakers  []speaker  `json:"speakers,omitempty"`
	Stats     *[]stat    `json:"interactionStats,omitempty"`
	Video     []span     `json:"video,omitempty"`
	Questions *questions `json:"questions,omitempty"`
}

type speaker struct {
	ID       string  `json:"id"`
	UserID   *string `json:"userId"`
	TalkTime float64 `json:"talkTime"`
}

type stat struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

type questions struct {
	Company  int `json:"companyCount"`
	Customer int `json:"nonCompanyCount"`
}

type collaboration struct {
	Comments []comment `json:"publicComments,omitempty"`
}

type comment struct {
	ID         string  `json:"id"`
	Start      float64 `json:"audioStartTime"`
	End        float64 `json:"audioEndTime"`
	UserID     string  `json:"commenterUserId"`
	Comment    string  `json:"comment"`
	Posted     string  `json:"posted"`
	DuringCall bool    `json:"duringCall"`
}

type media struct {
	AudioURL string `json:"audioUrl,omitempty"`
	VideoURL string `json:"videoUrl,omitempty"`
}

// A transcript's times are in milliseconds, unlike all others.
type transcript struct {
	CallID     string      `json:"callId"`
	Transcript []monologue `json:"transcript"`
}

type monologue struct {
	SpeakerID *string    `json:"speakerId"`
	Topic     *string    `json:"topic"`
	Sentences []sentence `json:"sentences"`
}

type sentence struct {
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Text  string `json:"text"`
}

func (x *exchange) metaData(c Call) metaData {
	m := metaData{
		ID: c.ID, URL: c.URL, Title: orNull(c.Title), Started: x.timestamp(c.Started), Duration: int64(c.Duration / time.Second),
		PrimaryUserID: orNull(c.PrimaryUserID), Direction: c.Direction, System: c.System, Scope: c.Scope, Media: c.Media,
		Language: c.Language, WorkspaceID: c.WorkspaceID, SDRDisposition: orNull(c.SDRDisposition),
		ClientUniqueID: orNull(c.ClientUniqueID), CustomData: orNull(c.CustomData), Purpose: orNull(c.Purpose),
		MeetingURL: orNull(c.MeetingURL), IsPrivate: c.Private, CalendarEventID: orNull(c.CalendarEventID),
	}
	if !c.Scheduled.IsZero() {
		m.Scheduled = orNull(x.timestamp(c.Scheduled))
	}
	return m
}

func (x *exchange) document(c Call, s selector) document {
	d := document{MetaData: x.metaData(c)}
	if s.context != "None" {
		contexts := crmContexts(c.CRM, s)
		d.Context = &contexts
	}
	if s.fields["parties"] {
		d.Parties = parties(c, s)
	}
	if s.any("content") {
		d.Content = x.content(c, s)
	}
	if s.any("interaction") {
		d.Interaction = newInteraction(c, s)
	}
	if s.any("collaboration") {
		d.Collaboration = &collaboration{Comments: x.comments(c)}
	}
	if s.fields["media"] && c.AudioURL+c.VideoURL != "" {
		signed := "?X-Amz-Expires=28799&X-Amz-Signature=" + x.requestID() // another one at each request
		d.Media = &media{}
		if c.AudioURL != "" {
			d.Media.AudioURL = c.AudioURL + signed
		}
		if c.VideoURL != "" {
			d.Media.VideoURL = c.VideoURL + signed
		}
	}
	return d
}

// crmContexts groups links by system. They have field values with context Extended only.
func crmContexts(links []CRMObject, s selector) []crmContext {
	contexts := []crmContext{}
	for _, link := range links {
		setDefault(&link.System, "Salesforce")
		setDefault(&link.Timing, "Now")
		if s.context == "None" || !slices.Contains(s.timing, link.Timing) {
			continue
		}
		fields := []CRMField{}
		if s.context == "Extended" {
			fields = append(fields, link.Fields...)
		}
		i := slices.IndexFunc(contexts, func(c crmContext) bool { return c.System == link.System })
		if i < 0 {
			contexts = append(contexts, crmContext{System: link.System})
			i = len(contexts) - 1
		}
		contexts[i].Objects = append(contexts[i].Objects, crmObject{link.Type, link.ID, fields, link.Timing})
	}
	return contexts
}

func parties(c Call, s selector) []party {
	var out []party
	for i, p := range c.Parties {
		setDefault(&p.ID, c.ID+strconv.Itoa(i+1))
		setDefault(&p.Affiliation, "Unknown")
		if p.Methods == nil {
			p.Methods = []string{"Invitee", "Attendee"}
		}
		out = append(out, party{p.ID, p.Email, p.Name, p.Title, p.UserID, orNull(p.SpeakerID), crmContexts(p.CRM, s), p.Affiliation,
			p.Phone, p.Methods})
	}
	return out
}

func (x *exchange) content(c Call, s selector) *content {
	out := &content{}
	if s.fields["content.structure"] {
		out.Structure = spans(c.Structure)
	}
	if s.fields["content.topics"] {
		topics := x.topics(c)
		out.Topics = &topics
	}
	if s.fields["content.trackers"] {
		trackers := newTrackers(c, s.fields["content.trackerOccurrences"])
		out.Trackers = &trackers
	}
	if s.fields["content.brief"] {
		out.Brief = c.Brief
	}
	if s.fields["content.outline"] {
		out.Outline = outline(c)
	}
	if s.fields["content.highlights"] {
		out.Highlights = highlights(c)
	}
	if s.fields["content.callOutcome"] {
		out.Outcome = c.Outcome
	}
	if s.fields["content.keyPoints"] {
		for _, p := range c.KeyPoints {
			out.KeyPoints = append(out.KeyPoints, text{p})
		}
	}
	return out
}

// topics lists the company's topics, those of the call with their durations.
func (x *exchange) topics(c Call) []span {
	topics := spans(c.Topics)
	for _, name := range x.server.opts.Topics {
		if !slices.ContainsFunc(topics, func(s span) bool { return s.Name == name }) {
			topics = append(topics, span{Name: name})
		}
	}
	return topics
}

func spans(in []Span) []span {
	var out []span
	for _, s := range in {
		out = append(out, span{s.Name, int64(s.Duration / time.Second)})
	}
	return out
}

func outline(c Call) []section {
	var out []section
	for _, s := range c.Outline {
		o := section{Section: s.Name, StartTime: single(s.Start), Duration: single(s.Duration), Items: []timedText{}}
		for _, item := range s.Items {
			o.Items = append(o.Items, timedText{item, single(s.Start)})
		}
		out = append(out, o)
	}
	return out
}

func highlights(c Call) []highlight {
	var out []highlight
	for _, h := range c.Highlights {
		o := highlight{Title: h.Title, Items: []highlightItem{}}
		for _, item := range h.Items {
			o.Items = append(o.Items, highlightItem{item, []float64{single(c.Duration)}})
		}
		out = append(out, o)
	}
	return out
}

func newTrackers(c Call, occurrences bool) []tracker {
	out := []tracker{}
	for _, t := range c.Trackers {
		o := tracker{ID: t.ID, Name: t.Name, Count: t.Count, Type: "KEYWORD", Phrases: []phrase{}}
		var found []occurrence
		for _, at := range t.At {
			found = append(found, occurrence{StartTime: single(at)})
		}
		if !occurrences {
			found = nil
		}
		o.Occurrences = found
		if t.Phrase != "" {
			o.Phrases = append(o.Phrases, phrase{t.Count, t.Phrase, found})
		}
		out = append(out, o)
	}
	return out
}

func newInteraction(c Call, s selector) *interaction {
	out := &interaction{}
	if s.fields["interaction.speakers"] {
		for _, p := range c.Speakers {
			out.Speakers = append(out.Speakers, speaker{p.PartyID, orNull(p.UserID), single(p.TalkTime)})
		}
	}
	if s.fields["interaction.personInteractionStats"] {
		stats := []stat{}
		if t := c.Stats; t != nil {
			stats = append(stats, stat{"Talk Ratio", t.TalkRatio}, stat{"Longest Monologue", single(t.LongestMonologue)},
				stat{"Longest Customer Story", single(t.LongestCustomerStory)}, stat{"Interactivity", t.Interactivity},
				stat{"Patience", single(t.Patience)})
		}
		out.Stats = &stats
	}
	if s.fields["interaction.video"] {
		out.Video = spans(c.Video)
	}
	if s.fields["interaction.questions"] {
		out.Questions = &questions{c.CompanyQuestions, c.CustomerQuestions}
	}
	return out
}

func (x *exchange) comments(c Call) []comment {
	var out []comment
	for _, m := range c.Comments {
		at := single(m.At)
		out = append(out, comment{ID: m.ID, Start: at, End: at, UserID: m.UserID, Comment: m.Text, Posted: x.timestamp(m.Posted)})
	}
	return out
}

func newTranscript(c Call) transcript {
	t := transcript{CallID: c.ID, Transcript: []monologue{}}
	for _, m := range c.Transcript {
		o := monologue{SpeakerID: orNull(m.SpeakerID), Topic: orNull(m.Topic), Sentences: []sentence{}}
		for _, s := range m.Sentences {
			o.Sentences = append(o.Sentences, sentence{s.Start.Milliseconds(), s.End.Milliseconds(), s.Text})
		}
		t.Transcript = append(t.Transcript, o)
	}
	return t
}

// single is a duration in seconds as Gong sends it: a float64 that once was a float32, such as 155.2100067138672.
func single(d time.Duration) float64 { return float64(float32(d.Seconds())) }
