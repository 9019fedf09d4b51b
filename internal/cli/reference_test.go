package cli

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema"
)

//go:generate go test -run ^TestReference$ . -update

// referencePath is the page about all commands.
const referencePath = "../../docs/commands.md"

// forms are the forms of a command that prints several, each with when it does.
type forms []struct {
	when  string
	value any
}

// printed are values of the types that the commands print with --json, or forms.
var printed = map[string]any{
	"adopt":              summary{},
	"apply":              appliedSet{},
	"backfill":           forms{{"", summary{}}, {"With `--dry-run`:", estimateReport{}}},
	"cancel":             cancelReport{},
	"connector describe": plugin.DescribeResponse{},
	"connector install":  installed{},
	"connector list":     connectorList{},
	"connector test":     conformance{},
	"connector verify":   connectorList{},
	"demo":               demoReport{},
	"dev": struct {
		Address     string       `json:"address"`
		Namespace   string       `json:"namespace"`
		UI          string       `json:"ui"`
		DB          string       `json:"db"` // the file that keeps Temporal's data
		Jobs        []appliedJob `json:"jobs"`
		Others      []string     `json:"others"`
		Connections []string     `json:"connections"`
	}{},
	"doctor": struct {
		Healthy bool    `json:"healthy"`
		Checks  []check `json:"checks"`
	}{},
	"pause":    pauseReport{},
	"plan":     changeSet{},
	"preview":  preview{},
	"rejects":  rejectList{},
	"resume":   pauseReport{},
	"retry":    summary{},
	"run show": runDetails{},
	"runs":     runList{},
	"sandbox": struct {
		Gong     string            `json:"gong"`
		Totango  string            `json:"totango"`
		Seed     uint64            `json:"seed"`
		Meetings int               `json:"meetings"`
		Env      map[string]string `json:"env"`
	}{},
	"server": struct {
		Address   string `json:"address"`
		Namespace string `json:"namespace"`
		UI        string `json:"ui"`
	}{},
	"show":   effectiveJob{},
	"status": status{},
	"sync":   summary{},
	"validate": struct {
		FormatVersion string             `json:"format_version"`
		Valid         bool               `json:"valid"`
		ErrorCount    int                `json:"error_count"`
		WarningCount  int                `json:"warning_count"`
		Diagnostics   schema.Diagnostics `json:"diagnostics"`
		Jobs          []connected        `json:"jobs,omitempty"` // what --connect found
	}{},
	"version": version{},
}

// TestReference compares the page about all commands with the commands; -update writes it.
func TestReference(t *testing.T) {
	got := reference(t)
	if *updateGolden {
		if err := os.WriteFile(referencePath, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/commands.md is out of date; run make generate (-want +got):\n%s", diff)
	}
}

// page is a page of documentation.
type page struct {
	strings.Builder
	t      *testing.T
	shapes shapes
	used   map[string]bool // the entries of printed
}

func (p *page) add(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// fence adds text as it is.
func (p *page) fence(text string) { p.add("```\n%s\n```\n", strings.TrimRight(text, "\n")) }

// reference writes the page from the commands.
func reference(t *testing.T) string {
	t.Helper()
	root := newApp(program, Options{}).root()
	root.InitDefaultCompletionCmd() // as Execute does
	root.InitDefaultHelpCmd()
	p := &page{t: t, used: map[string]bool{}}
	p.shapes = shapes{t: t, sources: map[string]*source{}, names: map[reflect.Type]string{}}
	p.add("# Commands\n")
	p.add("This page is made from the commands by `make generate`. The same is in `durasync help COMMAND`.\n")
	p.overview(root)
	p.common(root)
	for _, group := range root.Groups() {
		for _, c := range commandsOf(root, group.ID) {
			p.command(c)
		}
	}
	for _, c := range commandsOf(root, "") {
		p.command(c)
	}
	for name := range printed {
		if !p.used[name] {
			t.Errorf("printed has an entry for %q, but there is no such command with --json", name)
		}
	}
	return strings.TrimRight(p.String(), "\n") + "\n"
}

// commandsOf are the commands of a group, as root lists them, without those that are not for people.
func commandsOf(root *cobra.Command, group string) []*cobra.Command {
	var out []*cobra.Command
	for _, c := range root.Commands() {
		if c.GroupID == group && c.IsAvailableCommand() && c.Name() != "help" {
			out = append(out, c)
		}
	}
	return out
}

func (p *page) overview(root *cobra.Command) {
	p.add("| command | does |\n|---|---|")
	groups := []string{""}
	for i, g := range root.Groups() {
		groups = slices.Insert(groups, i, g.ID)
	}
	for _, g := range groups {
		for _, c := range commandsOf(root, g) {
			for _, leaf := range leaves(c) {
				p.add("| [`%s`](#%s) | %s |", leaf.CommandPath(), anchor(leaf.CommandPath()), cell(leaf.Short))
			}
		}
	}
	p.add("")
}

// leaves are the commands that do something: the command itself, or those below it.
func leaves(c *cobra.Command) []*cobra.Command {
	if c.Name() == "completion" || !c.HasAvailableSubCommands() {
		return []*cobra.Command{c}
	}
	var out []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			out = append(out, leaves(sub)...)
		}
	}
	return out
}

// anchor is the name that GitHub gives a heading.
func anchor(heading string) string { return strings.ReplaceAll(heading, " ", "-") }

