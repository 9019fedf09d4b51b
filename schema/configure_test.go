package schema

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/durasync/durasync/plugin"
)

// TestConnectorsRefuseConfigurations has what a connector says of a configuration at the place of what it is about.
func TestConnectorsRefuseConfigurations(t *testing.T) {
	const file = `
connection "totango" "success" {
  region    = "eu"
  app_token = env("TOTANGO_APP_TOKEN")
}
`
	refuse := func(attribute string) error {
		e := plugin.Errorf(plugin.CodeInvalidConfig, "this region has moved")
		e.Attribute = attribute
		return e
	}
	for name, test := range map[string]struct {
		err  error
		want string // in the diagnostics
	}{
		"an attribute":             {refuse("region"), "on c.hcl:3:15, in connection \"totango\" \"success\":\n  3 |   region    = \"eu\"\n    |               ^^^^\n\nregion: this region has moved."},
		"a part of an attribute":   {refuse("region[0].name"), "c.hcl:3:15"},
		"an attribute not set":     {refuse("proxy"), "c.hcl:2:1"},
		"a value from elsewhere":   {refuse("app_token"), ""},
		"nothing in particular":    {refuse(""), ""}, // it may be the stand-in
		"a connector that is gone": {errors.New("no such file"), ""},
		"nothing":                  {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var asked string
			opts := options()
			opts.Configure = func(_ context.Context, connector string, config json.RawMessage) error {
				asked = connector + " " + string(config)
				return test.err
			}
			_, diags := LoadFS(t.Context(), dir("c.hcl", file), opts)
			if got := text(t, diags); test.want == "" && diags.Err() != nil || !strings.Contains(got, test.want) {
				t.Errorf("%s\nwant %s", got, test.want)
			}
			if want := `totango {"region":"eu","app_token":"stand-in"}`; asked != want {
				t.Errorf("the connector was asked about %s, want %s", asked, want)
			}
		})
	}
}
