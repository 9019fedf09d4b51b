//go:build !unix

package plugin

import "github.com/hashicorp/go-hclog"

// endWithHost does nothing: where files cannot be passed to a child by number, the host's end is not noticed.
func endWithHost(hclog.Logger) {}

// killGroup does nothing: there are no process groups.
func killGroup() {}
