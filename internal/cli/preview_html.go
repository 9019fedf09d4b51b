package cli

import (
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"github.com/durasync/durasync/activities"
)

//go:embed preview.html
var previewPage string

// previewTemplate escapes whatever comes from other systems.
var previewTemplate = template.Must(template.New("preview").Funcs(template.FuncMap{
	"moment": moment, "join": strings.Join, "inc": func(i int) int { return i + 1 }, "local": localPart,
	"sentence": sentence, "title": capital,
}).Parse(previewPage))

// htmlRecord is a record as the page shows it.
type htmlRecord struct {
	activities.PreviewRecord
	Heading, Account, Word, Class, Verdict string
	Others                                 []string
	Values                                 []htmlValue
}

// htmlValue is an attribute; Long ones are texts that take their own space.
type htmlValue struct {
	Name, Value string
	Long        bool
}

// longValue is from how many characters on a value is shown as a text.
const longValue = 120

// writeHTML writes the preview as a page of its own. The file is there as a whole or not at all.
func (p *preview) writeHTML(path string) (err error) {
	records := make([]htmlRecord, len(p.Records))
	for i := range p.Records {
		records[i] = p.htmlRecord(&p.Records[i])
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".durasync-preview-*")
	if err != nil {
		return environmentError("the web page cannot be written: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is left of it
			err = environmentError("the web page cannot be written: %w", err)
		}
	}()
	err = previewTemplate.Execute(f, map[string]any{
		"Job": p.Job, "Description": p.Description, "Title": p.title(), "When": moment(p.when), "Records": records, "Tally": p.tally(),
		"Target": p.targetNoun(), "Empty": p.emptiness(), "URL": p.URL, "Source": p.Source, "Destination": p.Destination,
		"SourceReached": p.SourceReached, "DestinationReached": p.DestinationReached,
	})
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

func (p *preview) htmlRecord(r *activities.PreviewRecord) htmlRecord {
	h := htmlRecord{PreviewRecord: *r, Heading: plainText(titleOf(r)), Account: targetText(r), Word: resultWord(r), Class: string(r.State), Verdict: p.verdict(r)}
	for _, loser := range r.Losers {
		h.Others = append(h.Others, loserText(&loser))
	}
	for _, attr := range orderedAttributes(p.plan, r.Attributes) {
		h.Values = append(h.Values, htmlValue{attr.name, attr.value, len(attr.value) > longValue || strings.Contains(attr.value, "\n")})
	}
	return h
}
