package schema

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

func TestEffective(t *testing.T) {
	p := compile(t, "", "override = true\nid = \"x-${call.id}\"\nsubject = call.title\ntags = [call.scope]", "")
	object := touchpoints.Objects[0]
	object.Attributes = append(slices.Clone(object.Attributes), plugin.Attribute{Name: "later", Type: plugin.Time, Doc: "New."})
	p.Map = append(p.Map, plan.Mapping{
		Attribute: "former", Origin: plan.OriginAuto, Type: plan.Type{Kind: "bool"}, Expr: &plan.Expression{Source: "call.video"},
	})
	const text = "string"
	want := []Row{
		{Attribute: "id", Type: text, Value: `"x-${call.id}"`, Origin: plan.OriginJob, File: "j.hcl", Line: 10, Column: 6,
			Required: true, Locked: true, Overridden: true},
		{Attribute: "account_id", Type: text, Value: "resolved from the participants (most_participants)", Origin: OriginResolved, Required: true},
		{Attribute: "subject", Type: text, Value: "call.title", Origin: plan.OriginJob, File: "j.hcl", Line: 11, Column: 11, Required: true},
		{Attribute: "content", Type: text, Value: "the meeting's standard text", Origin: plan.OriginAuto},
		{Attribute: "created_by", Type: text, Value: "call.host_email", Origin: plan.OriginAuto},
		{Attribute: "date", Type: "time", Value: "call.started", Origin: plan.OriginAuto, Required: true},
		{Attribute: "type", Type: text, Value: `"web_meeting"`, Origin: plan.OriginDefault},
		{Attribute: "participants", Type: "list of string", Value: "[for x in call.parties : x.email if x.email != null]",
			Origin: plan.OriginAuto},
		{Attribute: "flow", Type: text, Value: "not set", Origin: OriginNone},
		{Attribute: "tags", Type: "list of string", Value: "[call.scope]", Origin: plan.OriginJob, File: "j.hcl", Line: 12, Column: 8},
		{Attribute: "minutes", Type: "int", Value: "not set", Origin: OriginNone},
		{Attribute: "score", Type: "number", Value: "not set", Origin: OriginNone},
		{Attribute: "internal", Type: "bool", Value: "not set", Origin: OriginNone},
		{Attribute: "later", Type: "time", Value: "not set", Origin: OriginNone, Doc: "New."},
		{Attribute: "former", Type: "bool", Value: "call.video", Origin: plan.OriginAuto},
	}
	if diff := cmp.Diff(want, Effective(p, object)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestEffectiveOfLockedAttributesByDefault(t *testing.T) {
	row := Effective(compile(t, "", "", ""), touchpoints.Objects[0])[0]
	want := Row{Attribute: "id", Type: "string", Value: "call.id", Origin: plan.OriginAuto, Required: true, Locked: true}
	if diff := cmp.Diff(want, row); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
}

// TestTitleIsRead: a job that does not map the title still reads it, to name records by.
func TestTitleIsRead(t *testing.T) {
	p := compile(t, "", `subject = "Meeting"`, "")
	if p.Source.Title != "title" || !slices.Contains(p.Source.Fields, "title") {
		t.Errorf("title %q of %v", p.Source.Title, p.Source.Fields)
	}
	untitled := *meetings
	untitled.Streams = []plugin.Stream{meetings.Streams[0]}
	untitled.Streams[0].Fields = slices.DeleteFunc(slices.Clone(meetings.Streams[0].Fields), func(f plugin.Field) bool {
		return f.Semantic == plugin.MeetingTitle || f.Semantic == plugin.MeetingHostEmail
	})
	opts := Options{Describe: func(ctx context.Context, connector string) (*plugin.DescribeResponse, error) {
		if connector == "gong" {
			return &untitled, nil
		}
		return describeTest(ctx, connector)
	}}
	job := strings.Replace(minimalJob, "  destination {", "  map {\n    subject = \"Meeting\"\n  }\n  destination {", 1)
	config, diags := LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", job), opts)
	if len(config.Jobs) != 1 || config.Jobs[0].Source.Title != "" {
		t.Errorf("without a title: %v\n%s", config.Jobs, text(t, diags))
	}
	// The same source has no host to decide by either.
	job = strings.Replace(job, "  map {", "  resolve {\n    on_ambiguous = \"host_team\"\n  }\n  map {", 1)
	_, diags = LoadFS(t.Context(), dir("c.hcl", connectionsHCL, "j.hcl", job), opts)
	if len(diags) != 1 || diags[0].Summary != "No host to decide by" || diags[0].Range.Start.Line != 8 {
		t.Error(text(t, diags))
	}
}
