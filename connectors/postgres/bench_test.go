package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/internal/postgrestest"
	"github.com/durasync/durasync/plugin"
)

// benchRows is how many rows of about 370 bytes the benchmarks write and read.
const benchRows = 20_000

// benchTable is a server that writes to the disk as PostgreSQL does by default, with an empty table.
func benchTable(b *testing.B) *database {
	return newDatabaseOn(b, postgrestest.Start(b, "fsync=on", "full_page_writes=on"),
		"CREATE TABLE t (id text PRIMARY KEY, time timestamptz, name text, email text, city text, amount numeric, paid boolean, note text)",
		"CREATE INDEX ON t (time, id)")
}

func benchItems() []plugin.Item {
	items := make([]plugin.Item, benchRows)
	for i := range items {
		items[i] = item(fmt.Sprint("row-", i), fmt.Sprintf(
			`{"time":%q,"name":"Ann Lee","email":"ann%d@example.com","city":"Rome, Italy","amount":%d.50,"paid":true,"note":"%.170s"}`,
			date(1).Add(time.Duration(i)*time.Second).Format(time.RFC3339), i, i, strings.Repeat(fmt.Sprint("note ", i, " "), 17)))
	}
	return items
}

// BenchmarkCreate inserts rows, a batch at a time, and then writes the same ones again, which changes nothing.
func BenchmarkCreate(b *testing.B) {
	items := benchItems()
	for _, size := range []int{500, 1000} {
		for _, again := range []bool{false, true} {
			b.Run(fmt.Sprintf("batch=%d/again=%t", size, again), func(b *testing.B) {
				d := benchTable(b)
				c := d.open("t")
				write := func() {
					for batch := range slices.Chunk(items, size) {
						must(b, c, batch...)
					}
				}
				write() // so that the tables of the catalog are in memory
				for b.Loop() {
					if !again {
						b.StopTimer()
						d.exec("TRUNCATE t")
						b.StartTimer()
					}
					write()
				}
				b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
				d.want("SELECT count(*) FROM t", fmt.Sprint(benchRows))
			})
		}
	}
}

// BenchmarkRead lists and reads rows, 1000 at a time.
func BenchmarkRead(b *testing.B) {
	d := benchTable(b)
	c := d.open("t")
	for batch := range slices.Chunk(benchItems(), 500) {
		must(b, c, batch...)
	}
	d.exec("ANALYZE t")
	for b.Loop() {
		n := 0
		for ids := range slices.Chunk(list(b, c, date(1), date(2)), 1000) {
			n += len(read(b, c, ids...))
		}
		if n != benchRows {
			b.Fatalf("%d rows are read, want %d", n, benchRows)
		}
	}
	b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
