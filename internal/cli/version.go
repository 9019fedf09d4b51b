package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/temporal"
)

func (a *app) versionCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  maxArgs(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			v := a.version()
			if a.json {
				a.writeJSON(v)
				return nil
			}
			a.printf("durasync %s (%s%s/%s, Temporal SDK %s)\n", v.Version, commit(v.Commit), v.OS, v.Arch, v.TemporalSDK)
			return nil
		},
	})
}

type version struct {
	Version     string `json:"version"`
	Commit      string `json:"commit,omitempty"`
	Go          string `json:"go"`
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	TemporalSDK string `json:"temporal_sdk"`
}

func (a *app) version() version {
	v := version{Version: a.program.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, TemporalSDK: temporal.SDKVersion}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		v.Version = cmp.Or(v.Version, "unknown")
		return v
	}
	v.Version = cmp.Or(v.Version, strings.TrimPrefix(info.Main.Version, "v"), "unknown")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}

func commit(hash string) string {
	if hash == "" {
		return ""
	}
	return hash[:min(12, len(hash))] + ", "
}
