package devserver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// pollInterval is how often a start that is under way is looked at.
const pollInterval = 5 * time.Millisecond

// awaitReady returns when the frontend knows every namespace and the web UI answers.
func (s *Server) awaitReady(ctx context.Context, namespaces []string) error {
	conn, err := grpc.NewClient(s.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the embedded Temporal server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	frontend := workflowservice.NewWorkflowServiceClient(conn)

	for _, ns := range namespaces {
		if err := poll(ctx, func() error {
			_, err := frontend.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: ns})
			return err
		}); err != nil {
			return fmt.Errorf("wait for namespace %q of the embedded Temporal server: %w", ns, err)
		}
	}
	if err := poll(ctx, func() error { return get(ctx, s.UIURL+"/healthz") }); err != nil {
		return fmt.Errorf("wait for the web UI: %w", err)
	}
	return nil
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return nil
}

// poll calls try until it succeeds or the context ends, and then returns try's last error.
func poll(ctx context.Context, try func() error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last answer: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}
