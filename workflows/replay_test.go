package workflows

import (
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/worker"

	"github.com/durasync/durasync/internal/codec"
)

// TestRecordedHistoriesReplay replays histories that a server recorded, of every release in a folder of its own. It fails if a
// workflow would now decide otherwise than it did, which would break the runs and entities that are open when the program is
// upgraded: such a change needs workflow.GetVersion. See docs/upgrading.md, also for how histories are recorded.
func TestRecordedHistoriesReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/history/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded histories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "testdata/history/"), func(t *testing.T) {
			replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: codec.New(nil).DataConverter()})
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
