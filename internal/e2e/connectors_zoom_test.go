package e2e

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/totango/totangotest"
	"github.com/durasync/durasync/connectors/zoom/zoomtest"
	"github.com/durasync/durasync/examples"
)

// zoomConnections are the connections of the example that brings Zoom meetings to Totango, to simulators.
const zoomConnections = `
connection "zoom" "acme" {
  account_id          = env("ZOOM_ACCOUNT_ID")
  client_id           = env("ZOOM_CLIENT_ID")
  client_secret       = env("ZOOM_CLIENT_SECRET")
  base_url            = env("ZOOM_BASE_URL")
  token_url           = "${env("ZOOM_BASE_URL")}/oauth/token"
  requests_per_second = 0
}

connection "totango" "success" {
  app_token           = env("TOTANGO_APP_TOKEN")
  base_url            = env("TOTANGO_BASE_URL")
  requests_per_minute = 0
  write_timeout       = "2s"
  search_lag          = "1s"
}
`

// example replaces the system's job files by the connections and a job of the examples.
func (s *system) example(connections string, dir fs.FS, job string) {
	s.t.Helper()
	src, err := fs.ReadFile(dir, job)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("jobs.hcl", connections+string(src))
}

// TestZoomMeetingsBecomeTouchpoints runs the example without a map block. One meeting has everything, one has nobody whom Totango
// knows, and one gets its summary only after the first run.
func TestZoomMeetingsBecomeTouchpoints(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	account := &zoomtest.Server{PageSize: 2}
	s.example(zoomConnections, examples.ZoomToTotango(), "zoom_meetings.hcl")
	s.env = append(s.env, "ZOOM_BASE_URL="+serve(t, account), "ZOOM_ACCOUNT_ID="+zoomtest.AccountID, "ZOOM_CLIENT_ID="+zoomtest.ClientID,
		"ZOOM_CLIENT_SECRET="+zoomtest.ClientSecret)
	p := start(t, s.env, "worker", s.dir)
	p.line("zoom.acme")
	s.ok("apply", s.dir)

	s.customer("acme")
	s.totango.AddTeam(totangotest.TeamMember{Email: "hana@vendor.example", Name: "Hana Host"})
	began := time.Now().UTC().Truncate(time.Second).Add(-3 * time.Hour)
	meeting := func(uuid, topic, guest string, summary *zoomtest.Summary) {
		account.Add(zoomtest.Meeting{
			UUID: uuid, Number: 85746065, Topic: topic, HostName: "Hana Host", HostEmail: "hana@vendor.example", Started: began,
			Ended: began.Add(45 * time.Minute), Summary: summary,
			Participants: []zoomtest.Participant{
				{ID: "u1", Name: "Hana Host", Email: "hana@vendor.example", Internal: true}, {Name: "Pat", Email: guest}, {Name: "Telephone"},
				{Name: "Pat again", Email: guest},
			},
		})
	}
	meeting("/Ab+c//d==", "Quarterly review", contact("acme"), &zoomtest.Summary{
		Overview:  "They looked back at the quarter.",
		Details:   []zoomtest.Detail{{Label: "Results", Summary: "On plan."}, {Label: "Risks", Summary: "None."}},
		NextSteps: []string{"Pat: send the figures", "Hana: book the next one"}, DocURL: "https://docs.zoom.example/doc/1",
	})
	meeting("stranger==", "First talk", "new@nowhere.example", &zoomtest.Summary{Overview: "They met."})
	meeting("young==", "Just now", contact("acme"), nil)

	first := s.sync("zoom_meetings")
	if c := first.Counts; c.Listed != 3 || c.Created != 1 || c.Rejected != 1 || c.Deferred != 1 {
		t.Errorf("the first run says %+v", c)
	}
	type touchpoint struct {
		Account, Subject, CreatedBy, Type string
		Date                              time.Time
		Participants                      []string
		Content                           string
	}
	touchpoints := func() (all []touchpoint) {
		for _, p := range s.totango.Touchpoints() {
			all = append(all, touchpoint{p.AccountID, p.Subject, p.CreatedBy, typeName(s, p.TypeID), p.Date.UTC(), p.Participants, p.Content})
		}
		slices.SortFunc(all, func(a, b touchpoint) int { return strings.Compare(b.Subject, a.Subject) })
		return all
	}
	full := touchpoint{
		Account: "acme", Subject: "Quarterly review", CreatedBy: "hana@vendor.example", Type: "Web Meeting", Date: began,
		Participants: []string{"hana@vendor.example", contact("acme")},
		Content: fmt.Sprintf(`Meeting start time:
%s (UTC)

Meeting duration:
45 min

Meeting purpose:
not set

Recording URL:
https://docs.zoom.example/doc/1

Meeting brief:
They looked back at the quarter.

Key points:
- Results: On plan.
- Risks: None.

Agenda items:
not set

Topics discussed:
not set

Action items:
- Pat: send the figures
- Hana: book the next one

[durasync zoom/meetings//Ab+c//d==]`, began.Format("2006-01-02 15:04")),
	}
	if diff := cmp.Diff([]touchpoint{full}, touchpoints()); diff != "" {
		t.Errorf("the touchpoints after the first run (-want +got):\n%s", diff)
	}

	account.Update("young==", func(m *zoomtest.Meeting) { m.Summary = &zoomtest.Summary{Overview: "Written a little later."} })
	account.RevokeTokens()
	s.sync("zoom_meetings")
	got := touchpoints()
	if len(got) != 2 || got[1].Subject != "Just now" || !strings.Contains(got[1].Content, "Written a little later.") {
		t.Errorf("the meeting that got its summary after the first run is not there: %+v", got)
	}
	if n := s.sync("zoom_meetings").Counts.Created; n != 0 || len(touchpoints()) != 2 {
		t.Errorf("a run with nothing to do created %d touchpoints, and there are %d", n, len(touchpoints()))
	}
}

// typeName is what people call a touchpoint's type.
func typeName(s *system, id string) string {
	for _, typ := range s.totango.Types() {
		if typ.ID == id {
			return typ.Name
		}
	}
	return "unknown type " + id
}
