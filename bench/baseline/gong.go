package baseline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

// Gong reads calls from Gong.
type Gong struct {
	URL, Key, Secret string
}

// Call is what the baselines use of a call.
type Call struct {
	MetaData struct {
		ID       string    `json:"id"`
		URL      string    `json:"url"`
		Title    string    `json:"title"`
		Started  time.Time `json:"started"`
		Duration int       `json:"duration"`
		Private  bool      `json:"isPrivate"`
	} `json:"metaData"`
	Parties []struct {
		Email       string `json:"emailAddress"`
		Affiliation string `json:"affiliation"`
	} `json:"parties"`
	Content struct {
		Brief     string `json:"brief"`
		KeyPoints []struct {
			Text string `json:"text"`
		} `json:"keyPoints"`
	} `json:"content"`
}

// Calls lists the calls of a window with their texts, page by page, without the private ones.
func (g *Gong) Calls(ctx context.Context, from, to time.Time) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		var cursor string
		for {
			body := map[string]any{
				"filter": map[string]string{"fromDateTime": from.Format(time.RFC3339), "toDateTime": to.Format(time.RFC3339)},
				"contentSelector": map[string]any{"exposedFields": map[string]any{
					"parties": true, "content": map[string]bool{"brief": true, "keyPoints": true},
				}},
			}
			if cursor != "" {
				body["cursor"] = cursor
			}
			var page struct {
				Records struct{ Cursor string }
				Calls   []*Call
			}
			if err := g.post(ctx, body, &page); err != nil {
				yield(nil, err)
				return
			}
			for _, c := range page.Calls {
				if !c.MetaData.Private && !yield(c, nil) {
					return
				}
			}
			if cursor = page.Records.Cursor; cursor == "" {
				return
			}
		}
	}
}

func (g *Gong) post(ctx context.Context, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/v2/calls/extensive", bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.SetBasicAuth(g.Key, g.Secret)
	req.Header.Set("Content-Type", "application/json")
	return do(req, into)
}

// do sends a request and decodes its answer, which it reads to the end, so that the connection is used again.
func do(req *http.Request, into any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s\n%.300s", req.Method, req.URL, resp.Status, b)
	}
	return json.Unmarshal(b, into)
}
