package workflows

import (
	"go.temporal.io/sdk/workflow"
)

// registry is what workflows are registered with: a worker or a replayer.
type registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}

// Register registers all workflows under the names by which they are started.
func Register(r registry) {
	r.RegisterWorkflowWithOptions(Sync, workflow.RegisterOptions{Name: SyncType})
	r.RegisterWorkflowWithOptions(Job, workflow.RegisterOptions{Name: JobType})
	r.RegisterWorkflowWithOptions(Ledger, workflow.RegisterOptions{Name: LedgerType})
	r.RegisterWorkflowWithOptions(Preview, workflow.RegisterOptions{Name: PreviewType})
	r.RegisterWorkflowWithOptions(Quota, workflow.RegisterOptions{Name: QuotaType})
}
