package activities

import "context"

// Notifier tells people of runs.
type Notifier interface {
	// Notify sends a notice to a notifier of the job directory, such as "webhook.ops". Errors hold a [*plugin.Error]: one that
	// is Retryable was surely not delivered.
	Notify(ctx context.Context, to string, n Notice) error
}

// NotifyInput is the input of [Activities.Notify].
type NotifyInput struct {
	To     string `json:"to"`
	Notice Notice `json:"notice"`
}

// Notify sends a notice. One that may have arrived is not sent again.
func (a *Activities) Notify(ctx context.Context, in NotifyInput) error {
	if err := a.deps.Notifier.Notify(ctx, in.To, in.Notice); err != nil {
		return applicationError("", err)
	}
	return nil
}
