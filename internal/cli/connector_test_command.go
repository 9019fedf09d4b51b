package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/plugin/plugintest"
)

// codeNotConforming is the code of the error of a connector that breaks a rule.
const codeNotConforming = "not_conforming"

func (a *app) connectorTestCommand() *cobra.Command {
	var f connectorTestFlags
	cmd := a.reports(&cobra.Command{
		Use:   "test PATH",
		Short: "Check that a connector's program keeps its contract",
		Long: `Check that a connector's program keeps the contract that jobs rely on, whatever
language it is written in: a line for each rule, and what is wrong. What a rule
needs and is not given, it is skipped for; authors who write in Go check more of
them in a test, with package plugintest and a simulator of the other system.

Without flags, only what the connector says of itself is checked. With --config,
a JSON object with the attributes of a connection block, it is configured. With
--stream, --from and --to, a window of a stream is listed and read; it needs
three records of different times.

With --object and --item it writes: up to 20 items, each made from the one in
the file, with a key and a record_id of its own. The file is a JSON object with
key, record_id, url, time, target and attributes. Use a system for tests.

Exits 0 if no rule is broken (those that are skipped do not count), 1 if one is,
2 if a flag or file is wrong, 3 if the program cannot be started.`,
		Example: `  durasync connector test ./durasync-connector-crm --config crm.json \
    --stream calls --from 2026-01-01 --to 2026-01-31`,
		Args: exactArgs(1, "the path of a connector's program"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			h, err := f.harness(cmd, args[0])
			if err != nil {
				return err
			}
			d, outcomes, err := plugintest.Examine(cmd.Context(), h, log)
			if err != nil {
				return err
			}
			if err := checkFlags(h, d); err != nil {
				return err
			}
			r := &conformance{Connector: d.Name, Version: d.Version, Conforms: true}
			r.collect(a, outcomes)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			return r.report(a)
		},
	})
	cmd.Flags().StringVar(&f.config, "config", "", "`file` with the configuration")
	cmd.Flags().StringVar(&f.stream, "stream", "", "`name` of the stream to read")
	cmd.Flags().StringVar(&f.from, "from", "", "the window's beginning, a day or a `time`")
	cmd.Flags().StringVar(&f.to, "to", "", "the window's end, a last day or a `time` (default now)")
	cmd.Flags().StringVar(&f.object, "object", "", "`name` of the object to write")
	cmd.Flags().StringVar(&f.item, "item", "", "`file` with the item to write")
	return cmd
}

type connectorTestFlags struct{ config, stream, from, to, object, item string }

// harness is what the flags say about the connector and the system behind it.
func (f *connectorTestFlags) harness(cmd *cobra.Command, path string) (plugintest.Harness, error) {
	h := plugintest.Harness{Command: host.Command{Path: path}}
	switch {
	case f.config == "" && (f.stream != "" || f.object != ""):
		return h, usageError(cmd, "--stream and --object need --config")
	case (f.stream == "") != (f.from == ""), f.stream == "" && f.to != "":
		return h, usageError(cmd, "--stream and --from go together, and --to with them")
	case (f.object == "") != (f.item == ""):
		return h, usageError(cmd, "--object and --item go together")
	}
	if f.config != "" {
		var config json.RawMessage
		if err := readJSON("--config", f.config, &config); err != nil {
			return h, err
		}
		h.Config = func(string) json.RawMessage { return config }
	}
	if f.stream != "" {
		w, err := parseWindow(f.from, f.to, time.UTC, time.Now())
		if err != nil {
			return h, usageError(cmd, "%v", err)
		}
		h.Source = &plugintest.Source{Stream: f.stream, From: w.from, To: w.to}
	}
	if f.object != "" {
		var item testItem
		if err := readJSON("--item", f.item, &item); err != nil {
			return h, err
		}
		h.Destination = &plugintest.Destination{Object: f.object, Item: item.copies()}
	}
	return h, nil
}

// readJSON reads the file that a flag names.
func readJSON(flag, path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return invalidError("%s: %w", flag, err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return invalidError("%s: %s: %w", flag, path, err)
	}
	return nil
}

// testItem is the file of --item.
type testItem struct {
	Key        string          `json:"key"`
	RecordID   string          `json:"record_id"`
	URL        string          `json:"url"`
	Time       time.Time       `json:"time"`
	Target     string          `json:"target"`
	Attributes json.RawMessage `json:"attributes"`
}

