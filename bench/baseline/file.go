package baseline

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"
)

// CallsToFile writes a line for each call of a window, and returns how many.
func CallsToFile(ctx context.Context, g *Gong, path string, from, to time.Time) (int, error) {
	return lines(path, func(write func(any) error) error {
		for c, err := range g.Calls(ctx, from, to) {
			if err != nil {
				return err
			}
			var people []string
			for _, p := range c.Parties {
				if p.Email != "" {
					people = append(people, p.Email)
				}
			}
			if err := write(map[string]any{
				"key": c.MetaData.ID, "time": c.MetaData.Started, "title": c.MetaData.Title, "url": c.MetaData.URL,
				"minutes": (c.MetaData.Duration + 59) / 60, "participants": people, "brief": c.Content.Brief,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// FileToFile copies the objects of a file, each on a line, into another one, with their id as a key, and returns how many.
func FileToFile(from, to string) (int, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	return lines(to, func(write func(any) error) error {
		scan := bufio.NewScanner(in)
		scan.Buffer(nil, 2<<20)
		for scan.Scan() {
			var row map[string]any
			if err := json.Unmarshal(scan.Bytes(), &row); err != nil {
				return err
			}
			row["key"] = row["id"]
			if err := write(row); err != nil {
				return err
			}
		}
		return scan.Err()
	})
}

// lines makes a file of the objects that the source writes, and returns how many they were.
func lines(path string, source func(write func(any) error) error) (n int, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffer := bufio.NewWriterSize(f, 64<<10)
	enc := json.NewEncoder(buffer)
	err = source(func(v any) error {
		n++
		return enc.Encode(v)
	})
	return n, errors.Join(err, buffer.Flush())
}
