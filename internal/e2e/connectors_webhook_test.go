package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/examples"
)

// webhookConnections are the connections of the example that sends Gong meetings to a webhook, to a simulator and a receiver here.
const webhookConnections = `
connection "gong" "acme" {
  access_key          = env("GONG_ACCESS_KEY")
  access_key_secret   = env("GONG_ACCESS_KEY_SECRET")
  base_url            = env("GONG_BASE_URL")
  requests_per_second = 0
  requests_per_day    = 0
}

connection "webhook" "meetings" {
  url                 = env("MEETINGS_WEBHOOK_URL")
  secret              = env("MEETINGS_WEBHOOK_SECRET")
  timeout             = "1s"
  requests_per_second = 0
}
`

// inbox is a receiver that drops what it has taken before. The answers to the first requests get lost, after it took them.
type inbox struct {
	t   *testing.T
	key []byte

	mu       sync.Mutex
	lose     int
	requests int
	taken    map[string]map[string]any // bodies by id
	events   map[string]int
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		in.t.Error(err)
	}
	id := r.Header.Get("Webhook-Id")
	mac := hmac.New(sha256.New, in.key)
	_, _ = io.WriteString(mac, id+"."+r.Header.Get("Webhook-Timestamp")+"."+string(body))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("Webhook-Signature") != want {
		in.t.Errorf("the signature of %s is %q, want %q", id, r.Header.Get("Webhook-Signature"), want)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.requests++
	if in.taken[id] != nil {
		w.WriteHeader(http.StatusConflict)
		return
	}
	in.events[r.Header.Get("Webhook-Event")]++
	var meeting map[string]any
	if err := json.Unmarshal(body, &meeting); err != nil {
		in.t.Errorf("%s is no JSON object: %v", body, err)
	}
	in.taken[id] = meeting
	if in.lose--; in.lose >= 0 {
		panic(http.ErrAbortHandler)
	}
}

// look looks at what was received while nothing is.
func (in *inbox) look(f func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	f()
}

// TestGongMeetingsAreSentToAWebhook runs the example. Answers get lost: the meetings are sent again, and arrive once.
func TestGongMeetingsAreSentToAWebhook(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	in := &inbox{t: t, key: []byte("0123456789abcdef0123456789abcdef"), lose: 2}
	in.taken, in.events = map[string]map[string]any{}, map[string]int{}
	s.example(webhookConnections, examples.GongToWebhook(), "gong_meetings.hcl")
	s.env = append(s.env, "MEETINGS_WEBHOOK_URL="+serve(t, in)+"/meetings?from=durasync",
		"MEETINGS_WEBHOOK_SECRET=whsec_"+base64.StdEncoding.EncodeToString(in.key))
	s.worker()
	s.ok("apply", s.dir)

	began := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour)
	want := map[string]map[string]any{} // by the id of the call
	for _, title := range []string{"Review", "Kick-off", "Weekly <sync>"} {
		call := gongtest.Call{
			Title: title, URL: "https://gong.example/" + title[:1], Started: began, Duration: 29*time.Minute + 30*time.Second,
			Brief: "They talked.", Highlights: []gongtest.Highlight{{Title: "Next steps", Items: []string{"Send it."}}}, PrimaryUserID: "1",
			Parties: []gongtest.Party{
				{Name: "Hana", Email: "hana@vendor.example", UserID: "1", Affiliation: "Internal"}, {Name: "Phone"},
				{Name: "Pat", Email: contact("acme")},
			},
		}
		id := s.gong.AddCall(call)
		want[id] = map[string]any{
			"id": id, "title": title, "url": call.URL, "started": began.Format(time.RFC3339), "minutes": 30.0, "host": "hana@vendor.example",
			"participants": []any{"hana@vendor.example", contact("acme")}, "brief": "They talked.", "next_steps": []any{"Send it."},
		}
	}
	s.gong.AddCall(gongtest.Call{Title: "Among ourselves", Scope: "Internal", Started: began, Duration: time.Hour, Brief: "They talked."})

	first := s.sync("gong_to_webhook")
	if first.Counts.Created != 3 || first.Counts.Failed != 0 {
		t.Errorf("the run says %+v", first.Counts)
	}
	got := map[string]map[string]any{}
	in.look(func() {
		for _, m := range in.taken {
			m["started"] = inUTC(t, m["started"])
			got[m["id"].(string)] = m
		}
		if len(in.taken) != 3 || in.requests != 5 || in.events["meeting.ended"] != 3 {
			t.Errorf("%d meetings were taken from %d requests, %d with their event; want 3 from 5: two were sent again, with the same id",
				len(in.taken), in.requests, in.events["meeting.ended"])
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the receiver took (-want +got):\n%s", diff)
	}
	s.sync("gong_to_webhook")
	in.look(func() {
		if in.requests != 5 {
			t.Errorf("the second run sent %d requests, although all meetings had arrived", in.requests-5)
		}
	})
}

// inUTC is a time that was sent as text, in UTC.
func inUTC(t *testing.T, v any) string {
	t.Helper()
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Error(err)
	}
	return at.UTC().Format(time.RFC3339)
}
