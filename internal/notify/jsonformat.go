package notify

import (
	"time"

	"github.com/durasync/durasync/activities"
)

// jsonVersion is the version of format "json".
const jsonVersion = 1

// jsonMessage is format "json" as the package's documentation describes it. It has types of its own, because those of package
// activities follow what histories need.
type jsonMessage struct {
	Version int         `json:"version"`
	ID      string      `json:"id"`
	Kind    string      `json:"kind"`
	Title   string      `json:"title"`
	Job     string      `json:"job"`
	Summary string      `json:"summary,omitempty"`
	Outcome string      `json:"outcome"`
	Error   string      `json:"error,omitempty"`
	Run     jsonRun     `json:"run"`
	Window  *jsonWindow `json:"window,omitempty"`
	Counts  jsonCounts  `json:"counts"`

	NewRejects int          `json:"new_rejects"`
	Rejects    []jsonReject `json:"rejects"`
}

type jsonRun struct {
	Kind       string    `json:"kind"`
	WorkflowID string    `json:"workflow_id"`
	RunID      string    `json:"run_id"`
	URL        string    `json:"url,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Ended      time.Time `json:"ended,omitzero"`
}

type jsonWindow struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

type jsonCounts struct {
	Listed   int `json:"listed"`
	Known    int `json:"known"`
	New      int `json:"new"`
	Created  int `json:"created"`
	Rejected int `json:"rejected"`
	Deferred int `json:"deferred"`
	Failed   int `json:"failed"`
	Adopted  int `json:"adopted,omitempty"`
}

type jsonReject struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Title  string    `json:"title,omitempty"`
	URL    string    `json:"url,omitempty"`
	State  string    `json:"state"`
	Reason string    `json:"reason"`
	Detail string    `json:"detail,omitempty"`
}

func jsonOf(n *activities.Notice) *jsonMessage {
	r := &n.Run
	kind := r.Kind
	if kind == "" {
		kind = activities.KindSync
	}
	m := &jsonMessage{
		Version: jsonVersion, ID: idOf(n), Kind: string(n.Kind), Title: compose(n).title, Job: n.Job, Summary: n.Summary,
		Outcome: string(r.Outcome), Error: r.Error,
		Run:    jsonRun{Kind: string(kind), WorkflowID: r.Owner.WorkflowID, RunID: r.RunID, URL: link(n.URL), Started: r.Started.UTC(), Ended: r.Ended.UTC()},
		Counts: jsonCounts(r.Counts), NewRejects: n.NewRejects, Rejects: []jsonReject{},
	}
	if !r.To.IsZero() {
		m.Window = &jsonWindow{r.From.UTC(), r.To.UTC()}
	}
	for _, v := range n.Rejects {
		m.Rejects = append(m.Rejects, jsonReject{
			ID: v.Pending.ID, Time: v.Pending.Time.UTC(), Title: v.Title, URL: link(v.URL), State: string(v.State), Reason: string(v.Reason), Detail: v.Detail,
		})
	}
	return m
}
