package workflows

import (
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/worker"

	"github.com/durasync/durasync/internal/codec"
)

// TestRecordedHistoriesReplay replays histories that a server recorded, of this version of the code and of those before. It
// fails if a workflow would now decide otherwise than it did, which would break the runs and entities that are open when the
// program is upgraded: such a change needs workflow.GetVersion. New histories are recorded with
//
//	go test ./internal/e2e -run TestHistoriesReplay -record "$PWD/workflows/testdata/history"
//
// and added beside the old ones, under names that say what they show.
func TestRecordedHistoriesReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/history/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded histories: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: codec.DataConverter()})
			if err != nil {
				t.Fatal(err)
			}
			Register(replayer)
			if err := replayer.ReplayWorkflowHistoryFromJSONFile(nil, file); err != nil {
				t.Error(err)
			}
		})
	}
}
