package host

import (
	"os"
	"slices"
)

// passed are the variables of the host's environment that connectors see; see [Command].
var passed = []string{
	"PATH", "TMPDIR", "TMP", "TEMP", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	"http_proxy", "https_proxy", "all_proxy", "no_proxy",
	"SYSTEMROOT",
}

// environ returns the environment of a connector's process: the allowed part of the host's, what go-plugin adds, and the
// command's own.
func environ(handshake, own []string) []string {
	var env []string
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return slices.Concat(env, handshake, own)
}