func (p *page) common(root *cobra.Command) {
	p.add("## What they share\n")
	p.add("`DIR` is a directory of job files, the current one if left out. `JOB` is the name of a job. Results go to standard output, " +
		"everything else to standard error. On a terminal there are colours, unless `NO_COLOR` is set, and live progress.\n")
	p.flags("Flags of every command:", root.PersistentFlags())
	p.add("| exit code | means |\n|---|---|")
	codes := exitCodes(p.t)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		means := codes[code]
		if code == ExitDone {
			means = "done"
		}
		p.add("| %d | %s |", code, cell(means))
	}
	p.add("\nTemporal is found by the standard `TEMPORAL_*` variables and profiles of its own command line (`TEMPORAL_ADDRESS`, "+
		"`TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_*`, `TEMPORAL_PROFILE`, …); by default it is at `%s` in the namespace "+
		"`%s`.\n", defaultAddress, defaultNamespace)
	p.add("### JSON\n")
	p.add("With `--json`, standard output holds JSON and nothing else. The forms below show a member a line; one with a question mark is " +
		"left out when it is empty. `TIME` is as in RFC 3339, in UTC or with an offset. Members can be added in later versions.\n")
	p.shared()
	p.add("An error " +
		"is this, beside an exit code other than 0. A command that has part of its result gives that with `error` in it.\n")
	p.fence(p.shapes.of(struct {
		Error jsonError   `json:"error"`
		Run   *startedRun `json:"run,omitempty"` // the run that the error is about

		Diagnostics schema.Diagnostics `json:"diagnostics,omitempty"` // what is wrong in the job files
	}{}))
}

// shared are values of the types whose form is given once.
var shared = []struct {
	name  string
	value any
}{
	{"COUNTS", activities.Counts{}},
	{"STATE", activities.State("")},
	{"REASON", activities.Reason("")},
	{"RECORD", activities.PreviewRecord{}},
	{"DIAGNOSTIC", schema.Diagnostic{}},
}

// shared gives the forms that others refer to by their names.
func (p *page) shared() {
	p.add("What comes up in several of them:\n")
	var forms []string
	for _, s := range shared {
		forms = append(forms, s.name+": "+p.shapes.of(s.value))
		p.shapes.names[reflect.TypeOf(s.value)] = s.name
	}
	p.fence(strings.Join(forms, "\n"))
}

func (p *page) command(c *cobra.Command) {
	for _, leaf := range leaves(c) {
		p.leaf(leaf)
	}
}

func (p *page) leaf(c *cobra.Command) {
	path := c.CommandPath()
	p.add("## %s\n", path)
	if c.Name() == "completion" {
		p.completion(c)
		return
	}
	p.fence(c.UseLine())
	p.prose(c.Long, c.Short)
	if c.Example != "" {
		p.fence(unindent(c.Example))
	}
	p.flags("", c.LocalNonPersistentFlags())
	name := strings.TrimPrefix(path, c.Root().Name()+" ")
	if c.Flags().Lookup("json") == nil {
		return
	}
	value, ok := printed[name]
	if !ok {
		p.t.Errorf("durasync %s has --json: say in printed what it prints", name)
		return
	}
	p.used[name] = true
	p.add("JSON:\n")
	several, ok := value.(forms)
	if !ok {
		several = forms{{"", value}}
	}
	for _, f := range several {
		if f.when != "" {
			p.add("%s\n", f.when)
		}
		p.fence(p.shapes.of(f.value))
	}
}

// completion stands for the commands that print a shell's script.
func (p *page) completion(c *cobra.Command) {
	var shells []string
	for _, shell := range c.Commands() {
		shells = append(shells, shell.Name())
	}
	p.fence(c.CommandPath() + " " + strings.Join(shells, "|"))
	p.prose("Print the script that completes commands, flags and names of jobs in a shell. How to load it: durasync completion SHELL --help.", "")
}

// prose adds a command's text. Paragraphs are joined to lines, and what is indented stays as it is.
func (p *page) prose(long, short string) {
	if long == "" {
		long = short + "."
	}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(long), "\n\n") {
		if strings.HasPrefix(paragraph, "  ") {
			p.fence(unindent(paragraph))
			continue
		}
		text := strings.ReplaceAll(paragraph, "\n", " ")
		p.add("%s\n", markdown.Replace(text))
	}
}

// markdown escapes what Markdown would read as its own.
var markdown = strings.NewReplacer("*", `\*`, "<", `\<`, "_", `\_`)

// cell is text for a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(markdown.Replace(strings.Join(strings.Fields(text), " ")), "|", `\|`)
}

// unindent takes off the two spaces of each line.
func unindent(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll("\n"+text, "\n  ", "\n"), "\n")
}

// flags adds a table of flags, without those that all commands have.
func (p *page) flags(title string, set *pflag.FlagSet) {
	var rows []string
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + strings.ToUpper(value)
		}
		switch f.DefValue {
		case "", "0", "false", "[]", "0s":
		default:
			usage += " (default " + f.DefValue + ")"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s |", name, cell(usage)))
	})
	if len(rows) == 0 {
		return
	}
	if title != "" {
		p.add("%s\n", title)
	}
	p.add("| flag | does |\n|---|---|\n%s\n", strings.Join(rows, "\n"))
}
