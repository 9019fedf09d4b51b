package gong

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// The endpoints.
const (
	pathExtensive  = "/v2/calls/extensive"
	pathUsers      = "/v2/users"
	pathWorkspaces = "/v2/workspaces"
)

// system is what messages call Gong.
const system = "Gong"

// maxAnswer bounds an answer in bytes. A page of 100 calls without content takes about 100 kB; the outline of a long call alone
// takes 25 kB.
const maxAnswer = 32 << 20

// extensiveRequest is the body of POST /v2/calls/extensive. The cursor belongs at its top level: anywhere else Gong ignores it
// and answers with the first page again.
type extensiveRequest struct {
	Filter          filter    `json:"filter"`
	Cursor          string    `json:"cursor,omitempty"`
	ContentSelector *selector `json:"contentSelector,omitempty"`
}

// filter selects calls. From is inclusive, To exclusive.
type filter struct {
	From        string   `json:"fromDateTime,omitempty"`
	To          string   `json:"toDateTime,omitempty"`
	WorkspaceID string   `json:"workspaceId,omitempty"`
	CallIDs     []string `json:"callIds,omitempty"`
}

// selector says which parts of a call to send.
type selector struct {
	Context       string   `json:"context,omitempty"`
	ContextTiming []string `json:"contextTiming,omitempty"`
	ExposedFields struct {
		Parties bool `json:"parties,omitempty"`
		Content struct {
			Structure   bool `json:"structure,omitempty"`
			Topics      bool `json:"topics,omitempty"`
			Brief       bool `json:"brief,omitempty"`
			Outline     bool `json:"outline,omitempty"`
			Highlights  bool `json:"highlights,omitempty"`
			CallOutcome bool `json:"callOutcome,omitempty"`
			KeyPoints   bool `json:"keyPoints,omitempty"`
		} `json:"content,omitzero"`
		Interaction struct {
			Stats     bool `json:"personInteractionStats,omitempty"`
			Questions bool `json:"questions,omitempty"`
		} `json:"interaction,omitzero"`
	} `json:"exposedFields"`
}

// callPage is a page of calls.
type callPage struct {
	Records struct {
		Cursor text `json:"cursor"` // absent on the last page
	} `json:"records"`
	Calls []call `json:"calls"`
}

// call is a call. Every part but the metadata may be missing: when it was not asked for, and when Gong does not have it.
type call struct {
	MetaData    metaData     `json:"metaData"`
	Context     []crmContext `json:"context"`
	Parties     []party      `json:"parties"`
	Content     content      `json:"content"`
	Interaction interaction  `json:"interaction"`
}

type metaData struct {
	ID            text   `json:"id"`
	URL           text   `json:"url"`
	Title         text   `json:"title"`
	Scheduled     text   `json:"scheduled"`
	Started       text   `json:"started"`
	Duration      number `json:"duration"`
	PrimaryUserID text   `json:"primaryUserId"`
	Direction     text   `json:"direction"`
	System        text   `json:"system"`
	Scope         text   `json:"scope"`
	Media         text   `json:"media"`
	Language      text   `json:"language"`
	WorkspaceID   text   `json:"workspaceId"`
	Purpose       text   `json:"purpose"`
	MeetingURL    text   `json:"meetingUrl"`
	IsPrivate     *bool  `json:"isPrivate"`
}

// What Gong says of a participant's affiliation when it knows.
const (
	affiliationInternal = "Internal"
	affiliationExternal = "External"
)

type party struct {
	ID          text   `json:"id"`
	Email       text   `json:"emailAddress"`
	Name        text   `json:"name"`
	Title       text   `json:"title"`
	UserID      text   `json:"userId"`
	Affiliation text   `json:"affiliation"`
	PhoneNumber text   `json:"phoneNumber"`
	Methods     []text `json:"methods"`
}

type content struct {
	Structure  []span      `json:"structure"`
	Topics     []span      `json:"topics"`
	Brief      text        `json:"brief"`
	Outline    []section   `json:"outline"`
	Highlights []highlight `json:"highlights"`
	Outcome    struct {
		Name text `json:"name"`
	} `json:"callOutcome"`
	KeyPoints []item `json:"keyPoints"`
}

type span struct {
	Name     text   `json:"name"`
	Duration number `json:"duration"`
}

type section struct {
	Section  text   `json:"section"`
	Duration number `json:"duration"`
	Items    []item `json:"items"`
}

type highlight struct {
	Title text   `json:"title"`
	Items []item `json:"items"`
}

type item struct {
	Text text `json:"text"`
}

type interaction struct {
	Stats []struct {
		Name  text   `json:"name"`
		Value number `json:"value"`
	} `json:"interactionStats"`
	Questions struct {
		Company  number `json:"companyCount"`
		Customer number `json:"nonCompanyCount"`
	} `json:"questions"`
}

type crmContext struct {
	System  text `json:"system"`
	Objects []struct {
		Type   text `json:"objectType"`
		ID     text `json:"objectId"`
		Fields []struct {
			Name  text            `json:"name"`
			Value json.RawMessage `json:"value"` // any JSON value
		} `json:"fields"`
	} `json:"objects"`
}

// user is a Gong user.
type user struct {
	ID        text   `json:"id"`
	Email     text   `json:"emailAddress"`
	Aliases   []text `json:"emailAliases"`
	Trusted   text   `json:"trustedEmailAddress"`
	FirstName text   `json:"firstName"`
	LastName  text   `json:"lastName"`
	Active    *bool  `json:"active"`
}

type workspace struct {
	ID   text `json:"id"`
	Name text `json:"name"`
}

// text is a string, trimmed, in which null and absence are the empty string. A number is kept digit by digit, so that an id
// that Gong sends without quotes stays exact.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*t = text(b)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*t = text(strings.TrimSpace(s))
	return nil
}

// number is a number that may be missing. Gong sends whole seconds as integers and others as float32 artefacts.
type number struct {
	value float64
	set   bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if err := json.Unmarshal(b, &n.value); err != nil {
		return err
	}
	n.set = true
	return nil
}

// int returns the number rounded, as a JSON integer; nil if it is missing or beyond what integers hold exactly.
func (n number) int() any {
	if r := math.Round(n.value); n.set && math.Abs(r) < 1<<53 {
		return json.Number(strconv.FormatInt(int64(r), 10))
	}
	return nil
}

// float returns the number; nil if it is missing.
func (n number) float() any {
	if n.set {
		return n.value
	}
	return nil
}
