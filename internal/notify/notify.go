package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/plugin"
)

// Timeout bounds one attempt to send a notice, within the context's deadline.
const Timeout = 30 * time.Second

// The types of notifiers.
const (
	TypeWebhook = "webhook"
	TypeEmail   = "email"
)

// Notifiers sends notices. Make it with [New]; it may be used from many goroutines at once.
type Notifiers struct {
	senders map[string]sender
}

// sender sends a notice. Its errors are of type *plugin.Error and hold no secret.
type sender interface {
	send(ctx context.Context, n *activities.Notice) *plugin.Error
}

// New makes notifiers from their configurations: JSON objects by the notifier's full name, "type.name". Errors are of type
// [*plugin.Error] with [plugin.CodeInvalidConfig], the attribute, and the notifier's name in the message.
func New(configs map[string]json.RawMessage) (*Notifiers, error) { return newNotifiers(configs, nil) }

// newNotifiers is New with the authorities that mail servers are trusted by; nil means the system's.
func newNotifiers(configs map[string]json.RawMessage, roots *x509.CertPool) (*Notifiers, error) {
	all := &Notifiers{senders: make(map[string]sender, len(configs))}
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		var s sender
		var err *plugin.Error
		switch kind, _, _ := strings.Cut(name, "."); kind {
		case TypeWebhook:
			s, err = newWebhook(configs[name])
		case TypeEmail:
			s, err = newEmail(configs[name], roots)
		default:
			err = plugin.Errorf(plugin.CodeInvalidConfig, "there is no notifier of type %q; there are %s and %s", kind, TypeWebhook, TypeEmail)
		}
		if err != nil {
			return nil, named(name, err)
		}
		all.senders[name] = s
	}
	return all, nil
}

// Notify sends a notice to the notifier of the given full name. Errors are of type [*plugin.Error]: a Retryable one says that the
// notice was surely not delivered and that trying again may help; an Uncertain one that it may have been delivered, and is never
// retryable. An attempt takes at most [Timeout].
func (n *Notifiers) Notify(ctx context.Context, to string, notice activities.Notice) error {
	s, ok := n.senders[to]
	if !ok {
		return plugin.Errorf(plugin.CodeInvalidConfig, "there is no notifier %s in the directory that this worker serves%s", to, n.known())
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if err := s.send(ctx, &notice); err != nil {
		if err.Uncertain {
			err.Retryable = false
			err.Message += "; the notice may have been delivered and is not sent again"
		}
		return named(to, err)
	}
	return nil
}

func (n *Notifiers) known() string {
	if len(n.senders) == 0 {
		return ", nor any other"
	}
	return ", only " + strings.Join(slices.Sorted(maps.Keys(n.senders)), ", ")
}

// named puts the notifier's name in front of an error that has just been made.
func named(name string, err *plugin.Error) *plugin.Error {
	err.Message = "notifier " + name + ": " + err.Message
	return err
}

// invalid is a mistake in a configuration.
func invalid(attribute, format string, args ...any) *plugin.Error {
	e := plugin.Errorf(plugin.CodeInvalidConfig, "%s", attribute+" "+fmt.Sprintf(format, args...))
	e.Attribute = attribute
	return e
}

// decode reads a configuration. Its errors name the attribute and never quote a value.
func decode(config json.RawMessage, into any) *plugin.Error {
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		return nil
	}
	if shape, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // Decode returns it as it is
		return invalid(cmp.Or(shape.Field, "configuration"), "must not be a JSON %s", strings.Fields(shape.Value)[0])
	}
	return plugin.Errorf(plugin.CodeInvalidConfig, "the configuration is not a JSON object of the notifier's attributes")
}

// idOf names a notice: the same for every attempt to send it, and for no other.
func idOf(n *activities.Notice) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{n.Run.Owner.WorkflowID, n.Run.Owner.FirstRunID, string(n.Kind)}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
