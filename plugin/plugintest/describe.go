package plugintest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/durasync/durasync/plugin"
)

var describeRules = []rule{
	{
		name:     "describe: valid",
		contract: "Connector.Describe: the description is complete, and valid by DescribeResponse.Validate.",
		check: func(t *probe) {
			if err := t.first.Validate(); err != nil {
				t.Errorf("the description is not valid: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
		},
	},
	{
		name:     "describe: stable",
		contract: "Connector.Describe needs no configuration and always gives the same answer.",
		check:    checkStable,
	},
	{
		name:     "describe: offers",
		contract: "DescribeResponse: what is not described does not exist, and what is described can be called.",
		check:    checkOffers,
	},
	{
		name:     "configure: accepted",
		contract: "Connector.Configure takes a configuration that fits the description and says how the connection behaves.",
		check:    checkAccepted,
	},
	{
		name:     "configure: refused",
		contract: "Connector.Configure: a value that cannot be used is CodeInvalidConfig with the attribute's name.",
		check:    checkRefusedConfig,
	},
	{
		name:     "configure: no requests",
		contract: "Connector.Describe and Connector.Configure do no I/O.",
		check: func(t *probe) {
			mark := t.proxy().mark()
			c := t.open()
			if _, err := c.Describe(t.ctx, &plugin.DescribeRequest{}); err != nil {
				t.Fatalf("Describe: %v", err)
			}
			t.configure(c, t.config())
			if n := len(t.front.requests(mark)); n > 0 {
				t.Errorf("Describe and Configure made %d requests", n)
			}
		},
	},
	{
		name:     "check: summary",
		contract: "Checker.Check says in a few words what was reached.",
		check: func(t *probe) {
			resp, err := t.connector().Check(t.ctx, &plugin.CheckRequest{})
			if lacks(err) {
				t.Skipf("the connector has no Check")
			}
			if err != nil {
				t.Fatalf("Check: %v", err)
			}
			if resp.Summary == "" {
				t.Errorf("Check says nothing about what it reached")
			}
		},
	},
}

// checkStable asks a connector twice before it is configured, once after that, and another one.
func checkStable(t *probe) {
	first := indented(t.first)
	same := func(c *conn, when string) {
		got, err := c.Describe(t.ctx, &plugin.DescribeRequest{})
		if err != nil {
			t.Fatalf("Describe, %s: %v", when, err)
		}
		if was, is := difference(first, indented(got)); was != is {
			t.Fatalf("the description changes: at first it has %q, %s it has %q", was, when, is)
		}
	}
	c := t.open()
	same(c, "in another process")
	same(c, "asked again")
	if t.config() != nil {
		t.configure(c, t.config())
		same(c, "when configured")
	}
}

func indented(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error() // a default that is no JSON, which the description's check finds
	}
	return string(b)
}

// difference returns the first lines in which two texts differ.
func difference(a, b string) (inA, inB string) {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return strings.TrimSpace(as[i]), strings.TrimSpace(bs[i])
		}
	}
	return strings.Join(as[min(len(as), len(bs)):], " "), strings.Join(bs[min(len(as), len(bs)):], " ")
}

// checkOffers makes calls that mean nothing, to see whether there is somebody to answer them.
func checkOffers(t *probe) {
	d, c := t.first, t.connector()
	_, err := c.List(t.ctx, &plugin.ListRequest{Stream: "no_such_stream"})
	if offers := !lacks(err); offers != (len(d.Streams) > 0) {
		t.Errorf("it describes %d streams, and answers to List: %t", len(d.Streams), offers)
	}
	if len(d.Objects) == 0 || t.Destination != nil { // nothing is written where nobody asked for it
		_, err = c.Create(t.ctx, &plugin.CreateRequest{Object: "no_such_object", Items: []plugin.Item{{Key: "plugintest/offers/1"}}})
		if offers := !lacks(err); offers != (len(d.Objects) > 0) {
			t.Errorf("it describes %d objects, and answers to Create: %t", len(d.Objects), offers)
		}
	}
	for _, o := range d.Objects {
		if o.ResolvedBy == "" {
			continue
		}
		_, err = c.Resolve(t.ctx, &plugin.ResolveRequest{Object: o.Name, Addresses: []string{"nobody@plugintest.invalid"}})
		if lacks(err) {
			t.Errorf("object %s is resolved by %s, but the connector has no Resolve", o.Name, o.ResolvedBy)
		}
	}
}

func checkAccepted(t *probe) {
	_ = t.connector()
	for _, l := range t.settings.RateLimits {
		if l.Requests < 1 || l.Per <= 0 {
			t.Errorf("the rate limit of %d requests per %s allows nothing", l.Requests, l.Per)
		}
	}
	if t.settings.WriteTimeout < 0 || t.settings.SearchLag < 0 {
		t.Errorf("the write timeout of %s or the search lag of %s is negative", t.settings.WriteTimeout, t.settings.SearchLag)
	}
}

func checkRefusedConfig(t *probe) {
	if len(t.BadConfig) == 0 {
		t.Skipf("no bad configurations are given")
	}
	described := t.first.Config
	for attribute, config := range t.BadConfig {
		_, err := t.open().Configure(t.ctx, &plugin.ConfigureRequest{Config: config})
		e := t.mustFail("Configure with a wrong "+attribute, err, plugin.CodeInvalidConfig)
		if e == nil {
			continue
		}
		if e.Attribute != attribute {
			t.Errorf("the error about %s names the attribute %q", attribute, e.Attribute)
		}
		name, _, _ := strings.Cut(e.Attribute, ".")
		name, _, _ = strings.Cut(name, "[")
		if !slices.ContainsFunc(described, func(a plugin.Attribute) bool { return a.Name == name }) {
			t.Errorf("the error names the attribute %q, which is not described", e.Attribute)
		}
	}
}

// mustFail checks that a call failed with an error of one of the codes, and returns it if it is.
func (t *probe) mustFail(what string, err error, codes ...plugin.Code) *plugin.Error {
	e := plugin.AsError(err)
	switch {
	case e == nil:
		t.Errorf("%s: no error, want one of code %v", what, codes)
	case !slices.Contains(codes, e.Code):
		t.Errorf("%s: error %q of code %s, want code %v", what, e.Message, e.Code, codes)
	default:
		return e
	}
	return nil
}
