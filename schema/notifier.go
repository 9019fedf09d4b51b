package schema

import (
	"encoding/json"
	"log/slog"
	"net/mail"
	"net/url"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// Notifier is somebody who can be told about runs.
type Notifier struct {
	Type        string // one of [NotifierTypes]
	Name        string
	Description string

	// Config is a JSON object with every attribute of the type that is set or has a default. It holds secrets. It is nil
	// unless [Options.Env] was given.
	Config json.RawMessage

	// Range is the header of the notifier's block.
	Range Range
}

// ID returns the notifier's name in plans: type.name.
func (n Notifier) ID() string { return n.Type + "." + n.Name }

// String returns the ID, so that printing a notifier shows no secret.
func (n Notifier) String() string { return n.ID() }

// GoString is String.
func (n Notifier) GoString() string { return n.ID() }

// LogValue implements [slog.LogValuer] likewise.
func (n Notifier) LogValue() slog.Value { return slog.StringValue(n.ID()) }

// MarshalJSON leaves Config out.
func (n Notifier) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID          string `json:"id"`
		Description string `json:"description,omitempty"`
	}{n.ID(), n.Description})
}

// NotifierType is a way to reach somebody.
type NotifierType struct {
	Name string
	Doc  string

	// Attributes are those of a notifier block. Besides the types of package plugin there are maps: their kind is "map".
	Attributes []plugin.Attribute

	// Example is what can stand between the block's braces.
	Example string

	// check finds what types do not say. The values are null if they are not set and unknown if they are not read.
	check func(b *secretBlock, value func(name string) cty.Value) hcl.Diagnostics
}

// NotifierTypes returns the types of notifiers. Callers must not change it.
func NotifierTypes() []NotifierType { return notifierTypes }

var notifierTypes = []NotifierType{
	{
		Name: "webhook", Doc: "A message by HTTP, such as into a channel of Slack.",
		Attributes: []plugin.Attribute{
			{Name: "url", Type: plugin.String, Required: true, Sensitive: true,
				Doc: "The address to post to, with https or http. That of a Slack channel is a secret: who knows it can post there."},
			{Name: "format", Type: plugin.String, Default: json.RawMessage(`"slack"`), OneOf: []string{"slack", "json"},
				Doc: `What is posted: "slack", a message that Slack, Mattermost and their like show as it is; "json", the run's data for programs.`},
			{Name: "headers", Type: plugin.Type{Kind: kindMap, Elem: &plugin.String}, Sensitive: true,
				Doc: "Further headers of the request."},
		},
		Example: `url     = env("OPS_WEBHOOK_URL")
format  = "json"
headers = { Authorization = "Bearer ${env("OPS_WEBHOOK_TOKEN")}" }`,
		check: checkWebhook,
	},
	{
		Name: "email", Doc: "A message by e-mail, through an SMTP server.",
		Attributes: []plugin.Attribute{
			{Name: "host", Type: plugin.String, Required: true, Doc: "The SMTP server's name."},
			{Name: "port", Type: plugin.Int, Default: json.RawMessage(`587`), Doc: "The SMTP server's port."},
			{Name: "username", Type: plugin.String, Doc: "The user to log in as. No login if not set."},
			{Name: "password", Type: plugin.String, Sensitive: true, Doc: "The user's password."},
			{Name: "from", Type: plugin.String, Required: true, Doc: "The sender's address."},
			{Name: "to", Type: plugin.ListOf(plugin.String), Required: true, Doc: "The receivers' addresses."},
			{Name: "starttls", Type: plugin.Bool, Default: json.RawMessage(`true`),
				Doc: "Whether the connection must be encrypted before anything is sent. Turn it off for a server on the same machine only."},
		},
		Example: `host     = "smtp.acme.com"
username = "durasync"
password = env("SMTP_PASSWORD")
from     = "durasync@acme.com"
to       = ["ops@acme.com"]`,
		check: checkEmail,
	},
}

func notifierTypeNames() []string {
	return names(notifierTypes, func(t *NotifierType) string { return t.Name })
}

// notifier is a notifier's block on its way to a [Notifier].
type notifier struct {
	Notifier
	secretBlock
}

func (l *loader) decodeNotifier(n *notifier, ctx *hcl.EvalContext) {
	i := slices.IndexFunc(notifierTypes, func(t NotifierType) bool { return t.Name == n.Type })
	if i < 0 {
		n.invalid = true
		n.file.hideBody(n.block.Body) // any attribute may be a secret
		l.diags = append(l.diags, misnamed(CodeInvalidLabel, n.block.LabelRanges[0], n.Type, notifierTypeNames(), "Unknown type of notifier",
			"There is no type of notifier %q.", n.Type))
		return
	}
	known := notifierTypes[i]
	n.what, n.attrs = article(n.Type)+" notifier", known.Attributes
	val, diags := n.decode(ctx, l.opts.Env != nil)
	diags = append(diags, known.check(&n.secretBlock, val.GetAttr)...)
	n.invalid = diags.HasErrors() || n.file.broken
	n.Description, n.Config = n.description, n.config
	l.diags = append(l.diags, diags...)
}

