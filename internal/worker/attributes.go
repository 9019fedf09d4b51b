package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/workflows"
)

// attributesTTL is how long the list of the namespace's search attributes is taken for true. One that was removed meanwhile does
// no harm that soon: the server keeps what is removed for longer.
const attributesTTL = time.Minute

// attributes knows which of our search attributes the namespace has.
type attributes struct {
	client    client.Client
	namespace string

	mu    sync.Mutex
	names []string
	at    time.Time
}

// register adds the missing ones, as far as the server lets us: everything works without them, so a refusal is only reported.
func (a *attributes) register(ctx context.Context) error {
	have, err := a.list(ctx)
	if err != nil {
		return err
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range workflows.SearchAttributes() {
		if !slices.Contains(have, name) {
			missing[name] = kind
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = a.client.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: a.namespace, SearchAttributes: missing,
	})
	return err
}

// registered returns the names of those that the namespace has. If the server does not say, they count as missing.
func (a *attributes) registered(ctx context.Context) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.at) < attributesTTL {
		return a.names
	}
	names, err := a.list(ctx)
	if err != nil {
		return nil
	}
	a.names, a.at = names, time.Now()
	return names
}

func (a *attributes) list(ctx context.Context) ([]string, error) {
	res, err := a.client.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: a.namespace})
	if err != nil {
		return nil, err
	}
	var names []string
	for name, kind := range workflows.SearchAttributes() {
		if res.GetCustomAttributes()[name] == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
