package cli

import (
	"context"
	"os"
	"runtime"

	"github.com/hashicorp/go-hclog"

	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/internal/command"
)

// The variables that say where the keys of payloads are. At most one of them is set.
const (
	envKeys        = "DURASYNC_ENCRYPTION_KEYS"
	envKeysFile    = "DURASYNC_ENCRYPTION_KEYS_FILE"
	envKeysCommand = "DURASYNC_ENCRYPTION_KEYS_COMMAND"
)

// codec returns the codec of payloads, with the keys that the environment names.
func (a *app) codec(ctx context.Context, log hclog.Logger) (*codec.Codec, error) {
	sources := map[string]func(ctx context.Context, value string) (string, error){
		envKeys:        func(_ context.Context, value string) (string, error) { return value, nil },
		envKeysFile:    readKeysFile,
		envKeysCommand: runShell,
	}
	var name, value string
	for n := range sources {
		v := a.env.get(n)
		if v == "" {
			continue
		}
		if name != "" {
			return nil, environmentError("%s and %s are both set; leave one of them", min(name, n), max(name, n))
		}
		name, value = n, v
	}
	if name == "" {
		return codec.New(nil), nil
	}
	keys, err := codec.NewKeyring(ctx,
		func(ctx context.Context) (string, error) { return sources[name](ctx, value) },
		func(err error) {
			log.Error("the keys of payloads cannot be read again; those from before stay in use", "variable", name, "error", err)
		})
	if err != nil {
		return nil, environmentError("the encryption keys of %s cannot be used: %w", name, err)
	}
	return codec.New(keys), nil
}

func readKeysFile(_ context.Context, path string) (string, error) {
	b, err := os.ReadFile(path)
	return string(b), err
}

// runShell runs a command line with the system's shell.
func runShell(ctx context.Context, line string) (string, error) {
	if runtime.GOOS == "windows" {
		return command.Output(ctx, "cmd", "/c", line)
	}
	return command.Output(ctx, "sh", "-c", line)
}
