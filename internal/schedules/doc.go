// Package schedules keeps a Temporal schedule for each job: its id is the job's name, and its action starts the workflow Sync with
// the job's name as the only input. Everything about it follows from the plan, so that applying the same plan again touches
// nothing, and whatever somebody changed by other means is put back. What durasync pause has paused stays paused.
package schedules
