package cli

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/durasync/durasync/plugin"
)

// crm is the connector of a third party, in a version.
type crm struct{ version string }

func (c crm) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name: "crm", Version: c.version,
		Doc: "The CRM of a third party, read and written through its public API, which needs a token of an administrator.",
		Config: []plugin.Attribute{
			{Name: "token", Type: plugin.String, Required: true, Sensitive: true, Doc: "A token."},
			{Name: "region", Type: plugin.String, Default: json.RawMessage(`"eu"`), OneOf: []string{"eu", "us"}, Doc: "Where its data is."},
		},
		Streams: []plugin.Stream{{
			Name: "visits", Record: "visit", Doc: "What was said at customers.", MaxRead: 10,
			Fields: []plugin.Field{
				{Name: "id", Type: plugin.String, Semantic: plugin.MeetingID, Doc: "Its id."},
				{Name: "topic", Type: plugin.String, Semantic: plugin.MeetingTitle},
				{Name: "started", Type: plugin.Time, Semantic: plugin.MeetingStarted},
				{Name: "tags", Type: plugin.ListOf(plugin.String), Doc: "What people have marked it with, in the order in which they did."},
				{Name: "guests", Type: plugin.ListOf(plugin.StructOf(
					plugin.Field{Name: "email", Type: plugin.String, Semantic: plugin.ParticipantEmail},
				)), Semantic: plugin.MeetingParticipants},
			},
		}},
		Objects: []plugin.Object{{
			Name: "note", MaxCreate: 1,
			Attributes: []plugin.Attribute{
				{Name: "subject", Type: plugin.String, Required: true, Locked: true, MaxLength: 80, Semantic: plugin.MeetingTitle},
			},
		}},
	}, nil
}

func (crm) Configure(context.Context, *plugin.ConfigureRequest) (*plugin.ConfigureResponse, error) {
	return &plugin.ConfigureResponse{}, nil
}

func TestConnectorDescribeScreen(t *testing.T) {
	t.Parallel()
	d, err := crm{"1.4.0"}.Describe(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, out := screen(Options{})
	a.showDescription(d)
	golden(t, "connector_describe.txt", out.String())
	narrowEnough(t, out.String())
}

func TestConnectorListScreens(t *testing.T) {
	t.Parallel()
	const at = "/jobs/.durasync/connectors/durasync-connector-"
	list := &connectorList{Connectors: []usableConnector{
		{
			Name: "crm", Version: "1.4.0", From: fromJobs, Path: at + "crm", Lock: isLocked,
			Streams: []string{"visits"}, Objects: []string{"note"},
		},
		{
			Name: "erp", Version: "0.3.1", From: fromJobs, Path: at + "erp", Lock: isLocked,
			Error: "connector " + at + "erp: its SHA-256 checksum is 0a, not 0b, so it is not run",
		},
		{Name: "gong", Version: "1.0.0", From: fromProgram, Lock: noLock, Streams: []string{"calls"}},
		{
			Name: "helpdesk", Version: "2.0.0-beta.1", From: fromPath, Path: "/src/bin/durasync-connector-helpdesk", Lock: noLock,
			Streams: []string{"tickets"},
		},
		{Name: "survey", Version: "1.0.0", Lock: isLocked, Error: "connector durasync-connector-survey: no such file"},
		{
			Name: "wiki", From: fromJobs, Path: at + "wiki", Lock: notLocked,
			Error: "connector " + at + "wiki: it is not in durasync.lock.json, so it is not run",
		},
	}}
	a, out := screen(Options{})
	list.show(a)
	golden(t, "connector_list.txt", out.String())
	narrowEnough(t, out.String())

	out.Reset()
	d := list.checks(a)
	d.show()
	golden(t, "connector_verify.txt", out.String())
	narrowEnough(t, out.String())
	if exit := classify(d.worst()).exit; exit != ExitEnvironment {
		t.Errorf("exit code %d, want %d", exit, ExitEnvironment)
	}
}
