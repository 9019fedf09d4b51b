package e2e

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/durasync/durasync/connectors/gong/gongtest"
	"github.com/durasync/durasync/examples"
	"github.com/durasync/durasync/internal/postgrestest"
)

// postgresConnections are the connections of the example that keeps Gong meetings in a table, a second table, and a job from one to the
// other.
const postgresConnections = `
connection "gong" "acme" {
  access_key          = env("GONG_ACCESS_KEY")
  access_key_secret   = env("GONG_ACCESS_KEY_SECRET")
  base_url            = env("GONG_BASE_URL")
  requests_per_second = 0
  requests_per_day    = 0
}

connection "postgres" "meetings" {
  url   = env("WAREHOUSE_URL")
  table = "sales.meetings"
}

connection "postgres" "report" {
  url   = env("WAREHOUSE_URL")
  table = "report"
  id    = "meeting"
}

job "report" {
  source {
    connection = connection.postgres.meetings
    stream     = "rows"
  }
  destination {
    connection = connection.postgres.report
    object     = "row"
  }
  map {
    values = { title = upper(row.values.title), number = row.values.number, at = row.time, people = length(row.values.participants) }
  }
}
`

// meeting is a row of the table of meetings.
type meeting struct {
	ID           string
	Time         time.Time
	Title        string
	URL          string
	Minutes      int
	Host         string
	Participants []string
	Brief        string
}

// reported is a row of the other table.
type reported struct {
	Meeting string
	Title   string
	Number  int64
	At      time.Time
	People  int
}

// TestGongMeetingsAreKeptInATable runs the example, and a job that takes the rows on into another table.
func TestGongMeetingsAreKeptInATable(t *testing.T) {
	t.Parallel()
	server := postgrestest.Shared(t)
	name := server.Database(t)
	db := server.Connect(t, name)
	if _, err := db.Exec(t.Context(), `CREATE SCHEMA sales;
		CREATE TABLE sales.meetings (id text PRIMARY KEY, time timestamptz NOT NULL, title text, url text, minutes integer, host text, participants text[],
			brief text, number bigint DEFAULT 9007199254740993);
		CREATE TABLE report (meeting text PRIMARY KEY, title varchar(20), number bigint, at timestamptz, people int)`); err != nil {
		t.Fatal(err)
	}
	s := newSystem(t)
	s.example(postgresConnections, examples.GongToPostgres(), "gong_meetings.hcl")
	s.env = append(s.env, "WAREHOUSE_URL="+server.URL(name))
	s.worker()
	s.ok("apply", s.dir)

	began := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour)
	people := []string{"hana@vendor.example", contact("acme")}
	call := gongtest.Call{
		Started: began, Duration: 29*time.Minute + 30*time.Second, Brief: "They talked.", PrimaryUserID: "1",
		Parties: []gongtest.Party{
			{Name: "Hana", Email: people[0], UserID: "1", Affiliation: "Internal"}, {Name: "Phone"}, {Name: "Pat", Email: people[1]},
		},
	}
	meetings, reports := map[string]meeting{}, map[string]reported{} // by key
	add := func(title string) string {
		call.Title, call.URL = title, "https://gong.example/"+title[:1]
		id := s.gong.AddCall(call)
		meetings[id] = meeting{
			ID: id, Time: began, Title: title, URL: call.URL, Minutes: 30, Host: people[0], Participants: people, Brief: call.Brief,
		}
		return id
	}
	report := func(id, title string) {
		reports[id] = reported{Meeting: id, Title: title, Number: 9007199254740993, At: began, People: 2}
	}
	check := func(when string) {
		t.Helper()
		found := table(t, db, "SELECT id, time, title, url, minutes, host, participants, brief FROM sales.meetings", func(m meeting) string { return m.ID })
		if diff := cmp.Diff(meetings, found, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("%s: the meetings (-want +got):\n%s", when, diff)
		}
		further := table(t, db, "SELECT meeting, title, number, at, people FROM report", func(r reported) string { return r.Meeting })
		if diff := cmp.Diff(reports, further, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("%s: the report (-want +got):\n%s", when, diff)
		}
	}
	report(add("Review"), "REVIEW")
	kickoff := add(`Kick-off'); DROP TABLE report; --`) // too long for the report
	s.gong.AddCall(gongtest.Call{Title: "Among ourselves", Scope: "Internal", Started: began, Duration: time.Hour, Brief: "They talked."})
	for range 2 { // the second time, nothing is new
		s.sync("gong_to_postgres")
		if sum := s.sync("report"); sum.Counts.Rejected != 1 {
			t.Errorf("the run says that %d rows were rejected, want the one whose title is too long: %+v", sum.Counts.Rejected, sum.Counts)
		}
		check("after two runs")
	}

	// What has changed in the table is changed in the other one.
	if _, err := db.Exec(t.Context(), "UPDATE sales.meetings SET title = 'Kick-off' WHERE id = $1", kickoff); err != nil {
		t.Fatal(err)
	}
	m := meetings[kickoff]
	m.Title = "Kick-off"
	meetings[kickoff] = m
	report(kickoff, "KICK-OFF")
	s.sync("report")
	check("after a change")
}

// table returns the rows of a query by their keys.
func table[T any](t *testing.T, db *pgxpool.Pool, query string, key func(T) string) map[string]T {
	t.Helper()
	rows, err := db.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]T{}
	for _, row := range all {
		if _, twice := found[key(row)]; twice {
			t.Errorf("the key %q is there twice", key(row))
		}
		found[key(row)] = row
	}
	return found
}
