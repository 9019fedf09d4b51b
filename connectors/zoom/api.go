package zoom

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// pageSize is the largest page that Zoom makes.
const pageSize = "300"

// system is what messages call Zoom.
const system = "Zoom"

// historyPage is a page of GET /report/history_meetings.
type historyPage struct {
	Next     string `json:"next_page_token"`
	Meetings []struct {
		UUID  string `json:"meeting_uuid"`
		Start string `json:"start_time"`
		End   string `json:"end_time"`
	} `json:"history_meetings"`
}

// pastMeeting is the answer of GET /past_meetings/{uuid}. A null and a missing member mean the same in all of them.
type pastMeeting struct {
	UUID      string      `json:"uuid"`
	ID        json.Number `json:"id"`
	Topic     string      `json:"topic"`
	HostName  string      `json:"user_name"`
	HostEmail string      `json:"user_email"`
	Start     string      `json:"start_time"`
	End       string      `json:"end_time"`
	Duration  int64       `json:"duration"` // in minutes
}

// participantPage is a page of GET /past_meetings/{uuid}/participants. People who leave and join again are there once for each time.
type participantPage struct {
	Next         string        `json:"next_page_token"`
	Participants []participant `json:"participants"`
}

type participant struct {
	ID       string `json:"id"` // of a user; empty for people who are not logged in
	Name     string `json:"name"`
	Email    string `json:"user_email"`
	Internal *bool  `json:"internal_user"`
	Duration int64  `json:"duration"` // in seconds
}

// summary is the answer of GET /meetings/{uuid}/meeting_summary. Content has all of it in Markdown and replaces the parts, which
// Zoom still sends; accounts that are older, or edit their summaries, have the parts alone.
type summary struct {
	summaryParts
	Content string       `json:"summary_content"`
	DocURL  string       `json:"summary_doc_url"`
	Edited  summaryParts `json:"edited_summary"` // what people made of it
}

type summaryParts struct {
	Overview  string   `json:"summary_overview"`
	Details   details  `json:"summary_details"`
	NextSteps []string `json:"next_steps"`
}

// details are the parts of a summary with their titles. An edited summary has one text instead.
type details []struct {
	Label   string `json:"label"`
	Summary string `json:"summary"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *details) UnmarshalJSON(b []byte) error {
	type list details
	if len(b) == 0 || b[0] != '"' {
		return json.Unmarshal(b, (*list)(d))
	}
	*d = make(details, 1)
	return json.Unmarshal(b, &(*d)[0].Summary)
}

// refusal is an answer with which Zoom refuses a request, and the code in its body.
type refusal struct {
	err          *plugin.Error
	status, code int
}

func (r *refusal) Error() string { return r.err.Message }

// Unwrap makes a refusal the error that it stands for.
func (r *refusal) Unwrap() error { return r.err }

// The codes in the bodies of errors.
const (
	codePlan       = 200  // the account's plan does not have it
	codeValidation = 300  // the request is not one that Zoom takes
	codeEmailOnly  = 2305 // summaries are shared by e-mail only
	codeMeetings   = 3000 // from here to 3999: about the meeting, such as that it does not exist
)

// missingScope matches Zoom's words for a scope that the app does not have. They come with status 400 and the code 4711 or 104.
var missingScope = regexp.MustCompile(`does not contain scopes?: ?\[([A-Za-z0-9:_, -]{1,200})`)

// get asks for a resource. What Zoom refuses with 400, 403 or 404 is a [*refusal].
func (c *connection) get(ctx context.Context, path string, query url.Values, into any) error {
	resp, err := c.api.Do(ctx, &httpkit.Request{
		Method: http.MethodGet, Path: path, Query: query,
		Accept: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound},
	})
	if err != nil {
		return err
	}
	if resp.Status/100 == 2 {
		return resp.Decode(into)
	}
	var body struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	r := &refusal{err: resp.Err(), status: resp.Status}
	if json.Unmarshal(resp.Body, &body) == nil {
		r.code = body.Code
	}
	if m := missingScope.FindStringSubmatch(body.Message); m != nil {
		return plugin.Errorf(plugin.CodePermissionDenied, "Zoom accepts the app but does not let it ask for %s, because it lacks the scope %s; "+
			"add it in the Zoom App Marketplace. If a scope for summaries is not offered there, set read_summaries = false", path, m[1])
	}
	return r
}

// pathOf writes a UUID into a path. Zoom wants those that begin with a slash or hold two in a row encoded twice.
func pathOf(format, uuid string) string {
	escaped := url.QueryEscape(uuid) // a path segment may hold + and =, but not every server reads them as they are
	if strings.HasPrefix(uuid, "/") || strings.Contains(uuid, "//") {
		escaped = url.QueryEscape(escaped)
	}
	return fmt.Sprintf(format, escaped)
}

func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}
