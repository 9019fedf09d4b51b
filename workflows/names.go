package workflows

import (
	"fmt"
	"time"

	"github.com/durasync/durasync/activities"
)

// TaskQueue is the queue of all workflows and of the activities that need no connection.
const TaskQueue = "durasync"

// ConnectionQueue is the queue of a connection's activities, such as "durasync/gong/acme", so that chosen workers can serve
// chosen connections.
func ConnectionQueue(connectionType, name string) string {
	return TaskQueue + "/" + connectionType + "/" + name
}

// CopyQueue is the queue of copies from one connection to another, such as "durasync/copy/gong.acme/file.archive": a worker that polls it
// serves both.
func CopyQueue(source, destination string) string {
	return TaskQueue + "/copy/" + source + "/" + destination
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

// MemoJob is the memo field of schedules and runs that holds the job's name.
const MemoJob = "job"

// RunIDPrefix begins the workflow ids of a job's runs of a kind; "-" and the time follow.
func RunIDPrefix(kind activities.RunKind, job string) string { return string(kind) + "/" + job }

// runIDTime is the time in the ids of runs that are not a schedule's. It is finer than that of a schedule, so that neither takes the
// other's id.
const runIDTime = "2006-01-02T15:04:05.000000Z"

// RunID is the workflow id of a run that somebody starts now.
func RunID(kind activities.RunKind, job string, now time.Time) string {
	return RunIDPrefix(kind, job) + "-" + now.UTC().Format(runIDTime)
}

// The changes to workflow code that open workflows have to be protected from; see docs/upgrading.md. The list is append-only.
const (
	// changeResume: a run that a rate limit ends for long starts another one and is partial; before, it failed.
	changeResume = "resume"

	// changeCopy: records are copied in batches to destinations that take them again without harm; before, each was an activity.
	changeCopy = "copy"

	// changeCancel: a cancelled run no longer tries writes again; before, it did so for hours.
	changeCancel = "cancel"

	// changeRead: a wave is read by as few activities as the source's connector allows; before, each read 25 records at most.
	changeRead = "read"

	// changeCopyAhead: the next part of a window is listed while the one before is copied; before, it was listed afterwards.
	changeCopyAhead = "copy-ahead"

	// changeAdopt: a run that adopts waits with the job's lock until a rate limit allows more; before, it ended and another one went on.
	changeAdopt = "adopt"

	// changeWaves: the groups of a wave follow those of the wave before; before, all of a wave was settled before the next one began.
	changeWaves = "waves"
)

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
