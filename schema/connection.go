package schema

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/durasync/durasync/plugin"
)

// Connection is a connector with credentials.
type Connection struct {
	Type        string // the connector's name
	Name        string
	Description string

	// Config is the input of [plugin.Connector]'s Configure: a JSON object with every attribute that is set or has a default.
	// It holds secrets. It is nil unless [Options.Env] was given.
	Config json.RawMessage

	// Range is the header of the connection's block.
	Range Range
}

// ID returns the connection's name in plans and task queues: type.name.
func (c Connection) ID() string { return c.Type + "." + c.Name }

// String returns the ID, so that printing a connection shows no secret.
func (c Connection) String() string { return c.ID() }

// GoString is String.
func (c Connection) GoString() string { return c.ID() }

// LogValue implements [slog.LogValuer] likewise.
func (c Connection) LogValue() slog.Value { return slog.StringValue(c.ID()) }

// MarshalJSON leaves Config out.
func (c Connection) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID          string `json:"id"`
		Description string `json:"description,omitempty"`
	}{c.ID(), c.Description})
}

// connection is a connection's block on its way to a [Connection].
type connection struct {
	Connection
	secretBlock
}

// decodeSecrets decodes the connections and the notifiers.
func (l *loader) decodeSecrets(ctx context.Context) {
	reading := &hcl.EvalContext{Functions: l.secretFunctions(ctx, l.opts.Env != nil)}
	blind := &hcl.EvalContext{Functions: l.secretFunctions(ctx, false)}
	connections := slices.Collect(maps.Values(l.connections))
	for _, c := range connections {
		if l.opts.Serves != nil && !l.opts.Serves(c.ID()) {
			l.decodeConnection(c, blind, false)
			continue
		}
		l.decodeConnection(c, reading, l.opts.Env != nil)
	}
	if l.opts.Configure != nil {
		diags := make([]hcl.Diagnostics, len(connections))
		parallel(len(connections), func(i int) { diags[i] = connections[i].tryConfig(ctx, l.opts) })
		l.diags = append(l.diags, slices.Concat(diags...)...)
	}
	for _, n := range l.notifiers {
		l.decodeNotifier(n, reading)
	}
}

func (l *loader) decodeConnection(c *connection, ctx *hcl.EvalContext, evaluated bool) {
	d := l.descriptions[c.Type]
	if d == nil { // reported, and the connection is invalid
		c.file.hideBody(c.block.Body) // any attribute may be a secret
		return
	}
	c.what, c.attrs = "a connection to "+c.Type, d.Config
	_, diags := c.decode(ctx, evaluated)
	c.invalid = diags.HasErrors() || c.file.broken
	c.Description, c.Config = c.description, c.config
	l.diags = append(l.diags, diags...)
}

// tryConfig asks the connector whether it takes the configuration, and puts what it says where the attribute stands. What it says of
// a stand-in means nothing.
func (c *connection) tryConfig(ctx context.Context, opts Options) hcl.Diagnostics {
	if c.invalid || c.trial == nil {
		return nil
	}
	err := opts.Configure(ctx, c.Type, c.trial)
	if err == nil {
		return nil
	}
	e := plugin.AsError(err)
	name, _, _ := strings.Cut(e.Attribute, ".")
	name, _, _ = strings.Cut(name, "[")
	if slices.Contains(c.standIns, name) || name == "" && len(c.standIns) > 0 {
		return nil
	}
	c.invalid = true
	what := "The connector " + c.Type + " does not take the configuration: "
	switch {
	case name != "" && strings.HasPrefix(e.Message, name): // it names the attribute itself
		what = ""
	case e.Attribute != "":
		what = e.Attribute + ": "
	}
	return hcl.Diagnostics{problem(CodeInvalidValue, c.rangeOf(name), "Invalid value", "%s%s.", what, strings.TrimSuffix(e.Message, "."))}
}