// copies returns items like this one, which no other run has written.
func (i testItem) copies() func() plugin.Item {
	run, n := strconv.FormatInt(time.Now().UnixNano(), 36), 0
	return func() plugin.Item {
		n++
		mark := fmt.Sprintf("-%s-%d", run, n)
		return plugin.Item{
			Key: i.Key + mark, RecordID: i.RecordID + mark, URL: i.URL, Time: i.Time, Target: i.Target, Attributes: i.Attributes,
		}
	}
}

// checkFlags refuses what the host would not pass to a connector of the description.
func checkFlags(h plugintest.Harness, d *plugin.DescribeResponse) error {
	if h.Source != nil {
		var names []string
		for _, s := range d.Streams {
			names = append(names, s.Name)
		}
		if err := checkOffered("--stream: stream", h.Source.Stream, names); err != nil {
			return err
		}
	}
	if h.Destination != nil {
		var names []string
		for _, o := range d.Objects {
			names = append(names, o.Name)
		}
		if err := checkOffered("--object: object", h.Destination.Object, names); err != nil {
			return err
		}
	}
	if h.Config == nil {
		return nil
	}
	return checkConfig(d.Config, h.Config(""))
}

func checkOffered(what, name string, names []string) error {
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	return invalidError("%s %q is not offered by the connector%s", what, name, didYouMean(name, names))
}

// checkConfig checks a configuration against the attributes of a connection.
func checkConfig(attributes []plugin.Attribute, config json.RawMessage) error {
	var fields []plugin.Field
	for _, at := range attributes {
		fields = append(fields, plugin.Field{Name: at.Name, Type: at.Type})
	}
	if err := plugin.StructOf(fields...).Check(config); err != nil {
		return invalidError("--config: %s", strings.TrimPrefix(err.Error(), "."))
	}
	var set map[string]json.RawMessage
	if err := json.Unmarshal(config, &set); err != nil {
		return invalidError("--config: %w", err)
	}
	for _, at := range attributes {
		if _, ok := set[at.Name]; at.Required && !ok {
			return invalidError("--config: the attribute %s is required", at.Name)
		}
	}
	return nil
}

// conformance is what the rules came to.
type conformance struct {
	Connector string               `json:"connector"`
	Version   string               `json:"version"`
	Conforms  bool                 `json:"conforms"` // no rule failed; some may have been skipped
	Rules     []plugintest.Outcome `json:"rules"`
}

// collect gathers the outcomes, and shows each at once.
func (r *conformance) collect(a *app, outcomes iter.Seq[plugintest.Outcome]) {
	for o := range outcomes {
		r.Rules = append(r.Rules, o)
		r.Conforms = r.Conforms && o.Result != plugintest.Failed
		if !a.json {
			a.showOutcome(o)
		}
	}
}

func (a *app) showOutcome(o plugintest.Outcome) {
	const indent, name = "         ", 25
	s := a.outStyle()
	paint := map[plugintest.Result]func(string) string{plugintest.OK: s.green, plugintest.Failed: s.red, plugintest.Skipped: s.dim}[o.Result]
	line := paint(fmt.Sprintf("%-8s", o.Result)) + " " + o.Rule
	if o.Reason != "" {
		beside := indent + strings.Repeat(" ", name)
		line += strings.Repeat(" ", max(name-columns(o.Rule), 2)) + strings.TrimPrefix(wrap(plainText(o.Reason), beside, a.opts.Width), beside)
	}
	a.printf("%s\n", line)
	if o.Result != plugintest.Failed {
		return
	}
	a.printf("%s\n", wrap(o.Contract, indent, a.opts.Width))
	for _, p := range o.Problems {
		a.printf("%s\n", wrapLines("- "+oneLine(plainText(p)), indent, a.opts.Width))
	}
}

// report ends the report, and returns an error if a rule is broken.
func (r *conformance) report(a *app) error {
	count := map[plugintest.Result]int{}
	for _, o := range r.Rules {
		count[o.Result]++
	}
	var err error
	if !r.Conforms {
		broken := plural(count[plugintest.Failed], "rule")
		err = &failure{exit: ExitRunFailed, code: codeNotConforming, err: fmt.Errorf("the connector breaks %s, see above", broken)}
	}
	if a.json {
		a.writeJSON(r)
		return quietly(err)
	}
	a.printf("\n%s %s: %s, %d ok, %d failed, %d skipped\n", plainText(r.Connector), plainText(r.Version), plural(len(r.Rules), "rule"),
		count[plugintest.OK], count[plugintest.Failed], count[plugintest.Skipped])
	return err
}
