package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"
)

// recordColumns is the header of the table of records that were not written. Columns are only ever added at the end.
var recordColumns = []string{"id", "time", "title", "state", "reason", "what_to_do", "detail", "link"}

// writeRecordsCSV writes records as RFC 4180 says: a header, lines that end in CR LF, cells quoted where they have to be.
func writeRecordsCSV(out io.Writer, records []openRecord, now time.Time) error {
	w := csv.NewWriter(out)
	w.UseCRLF = true
	rows := [][]string{recordColumns}
	for _, r := range records {
		todo := r.ToDo
		if r.givenUp(now) {
			todo += "; " + givenUpText
		}
		row := []string{r.ID, r.Time.UTC().Format(time.RFC3339), r.Title, string(r.State), string(r.Reason), todo, r.Detail, r.URL}
		for i := range row {
			row[i] = inert(row[i])
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// inert makes a cell text that a spreadsheet would run as a formula: titles come from people outside. OWASP's page on CSV injection
// names the first characters, and the apostrophe in front of them as the remedy. The wide forms are those that spreadsheets take for
// the plain ones in East Asian settings.
func inert(cell string) string {
	if strings.ContainsAny(firstRune(cell), "=+-@\t\r\n＝＋－＠") {
		return "'" + cell
	}
	return cell
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