// readable reports whether a value is there and can be looked at.
func readable(v cty.Value) bool { return !v.IsNull() && v.IsWhollyKnown() }

func checkWebhook(b *secretBlock, value func(string) cty.Value) hcl.Diagnostics {
	v := value("url")
	if !readable(v) {
		return nil
	}
	u, err := url.Parse(v.AsString())
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" {
		return nil
	}
	return hcl.Diagnostics{problem(CodeInvalidValue, b.rangeOf("url"), "Invalid address",
		"url is the address of a web page, such as https://hooks.slack.com/services/...; this is none.")}
}

func checkEmail(b *secretBlock, value func(string) cty.Value) hcl.Diagnostics {
	var diags hcl.Diagnostics
	fail := func(name, summary, detail string, args ...any) {
		diags = append(diags, problem(CodeInvalidValue, b.rangeOf(name), summary, detail, args...))
	}
	if v := value("port"); readable(v) {
		if n, _ := v.AsBigFloat().Float64(); n < 1 || n > 65535 {
			fail("port", "Invalid port", "port is a number from 1 to 65535.")
		}
	}
	if v := value("from"); readable(v) && !isMailbox(v) {
		fail("from", "Invalid address", "from is an e-mail address, such as durasync@example.com.")
	}
	if v := value("to"); readable(v) {
		switch list := v.AsValueSlice(); {
		case len(list) == 0:
			fail("to", "Nobody to write to", "to has at least one address.")
		case slices.ContainsFunc(list, func(e cty.Value) bool { return e.IsNull() || !isMailbox(e) }):
			fail("to", "Invalid address", "to holds e-mail addresses, such as ops@example.com, and one of these is none.")
		}
	}
	if user, password := value("username"), value("password"); user.IsNull() != password.IsNull() {
		name, missing := "username", "password"
		if user.IsNull() {
			name, missing = missing, name
		}
		fail(name, "Half a login", "username and password go together, and %s is not set.", missing)
	}
	return diags
}

// isMailbox reports whether a value is an e-mail address, with or without a name before it.
func isMailbox(v cty.Value) bool {
	_, err := mail.ParseAddress(v.AsString())
	return err == nil
}

// notices are the values of on in notify blocks, in the order of plans.
var notices = []string{string(plan.NoticeFailed), string(plan.NoticeRejected), string(plan.NoticeEmpty)}

// notify compiles the notify blocks of a job.
func (j *jobCompiler) notify(body *hclsyntax.Body) {
	told := map[string]*hclsyntax.Block{}
	for _, b := range body.Blocks {
		if b.Type != "notify" {
			continue
		}
		s := j.open(b)
		n := refer(j, s, b, "to", "notifier", j.loader.notifiers)
		on := s.notices()
		j.report(s.diags...)
		if n == nil {
			continue
		}
		j.held = j.held || n.invalid
		if first := told[n.ID()]; first != nil {
			j.report(problem(CodeDuplicate, s.attr("to").Expr.Range(), "Told twice",
				"The block at line %d tells %s already: list all kinds of runs there.", first.TypeRange.Start.Line, n.ID()))
			continue
		}
		told[n.ID()] = b
		j.plan.Notify = append(j.plan.Notify, plan.Notify{To: n.ID(), On: on})
	}
}

// notices reads the kinds of runs to tell about.
func (s *settings) notices() []plan.Notice {
	a := s.attr("on")
	if a == nil {
		return []plan.Notice{plan.NoticeFailed}
	}
	given, ok := s.list("on")
	if !ok {
		return nil
	}
	at := a.Expr.Range()
	if len(given) == 0 {
		s.diags = append(s.diags, problem(CodeInvalidValue, at, "Nothing to tell",
			"on has at least one of %s; leave the block out to tell nobody.", oneOf(notices)))
	}
	for i, g := range given {
		if !slices.Contains(notices, g) {
			s.diags = append(s.diags, notOneOf(elementRange(a.Expr, i), "on", g, notices)...)
		}
	}
	var out []plan.Notice
	for _, n := range notices {
		if slices.Contains(given, n) {
			out = append(out, plan.Notice(n))
		}
	}
	return out
}

// elementRange is the place of an element of a list, or of the list if it is not written out.
func elementRange(expr hclsyntax.Expression, i int) hcl.Range {
	if list, ok := expr.(*hclsyntax.TupleConsExpr); ok && i < len(list.Exprs) {
		return list.Exprs[i].Range()
	}
	return expr.Range()
}
