package baseline

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/connectors/totango/totangotest"
)

const token = "token"

var start = time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)

// simulated serves 250 calls, one each minute, every other one with a customer. The last one is private.
func simulated(t *testing.T) (*Gong, *Totango, *totangotest.Server) {
	gong := gongtest.New(gongtest.Options{})
	totango := totangotest.New(totangotest.Options{Tokens: []string{token}, RequestsPerMinute: -1})
	totango.AddAccount(totangotest.Account{ID: "acme", Name: "Acme"})
	totango.AddUser(totangotest.User{ID: "pat@acme.example", Name: "Pat", AccountID: "acme", Contact: true})
	for i := range 250 {
		email := "pat@acme.example"
		if i%2 == 0 {
			email = "stranger@nowhere.example"
		}
		gong.AddCall(gongtest.Call{
			Title: "Review", Started: start.Add(time.Duration(i) * time.Minute), Duration: 90 * time.Second, Brief: "They talked.", KeyPoints: []string{"Price"},
			Private: i == 249,
			Parties: []gongtest.Party{{Email: "host@vendor.example", Affiliation: "Internal"}, {Email: email, Affiliation: "External"}},
		})
	}
	at := func(h *httptest.Server) string {
		t.Cleanup(h.Close)
		return h.URL
	}
	return &Gong{URL: at(httptest.NewServer(gong)), Key: gongtest.AccessKey, Secret: gongtest.AccessKeySecret},
		&Totango{URL: at(httptest.NewServer(totango)), Token: token}, totango
}

func TestCallsToTotangoWritesThoseWithACustomer(t *testing.T) {
	g, to, totango := simulated(t)
	n, err := CallsToTotango(t.Context(), g, to, start, start.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	got := totango.Touchpoints()
	if n != 124 || len(got) != 124 {
		t.Fatalf("%d touchpoints are said to be written and %d are there, want 124", n, len(got))
	}
	for _, tp := range got {
		if tp.AccountID != "acme" || tp.Subject != "Review" || len(tp.Participants) != 2 {
			t.Fatalf("a touchpoint is not that of its call: %+v", tp)
		}
	}
	if n := totango.Requests(totangotest.SearchUsers); n != 2 {
		t.Errorf("%d searches were made for two addresses", n)
	}
}

func TestCallsToFileWritesALineForEach(t *testing.T) {
	g, _, _ := simulated(t)
	path := filepath.Join(t.TempDir(), "calls.jsonl")
	n, err := CallsToFile(t.Context(), g, path, start, start.Add(24*time.Hour))
	if err != nil || n != 249 {
		t.Fatalf("%d lines, %v; want 249", n, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(b, []byte("\n")); lines != 249 {
		t.Errorf("the file has %d lines, want 249", lines)
	}
}

func TestFileToFileKeepsEveryColumn(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, []byte(`{"id":"a","n":1}`+"\n"+`{"id":"b","m":[true]}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := FileToFile(in, out); n != 2 || err != nil {
		t.Fatalf("%d lines, %v; want 2", n, err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	for line := range bytes.Lines(b) {
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	want := []map[string]any{{"id": "a", "key": "a", "n": 1.0}, {"id": "b", "key": "b", "m": []any{true}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}
}
