package totango

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// Check implements [plugin.Checker]. It reads the touchpoint types, which every touchpoint needs anyway.
func (c *Connector) Check(ctx context.Context, _ *plugin.CheckRequest) (*plugin.CheckResponse, error) {
	s, err := c.session.Get()
	if err != nil {
		return nil, err
	}
	ctx, counter := httpkit.Count(ctx)
	types, _, err := s.types.get(ctx, time.Now(), s.checkTypes)
	if err != nil {
		return nil, counter.Fail(err)
	}
	return &plugin.CheckResponse{
		Summary:  fmt.Sprintf("Totango at %s, %d touchpoint types", s.http.Host(), len(types)),
		Requests: counter.Requests(),
	}, nil
}

// checkTypes is fetchTypes with an answer that no API gives taken for a wrong host.
func (s *session) checkTypes(ctx context.Context) (catalog, error) {
	req := &httpkit.Request{Method: http.MethodGet, Path: "/api/v3/touchpoint-types/", Accept: []int{http.StatusNotFound}}
	resp, err := s.http.Do(ctx, req)
	if err != nil {
		return nil, advise(err)
	}
	if resp.Status == http.StatusNotFound || isHTML(resp) {
		return nil, plugin.InvalidConfig(s.config.hostAttribute(), "leads to %s, which does not answer like Totango's API (status %d: %s)",
			s.http.Host(), resp.Status, resp.Excerpt())
	}
	return decodeList(resp)
}
