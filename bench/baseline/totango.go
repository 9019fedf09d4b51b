package baseline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Totango writes touchpoints to Totango.
type Totango struct {
	URL, Token string

	accounts map[string]string // by address
}

// CallsToTotango writes a touchpoint for each call of a window that a customer took part in, and returns how many: a loop that knows
// nothing of an earlier run, and begins anew when it is stopped.
func CallsToTotango(ctx context.Context, g *Gong, t *Totango, from, to time.Time) (int, error) {
	written := 0
	for c, err := range g.Calls(ctx, from, to) {
		if err != nil {
			return written, err
		}
		account, err := t.accountOf(ctx, c)
		if err != nil {
			return written, err
		}
		if account == "" {
			continue
		}
		if err := t.write(ctx, account, c); err != nil {
			return written, fmt.Errorf("call %s: %w", c.MetaData.ID, err)
		}
		written++
	}
	return written, nil
}

// accountOf returns the account of the first external participant who has one.
func (t *Totango) accountOf(ctx context.Context, c *Call) (string, error) {
	for _, p := range c.Parties {
		if p.Email == "" || p.Affiliation == "Internal" {
			continue
		}
		account, ok := t.accounts[p.Email]
		if !ok {
			var err error
			if account, err = t.search(ctx, p.Email); err != nil {
				return "", err
			}
			if t.accounts == nil {
				t.accounts = map[string]string{}
			}
			t.accounts[p.Email] = account
		}
		if account != "" {
			return account, nil
		}
	}
	return "", nil
}

// search returns the account of an address, or nothing.
func (t *Totango) search(ctx context.Context, address string) (string, error) {
	query, err := json.Marshal(map[string]any{
		"terms":  []any{map[string]string{"type": "string", "term": "identifier", "eq": address}},
		"fields": []any{}, "count": 1, "offset": 0, "scope": "all",
	})
	if err != nil {
		return "", err
	}
	form := url.Values{"query": {string(query)}}
	var answer struct {
		Response struct {
			Users struct {
				Hits []struct {
					Account struct{ Name string } // its id
				}
			}
		}
	}
	err = t.post(ctx, "/api/v1/search/users", "application/x-www-form-urlencoded", []byte(form.Encode()), &answer)
	if err != nil || len(answer.Response.Users.Hits) == 0 {
		return "", err
	}
	return answer.Response.Users.Hits[0].Account.Name, nil
}

func (t *Totango) write(ctx context.Context, account string, c *Call) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n%s\n", c.MetaData.URL, c.Content.Brief)
	var people []map[string]string
	for _, p := range c.Parties {
		if p.Email != "" {
			people = append(people, map[string]string{"userid": p.Email})
		}
	}
	for _, k := range c.Content.KeyPoints {
		fmt.Fprintf(&text, "- %s\n", k.Text)
	}
	body, err := json.Marshal(map[string]any{
		"account_id": account, "subject": c.MetaData.Title, "content": text.String(), "create_date": c.MetaData.Started.UnixMilli(),
		"participantList": people,
	})
	if err != nil {
		return err
	}
	var answer struct{ Note struct{ ID any } }
	return t.post(ctx, "/api/v3/touchpoints/", "application/json", body, &answer)
}

func (t *Totango) post(ctx context.Context, path, contentType string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("app-token", t.Token)
	req.Header.Set("Content-Type", contentType)
	return do(req, into)
}
