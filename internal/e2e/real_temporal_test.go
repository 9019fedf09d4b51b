package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/internal/temporaltest"
	"github.com/durasync/durasync/workflows"
)

// onPostgres says where the tests have their Temporal: in a namespace of a server on PostgreSQL, which all of them share, or, by default,
// each in an embedded one. Tests that kill the server, read its file or look at its pages have an embedded one in any case.
var onPostgres = os.Getenv("DURASYNC_E2E_TEMPORAL") == "postgres"

// useServer takes a namespace of the server, with search attributes that somebody has registered. With none of ours it is as it is when
// somebody begins: the worker registers them.
func (s *system) useServer(server *temporaltest.Server, attributes map[string]enumspb.IndexedValueType) {
	s.t.Helper()
	s.address, s.namespace = server.Address, server.Namespace(s.t, attributes)
	s.env = append(s.env, "TEMPORAL_ADDRESS="+s.address, "TEMPORAL_NAMESPACE="+s.namespace)
}

// TestNamespaceOfAnOperator runs a job on a Temporal server on PostgreSQL, in a namespace whose search attributes an operator has
// registered. The worker may not look at or change them; runs are found by them if it may look.
func TestNamespaceOfAnOperator(t *testing.T) {
	t.Parallel()
	server := temporaltest.Shared(t)
	for name, test := range map[string]struct {
		refused string // the calls, or their service
		found   int64  // runs, by their attributes
	}{
		"which does not let the worker look":     {"OperatorService/", 0},
		"which does not let the worker register": {"OperatorService/AddSearchAttributes", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSimulators(t, &gongtest.Server{}, unlimitedTotango())
			s.useServer(server, workflows.SearchAttributes())
			s.useGateway(nil, func(r *http.Request) refusal {
				if strings.Contains(r.URL.Path, test.refused) {
					return refusal{codes.PermissionDenied, "Request unauthorized."}
				}
				return refusal{}
			})
			c := s.company(sandbox.Size{Meetings: 60})
			s.worker()
			s.ok("apply", s.dir)
			s.checkTruth(c, s.sync("meetings"))
			count := func(query string) int64 {
				res, err := s.temporal().WorkflowService().CountWorkflowExecutions(t.Context(),
					&workflowservice.CountWorkflowExecutionsRequest{Namespace: s.namespace, Query: query})
				if err != nil {
					t.Fatal(err)
				}
				return res.GetCount()
			}
			const ended = "WorkflowType = 'Sync' AND ExecutionStatus = 'Completed'" // what is stored is found a moment later
			s.until("the run is found", func() bool { return count(ended) == 1 })
			if n := count(ended + " AND DurasyncJob = 'meetings' AND DurasyncCreated > 0"); n != test.found {
				t.Errorf("%d runs are found by job and count, want %d", n, test.found)
			}
		})
	}
}
