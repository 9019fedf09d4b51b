package gongtest

import (
	"slices"
	"strings"
	"time"
)

// userDocument is a user as the API shows it: with explicit nulls.
type userDocument struct {
	ID                  string          `json:"id"`
	EmailAddress        string          `json:"emailAddress"`
	Created             string          `json:"created"`
	Active              bool            `json:"active"`
	EmailAliases        []string        `json:"emailAliases"`
	TrustedEmailAddress *string         `json:"trustedEmailAddress"`
	FirstName           *string         `json:"firstName"`
	LastName            *string         `json:"lastName"`
	Title               *string         `json:"title"`
	PhoneNumber         *string         `json:"phoneNumber"`
	Extension           *string         `json:"extension"`
	PersonalMeetingURLs []string        `json:"personalMeetingUrls"`
	Settings            map[string]bool `json:"settings"`
	ManagerID           *string         `json:"managerId"`
	MeetingConsentURL   *string         `json:"meetingConsentPageUrl"`
	SpokenLanguages     []struct{}      `json:"spokenLanguages"`
}

func (x *exchange) userDocument(u User) userDocument {
	return userDocument{
		ID: u.ID, EmailAddress: u.Email, Created: x.timestamp(u.Created), Active: !u.Inactive,
		EmailAliases: append([]string{}, u.Aliases...), FirstName: orNull(u.FirstName), LastName: orNull(u.LastName), Title: orNull(u.Title),
		PersonalMeetingURLs: []string{}, ManagerID: orNull(u.ManagerID), SpokenLanguages: []struct{}{},
		Settings: map[string]bool{"webConferencesRecorded": true, "preventWebConferenceRecording": false,
			"telephonyCallsImported": true, "emailsImported": true, "preventEmailImport": false,
			"nonRecordedMeetingsImported": true, "gongConnectEnabled": true},
	}
}

func (x *exchange) userPage(match func(User) bool, empty string) (any, error) {
	var items []item[userDocument]
	for _, u := range x.server.allUsers() {
		if match(u) {
			items = append(items, item[userDocument]{key{id: u.ID}, x.userDocument(u), true})
		}
	}
	users, r, err := page(x, items, empty)
	if err != nil {
		return nil, err
	}
	return struct {
		RequestID string         `json:"requestId"`
		Records   records        `json:"records"`
		Users     []userDocument `json:"users"`
	}{x.requestID(), r, append([]userDocument{}, users...)}, nil
}

// listUsers is GET /v2/users. Without a filter an empty list is a good answer.
func (x *exchange) listUsers(Key) (any, error) {
	avatars := x.request.URL.Query().Get("includeAvatars") == "true"
	return x.userPage(func(u User) bool { return avatars || !u.Avatar }, "")
}

// getUser is GET /v2/users/{id}. Gong's words for an unknown id are not known.
func (x *exchange) getUser(Key) (any, error) {
	id := strings.TrimPrefix(x.request.URL.Path, "/v2/users/")
	users := x.server.allUsers()
	i := slices.IndexFunc(users, func(u User) bool { return u.ID == id && !u.Avatar })
	if i < 0 {
		return nil, notFound("User ID %s was not found", id)
	}
	return struct {
		RequestID string       `json:"requestId"`
		User      userDocument `json:"user"`
	}{x.requestID(), x.userDocument(users[i])}, nil
}

// extensiveUsers is POST /v2/users/extensive.
func (x *exchange) extensiveUsers(Key) (any, error) {
	_, o, err := x.parseBody()
	if err != nil {
		return nil, err
	}
	var from, to string
	var ids []string
	var avatars bool
	for name, into := range map[string]any{
		"createdFromDateTime": &from, "createdToDateTime": &to, "userIds": &ids, "includeAvatars": &avatars,
	} {
		if err := o.get(name, into); err != nil {
			return nil, err
		}
	}
	var window filter
	if err := window.setWindow(from, to); err != nil {
		return nil, err
	}
	known := x.server.allUsers()
	var missing []string
	for _, id := range ids {
		if !slices.ContainsFunc(known, func(u User) bool { return u.ID == id && (avatars || !u.Avatar) }) {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return nil, notFound("The following userIds were not found: %s", strings.Join(missing, ", "))
	}
	return x.userPage(func(u User) bool {
		return (avatars || !u.Avatar) && (ids == nil || slices.Contains(ids, u.ID)) && window.covers(u.Created)
	}, noUsers)
}

// listWorkspaces is GET /v2/workspaces, which has no pages. A workspace without a description has no such member.
func (x *exchange) listWorkspaces(Key) (any, error) {
	type workspace struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
	}
	workspaces := []workspace{}
	for _, w := range x.server.opts.Workspaces {
		workspaces = append(workspaces, workspace(w))
	}
	return struct {
		RequestID  string      `json:"requestId"`
		Workspaces []workspace `json:"workspaces"`
	}{x.requestID(), workspaces}, nil
}

// timestamp writes a time as Gong does: with the company's offset and as many digits of the second as there are, at most six.
func (x *exchange) timestamp(t time.Time) string {
	return t.In(x.server.opts.Location).Format("2006-01-02T15:04:05.999999-07:00")
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
