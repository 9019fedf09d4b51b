package activities

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/durasync/durasync/plugin"
)

// TestFindLooksInAllTargets looks for records in the most likely target first, all those of a target at once, and in the next one for what
// is not there.
func TestFindLooksInAllTargets(t *testing.T) {
	there := map[string]string{"a/1": "note 1", "b/2": "note 2"} // by target and key
	var asked []string
	c := &connector{find: func(req *plugin.FindRequest) (*plugin.FindResponse, error) {
		res := &plugin.FindResponse{Requests: 1}
		var keys []string
		for _, item := range req.Items {
			keys = append(keys, item.Target+"/"+item.Key)
			if id, ok := there[item.Target+"/"+item.Key]; ok {
				res.Results = append(res.Results, plugin.Result{Key: item.Key, ID: id, Existed: true})
			}
		}
		asked = append(asked, strings.Join(keys, " "))
		return res, nil
	}}
	var res FindResult
	if err := find(t, c, &res); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]Found{"1": {"a", "note 1"}, "2": {"b", "note 2"}}, res.Found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a/1 a/2 a/3", "b/2"}, asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

func TestFindSaysWhenNobodyCanLook(t *testing.T) {
	c := &connector{find: func(*plugin.FindRequest) (*plugin.FindResponse, error) {
		return nil, plugin.Errorf(plugin.CodeUnimplemented, "Find is not offered")
	}}
	err := find(t, c, &FindResult{})
	if err == nil || !strings.Contains(err.Error(), "cannot look up what it has written") || !strings.Contains(err.Error(), "retryable: false") {
		t.Errorf("a connector that cannot look leads to %v, want an error that ends the run and says so", err)
	}
}

func find(t *testing.T, c *connector, res *FindResult) error {
	t.Helper()
	acts := New(Dependencies{Connectors: c, Quotas: &meter{}})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(acts)
	v, err := env.ExecuteActivity(acts.Find, FindInput{Connection: "totango.success", Object: "touchpoint", Items: []Sought{
		{Key: "1", Targets: []string{"a"}}, {Key: "2", Targets: []string{"a", "b"}}, {Key: "3", Targets: []string{"a"}},
	}})
	if err != nil {
		return err
	}
	return v.Get(res)
}
