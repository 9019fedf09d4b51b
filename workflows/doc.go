// Package workflows holds the Temporal workflows. They decide and remember; everything that touches the world is an activity.
//
//   - [Sync] is one run of a job. It takes nothing but the job's name, so that it can be started by hand.
//   - [Job] is one entity for each job: the plan, the watermark, the lock, the last runs.
//   - [Ledger] is one entity for each destination connection, object and day: what was written, by whom, and what was not.
//   - [Quota] is one entity for each connection with a rate limit: it paces the requests of all workers.
//
// Workflow code is replayed, for the entities through every upgrade, so it is deterministic: no clock but workflow.Now, no
// I/O, no goroutines but workflow.Go, no iteration over maps. The build checks it with workflowcheck and by replaying the
// histories in testdata/history. A change to the order of commands needs workflow.GetVersion.
//
// The entities are small on purpose. Their handlers never block, so that one can continue as new at any time; a request that
// comes twice finds its owner in the state and changes nothing.
package workflows
