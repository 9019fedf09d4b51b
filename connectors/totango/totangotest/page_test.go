package totangotest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/totango/totangotest"
)

func TestPages(t *testing.T) {
	s := start(t, totangotest.Options{})
	s.AddTeam(totangotest.TeamMember{Email: "csm@vendor.example", Name: "Dana", Role: "CSM"})
	s.AddUser(totangotest.User{Email: "pat@acme.example", Name: "Pat <Doe>", AccountID: "acc-1", Contact: true, KeyContact: true})
	s.AddTouchpoint(totangotest.Touchpoint{
		AccountID: "acc-1", Subject: "Sync & <b>more</b>", TypeID: s.Types()[0].ID, TagIDs: []string{s.Tags()[0].ID}, CreatedBy: "csm@vendor.example",
		Content: "Meeting duration: 5 minutes\nRecording URL: https://gong.example/call?id=1&x=2.\n\nKey points:\n- first\n- second\n\n<script>alert(1)</script>\n\n[durasync gong/calls/1]",
		Date:    time.Date(2026, 7, 1, 10, 30, 0, 0, time.UTC), Participants: []string{"csm@vendor.example", "pat@acme.example", "who@else.example"},
	})
	s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-2", Subject: "Other", Content: `<div class="html-parser-container"><div>one &amp; two</div><br /><div>three</div></div>`})
	tests := map[string]struct {
		path   string
		status int
		has    []string
		hasNot []string
	}{
		"accounts": {"/", 200, []string{"2 touchpoints in 2 accounts", `href="/accounts/acc-1"`, "Borealis", "Sync &amp; &lt;b&gt;more&lt;/b&gt;", `<html lang="en">`}, []string{"<b>more"}},
		"search":   {"/?q=pat%40acme", 200, []string{"Acme", "Sync &amp;"}, []string{"Borealis", "Other"}},
		"account":  {"/accounts/acc-1", 200, []string{"<h1>Acme</h1>", "Pat &lt;Doe&gt;", "Key contact", "Dana", "/touchpoints/981001"}, []string{"Other"}},
		"touchpoint": {"/touchpoints/981001", 200, []string{
			"Web Meeting", "Adoption", "Business Review", `datetime="2026-07-01T10:30:00Z"`, "1 July 2026, 10:30 UTC",
			"<strong>Meeting duration:</strong> 5 minutes<br>", `<a href="https://gong.example/call?id=1&amp;x=2" rel="noreferrer">https://gong.example/call?id=1&amp;x=2</a>.`,
			"<li>first</li>", "&lt;script&gt;alert(1)&lt;/script&gt;", "Unknown", `<p class="marker">[durasync gong/calls/1]</p>`,
		}, []string{"<script>", "Edited by"}},
		"touchpoint in HTML": {"/touchpoints/981002", 200, []string{"<p>one &amp; two</p>", "<p>three</p>"}, []string{"html-parser-container"}},
		"style":              {"/style.css", 200, []string{"prefers-color-scheme: dark"}, nil},
		"unknown account":    {"/accounts/nope", 404, []string{"Not here"}, nil},
		"unknown touchpoint": {"/touchpoints/1", 404, []string{"Not here"}, nil},
		"no number":          {"/touchpoints/x", 404, []string{"Not here"}, nil},
		"elsewhere":          {"/favicon.ico", 404, []string{"Not here"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := s.do("GET", tt.path, nil, "")
			wantStatus(t, r, tt.status)
			for _, want := range tt.has {
				if !strings.Contains(r.Body, want) {
					t.Errorf("lacks %q:\n%s", want, r.Body)
				}
			}
			for _, bad := range tt.hasNot {
				if strings.Contains(r.Body, bad) {
					t.Errorf("has %q", bad)
				}
			}
		})
	}
	wantStatus(t, s.do("POST", "/", nil, ""), 405)
}

// TestTeaser: a list of touchpoints shows what was talked about, not the date that stands beside it anyway.
func TestTeaser(t *testing.T) {
	s := start(t, totangotest.Options{})
	const brief = "They went through the open points of the roll-out."
	for _, content := range []string{
		"Meeting start time:\n2026-07-01 10:30 (UTC-05:00)\n\nRecording URL:\nhttps://us-12345.app.gong.io/call?id=7418761303495788088\n\nMeeting brief:\n" + brief,
		"Meeting duration: 5 minutes\n\n- a point that is long enough to be prose, but a point\n\n" + brief,
	} {
		s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-1", Subject: "Sync", Content: content})
	}
	if r := s.do("GET", "/", nil, ""); strings.Count(r.Body, `<p class="teaser">`+brief+"</p>") != 2 {
		t.Errorf("the brief is not shown:\n%s", r.Body)
	}
	s.AddTouchpoint(totangotest.Touchpoint{AccountID: "acc-2", Subject: "Nothing", Content: "Meeting brief:\nnot set"})
	if r := s.do("GET", "/accounts/acc-2", nil, ""); strings.Contains(r.Body, "teaser") {
		t.Errorf("a touchpoint without prose has a teaser:\n%s", r.Body)
	}
}
