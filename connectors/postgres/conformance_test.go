package postgres_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/durasync/durasync/connectors/postgres"
	"github.com/durasync/durasync/internal/postgrestest"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/plugintest"
)

// TestConformance runs the kit against a real server. The rows that it writes have no time, and so are not in the stream.
func TestConformance(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, `CREATE TABLE meetings (id bigint PRIMARY KEY, time timestamptz, name text, big numeric)`,
		`INSERT INTO meetings VALUES (7, '2026-03-01T10:00:00+01:00', 'Zoë <& "Co"', 12345678901234567890), (8, '2026-03-01T11:00:00Z', NULL, NULL),
			(9, '2026-03-02', NULL, NULL), (10, '2026-03-03T00:00:00.123456Z', NULL, NULL)`)
	last := 100
	item := func(values string) plugin.Item {
		last++
		return item(fmt.Sprint(last), values)
	}
	plugintest.Run(t, plugintest.Harness{
		New:     func() plugin.Connector { return postgres.New() },
		Command: plugintest.Self(t),
		Config: func(string) json.RawMessage {
			address := urlTo("postgres", postgrestest.Password, "127.0.0.1", d.server.Port, d.name, url.Values{"sslmode": {"require"}})
			return settings{"url": address, "table": "meetings"}.json()
		},
		BadConfig: map[string]json.RawMessage{
			"table":       settings{"host": "h", "user": "u", "table": "sales."}.json(),
			"url":         settings{"url": "postgres://u:pass/word-secret@h/d", "table": "t"}.json(),
			"host":        settings{"user": "u", "table": "t"}.json(),
			"port":        settings{"host": "h", "user": "u", "port": 65536, "table": "t"}.json(),
			"user":        settings{"host": "h", "table": "t"}.json(),
			"password":    settings{"url": "postgres://u@h/d", "password": "word-secret", "table": "t"}.json(),
			"sslmode":     settings{"host": "h", "user": "u", "sslmode": "on", "table": "t"}.json(),
			"sslrootcert": settings{"host": "h", "user": "u", "sslrootcert": "/nowhere.pem", "table": "t"}.json(),
			"id":          settings{"host": "h", "user": "u", "table": "t", "id": ""}.json(),
			"time":        settings{"host": "h", "user": "u", "table": "t", "time": ""}.json(),
			"on_conflict": settings{"host": "h", "user": "u", "table": "t", "on_conflict": "replace"}.json(),
		},
		Source: &plugintest.Source{
			Stream: "rows", From: date(1), To: date(4), Unknown: "404", BadToken: "an-older-version",
			Want: []plugin.Record{
				{ID: "7", Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Data: json.RawMessage(`{"id":"7","time":"2026-03-01T09:00:00Z",
					"values":{"id":7,"time":"2026-03-01T09:00:00+00:00","name":"Zoë <& \"Co\"","big":12345678901234567890}}`)},
				{ID: "9", Time: date(2), Data: json.RawMessage(`{"values":{"id":9,"time":"2026-03-02T00:00:00+00:00","name":null,"big":null}}`)},
				{ID: "10", Data: json.RawMessage(`{"time":"2026-03-03T00:00:00.123456Z"}`)},
			},
		},
		Destination: &plugintest.Destination{
			Object:  "row",
			Item:    func() plugin.Item { return item(`{"name":"Zoë","big":12345678901234567890}`) },
			BadItem: func() plugin.Item { return item(`{"big":"many"}`) },
			Written: func(i plugin.Item) int {
				return len(d.query("SELECT FROM meetings WHERE id = $1::text::bigint AND name = 'Zoë' AND big = 12345678901234567890", i.RecordID))
			},
		},
	})
}
