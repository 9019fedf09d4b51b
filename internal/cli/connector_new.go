package cli

import (
	"errors"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/scaffold"
	"github.com/durasync/durasync/plugin"
)

func (a *app) connectorNewCommand() *cobra.Command {
	var o scaffold.Options
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a connector in Go",
		Long: `Begin a connector in Go: write a module into ./durasync-connector-NAME that
builds, passes the conformance kit and syncs, against a small simulator of the
other system that is part of it. From there, change one thing after the other
until it is your system.

It reads, unless --destination is given without --source. It requires the
version of Durasync that this program is. If this program is not a release, it
is built from the source that this program was built from, or from that of
--replace.`,
		Example: `  durasync connector new helpdesk
  durasync connector new wiki --destination --module github.com/acme/wiki`,
		Args: exactArgs(1, "the name of the connector"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			if err := a.completeScaffold(cmd, &o); err != nil {
				return err
			}
			if err := scaffold.Write(scaffoldDir(o.Name), o); err != nil {
				return environmentError("%w", err)
			}
			a.showScaffold(o)
			return nil
		},
	}
	cmd.Flags().BoolVar(&o.Source, "source", false, "records are read from it (the default)")
	cmd.Flags().BoolVar(&o.Destination, "destination", false, "records are written to it")
	cmd.Flags().StringVar(&o.Module, "module", "", "`path` of the Go module (default\nexample.com/durasync-connector-NAME)")
	cmd.Flags().StringVar(&o.Replace, "replace", "", "build from Durasync's source in `dir`, not from a\nversion of it")
	return cmd
}

// completeScaffold checks what was asked for and fills in what was not.
func (a *app) completeScaffold(cmd *cobra.Command, o *scaffold.Options) error {
	if err := checkConnectorName(o.Name); err != nil {
		return usageError(cmd, "%v", err)
	}
	if a.program.Connectors[o.Name] != nil {
		return usageError(cmd, "%s is built into this program; choose another name", o.Name)
	}
	o.Source = o.Source || !o.Destination
	if o.Module == "" {
		o.Module = "example.com/" + scaffoldDir(o.Name)
	} else if !goModulePath.MatchString(o.Module) {
		return usageError(cmd, "--module %q is no path of a Go module, such as github.com/acme/%s", o.Module, scaffoldDir(o.Name))
	}
	var isRelease bool
	o.Version, isRelease = a.release()
	switch {
	case o.Replace != "" && !scaffold.IsSource(o.Replace):
		return usageError(cmd, "--replace %s is not the directory of Durasync's source, with its go.mod", o.Replace)
	case o.Replace == "" && !isRelease:
		if o.Replace = scaffold.Source(); o.Replace == "" {
			return environmentError("this program is not a release, and its source is not on this machine; say with --replace where it is")
		}
	}
	if o.Replace == "" {
		return nil
	}
	var err error
	o.Replace, err = filepath.Abs(o.Replace)
	return err
}

// releaseVersion matches versions of releases, before and after 1.0; what a build names itself otherwise cannot be fetched.
var releaseVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[a-z]+[\w.]*)?$`)

func scaffoldDir(name string) string { return "durasync-connector-" + name }

var goModulePath = regexp.MustCompile(`^[A-Za-z0-9][\w.~-]*(/[A-Za-z0-9][\w.~-]*)*$`)

// checkConnectorName checks a name as the name in a description is checked.
func checkConnectorName(name string) error {
	d := plugin.DescribeResponse{Name: name, Version: "1", Streams: []plugin.Stream{{
		Name: "records", Record: "record", MaxRead: 1, Fields: []plugin.Field{{Name: "id", Type: plugin.String}},
	}}}
	if err := d.Validate(); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "name: "))
	}
	return nil
}

// release returns the version of this program as one of the Go module, and whether it was published. It was if the release build made the
// program, or go install did, which knows the checksum of what it has fetched.
func (a *app) release() (version string, published bool) {
	if v := "v" + strings.TrimPrefix(a.program.Version, "v"); releaseVersion.MatchString(v) {
		return v, true
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Sum != "" {
		return info.Main.Version, true
	}
	return "v0.0.0", false
}

func (a *app) showScaffold(o scaffold.Options) {
	dir, does := scaffoldDir(o.Name), "reads from"
	switch {
	case o.Source && o.Destination:
		does = "reads from and writes to"
	case o.Destination:
		does = "writes to"
	}
	a.printf("%s %s a simulated %s.\n\n", a.outStyle().bold(dir), does, o.Title())
	a.printf("  cd %s\n  go mod tidy   # fetches what it is built from\n  make test     # checks it against the simulator\n\n", dir)
	a.printf("Its README.md says what to change where, to make it one for your system.\n")
}
