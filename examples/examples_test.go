package examples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/file"
	"github.com/durasync/durasync/connectors/gong"
	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/connectors/totango"
	"github.com/durasync/durasync/connectors/webhook"
	"github.com/durasync/durasync/connectors/zoom"
	"github.com/durasync/durasync/examples"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
)

// connectors are those that the examples name.
func connectors() map[string]plugin.Connector {
	return map[string]plugin.Connector{
		"file": file.New(), "gong": gong.New(), "postgres": postgres.New(), "totango": totango.New(), "webhook": webhook.New(), "zoom": zoom.New(),
	}
}

// load reads an example with the connectors' own descriptions. Every variable is set to "1" unless env says otherwise.
func load(t *testing.T, fsys fs.FS, env map[string]string) *schema.Config {
	t.Helper()
	config, diags := schema.LoadFS(t.Context(), fsys, schema.Options{
		Describe: func(ctx context.Context, name string) (*plugin.DescribeResponse, error) {
			c := connectors()[name]
			if c == nil {
				return nil, fmt.Errorf("no such connector: %s", name)
			}
			return c.Describe(ctx, &plugin.DescribeRequest{})
		},
		Env: func(name string) (string, bool) {
			if v, ok := env[name]; ok {
				return v, true
			}
			return "1", true
		},
	})
	for _, d := range diags {
		t.Errorf("%+v", d)
	}
	return config
}

func TestExamplesLoadAndConfigure(t *testing.T) {
	for name, tt := range map[string]struct {
		files fs.FS
		env   map[string]string
	}{
		"demo": {examples.Demo(), map[string]string{
			"GONG_BASE_URL": "http://127.0.0.1:1", "TOTANGO_BASE_URL": "http://127.0.0.1:2", "GONG_REQUESTS_PER_DAY": "0",
		}},
		"gong-to-file": {examples.GongToFile(), nil},
		"gong-to-postgres": {examples.GongToPostgres(), map[string]string{
			"WAREHOUSE_URL": "postgres://durasync:secret@db.example:5432/warehouse?sslmode=verify-full",
		}},
		"gong-to-totango": {examples.GongToTotango(), nil},
		"gong-to-webhook": {examples.GongToWebhook(), map[string]string{"MEETINGS_WEBHOOK_URL": "https://meetings.example/hook"}},
		"zoom-to-totango": {examples.ZoomToTotango(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			config := load(t, tt.files, tt.env)
			if len(config.Connections) != 2 || len(config.Jobs) != 1 {
				t.Errorf("%d connections and %d jobs", len(config.Connections), len(config.Jobs))
			}
			for _, c := range config.Connections {
				if _, err := connectors()[c.Type].Configure(t.Context(), &plugin.ConfigureRequest{Config: c.Config}); err != nil {
					t.Errorf("connection %s: %v", c.ID(), err)
				}
			}
		})
	}
}

func TestExamplesAreFormatted(t *testing.T) {
	for _, fsys := range []fs.FS{
		examples.Demo(), examples.GongToTotango(), examples.GongToFile(), examples.GongToPostgres(), examples.GongToWebhook(), examples.ZoomToTotango(),
	} {
		files, err := fs.Glob(fsys, "*.hcl")
		if err != nil || len(files) == 0 {
			t.Fatalf("job files: %v, %v", files, err)
		}
		for _, name := range files {
			src, err := fs.ReadFile(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			if formatted := schema.Format(src); !bytes.Equal(src, formatted) {
				t.Errorf("%s is not formatted; it should be\n%s", name, formatted)
			}
		}
	}
}

// TestDemoIsTheVendorsIntegration: apart from how far the first run looks back, the demo's job sets nothing.
func TestDemoIsTheVendorsIntegration(t *testing.T) {
	p := load(t, examples.Demo(), nil).Jobs[0]
	if p.Job != "gong_meetings" || p.Source.Initial != plan.Duration(30*24*time.Hour) {
		t.Errorf("job %s looks back %v", p.Job, time.Duration(p.Source.Initial))
	}
	if p.Source.Where != nil || len(p.Resolve.InternalDomains) > 0 || p.Resolve.OnAmbiguous != plan.MostParticipants {
		t.Errorf("the job has a condition or internal domains, or resolves by %s", p.Resolve.OnAmbiguous)
	}
	if p.Schedule.Cron != "0 23 * * *" || !p.Schedule.Enabled {
		t.Errorf("the schedule is %+v", p.Schedule)
	}
	for _, m := range p.Map {
		if m.Origin == plan.OriginJob {
			t.Errorf("the job maps %s itself", m.Attribute)
		}
	}
}

// TestCustomersJob: the customer's job sets what its file says, and its template fits meetings with everything and with next to
// nothing.
func TestCustomersJob(t *testing.T) {
	p := load(t, examples.GongToTotango(), nil).Jobs[0]
	if p.Source.Where == nil || p.Schedule.Timezone != "America/New_York" || !p.Schedule.SyncOnApply || len(p.Resolve.InternalDomains) != 1 {
		t.Errorf("the plan lacks what the file sets: %+v %+v %+v", p.Source, p.Resolve, p.Schedule)
	}
	renderer, err := schema.NewRenderer(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ data, want string }{
		"full": {
			`{"id":"1","title":"Review","url":"https://gong.example/1","started":"2026-09-16T19:05:00Z","duration":1800,"scope":"External",
			"brief":"They met.","key_points":["Scope: agreed","Price: open"],"action_items":["Send the quote"],
			"topics":[{"name":"Pricing","duration":60},{"name":"Renewal","duration":30}],"parties":[]}`,
			"They met.\n\n16 Sep 2026, 15:05, 30 min\nRecording: https://gong.example/1\n\nKey points\n- Scope: agreed\n- Price: open\n\n" +
				"Next steps\n- Send the quote\n\nTopics: Pricing, Renewal\n",
		},
		"bare": {
			`{"id":"1","title":"Review","url":"https://gong.example/1","started":"2026-09-16T19:05:00Z","scope":"External"}`,
			"16 Sep 2026, 15:05\nRecording: https://gong.example/1\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			record := plugin.Record{ID: "1", Time: time.Date(2026, 9, 16, 19, 5, 0, 0, time.UTC), Data: []byte(tt.data)}
			if ok, err := renderer.Matches(record); !ok || err != nil {
				t.Errorf("an external meeting does not match: %v", err)
			}
			data, err := renderer.Attributes(record)
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Content, Flow string }
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if got.Flow != "adoption" {
				t.Errorf("flow %q", got.Flow)
			}
			if diff := cmp.Diff(tt.want, got.Content); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
		})
	}
}
