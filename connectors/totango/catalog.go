package totango

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/httpkit"
)

// catalog is a list of things that the administrators of the instance name: types, tags or flows.
type catalog []entry

type entry struct {
	id, name string
	disabled bool
}

// label is what people call the entry.
func (e entry) label() string { return cmp.Or(e.name, e.id) }

// find returns the entry with that id or name. Equal beats equal but for case, and enabled beats disabled.
func (c catalog) find(want string) (entry, bool) {
	best, found := 0, entry{}
	for _, e := range c {
		rank := 0
		switch {
		case e.id == want:
			rank = 5
		case e.name == want:
			rank = 3
		case strings.EqualFold(e.name, want), strings.EqualFold(e.id, want):
			rank = 1
		}
		if rank > 0 && !e.disabled {
			rank++
		}
		if rank > best {
			best, found = rank, e
		}
	}
	return found, best > 0
}

// names lists what there is, for a person who has to choose.
func (c catalog) names() string {
	const most = 30
	var names []string
	for _, e := range c {
		if !e.disabled {
			names = append(names, fmt.Sprintf("%q", e.label()))
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// lookUp returns the entry for a name that a job uses. The catalog is fetched once, and again when it lacks the name and is older
// than since, because somebody may have added it.
func lookUp(
	ctx context.Context, list *cached[catalog], fetch func(context.Context) (catalog, error), attribute, what, want string, since time.Time,
) (entry, error) {
	want = strings.TrimSpace(want)
	known, fetched, err := list.get(ctx, time.Time{}, fetch)
	if err != nil {
		return entry{}, err
	}
	found, ok := known.find(want)
	if !ok && fetched.Before(since) {
		if known, _, err = list.get(ctx, since, fetch); err != nil {
			return entry{}, err
		}
		found, ok = known.find(want)
	}
	if !ok {
		e := plugin.Errorf(plugin.CodeNotFound, "Totango has no %s %q; it has %s", what, want, known.names())
		e.Attribute = attribute
		return entry{}, e
	}
	return found, nil
}

// isUnknownName reports whether the error is that of a lookUp that found nothing.
func isUnknownName(e *plugin.Error) bool {
	return e.Code == plugin.CodeNotFound && slices.Contains([]string{"type", "flow", "tags"}, e.Attribute)
}

// fetchTypes reads the touchpoint types.
func (s *session) fetchTypes(ctx context.Context) (catalog, error) {
	return s.fetchList(ctx, "/api/v3/touchpoint-types/")
}

// fetchTags reads the touchpoint tags, which Totango's pages call reasons.
func (s *session) fetchTags(ctx context.Context) (catalog, error) {
	return s.fetchList(ctx, "/api/v3/touchpoint-tags/")
}

// fetchList reads a JSON array of types or tags.
func (s *session) fetchList(ctx context.Context, path string) (catalog, error) {
	resp, err := s.http.Do(ctx, &httpkit.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return nil, advise(err)
	}
	return decodeList(resp)
}

// decodeList decodes a JSON array of types or tags. What the name of a tag is called is not documented: the likely names are tried.
func decodeList(resp *httpkit.Response) (catalog, error) {
	if e := refusal(resp); e != nil {
		return nil, e
	}
	var items []struct {
		ID          text `json:"id"`
		DisplayName text `json:"display_name"`
		Name        text `json:"name"`
		Label       text `json:"label"`
	}
	if err := resp.Decode(&items); err != nil {
		return nil, err
	}
	out := catalog{}
	for _, it := range items {
		if it.ID != "" {
			out = append(out, entry{id: string(it.ID), name: string(cmp.Or(it.DisplayName, it.Name, it.Label))})
		}
	}
	return out, nil
}

// fetchFlows reads the SuccessFlows, which the API calls activity types: a JSON object keyed by id.
func (s *session) fetchFlows(ctx context.Context) (catalog, error) {
	var items map[string]struct {
		ID          text `json:"activity_type_id"`
		DisplayName text `json:"display_name"`
		Disabled    any  `json:"disabled"`
	}
	if err := s.read(ctx, &httpkit.Request{Method: http.MethodGet, Path: "/api/v3/activity-types/"}, &items); err != nil {
		return nil, err
	}
	out := catalog{}
	for key, it := range items {
		out = append(out, entry{id: string(cmp.Or(it.ID, text(key))), name: string(it.DisplayName), disabled: it.Disabled == true})
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	return out, nil
}
