package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/durasync/durasync/internal/codec"
)

const (
	defaultAddress   = "127.0.0.1:7233"
	defaultNamespace = "default"

	// dialTimeout is how long Temporal may take to answer at first.
	dialTimeout = 4 * time.Second

	// pollerFresh is how long ago a worker may have asked for tasks and still count as running: a long poll lasts a minute.
	pollerFresh = 70 * time.Second
)

// temporalClient is a connection to Temporal.
type temporalClient struct {
	client.Client
	address, namespace string

	// ui is the web UI's URL; empty if it is not known.
	ui string

	// codec reads payloads that the client does not read by itself.
	codec *codec.Codec
}

// dial connects to the Temporal that the TEMPORAL_ variables and the profile name.
func (a *app) dial(ctx context.Context, log hclog.Logger) (*temporalClient, error) {
	return a.dialWith(ctx, nil, log)
}

// dialWith is dial with what a worker adds to the client's options.
func (a *app) dialWith(ctx context.Context, more func(*client.Options) error, log hclog.Logger) (*temporalClient, error) {
	opts, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: a.env})
	if err != nil {
		return nil, environmentError("the settings for Temporal (TEMPORAL_ variables, or the profile) cannot be used: %w", err)
	}
	opts.HostPort = cmp.Or(opts.HostPort, defaultAddress)
	opts.Namespace = cmp.Or(opts.Namespace, defaultNamespace)
	payloads, err := a.codec(ctx, log)
	if err != nil {
		return nil, err
	}
	t, err := dialTemporal(ctx, opts, payloads, more, log)
	if err != nil {
		return nil, err
	}
	t.ui = findUI(ctx, t.address)
	return t, nil
}

// dialTemporal connects and checks that the namespace is there.
func dialTemporal(
	ctx context.Context, opts client.Options, payloads *codec.Codec, more func(*client.Options) error, log hclog.Logger,
) (*temporalClient, error) {
	opts.Logger = temporalLog{log.Named("temporal")}
	opts.DataConverter, opts.FailureConverter = payloads.DataConverter(), payloads.FailureConverter()
	opts.ConnectionOptions.GetSystemInfoTimeout = dialTimeout
	if more != nil {
		if err := more(&opts); err != nil {
			return nil, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := client.DialContext(limited, opts)
	if err != nil {
		return nil, unreachable(ctx, opts, err)
	}
	_, err = c.WorkflowService().DescribeNamespace(limited, &workflowservice.DescribeNamespaceRequest{Namespace: opts.Namespace})
	if is[*serviceerror.PermissionDenied](err) {
		err = nil // a key may be allowed to run workflows and nothing else
	}
	if err != nil {
		c.Close()
		return nil, unreachable(ctx, opts, err)
	}
	return &temporalClient{Client: c, address: opts.HostPort, namespace: opts.Namespace, codec: payloads}, nil
}

// unreachable says why Temporal cannot be used.
func unreachable(ctx context.Context, opts client.Options, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var missing *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &missing), is[*serviceerror.NotFound](err):
		return environmentError("the Temporal at %s has no namespace %q; create it with temporal operator namespace create, or set TEMPORAL_NAMESPACE",
			opts.HostPort, opts.Namespace)
	case is[*serviceerror.PermissionDenied](err), grpcstatus.Code(err) == codes.Unauthenticated:
		return environmentError("the Temporal at %s does not accept the credentials; check TEMPORAL_API_KEY or the TLS settings: %w", opts.HostPort, err)
	}
	todo := "start one with durasync dev, or set TEMPORAL_ADDRESS"
	switch why := err.Error(); {
	case opts.ConnectionOptions.TLS != nil:
		todo = "if there is one, check the certificates (TEMPORAL_TLS_ settings, or the profile's)"
	case strings.Contains(why, "server preface"), strings.Contains(why, "frame"):
		todo = "if there is one, it may want TLS: set TEMPORAL_TLS=true or TEMPORAL_API_KEY"
	}
	return environmentError("no Temporal server answers at %s: %s; %s", opts.HostPort, cause(err), todo)
}

// cause is the innermost part of a connection error.
func cause(err error) string {
	text := err.Error()
	if errors.Is(err, context.DeadlineExceeded) || is[*serviceerror.DeadlineExceeded](err) {
		return "timed out"
	}
	if i := strings.LastIndex(text, "desc = "); i >= 0 {
		text = text[i+len("desc = "):]
	}
	if i := strings.LastIndex(text, "dial tcp "); i >= 0 {
		text = strings.TrimRight(text[i:], `"`)
		if _, after, ok := strings.Cut(text, ": "); ok {
			text = after
		}
	}
	return text
}

// findUI returns the web UI of a Temporal, as far as that can be told from its address: Temporal Cloud has one for all, and a
// development server on this machine has it a thousand ports above its own.
func findUI(ctx context.Context, address string) string {
	h, p, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	if strings.HasSuffix(h, ".tmprl.cloud") || strings.HasSuffix(h, ".api.temporal.io") {
		return "https://cloud.temporal.io"
	}
	port, err := strconv.Atoi(p)
	ip := net.ParseIP(h)
	if err != nil || h != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return ""
	}
	ui := "http://" + net.JoinHostPort(h, strconv.Itoa(port+1000))
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, ui+"/api/v1/settings", nil)
	if err != nil {
		return ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return ""
	}
	return ui
}

// runURL is the page of a run in the web UI; empty if there is none.
func (t *temporalClient) runURL(workflowID, runID string) string {
	if t.ui == "" {
		return ""
	}
	return fmt.Sprintf("%s/namespaces/%s/workflows/%s/%s", t.ui, url.PathEscape(t.namespace), url.PathEscape(workflowID), runID)
}

// served reports whether a worker asks for tasks of a queue.
func (t *temporalClient) served(ctx context.Context, queue string, kind enumspb.TaskQueueType) (bool, error) {
	res, err := t.DescribeTaskQueue(ctx, queue, kind)
	if err != nil {
		return false, fmt.Errorf("describe task queue %s: %w", queue, err)
	}
	for _, p := range res.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < pollerFresh {
			return true, nil
		}
	}
	return false, nil
}
