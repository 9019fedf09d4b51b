package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// compile loads a job with the given map block and source lines, and the template t.tmpl.
func compile(t testing.TB, source, mapping, template string) *plan.Plan {
	t.Helper()
	job := strings.Replace(minimalJob, `stream     = "calls"`, "stream     = \"calls\"\n"+source, 1)
	job = strings.Replace(job, "  destination {", "  map {\n"+mapping+"\n  }\n  destination {", 1)
	config, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", job, "t.tmpl", template), options())
	if len(config.Jobs) != 1 {
		t.Fatalf("%v\n%s", diags, job)
	}
	return config.Jobs[0]
}

func renderer(t testing.TB, p *plan.Plan) *Renderer {
	t.Helper()
	r, err := NewRenderer(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const fullCall = `{
  "id": "7782342274025937895", "title": "Quarterly \"review\"", "url": "https://app.gong.io/call?id=7782342274025937895",
  "started": "2026-09-01T09:02:11-07:00", "duration": 3925, "purpose": null, "scope": "External", "video": true,
  "workspace": 9007199254740993, "host_email": "ann@acme.com",
  "parties": [
    {"id": "1", "name": "Ann", "email": "ann@acme.com", "affiliation": "Internal"},
    {"id": "2", "name": "Bob", "email": "bob@customer.example", "affiliation": "External"},
    {"id": "3", "name": "Phone", "affiliation": "Unknown"}
  ],
  "brief": "They talked.\r\nAt length.", "key_points": ["Renewal is likely", " ", "Price is\nan issue"],
  "agenda": [], "topics": [{"name": "Pricing", "duration": 90}, {"name": "Small talk", "duration": 30}, {"name": "Other"}],
  "crm": {"account": "Customer", "stage": null}, "somethingNew": {"a": [1]}
}`

func record(data string) plugin.Record { return plugin.Record{ID: "1", Data: json.RawMessage(data)} }

func TestAttributesByDefault(t *testing.T) {
	got, err := renderer(t, compile(t, "", "", "")).Attributes(record(fullCall))
	if err != nil {
		t.Fatal(err)
	}
	var attrs map[string]any
	if err := json.Unmarshal(got, &attrs); err != nil {
		t.Fatal(err)
	}
	content, _ := attrs["content"].(string)
	delete(attrs, "content")
	want := map[string]any{
		"id": "7782342274025937895", "subject": `Quarterly "review"`, "created_by": "ann@acme.com",
		"date": "2026-09-01T09:02:11-07:00", "type": "web_meeting", "participants": []any{"ann@acme.com", "bob@customer.example"},
	}
	if diff := cmp.Diff(want, attrs); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	wantContent := `Meeting start time:
2026-09-01 09:02 (UTC-07:00)

Meeting duration:
1 h 5 min

Meeting purpose:
not set

Recording URL:
https://app.gong.io/call?id=7782342274025937895

Meeting brief:
They talked.
At length.

Key points:
- Renewal is likely
- Price is an issue

Agenda items:
not set

Topics discussed:
- Pricing (2 min)
- Small talk (30 s)
- Other

Action items:
not set`
	if diff := cmp.Diff(wantContent, content); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
}

func TestExpressions(t *testing.T) {
	tests := []struct{ mapping, want string }{
		{`subject = "[Gong] ${call.title}"`, `"subject":"[Gong] Quarterly \"review\""`},
		{`minutes = call.workspace`, `"minutes":9007199254740993`},
		{`minutes = call.workspace + 1`, `"minutes":9007199254740994`},
		{`minutes = 123456789012345678901234567890`, `"minutes":123456789012345678901234567890`},
		{`score = call.duration / 10`, `"score":392.5`},
		{`score = 0.1`, `"score":0.1`},
		{`tags = [for p in call.parties : p.name if p.affiliation != "Internal"]`, `"tags":["Bob","Phone"]`},
		{`tags = call.parties[*].email`, `"tags":["ann@acme.com","bob@customer.example"]`},
		{`tags = call.action_items`, `"tags":[]`},
		{`tags = compact([call.crm.stage, "x", ""])`, `"tags":["x"]`},
		{`subject = coalesce(call.purpose, "", call.crm.account)`, `"subject":"Customer"`},
		{`subject = try(call.parties[7].name, "nobody")`, `"subject":"nobody"`},
		{`internal = can(call.parties[7])`, `"internal":false`},
		{`internal = alltrue([for p in call.parties : p.name != null])`, `"internal":true`},
		{`subject = format_time("D MMM YYYY hh:mm", call.started)`, `"subject":"1 Sep 2026 09:02"`},
		{`subject = format_time("YYYY-MM-DD hh:mm ZZZ", call.started, "Europe/Berlin")`, `"subject":"2026-09-01 18:02 +0200"`},
		{`subject = format_duration(call.duration)`, `"subject":"1 h 5 min"`},
		{`subject = call.video ? "video" : "audio"`, `"subject":"video"`},
		{`minutes = length(call.title)`, `"minutes":18`},
		{`minutes = length(call.parties)`, `"minutes":3`},
		{`subject = replace(call.title, "\"", "'")`, `"subject":"Quarterly 'review'"`},
		{`subject = one([for p in call.parties : p.email if p.affiliation == "External"])`, `"subject":"bob@customer.example"`},
		{`subject = join(", ", sort(distinct([for p in call.parties : lower(p.affiliation)])))`, `"subject":"external, internal, unknown"`},
		{`subject = regex("^[A-Z][a-z]+", call.title)`, `"subject":"Quarterly"`},
		{`internal = startswith(call.title, "Quarter") && !endswith(call.title, "x")`, `"internal":true`},
		{"subject = <<-EOT\n  a ${call.scope}\n    b\nEOT\n", `"subject":"a External\n  b\n"`},
		{`content = templatefile("t.tmpl", { c = call, n = 2 })`, `"content":"2 Ann,Bob,Phone,\n"`},
		{`content = null`, ``},
		{`content = call.purpose`, ``},
	}
	for _, tt := range tests {
		t.Run(tt.mapping, func(t *testing.T) {
			p := compile(t, "", tt.mapping, "${n} %{ for p in c.parties }${p.name},%{ endfor }\n")
			got, err := renderer(t, p).Attributes(record(fullCall))
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(tt.mapping, " ")
			var attrs map[string]json.RawMessage
			if err := json.Unmarshal(got, &attrs); err != nil {
				t.Fatal(err)
			}
			result := ""
			if v, ok := attrs[name]; ok {
				result = fmt.Sprintf("%q:%s", name, v)
			}
			if diff := cmp.Diff(tt.want, result); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFieldsAreExact checks that a record with the plan's fields alone gives what the whole record gives.
func TestFieldsAreExact(t *testing.T) {
	tests := []struct {
		mapping string
		extra   []string // beyond what the standard mapping and resolution read
	}{
		{`flow = call.scope == "External" ? "adoption" : "renewal"`, []string{"scope"}},
		{`flow = call["scope"]`, []string{"scope"}},
		{`tags = [call.crm.stage]`, []string{"crm"}},
		{`tags = [for c in [call] : c.scope]`, []string{"crm", "scope", "video", "workspace"}},
		{`tags = [templatefile("t.tmpl", { a = call, b = call })]`, []string{"scope", "video"}},
		{`tags = [templatefile("t.tmpl", { a = call, b = merge(call, {}) })]`, []string{"crm", "scope", "video", "workspace"}},
		{`tags = call[*].scope`, []string{"scope"}},
		{`tags = [(call).scope]`, []string{"scope"}},
	}
	standard := map[string]bool{}
	for _, f := range compile(t, "", "", "").Source.Fields {
		standard[f] = true
	}
	for _, tt := range tests {
		t.Run(tt.mapping, func(t *testing.T) {
			p := compile(t, "", tt.mapping, "${a.scope} ${b.video}")
			var extra []string
			var all, kept map[string]json.RawMessage
			if err := json.Unmarshal([]byte(fullCall), &all); err != nil {
				t.Fatal(err)
			}
			kept = map[string]json.RawMessage{}
			for _, f := range p.Source.Fields {
				if !standard[f] {
					extra = append(extra, f)
				}
				kept[f] = all[f]
			}
			if diff := cmp.Diff(tt.extra, extra); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			less, err := json.Marshal(kept)
			if err != nil {
				t.Fatal(err)
			}
			r := renderer(t, p)
			a, errA := r.Attributes(record(fullCall))
			b, errB := r.Attributes(record(string(less)))
			if errA != nil || errB != nil || string(a) != string(b) {
				t.Errorf("%v %v\n%s\n%s", errA, errB, a, b)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		where, data string
		want        bool
		err         string
	}{
		{``, `{}`, true, ""},
		{`where = call.scope == "External"`, `{"scope":"External"}`, true, ""},
		{`where = call.scope == "External"`, `{"scope":"Internal"}`, false, ""},
		{`where = call.scope == "External"`, `{}`, false, ""},
		{`where = length(call.parties) > 1`, `{"parties":null}`, false, ""},
		{`where = call.video`, `{}`, false, "where: j.hcl:6:9: the condition is null; say what that means with coalesce(..., false)"},
		{`where = coalesce(call.video, false)`, `{}`, false, ""},
		{`where = call.duration > 60`, `{"duration":"61"}`, true, ""},
		{`where = call.duration > 60`, `{"duration":1.5}`, false,
			"where: j.hcl:6:9: the source's record does not fit its description: field duration: not an int"},
		{`where = tonumber(call.title) > 1`, `{"title":"x"}`, false,
			`where: j.hcl:6:18: Invalid function argument: Invalid value for "v" parameter: cannot convert "x" to number; ` +
				`given string must be a decimal representation of a number`},
		{`where = call.video`, `[]`, false, "where: j.hcl:6:9: the source's record is not a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.where+tt.data, func(t *testing.T) {
			got, err := renderer(t, compile(t, tt.where, "", "")).Matches(record(tt.data))
			if got != tt.want || message(err) != tt.err {
				t.Errorf("got %v, %q; want %v, %q", got, message(err), tt.want, tt.err)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAttributeErrors(t *testing.T) {
	base := `"id":"1","title":"t","started":"2026-09-01T09:02:11Z"`
	tests := []struct{ mapping, data, want string }{
		{``, `{"title":"t","started":"2026-09-01T09:02:11Z"}`, `attribute "id": the attribute is required, and its value is null`},
		{`subject = "${call.purpose}!"`, `{` + base + `}`, `attribute "subject": j.hcl:9:14: Invalid template interpolation value: ` +
			`The expression result is null. Cannot include a null value in a string template`},
		{`subject = call.parties[0].name`, `{` + base + `}`, `attribute "subject": j.hcl:9:23: Invalid index: The given key does not ` +
			`identify an element in this collection value: the collection has no elements`},
		{`content = templatefile("t.tmpl", { call = call })`, `{` + base + `}`, `attribute "content": t.tmpl:2:3: ` +
			`Invalid template interpolation value: The expression result is null. Cannot include a null value in a string template`},
		{`minutes = call.duration / 7`, `{` + base + `,"duration":8}`, `attribute "minutes": j.hcl:9:11: a whole number is needed`},
		{`date = call.title`, `{` + base + `}`, `attribute "date": j.hcl:9:8: a time in RFC 3339 is needed, such as 2006-01-02T15:04:05Z`},
		{``, `{"id":7}`, `attribute "id": the source's record does not fit its description: field id: not a string`},
	}
	for _, tt := range tests {
		t.Run(tt.mapping+tt.data, func(t *testing.T) {
			_, err := renderer(t, compile(t, "", tt.mapping, "x\n${call.purpose}")).Attributes(record(tt.data))
			if got := message(err); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if _, ok := errors.AsType[*EvalError](err); !ok {
				t.Errorf("%T is no EvalError", err)
			}
		})
	}
}

func TestResultsAreBounded(t *testing.T) {
	long := strings.Repeat("ab", maxResult/4)
	data := `{"id":"1","title":"` + long + `","started":"2026-09-01T09:02:11Z"}`
	for _, mapping := range []string{
		`content = jsonencode([call.title, call.title, call.title])`,
		`content = replace(call.title, "a", call.title)`,
		`content = templatefile("t.tmpl", { call = call })`,
		`tags = [call.title, call.title, call.title]`,
	} {
		p := compile(t, "", mapping, "${call.title}${call.title}${call.title}")
		for i := range p.Map {
			p.Map[i].MaxLength = 0
		}
		_, err := renderer(t, p).Attributes(record(data))
		if err == nil || !strings.Contains(err.Error(), errTooLarge.Error()) {
			t.Errorf("%s: %.200v", mapping, err)
		}
	}
	if _, err := renderer(t, compile(t, "", "score = call.workspace", "")).Attributes(
		record(`{"id":"1","title":"t","started":"2026-09-01T09:02:11Z","workspace":1e99999999}`)); err == nil {
		t.Error("a huge number is accepted")
	}
}

func TestTextsAreCutToTheirLength(t *testing.T) {
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 0, "abc"},
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"a😀b", 4, "a😀b"},
		{"a😀bc", 4, "a😀…"},
		{"a😀bc", 3, "a…"},
		{"ééé", 3, "ééé"},
		{"éééé", 3, "éé…"},
		{"ab", 1, "…"},
	}
	for _, tt := range tests {
		if got := cut(tt.in, tt.n); got != tt.want || tt.n > 0 && unitsOf(got) > tt.n {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
	r := renderer(t, compile(t, "", "", ""))
	got, err := r.Attributes(record(`{"id":"1","title":"` + strings.Repeat("x", 101) + `","started":"2026-09-01T09:02:11Z"}`))
	if err != nil || !strings.Contains(string(got), `"subject":"`+strings.Repeat("x", 99)+`…"`) {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestRendererSurvivesJSON(t *testing.T) {
	p := compile(t, `where = call.duration > 60`, `content = templatefile("t.tmpl", { call = call })`, "${call.title}")
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again plan.Plan
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if p.Hash() != again.Hash() {
		t.Error("the plan's hash changes")
	}
	got, err := renderer(t, &again).Attributes(record(fullCall))
	if err != nil || !strings.Contains(string(got), `"content":"Quarterly \"review\""`) {
		t.Errorf("%v %s", err, got)
	}
	again.Version = plan.Version + 1
	if _, err := NewRenderer(&again); err == nil {
		t.Error("a newer plan is accepted")
	}
}

func TestRendererIsConcurrent(t *testing.T) {
	p := compile(t, `where = length(call.parties[*].email) > 0`, `content = templatefile("t.tmpl", { call = call })
tags = call.parties[*].email`, "%{ for p in call.parties }${p.name}%{ endfor }${join(\",\", call.parties[*].name)}")
	r := renderer(t, p)
	want, err := r.Attributes(record(fullCall))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got, err := r.Attributes(record(fullCall))
				ok, err2 := r.Matches(record(fullCall))
				if err != nil || err2 != nil || !ok || string(got) != string(want) {
					t.Errorf("%v %v %v\n%s", err, err2, ok, got)
				}
			}
		})
	}
	wg.Wait()
}

func TestNotesOfAnEmptyMeeting(t *testing.T) {
	n := compile(t, "", "", "").Map[2].Notes
	got := notesText(n, func(string) (none gjson.Result) { return })
	var want strings.Builder
	for i, name := range []string{"Meeting start time", "Meeting duration", "Meeting purpose", "Recording URL", "Meeting brief",
		"Key points", "Agenda items", "Topics discussed", "Action items"} {
		if i > 0 {
			want.WriteString("\n\n")
		}
		want.WriteString(name + ":\nnot set")
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDurationText(t *testing.T) {
	for seconds, want := range map[int64]string{
		0: "0 s", 59: "59 s", 60: "1 min", 89: "1 min", 90: "2 min", 2700: "45 min", 3599: "1 h", 3600: "1 h", 3900: "1 h 5 min",
	} {
		if got := durationText(seconds); got != want {
			t.Errorf("durationText(%d) = %q, want %q", seconds, got, want)
		}
	}
}
