package cli

import (
	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	sdklog "go.temporal.io/sdk/log"
)

// The formats of logs.
const (
	logText = "text"
	logJSON = "json" // a JSON object a line, as hclog writes them
)

// logger returns the logger of a command, at the level of --log-level or else the command's own.
func (a *app) logger(cmd *cobra.Command, level hclog.Level) (hclog.Logger, error) {
	if a.logLevel != "" {
		if level = hclog.LevelFromString(a.logLevel); level == hclog.NoLevel {
			return nil, usageError(cmd, "--log-level %q is none of trace, debug, info, warn, error and off", a.logLevel)
		}
	}
	if a.logFormat != "" && a.logFormat != logText && a.logFormat != logJSON {
		return nil, usageError(cmd, "--log-format %q is neither %s nor %s", a.logFormat, logText, logJSON)
	}
	return hclog.New(&hclog.LoggerOptions{Name: "durasync", Level: level, Output: a.opts.Stderr, JSONFormat: a.logFormat == logJSON}), nil
}

// temporalLog is the Temporal SDK's logger. What the SDK says at info is about itself, not about jobs, and goes to debug.
type temporalLog struct{ hclog.Logger }

var _ sdklog.Logger = temporalLog{}

// Info implements [sdklog.Logger].
func (l temporalLog) Info(msg string, keyvals ...any) { l.Debug(msg, keyvals...) }
