package gong

import (
	"context"
	"slices"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// maxRead is how many calls one Read asks for: as many as a page of Gong's holds, with a few megabytes of text at most.
const maxRead = 100

// Read implements [plugin.Source]. It asks Gong only for the parts of a call that the fields need. Calls that have become
// private or were deleted since they were listed are left out.
func (c *Connector) Read(ctx context.Context, req *plugin.ReadRequest) (*plugin.ReadResponse, error) {
	conn, err := c.forStream(req.Stream)
	if err != nil {
		return nil, err
	}
	if len(req.IDs) == 0 || len(req.IDs) > maxRead {
		return nil, plugin.Errorf(plugin.CodeInvalidRequest, "a read of calls takes 1 to %d ids, not %d", maxRead, len(req.IDs))
	}
	p, err := newProjection(req.Fields)
	if err != nil {
		return nil, err
	}
	ctx, n := httpkit.Count(ctx)
	records, err := conn.read(ctx, req.IDs, p)
	if err != nil {
		return nil, n.Fail(err)
	}
	return &plugin.ReadResponse{Records: records, Requests: n.Requests()}, nil
}

func (c *connection) read(ctx context.Context, ids []string, p *projection) ([]plugin.Record, error) {
	// One id that is no number would make Gong refuse all of them. There is no such call.
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isID(id) })
	if len(ids) == 0 {
		return nil, nil
	}
	calls, err := c.byID(ctx, ids, p)
	if err != nil {
		return nil, err
	}
	var wanted []*call
	var times []time.Time
	missing := slices.Clone(ids)
	for i := range calls {
		started, err := calls[i].MetaData.check()
		if err != nil {
			return nil, err
		}
		at := slices.Index(missing, string(calls[i].MetaData.ID))
		if at < 0 || *calls[i].MetaData.IsPrivate { // not asked for, or there already
			continue
		}
		missing = slices.Delete(missing, at, at+1)
		wanted, times = append(wanted, &calls[i]), append(times, started)
	}
	hosts, err := c.people(ctx, p, wanted)
	if err != nil {
		return nil, err
	}
	var records []plugin.Record
	for i, one := range wanted {
		r, err := p.record(one, times[i], hosts[i])
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// byID returns the calls of the ids. They fit on one page; should Gong cut pages smaller, the others are followed.
func (c *connection) byID(ctx context.Context, ids []string, p *projection) ([]call, error) {
	var calls []call
	for at := (httpkit.Cursor{}); ; {
		page, err := c.calls(ctx, &extensiveRequest{Filter: filter{CallIDs: ids}, Cursor: at.Value, ContentSelector: &p.selector})
		if err != nil {
			return nil, err
		}
		calls = append(calls, page.Calls...)
		if at, err = page.behind(at); err != nil {
			return nil, err
		}
		if at.Value == "" {
			return calls, nil
		}
	}
}
