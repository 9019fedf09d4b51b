package workflows

import (
	"fmt"

	"github.com/durasync/durasync/activities"
)

// TaskQueue is the queue of all workflows and of the activities that need no connection.
const TaskQueue = "durasync"

// ConnectionQueue is the queue of a connection's activities, such as "durasync/gong/acme", so that chosen workers can serve
// chosen connections.
func ConnectionQueue(connectionType, name string) string {
	return TaskQueue + "/" + connectionType + "/" + name
}

// The names of the workflow types.
const (
	SyncType    = "Sync"
	JobType     = "Job"
	LedgerType  = "Ledger"
	QuotaType   = "Quota"
	PreviewType = "Preview"
)

// The names of updates and queries.
const (
	UpdateApply  = "apply"  // Job: store a plan
	UpdateBegin  = "begin"  // Job: take the lock
	UpdateFinish = "finish" // Job: give the lock back
	QueryStatus  = "status" // Job and Quota

	UpdateClaim  = "claim"  // Ledger
	UpdateSettle = "settle" // Ledger
	QueryLookup  = "lookup" // Ledger: by key
	QueryOpen    = "open"   // Ledger: by job

	UpdateLease = "lease" // Quota
	UpdateBlock = "block" // Quota

	QueryProgress = "progress" // Sync
)

// SyncIDPrefix begins the workflow ids of a job's runs: the schedule appends "-" and the time.
func SyncIDPrefix(job string) string { return "sync/" + job }

// JobID is the workflow id of a job's entity.
func JobID(job string) string { return "job/" + job }

// LedgerID is the workflow id of a shard of a ledger; shards are numbered from 1.
func LedgerID(ref activities.LedgerRef, shard int) string {
	id := fmt.Sprintf("ledger/%s/%s/%s", ref.Connection, ref.Object, ref.Day)
	if shard > 1 {
		id = fmt.Sprintf("%s/%d", id, shard)
	}
	return id
}

// QuotaID is the workflow id of a connection's quota.
func QuotaID(connection string) string { return "quota/" + connection }
