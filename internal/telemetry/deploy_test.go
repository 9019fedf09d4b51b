package telemetry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
)

// fromSDK are the metrics of Temporal's SDK that are used, by kind, with the label that they are used by. Their names are those of the
// SDK reference, docs.temporal.io/references/sdk-metrics.
var fromSDK = []struct{ name, kind, label string }{
	{"temporal_activity_execution_failed", "counter", "activity_type"},
	{"temporal_workflow_task_execution_failed", "counter", "workflow_type"},
	{"temporal_activity_schedule_to_start_latency", "timer", "activity_type"},
}

// exported are the labels of each metric that a worker exports which has done and seen everything.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	ctx := t.Context()
	tel, err := Start(ctx, Options{Version: "test", Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Stop(ctx) })
	run := activities.Run{Kind: activities.KindSync, Outcome: activities.Completed}
	tel.ran(ctx, "meetings", &run, time.Second)
	tel.Called(ctx, &host.Call{Connection: "gong.acme", Method: "List", Requests: 1, Took: time.Second, Err: plugin.Errorf(plugin.CodeUnavailable, "down")})
	tel.Exited("gong.acme")
	tel.waits.Record(ctx, 1, with(label(labelConnection, "gong.acme")))
	tel.api.Record(ctx, 1, with(label(labelConnection, "gong.acme"), label(labelMethod, "GET"), label(labelStatus, "200")))
	tel.Observe(View{
		Jobs:    map[string]JobView{"meetings": {Watermark: time.Now()}},
		Budgets: map[string]BudgetView{"gong.acme": {Left: 1, All: 2}},
	})
	var opts client.Options
	if err := tel.Configure(&opts); err != nil {
		t.Fatal(err)
	}
	for _, m := range fromSDK {
		handler := opts.MetricsHandler.WithTags(map[string]string{m.label: "it"})
		if m.kind == "timer" {
			handler.Timer(m.name).Record(time.Second)
		} else {
			handler.Counter(m.name).Inc(1)
		}
	}
	res := httptest.NewRecorder()
	tel.Handler(nil).ServeHTTP(res, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	labels := map[string][]string{}
	for _, series := range aSeries.FindAllStringSubmatch(res.Body.String(), -1) {
		labels[series[1]] = []string{"instance", "job"} // by Prometheus
		for _, l := range aLabel.FindAllStringSubmatch(series[2], -1) {
			labels[series[1]] = append(labels[series[1]], l[1])
		}
	}
	labels["up"] = []string{"instance", "job"}
	return labels
}

// TestEveryRunIsExpected compares the runs whose counters begin at zero with those that there can be.
func TestEveryRunIsExpected(t *testing.T) {
	source, err := os.ReadFile("../../activities/job.go")
	if err != nil {
		t.Fatal(err)
	}
	var have, want []string
	for _, kind := range kinds {
		have = append(have, "RunKind "+string(kind))
	}
	for _, outcome := range outcomes {
		have = append(have, "Outcome "+string(outcome))
	}
	for _, constant := range regexp.MustCompile(`(?m)^\t\w+ +(RunKind|Outcome) += "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		want = append(want, constant[1]+" "+constant[2])
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the counters of %q begin at zero, want those of %q", have, want)
	}
}

const monitoring = "../../deploy/monitoring"

type alert struct{ name, expr, runbook string }

func alerts(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []alert
	for rule := range strings.SplitSeq(string(text), "- alert: ") {
		name, rest, _ := strings.Cut(rule, "\n")
		_, expr, ok := strings.Cut(rest, "expr: |\n")
		if !ok {
			continue // what stands before the first one
		}
		expr, _, _ = strings.Cut(expr, "labels: {")
		_, runbook, _ := strings.Cut(rest, "runbook: ")
		runbook, _, _ = strings.Cut(runbook, "\n")
		all = append(all, alert{name, expr, runbook})
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

// expressions are those of the dashboard and of the alerts, by what they belong to.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range dashboard.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for i, target := range p.Targets {
			all[fmt.Sprintf("panel %q, %d", p.Title, i)] = target.Expr
		}
	}
	for _, v := range dashboard.Templating.List {
		all["variable "+v.Name] = v.Definition
	}
	for _, a := range alerts(t) {
		all["alert "+a.name] = a.expr
	}
	return all
}

var (
	aSeries = regexp.MustCompile(`(?m)^([a-z_]+)(\{.*\})? [^ ]+$`)
	aMetric = regexp.MustCompile(`\b(?:durasync|temporal|process|go)_[a-z_]+\b|\bup\b`)
	aLabel  = regexp.MustCompile(`\b([a-z_]+)(?:=~|!~|!=|=)"`)
	byLabel = regexp.MustCompile(`\b(?:by|on) \(([a-z_, ]+)\)`)
)

// TestMonitoringUsesWhatWorkersExport looks for each metric of the dashboard and of the alerts, and for each label that they use, in what a
// worker exports.
func TestMonitoringUsesWhatWorkersExport(t *testing.T) {
	have := exported(t)
	for where, expr := range expressions(t) {
		var labels []string
		metrics := slices.DeleteFunc(aMetric.FindAllString(expr, -1), func(name string) bool { return name == labelJob })
		if len(metrics) == 0 && expr != "" {
			t.Errorf("%s uses no metric: %s", where, expr)
		}
		for _, m := range metrics {
			if have[m] == nil {
				t.Errorf("%s uses %s, which no worker exports", where, m)
			}
			labels = append(labels, have[m]...)
		}
		used := aLabel.FindAllStringSubmatch(expr, -1)
		for _, by := range byLabel.FindAllStringSubmatch(expr, -1) {
			for name := range strings.SplitSeq(by[1], ",") {
				used = append(used, []string{"", strings.TrimSpace(name)})
			}
		}
		for _, l := range used {
			if !slices.Contains(labels, l[1]) {
				t.Errorf("%s uses the label %s, which its metrics lack", where, l[1])
			}
		}
	}
}

// TestMetricsAndAlertsAreDocumented looks for our own metrics in the table of the guide, with their labels, and for the section of each
// alert, which its annotation has to name.
func TestMetricsAndAlertsAreDocumented(t *testing.T) {
	guide, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	suffix := regexp.MustCompile(`_(bucket|count|sum)$`)
	have := exported(t)
	for name := range have {
		if name = suffix.ReplaceAllString(name, ""); strings.HasPrefix(name, "durasync_") && !strings.Contains(string(guide), "| `"+name+"` |") {
			t.Errorf("docs/operations.md does not list %s", name)
		}
	}
	for _, row := range regexp.MustCompile("\\| `(durasync_[a-z_]+)` \\| ([a-z_, ]+) \\|").FindAllStringSubmatch(string(guide), -1) {
		labels := have[row[1]]
		if labels == nil {
			labels = have[row[1]+"_count"]
		}
		want := append([]string{"instance", "job"}, strings.Split(row[2], ", ")...)
		slices.Sort(labels)
		slices.Sort(want)
		if !slices.Equal(labels, want) {
			t.Errorf("docs/operations.md lists %s with the labels %q, a worker exports %q", row[1], want, labels)
		}
	}
	for _, a := range alerts(t) {
		if !strings.Contains(string(guide), "\n### "+a.name+"\n") {
			t.Errorf("docs/operations.md has no section %s", a.name)
		}
		if want := "docs/operations.md#" + strings.ToLower(a.name); a.runbook != want {
			t.Errorf("the runbook of %s is %q, want %q", a.name, a.runbook, want)
		}
	}
}
