package file_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/plugin"
)

// benchRows is how many rows BenchmarkCopy copies, of about 370 bytes each.
const benchRows = 100_000

// BenchmarkCopy lists, reads and writes a file, a thousand rows at a time, without anything between the two connectors.
func BenchmarkCopy(b *testing.B) {
	for _, name := range kinds {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			in := filepath.Join(dir, "in-"+name)
			write(b, in, benchText(name))
			rows := 0
			for n := 0; b.Loop(); n++ {
				source := open(b, in)
				destination := open(b, filepath.Join(dir, fmt.Sprintf("out-%d-%s", n, name)))
				for part := range slices.Chunk(list(b, source), 1000) {
					res, err := source.Read(b.Context(), &plugin.ReadRequest{Stream: "rows", IDs: part, Fields: []string{"values"}})
					if err != nil {
						b.Fatal(err)
					}
					items := make([]plugin.Item, len(res.Records))
					for i, r := range res.Records {
						items[i] = plugin.Item{Key: "file/rows/" + r.ID, Attributes: r.Data}
					}
					must(b, destination, items...)
					rows += len(items)
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			if rows%benchRows != 0 {
				b.Errorf("%d rows were copied, want a multiple of %d", rows, benchRows)
			}
		})
	}
}

// benchText is a file of benchRows rows.
func benchText(name string) string {
	var s strings.Builder
	isCSV := strings.Contains(name, ".csv")
	if isCSV {
		s.WriteString("id,time,name,email,city,amount,paid,note\n")
	}
	for i := range benchRows {
		at := date(1).Add(time.Duration(i) * time.Second).Format(time.RFC3339)
		note := strings.Repeat(fmt.Sprint("note ", i, " "), 17)
		if isCSV {
			fmt.Fprintf(&s, "row-%d,%s,Ann Lee,ann%d@example.com,\"Rome, Italy\",%d.50,true,%.250s\n", i, at, i, i, note)
			continue
		}
		fmt.Fprintf(&s, `{"id":"row-%d","time":%q,"name":"Ann Lee","email":"ann%d@example.com","city":"Rome, Italy","amount":%d.50,"paid":true,"note":"%.170s"}`+"\n",
			i, at, i, i, note)
	}
	return s.String()
}
